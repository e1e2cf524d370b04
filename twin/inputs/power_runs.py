"""Reads measured power of training runs in three layouts into one form, and says in which phase each reading lies.

Layouts: `run_N.csv.gz` with `run_N_events.csv` (GPT-3 on H100); one table with a column `run` and node_X_w, and
events.csv (Llama 2 on H100); one table with `workload`, `run` and node_w, and events.csv (B200). Power is AC input [W]
of a server. Phases go by the training log's events: start-up until run_start, evaluation from eval_start to eval_stop,
else training. Readings after run_stop are no part of a run and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.errors import InputError, Problem
from twin.inputs.table import Floats, Ints, Table, read_table

STARTUP, TRAINING, EVALUATION = range(3)
PHASES = ("startup", "training", "evaluation")
_RUN_FILE = re.compile(r"run_(\d+)\.csv(\.gz)?")
_TABLES = ("nodes_1s.csv.gz", "node_1s.csv.gz")
_SERVER_COLUMN = re.compile(r"node(_\w+)?_w")
_KEYS = ("workload", "run")


@dataclass(frozen=True)
class PowerRun:
    """One run. Times in s on the log's clock, powers in kW a server."""

    workload: str
    run: str
    times_s: Floats
    server_kw: Floats
    """[servers, readings]"""
    phase: Ints
    """STARTUP, TRAINING or EVALUATION [readings]."""
    evaluations_s: Floats
    """Start and stop of each evaluation within the readings [evaluations, 2]."""

    @property
    def mean_kw(self) -> Floats:
        """Mean over the servers at each reading, as servers in step draw it [readings]."""
        found: Floats = self.server_kw.mean(axis=0)
        return found

    @property
    def seconds(self) -> float:
        """Length of the readings."""
        return float(self.times_s[-1] - self.times_s[0])


def read_runs(folder: Path | str, workload: str | None = None) -> list[PowerRun]:
    """All runs of a folder, or those of one workload, in order.

    Raises:
        InputError: no such folder, no table of a known layout in it, or one of them is malformed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(Problem("there is no such folder", str(folder)))
    runs = [run for run in _runs(folder) if workload in (None, run.workload)]
    if not runs:
        known = "run_N.csv.gz with run_N_events.csv, or nodes_1s.csv.gz or node_1s.csv.gz with events.csv"
        which = f"runs of workload '{workload}'" if workload else "runs"
        raise InputError(Problem(f"there are no {which} in this folder", str(folder), remedy=f"known are {known}"))
    return runs


def _runs(folder: Path) -> Iterator[PowerRun]:
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := _RUN_FILE.fullmatch(path.name))]
    for number, path in sorted(numbered):
        events = read_table(folder / f"{path.name.split('.')[0]}_events.csv", ("t_s", "event"))
        yield _run("", str(number), read_table(path, ("t_s",)), events)
    for name in _TABLES:
        if (folder / name).is_file():
            yield from _grouped(read_table(folder / name, ("run", "t_s")), read_table(folder / "events.csv", ("run",)))


def _grouped(powers: Table, events: Table) -> Iterator[PowerRun]:
    keys, logged = _keys(powers), _keys(events)
    for key in dict.fromkeys(keys):
        yield _run(*key, powers.keep(np.array([one == key for one in keys])), events.keep(
            np.array([one == key for one in logged])
        ))  # fmt: skip


def _keys(table: Table) -> list[tuple[str, str]]:
    columns = [table.columns.get(name, ("",) * len(table)) for name in _KEYS]
    return list(zip(*columns, strict=True))


def _run(workload: str, run: str, powers: Table, events: Table) -> PowerRun:
    times_s, event_s = powers.numbers("t_s"), events.numbers("t_s")
    names = [name for name in powers.columns if _SERVER_COLUMN.fullmatch(name)]
    if not names:
        raise InputError(Problem("there are no columns node_X_w (power of each server, W)", str(powers.path), 1))
    for row in (np.flatnonzero(np.diff(times_s) <= 0.0) + 1).tolist():
        powers.fault(row, "t_s", f"{times_s[row]:g} s does not come after {times_s[row - 1]:g} s")
    server_kw = np.array([powers.numbers(name, minimum=0.0) for name in names]) / 1e3
    powers.refuse()
    events.refuse()

    def at(event: str) -> Floats:
        return event_s[np.array([one == event for one in events.columns["event"]], dtype=np.bool_)]

    begun, ended = at("run_start"), at("run_stop")
    if not begun.size:
        raise InputError(Problem(f"run {run} has no event run_start", str(events.path)))
    kept = times_s <= (ended[0] if ended.size else np.inf)
    times_s, server_kw = times_s[kept], server_kw[:, kept]
    if not times_s.size:
        raise InputError(Problem(f"run {run} has no reading before its run_stop", str(powers.path)))
    evaluations_s = _evaluations(at("eval_start"), at("eval_stop"), float(times_s[0]), float(times_s[-1]))
    phase = np.where(times_s < begun[0], STARTUP, TRAINING)
    for start_s, stop_s in evaluations_s.tolist():
        phase[(times_s >= start_s) & (times_s < stop_s)] = EVALUATION
    return PowerRun(workload, run, times_s, server_kw, phase.astype(np.int64), evaluations_s)


def _evaluations(starts_s: Floats, stops_s: Floats, first_s: float, last_s: float) -> Floats:
    """Each start with the next stop, cut to the readings; the last may be open."""
    pairs = []
    for start_s in starts_s.tolist():
        later = stops_s[stops_s > start_s]
        stop_s = min(float(later[0]) if later.size else last_s, last_s)
        if max(start_s, first_s) < stop_s:
            pairs.append((max(start_s, first_s), stop_s))
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)
