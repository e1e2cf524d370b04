"""`twin report` and `--html`: the page of a trace, of a campaign, or of a comparison; re-makes what it replays."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twin.cli.show import refuse_to_replace, say, with_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twin.campaign.result import CampaignResult
    from twin.compare import Comparison
    from twin.plot.survival import Outages
    from twin.report.content import Content, Returns
    from twin.scenario.model import Scenario
    from twin.scenario.study import Study
    from twin.trace import Trace

_SURVIVAL_RUNS = 24
"""Replications, of all designs together, looked at to see which outages are ridden through: about two seconds."""
_HTML = (b"<!doctype html", b"<html")


@click.command()
@click.argument("file", type=click.Path())
@click.option("-o", "output", required=True, type=click.Path(), help="page to write (HTML, one file)")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--no-replay", is_flag=True, help="without the replayed year; needs no scenario file")
@click.option("--scenario", type=click.Path(), help="the campaign's scenario file, where it is not found by itself")
@click.option("--design", help="of a campaign: the design to replay; the one with fewest lost GPU-hours if absent")
@click.option(
    "--replication", type=click.IntRange(0, 2**63 - 1), help="of a campaign: the one to replay; the worst if absent"
)
@with_code
def report(file: str, output: str, language: str, *, no_replay: bool, **options: Any) -> None:
    """Write one offline page: the answer, the figures, a replayed year."""
    from twin.campaign.export import is_campaign

    refuse_other_than_pages(output)
    make = _of_campaign if is_campaign(file) else _of_trace
    write_page(make(file, no_replay, options), output, language)


def write_page(content: Content, output: str, language: str = "en", *, tell: bool = True) -> None:
    """Write the page and say where it is."""
    from twin.files import write_whole
    from twin.report.page import page
    from twin.words import LANGUAGES

    text = page(content, LANGUAGES[language])
    write_whole(output, text.encode("utf-8", "backslashreplace"))
    if tell:
        say(f"report {output} (open it in a browser, no network needed)")


def refuse_other_than_pages(output: str) -> None:
    """A file that is no HTML page stays."""
    refuse_to_replace(output, _is_page, "page")


def _is_page(start: bytes) -> bool:
    text = start.lstrip().lower()
    return not text or text.startswith(_HTML)


class OutagesMet:
    """Outages of the first replications of every design: found while these are simulated, so that none is re-made."""

    def __init__(self, designs: Sequence[str], replications: int) -> None:
        self.runs = min(max(_SURVIVAL_RUNS // len(designs), 1), replications)
        self._found: dict[str, list[Outages]] = {name: [] for name in designs}

    def look(self, design: str, place: int, trace: Trace) -> None:
        """Take note of the trace in this place among the design's, of any level."""
        from twin.plot.survival import outages_of

        if place < self.runs:
            self._found[design].append(outages_of([trace]))

    def by_design(self) -> dict[str, Outages]:
        """The outages of every design."""
        from twin.plot.survival import Outages

        return {name: Outages.joined(found) for name, found in self._found.items()}


def content_of_study(
    study: Study[Scenario],
    comparison: Comparison,
    *,
    is_replayed: bool = True,
    first: int = 0,
    met: OutagesMet | None = None,
    **options: Any,
) -> Content:
    """The page's content for designs of a scenario that is at hand; re-makes what is replayed.

    Args:
        study: the scenario.
        comparison: its designs.
        is_replayed: whether the worst replication is re-made, and outages are gone through.
        first: number of the first replication.
        met: the outages, if they were found while the designs were simulated.
        **options: `design` and `replication` to replay; the best and its worst if absent.
    """
    from twin.cli.figures import SHOWN, shown_metrics
    from twin.report.content import Content, assumptions_of
    from twin.scenario.text import path_text
    from twin.version import VERSION

    bounds = {path_text(path): (one.low, one.high) for path, one in study.ranges.items()}
    ranges = {path: (low, high) for path, (low, high) in study.bounds(comparison.designs).items()}
    replayed = _replayed(study, comparison, first, met, options) if is_replayed else {}
    return Content(
        scenario=study.name, question=study.base.question or "", digest=study.digest, seed=study.base.seed,
        version=VERSION, command=_command(), currency=study.base.currency, comparison=comparison, shown=SHOWN,
        metrics=shown_metrics([comparison.rows]), first=first,
        notes={name: study.designs[name].design_note or "" for name in comparison.designs if name in study.designs},
        assumptions=assumptions_of(json.loads(study.resolved_json()), bounds),
        files=[{"name": one.name, "sha256": one.sha256} for one in study.files],
        returns=_returns({name: study.resolved_json(name) for name in comparison.designs}, comparison, ranges),
        **replayed,
    )  # fmt: skip


def _returns(
    scenarios: Mapping[str, str], comparison: Comparison, ranges: Mapping[str, tuple[float, float]]
) -> Returns | None:
    """Money over the years, where the scenario has a `finance:` block and several designs were simulated."""
    from twin.answer import contenders
    from twin.finance.appraisal import money
    from twin.report.content import returns_of

    resolved = {name: json.loads(text) for name, text in scenarios.items() if name in comparison.designs}
    if len(resolved) < 2 or not next(iter(resolved.values())).get("finance"):
        return None
    told = contenders(comparison)[0]
    return returns_of(money(comparison.values, comparison.names, resolved), comparison.reference, told, ranges)


def _replayed(
    study: Study[Scenario], comparison: Comparison, first: int, met: OutagesMet | None, options: dict[str, Any]
) -> dict[str, Any]:
    """The trace to replay and the outages of all designs, as fields of the content."""
    import numpy as np

    from twin.answer import contenders
    from twin.compare import HEADLINE, POWER
    from twin.errors import InputError, Problem
    from twin.experiment import check_designs
    from twin.simulator import Simulator, simulate

    design = options.get("design")
    if design is None:
        several = len(comparison.designs) > 1
        design = contenders(comparison)[0] if several else comparison.reference
    check_designs(study, [design])
    if design not in comparison.designs:
        remedy = f"there are {', '.join(comparison.designs)}"
        raise InputError(Problem(f"design '{design}' was not simulated here", key="--design", remedy=remedy))
    lost = comparison.column(design, POWER if POWER in comparison.names else HEADLINE)
    replication, why = options.get("replication"), "only_one"
    if replication is None:
        replication = first + int(np.argmax(np.nan_to_num(lost)))
        why = "worst_of" if comparison.n > 1 else why
    if met is None:
        met = OutagesMet(comparison.designs, comparison.n)
        for name in comparison.designs:
            simulator = Simulator(study, name)
            for place in range(met.runs):
                met.look(name, place, simulator.run(first + place, level="ledger"))
    outages = met.by_design()
    return {
        "trace": simulate(study, design, replication), "trace_why": why,
        "outages": {name: outages[name] for name in comparison.designs},
        "outage_years": met.runs * comparison.years_each,
    }  # fmt: skip


def _of_campaign(file: str, is_bare: bool, options: dict[str, Any]) -> Content:
    from twin.campaign.rare.result import RareResult, open_result
    from twin.errors import InputError, Problem

    result = open_result(file)
    if isinstance(result, RareResult):
        raise InputError(Problem("holds weighted replications; a page shows plain ones", file, remedy="twin metrics"))
    if result.identity.get("sweep"):
        remedy = "run the campaign without --sweep, or read the sweep with twin.CampaignResult"
        raise InputError(Problem("holds a sweep; a page shows designs", file, remedy=remedy))
    if is_bare:
        return _bare(result)
    study = _study_of(file, result, options)
    return content_of_study(study, result.comparison(), first=result.first, **options)


def _bare(result: CampaignResult) -> Content:
    """What the results file alone holds."""
    from twin.cli.figures import SHOWN, shown_metrics
    from twin.report.content import Content, assumptions_of
    from twin.version import VERSION

    identity, comparison = result.identity, result.comparison()
    resolved = json.loads(next(iter(identity["scenarios"].values())))
    return Content(
        scenario=identity["scenario"], question=resolved.get("question") or "", digest=identity["digest"],
        seed=identity["seed"], version=VERSION, command=_command(), currency=resolved.get("currency", ""),
        comparison=comparison, shown=SHOWN, metrics=shown_metrics([comparison.rows]), first=result.first,
        assumptions=assumptions_of(resolved, {}), returns=_returns(identity["scenarios"], comparison, {}),
    )  # fmt: skip


def _study_of(file: str, result: CampaignResult, options: dict[str, Any]) -> Study[Scenario]:
    """The scenario that a campaign simulated, found by the record beside its results; the digest must agree."""
    from twin.errors import InputError, Problem
    from twin.scenario.load import load

    remedy = "name it with --scenario, or leave the replay out with --no-replay"
    path = options["scenario"] or _noted_scenario(file)
    if path is None or not (options["scenario"] or os.path.isfile(path)):
        raise InputError(Problem("the scenario of these results is not found", file, remedy=remedy))
    study = load(path, allow_code=options["allow_code"])
    if study.digest != result.identity["digest"]:
        text = f"is not the scenario of {file}: its digest is {study.digest[:12]}, not {result.identity['digest'][:12]}"
        raise InputError(Problem(text, str(path), remedy=remedy))
    return study


def _noted_scenario(file: str) -> str | None:
    """The scenario file that the run's record names."""
    record = Path(file).with_name(f"{Path(file).name.removesuffix('.h5')}.run.json")
    try:
        return str(json.loads(record.read_text())["sessions"][-1]["scenario_file"])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def _of_trace(file: str, is_bare: bool, options: dict[str, Any]) -> Content:
    import numpy as np

    from twin import metrics
    from twin.cli.figures import SHOWN, shown_metrics
    from twin.compare import compare_designs
    from twin.plot.survival import outages_of
    from twin.report.content import Content, assumptions_of
    from twin.trace import Trace

    if options["design"] or options["replication"] is not None:
        raise click.UsageError("--design and --replication choose from a campaign; a trace is one replication already")
    trace = Trace.open(file)
    names, values = metrics.row(trace)
    meta = trace.meta
    comparison = compare_designs({meta["design"]: np.atleast_2d(values)}, names, None, trace.years)
    return Content(
        scenario=meta["scenario"], question=meta.get("question") or "", digest=meta["digest"], seed=meta["seed"],
        version=meta["twin_version"], command=_command(), currency=meta["currency"], comparison=comparison,
        shown=SHOWN, metrics=shown_metrics([comparison.rows]), first=meta["replication"],
        assumptions=assumptions_of(json.loads(meta["scenario_text"]), {}), files=meta["files"],
        outages={meta["design"]: outages_of([trace])}, outage_years=trace.years,
        trace=None if is_bare or not trace.series else trace,
    )  # fmt: skip


def _command() -> str:
    return shlex.join(["twin", *sys.argv[1:]])
