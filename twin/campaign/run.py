"""`run_campaign`: from a scenario to results that survive kills, in one call."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.campaign import export
from twin.campaign import plan as plans
from twin.campaign.engines import Engine, ForeignEngine, LocalEngine, check_canaries
from twin.campaign.export import Content
from twin.campaign.journal import Journal, never_began
from twin.campaign.loop import Ending, Looks, Loop, Progress
from twin.campaign.pack import pack
from twin.campaign.plan import Plan
from twin.campaign.rare.columns import SCHEMA
from twin.campaign.rare.pilot import Pilot, tune
from twin.campaign.rare.result import RareResult, result_of
from twin.campaign.result import CampaignResult
from twin.campaign.rows import Rows
from twin.campaign.sweep import swept
from twin.campaign.task import warm
from twin.errors import HaltedError, InputError, Problem
from twin.experiment import check_designs
from twin.files import write_whole
from twin.metrics import spans
from twin.metrics.names import NAMES
from twin.scenario.load import load
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator
from twin.version import VERSION

_SESSIONS_KEPT = 1000
_TIME_MAX_S = 1e9
"""Thirty years; clocks of some systems end beyond."""
MakeEngine = Callable[[str, bytes], Engine]


def run_campaign(
    scenario: Study[Scenario] | str | os.PathLike[str],
    *,
    replications: int | tuple[int, int],
    designs: Sequence[str] | None = None,
    until_ci: float | None = None,
    metrics: Sequence[str] | None = None,
    until_time_s: float | None = None,
    rare: bool = False,
    sweep: str | None = None,
    path: str | os.PathLike[str] | None = None,
    resume: bool = False,
    workers: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    tls: dict[str, str] | None = None,
    progress: Progress | None = None,
    allow_code: bool = False,
) -> CampaignResult:
    """Simulate many replications of all designs under the same luck.

    Results are the same bytes for any number of workers and any engine, however often the campaign was killed and
    resumed. In a script, call it below `if __name__ == "__main__":`, since every worker process imports the script.

    Args:
        scenario: a study, a file, or the name of a shipped scenario.
        replications: how many of each design, at most; or first and end (not included) of a range of them.
        designs: names; all if None.
        until_ci: stop when the half-width of each metric's 95 % interval is this share of its mean, for all designs.
        metrics: those that `until_ci` speaks of; `difference:NAME` is the difference to the first design.
            Lost GPU-hours if None. Of a rare-event campaign the first is its target (`twin.metrics.spans.NAMES`).
        until_time_s: stop after this time [s], at the last complete look.
        rare: make the target's events frequent by importance sampling, tuned by a pilot; returns a `RareResult`.
        sweep: name of one of the scenario's sweeps: every design at every point of it.
        path: results file (HDF5); beside it FILE.journal while running and FILE.run.json. In memory only if None.
        resume: go on with what is there.
        workers: processes on this machine; as many as it has cores if None.
        executor: any executor, instead of processes of our own; it is not shut down.
        scheduler: address of a Dask scheduler, instead of both.
        tls: files `ca_file`, `cert` and `key` for it.
        progress: told after every result.
        allow_code: whether Python files that the scenario names may run (of a `Study`, its own word counts).

    Raises:
        InputError: the arguments, or files that are there already or belong to another campaign.
        HaltedError: the disk is full, workers do not start, or a replication ends its process.
    """
    study = scenario if isinstance(scenario, Study) else load(os.fspath(scenario), allow_code=allow_code)
    plan = _plan(study, replications, designs, until_ci, metrics, until_time_s, sweep, rare=rare)
    files = Files(path)
    files.check(resume=resume)
    make = _engine_maker(workers, executor, scheduler, tls)
    canary = warm(plan.study)
    plan, pilots = _tuned(plan, metrics) if rare else (plan, {})
    with files.journal(plan.identity(canary)) as journal:
        rows = _rows(plan, journal)
        try:
            ending, took = _simulate(plan, rows, journal, make, progress)
        except InputError:  # no such cluster, say: a journal without a row is not left in the way
            if journal.is_empty:
                journal.remove()
            raise
        content = Content(journal.identity, rows.beginning(ending.count).copy(), plan.first, ending.by)
        if pilots and took:
            took["natural_s"] = {name: round(pilot.natural_s, 6) for name, pilot in pilots.items()}
            took["tuned_s"] = {name: round(pilot.tuned_s, 6) for name, pilot in pilots.items()}
        files.finish(journal, content, took)
    result = result_of(content)
    if isinstance(result, RareResult):
        result.cpu_s = {name: (pilot.natural_s, pilot.tuned_s) for name, pilot in pilots.items()}
    return result


def _tuned(plan: Plan, metrics: Sequence[str] | None) -> tuple[Plan, dict[str, Pilot]]:
    """The plan with the proposals that a pilot of each design found for the target, and the pilots."""
    target = metrics[0] if metrics else spans.NAMES[0]
    pilots = {name: tune(Simulator(plan.study, name), target) for name in plan.designs}
    biased = {name: pilot.settings.as_data() for name, pilot in pilots.items()}
    return replace(plan, rare={"schema": SCHEMA, "target": target, "designs": biased}), pilots


def _plan(
    study: Study[Scenario],
    replications: int | tuple[int, int],
    designs: Sequence[str] | None,
    until_ci: float | None,
    metrics: Sequence[str] | None,
    until_time_s: float | None,
    sweep: str | None,
    *,
    rare: bool,
) -> Plan:
    chosen = list(study.designs) if designs is None else list(designs)
    check_designs(study, chosen)
    first, end = (0, replications) if isinstance(replications, int) else replications
    if not 0 <= first < end <= plans.REPLICATIONS_MAX:
        text = f"replications {first} to {end} are none" if first >= end else f"{end} replications are too many"
        raise InputError(Problem(text, key="replications", remedy=f"name 1 to {plans.REPLICATIONS_MAX:,}"))
    if rare and sweep is not None:
        raise InputError(Problem("a sweep has too many designs to tune each", key="sweep", remedy="leave out --rare"))
    rule = plans.stop_rule(until_ci, metrics, spans.NAMES if rare else NAMES, rare=rare)
    if first and (rule is not None):
        text = "a range cannot stop on its interval: the parts of a campaign must not know what they found"
        raise InputError(Problem(text, key="until_ci", remedy="leave one of the two out"))
    if until_time_s is not None and not 0 < until_time_s <= _TIME_MAX_S:
        raise InputError(Problem(f"must be more than 0 s and at most {_TIME_MAX_S:g} s", key="until_time"))
    own = replace(study, designs={name: study.designs[name] for name in chosen})
    texts = {name: own.resolved_json(name) for name in chosen}
    varied, about = (own, None) if sweep is None else swept(own, sweep)
    return Plan(varied, first, end, rule, until_time_s, about, texts, own.bounds(chosen))


def _engine_maker(
    workers: int | None, executor: Executor | None, scheduler: str | None, tls: dict[str, str] | None
) -> MakeEngine:
    if workers is not None and workers < 1:
        raise InputError(Problem(f"{workers} workers: at least 1 is needed", key="workers"))
    if scheduler is not None and executor is not None:
        raise InputError(Problem("an executor and a scheduler are named", key="executor", remedy="name one of the two"))
    if scheduler is not None:
        from twin.campaign.cluster import DaskEngine  # noqa: PLC0415 - an extra

        return lambda key, packed: DaskEngine(key, packed, scheduler, tls)
    if executor is not None:
        return lambda key, packed: ForeignEngine(key, packed, executor, workers)
    return lambda key, packed: LocalEngine(key, packed, workers)


def _rows(plan: Plan, journal: Journal) -> Rows:
    shape = (len(journal.identity["designs"]), len(journal.identity["metrics"]))
    rows = Rows(plan.first, plan.end, *shape)
    for first, values in journal.blocks:
        rows.put(first, values)
    journal.blocks.clear()
    return rows


def _simulate(
    plan: Plan, rows: Rows, journal: Journal, make: MakeEngine, progress: Progress | None
) -> tuple[Ending, dict[str, Any]]:
    """Run the loop on an engine of its own; where the rows at hand are enough no worker starts."""
    began_s, began_cpu_s = time.time(), time.process_time()
    settled = Looks(plan, rows).ending()
    if settled is not None:
        return settled, {}
    packed = pack(plan.study, plan.rare)
    engine = make(hashlib.sha256(packed).hexdigest(), packed)
    is_done = False
    try:
        check_canaries(engine, str(journal.identity["canary"]))
        loop = Loop(plan, rows, journal, engine, progress)
        ending = loop.run()
        is_done = ending.by == "count"
    finally:
        engine.close(at_once=not is_done)
    took = {
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(began_s)),
        "wall_s": round(time.time() - began_s, 3),
        "parent_cpu_s": round(time.process_time() - began_cpu_s, 3),
        "task_wall_s": round(loop.task_wall_s, 3),
        "task_cpu_s": round(loop.task_cpu_s, 3),
        "tasks": loop.tasks,
        "restarts": loop.restarts,
        "engine": type(engine).__name__,
        "scenario_file": str(plan.study.path.absolute()),
        "slots": engine.slots if engine.is_whole else None,
    }
    return ending, took


@dataclass(frozen=True)
class Files:
    """A campaign's files: results, the journal while it runs, and what the run was like."""

    path: str | os.PathLike[str] | None

    @property
    def results(self) -> Path:
        """The results file."""
        assert self.path is not None
        return Path(self.path)

    @property
    def journal_path(self) -> Path:
        """The journal, there while a campaign runs or waits to be resumed."""
        return Path(f"{self.results}.journal")

    @property
    def run_path(self) -> Path:
        """Times, host, workers and restarts of all sessions."""
        return self.results.with_name(f"{self.results.name.removesuffix('.h5')}.run.json")

    def check(self, *, resume: bool) -> None:
        """Refuse to write over anything, and to resume without a file."""
        if self.path is None:
            if resume:
                raise InputError(Problem("there is nothing to resume without a results file", key="resume"))
            return
        if not self.results.absolute().parent.is_dir():
            raise InputError(Problem(f"no folder {self.results.parent}", str(self.results), remedy="make it"))
        for file in (self.results, self.journal_path):
            if os.path.lexists(file) and not os.path.isfile(file):
                raise InputError(Problem("is there already, and is no file", str(file), remedy="name another file"))
            if os.path.lexists(file) and not resume:
                remedy = "go on with it by --resume, or name another file"
                raise InputError(Problem("is there already", str(file), remedy=remedy))
        if os.path.lexists(self.run_path) and not self._sessions():
            remedy = "name other results, or move it away"
            raise InputError(
                Problem("is there already, and is no record of campaigns", str(self.run_path), remedy=remedy)
            )

    def journal(self, identity: dict[str, Any]) -> Journal:
        """The journal that is there, one with the rows of finished results, or a new one."""
        if self.path is None:
            return Journal.create(None, identity)
        if os.path.lexists(self.journal_path) and not never_began(self.journal_path):
            journal = Journal.open(self.journal_path)
            try:
                plans.check_same(journal.identity, identity, str(self.journal_path), "name another file with -o")
            except BaseException:
                journal.close()
                raise
            return journal
        self.journal_path.unlink(missing_ok=True)
        return self._fresh(identity)

    def _fresh(self, identity: dict[str, Any]) -> Journal:
        content = export.read(self.results) if os.path.lexists(self.results) else None
        if content is not None:
            plans.check_same(content.identity, identity, str(self.results), "name another file with -o")
        journal = Journal.create(self.journal_path, identity)
        if content is not None:
            journal.append([(content.first, content.values)])
            journal.blocks.append((content.first, content.values))
        return journal

    def finish(self, journal: Journal, content: Content, took: dict[str, Any]) -> None:
        """Export, verify, note the run, and only then remove the journal."""
        if self.path is not None:
            try:
                export.write(self.results, content)
            except InputError as error:
                text = "; ".join(str(problem) for problem in error.problems)
                raise HaltedError(f"{text}; all replications are kept in the journal: go on with --resume") from error
            self._note(took | {"replications": len(content.values), "stopped_by": content.stopped_by})
        journal.remove()

    def _sessions(self) -> list[Any]:
        """What is noted so far; empty for no file, and for one that is not ours."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return list(json.loads(self.run_path.read_text())["sessions"])
        return []

    def _note(self, took: dict[str, Any]) -> None:
        about = {"host": platform.node(), "python": platform.python_version(), "numpy": np.__version__, "twin": VERSION}
        text = json.dumps({"sessions": [*self._sessions()[-_SESSIONS_KEPT:], about | took]}, indent=2)
        write_whole(self.run_path, (text + "\n").encode())
