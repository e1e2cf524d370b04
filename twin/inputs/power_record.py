"""Turns a measured power record of a training cluster into the few numbers that a power profile needs.

A record is a folder with, for each run N, `run_N.csv.gz` (t_s and node_XX_w: AC input of each server [W]) and
`run_N_events.csv` (t_s, event: init, run, block and eval starts and stops), as cut from the MLPerf Training logs.
Training is the time in blocks, evaluation the time between eval_start and eval_stop; a reading counts where its
instant lies, so the 1 or 2 readings at each edge blur both levels by less than the sensors do.
The record starts with the run: it holds no idle servers. Its lowest reading is an upper bound of idle, no more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.errors import InputError, Problem
from twin.inputs.table import Floats, Table, read_table

GPUS_PER_SERVER = 8
"""The layout does not say it; HGX and DGX servers, which the MLPerf records are of, have eight."""
RUN_FILE = re.compile(r"run_(\d+)\.csv(\.gz)?")
SERVER_COLUMN = re.compile(r"node_\w+_w")


@dataclass(frozen=True)
class PowerProfile:
    """AC input power of one server in a training cluster: kW per server of the mean over the cluster's servers.

    Levels and times are means over the record's runs; extremes are over all runs.
    """

    training_kw: float
    """Mean in training blocks."""
    evaluation_kw: float
    """Mean during evaluations."""
    evaluation_dip_fraction: float
    """1 - evaluation_kw / training_kw."""
    evaluation_period_s: float
    """Mean time from one start of an evaluation to the next."""
    evaluation_s: float
    """Mean length of an evaluation."""
    mean_kw: float
    """Mean of all readings, start-up ramp included."""
    p1_kw: float
    p99_kw: float
    maximum_kw: float
    """Largest reading of the cluster's mean (a single server reads more: `highest_kw`)."""
    lowest_kw: float
    """Lowest reading of any one server: NOT idle, which the record does not hold; idle is below this."""
    highest_kw: float
    """Highest reading of any one server."""
    startup_s: float
    """From init_start to run_start: a lower bound of a restart."""
    largest_step_down_fraction: float
    """Largest fall of the cluster between two readings in steady operation, over mean_kw."""
    largest_step_up_fraction: float
    """Largest rise likewise; steady operation begins when the cluster first reaches its training level."""
    servers: int
    gpus_per_server: int
    seconds: float
    """Length of the record, all runs together."""
    runs: int
    source: str


@dataclass(frozen=True)
class _Run:
    """What one run gives; powers are kW per server."""

    servers: int
    times_s: Floats
    mean_kw: Floats
    """Mean over the servers at each reading."""
    lowest_kw: float
    highest_kw: float
    training_kw: float
    evaluation_kw: float
    evaluation_period_s: float
    evaluation_s: float
    startup_s: float

    def steps_kw(self) -> Floats:
        """Changes from reading to reading [kW], from the first reading at the training level on."""
        steady = int(np.argmax(self.mean_kw >= self.training_kw))
        return np.diff(self.mean_kw[steady:], prepend=self.mean_kw[steady])


def read_power_record(folder: Path | str) -> PowerProfile:
    """Reads a folder of runs (layout: see the head of this file).

    Raises:
        InputError: no runs there, a file is missing or malformed (see `read_table`), powers are negative or no
            numbers, times do not rise, events do not pair, or runs have different servers.
    """
    folder = Path(folder)
    paths = _run_files(folder)
    runs = [_read_run(path, folder / f"{path.name.split('.')[0]}_events.csv") for path in paths]
    for path, run in zip(paths, runs, strict=True):
        if run.servers != runs[0].servers:
            message = f"has {run.servers} servers, {paths[0].name} has {runs[0].servers}"
            raise InputError(Problem(message, str(path), 1))
    return _profile(runs, _source(folder))


def _profile(runs: list[_Run], source: str) -> PowerProfile:
    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    mean_kw = mean([float(run.mean_kw.mean()) for run in runs])
    dips = [1.0 - run.evaluation_kw / run.training_kw for run in runs]
    return PowerProfile(
        training_kw=mean([run.training_kw for run in runs]),
        evaluation_kw=mean([run.evaluation_kw for run in runs]),
        evaluation_dip_fraction=mean(dips),
        evaluation_period_s=mean([run.evaluation_period_s for run in runs]),
        evaluation_s=mean([run.evaluation_s for run in runs]),
        mean_kw=mean_kw,
        p1_kw=mean([float(np.percentile(run.mean_kw, 1)) for run in runs]),
        p99_kw=mean([float(np.percentile(run.mean_kw, 99)) for run in runs]),
        maximum_kw=max(float(run.mean_kw.max()) for run in runs),
        lowest_kw=min(run.lowest_kw for run in runs),
        highest_kw=max(run.highest_kw for run in runs),
        startup_s=mean([run.startup_s for run in runs]),
        largest_step_down_fraction=max(-float(run.steps_kw().min()) for run in runs) / mean_kw,
        largest_step_up_fraction=max(float(run.steps_kw().max()) for run in runs) / mean_kw,
        servers=runs[0].servers,
        gpus_per_server=GPUS_PER_SERVER,
        seconds=sum(float(run.times_s[-1] - run.times_s[0]) for run in runs),
        runs=len(runs),
        source=source,
    )


def _run_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(Problem("there is no such folder", str(folder)))
    found = [(int(match[1]), path) for path in folder.iterdir() if (match := RUN_FILE.fullmatch(path.name))]
    if not found:
        remedy = "a record has run_0.csv.gz and run_0_events.csv, and so on"
        raise InputError(Problem("there are no runs in this folder", str(folder), remedy=remedy))
    return [path for _, path in sorted(found)]


def _read_run(path: Path, events_path: Path) -> _Run:
    times_s, server_kw = _read_powers(path)
    events = read_table(events_path, ("t_s", "event"))
    event_s = events.numbers("t_s")
    blocks = _intervals(events, event_s, "block_start", "block_stop")
    evaluations = _intervals(events, event_s, "eval_start", "eval_stop")
    init_start_s = _only(events, event_s, "init_start")
    run_start_s = _only(events, event_s, "run_start")
    events.refuse()
    if len(evaluations) < 2:
        message = f"{len(evaluations)} evaluations: at least two are needed for the time between them"
        raise InputError(Problem(message, str(events_path)))
    if run_start_s < init_start_s:
        raise InputError(Problem("run_start is before init_start", str(events_path)))
    mean_kw = server_kw.mean(axis=0)
    training_kw = _level_kw(path, times_s, mean_kw, blocks, "training block")
    if not training_kw > 0.0:
        raise InputError(Problem("the mean power in training blocks is 0", str(path)))
    return _Run(
        servers=len(server_kw),
        times_s=times_s,
        mean_kw=mean_kw,
        lowest_kw=float(server_kw.min()),
        highest_kw=float(server_kw.max()),
        training_kw=training_kw,
        evaluation_kw=_level_kw(path, times_s, mean_kw, evaluations, "evaluation"),
        evaluation_period_s=float(np.diff(evaluations[:, 0]).mean()),
        evaluation_s=float((evaluations[:, 1] - evaluations[:, 0]).mean()),
        startup_s=run_start_s - init_start_s,
    )


def _read_powers(path: Path) -> tuple[Floats, Floats]:
    """Times [n] in s and powers [servers, n] in kW."""
    table = read_table(path, ("t_s",))
    names = [name for name in table.columns if SERVER_COLUMN.fullmatch(name)]
    if not names:
        raise InputError(Problem("there are no columns node_XX_w (power of each server, W)", str(path), 1))
    times_s = table.numbers("t_s")
    for row in (np.flatnonzero(np.diff(times_s) <= 0.0) + 1).tolist():
        table.fault(row, "t_s", f"{times_s[row]:g} s does not come after {times_s[row - 1]:g} s")
    server_w = np.array([table.numbers(name, minimum=0.0) for name in names])
    table.refuse()
    return times_s, server_w / 1e3


def _intervals(events: Table, event_s: Floats, start: str, stop: str) -> Floats:
    """Pairs of start and stop [n, 2] in s; a start without its stop, or the other way round, is a fault."""
    pairs: list[tuple[float, float]] = []
    open_row: int | None = None
    for row, event in enumerate(events.columns["event"]):
        if event == start:
            if open_row is not None:
                events.fault(open_row, "event", f"{start} without {stop}")
            open_row = row
        elif event == stop:
            if open_row is None:
                events.fault(row, "event", f"{stop} without {start}")
            elif event_s[row] <= event_s[open_row]:
                events.fault(row, "t_s", f"{stop} does not come after its {start}")
            else:
                pairs.append((event_s[open_row], event_s[row]))
            open_row = None
    if open_row is not None:
        events.fault(open_row, "event", f"{start} without {stop}")
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _only(events: Table, event_s: Floats, name: str) -> float:
    rows = [row for row, event in enumerate(events.columns["event"]) if event == name]
    if not rows:
        events.refuse()
        raise InputError(Problem(f"there is no event {name}", str(events.path)))
    for row in rows[1:]:
        events.fault(row, "event", f"a second {name}")
    return float(event_s[rows[0]])


def _level_kw(path: Path, times_s: Floats, mean_kw: Floats, intervals: Floats, what: str) -> float:
    """Mean over the readings within closed-open intervals."""
    position = np.searchsorted(intervals[:, 0], times_s, side="right") - 1
    inside = position >= 0
    inside[inside] = times_s[inside] < intervals[position[inside], 1]
    if not inside.any():
        raise InputError(Problem(f"no reading lies in any {what}", str(path)))
    return float(mean_kw[inside].mean())


def _source(folder: Path) -> str:
    """Heading and citation of the folder's README where there is one, else the folder's name."""
    readme = folder / "README.md"
    if not readme.is_file():
        return folder.resolve().name
    text = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    heading = next((line.lstrip("# ").strip() for line in text if line.startswith("#")), folder.resolve().name)
    citation = next((line.removeprefix("- Cite:").strip() for line in text if line.startswith("- Cite:")), "")
    return f"{heading}; {citation}" if citation else heading
