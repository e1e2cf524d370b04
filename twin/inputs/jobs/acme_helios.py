"""Helios (`cluster_log.csv`; Hu et al., SC 2021) and Acme (`trace_seren.csv`, `trace_kalos.csv`; NSDI 2024).

Columns job_id, user, gpu_num, node_num, state, submit_time, start_time, end_time; Helios has vc besides. Dates are
local; Acme's carry their offset. Run time is end less start, as both define it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin.inputs.jobs.schema import WRONG_CELL, JobRow, Layout, Rejected, RowError, Source
from twin.inputs.jobs.slurm import STATES
from twin.inputs.jobs.source import Cells, cells_of, checked, number, says, span_s
from twin.inputs.jobs.times import Clock

_COLUMNS = ("job_id", "gpu_num", "node_num", "state", "submit_time", "start_time", "end_time")


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    clock = Clock(source)

    def job(line: int, cells: Cells) -> JobRow:
        return _job(clock, line, cells)

    return cells_of(source, _COLUMNS, job)


def _job(clock: Clock, line: int, cells: Cells) -> JobRow:
    job_id = cells["job_id"].strip()
    submit_s = clock.seconds("submit_time", cells["submit_time"])
    if math.isnan(submit_s):
        raise RowError(WRONG_CELL, f"submit_time of job {job_id} is empty")
    start_s = clock.seconds("start_time", cells["start_time"])
    return checked(
        JobRow(
            line,
            job_id,
            submit_s,
            span_s(job_id, start_s, clock.seconds("end_time", cells["end_time"])),
            _whole("gpu_num", cells),
            start_s,
            _whole("node_num", cells),
            STATES.get(cells["state"].strip().upper(), "unknown"),
            cells.get("vc") or cells.get("user", ""),
        )
    )


def _whole(name: str, cells: Cells) -> int:
    """A count that may be written as 8 or 8.0; 0 where the cell says nothing."""
    value = number(name, cells[name]) if says(cells[name]) else 0.0
    if value != math.floor(value):
        raise RowError(WRONG_CELL, f"{name} {cells[name]} must be a whole number")
    return int(value)


LAYOUT = Layout(
    "acme_helios",
    "columns job_id, gpu_num, node_num, state, submit_time, start_time, end_time",
    absolute=True,
    fits=lambda source: {"gpu_num", "submit_time"} <= source.columns(),
    rows=_rows,
)
