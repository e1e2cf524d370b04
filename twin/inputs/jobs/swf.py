"""Standard Workload Format of the Parallel Workloads Archive (Feitelson, version 2.2): 18 numbers a job, `;` comments.

The format knows processors, not GPUs: one allocated processor (requested, where that is all there is) counts as one
GPU. Partial executions (status 2, 3, 4) repeat what the job's summary line says and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from twin.inputs.jobs.schema import BROKEN, NEVER_STARTED, NO_SUMMARY, NOT_ENDED, JobRow, Layout, Rejected, RowError
from twin.inputs.jobs.schema import Source as Record
from twin.inputs.jobs.source import attempt, checked, number

FIELDS = 18
_CANCELLED = 5
_STATES = {0: "failed", 1: "completed", _CANCELLED: "cancelled"}
_PARTIAL = (2, 3, 4)
_SUBMIT, _WAIT, _RUN, _ALLOCATED, _REQUESTED, _LIMIT, _STATUS, _USER = 1, 2, 3, 4, 7, 8, 10, 11
"""Places of the fields, from 0."""


def _rows(source: Record) -> Iterator[JobRow | Rejected]:
    source.notes.append("one processor of the Standard Workload Format counts as one GPU")
    for line, text in enumerate(source.text.splitlines(), 1):
        if text.strip() and not text.lstrip().startswith(";"):
            yield attempt(line, _job, text)


def _job(line: int, text: str) -> JobRow:
    cells = text.split()
    if len(cells) != FIELDS:
        raise RowError(BROKEN, f"the row has {len(cells)} fields, the format {FIELDS}")
    values = [number(f"field {place}", cell, minimum=-math.inf) for place, cell in enumerate(cells, 1)]
    job_id, status = cells[0], int(values[_STATUS])
    if status in _PARTIAL:
        raise RowError(NO_SUMMARY, f"job {job_id}, status {status}", bad=False)
    number("submit time", cells[_SUBMIT])
    wait_s, run_s = values[_WAIT], values[_RUN]
    if run_s == -1.0:
        never = wait_s == -1.0 or status == _CANCELLED
        raise RowError(NEVER_STARTED if never else NOT_ENDED, f"job {job_id}", bad=False)
    gpus = values[_ALLOCATED] if values[_ALLOCATED] > 0.0 else values[_REQUESTED]
    user = int(values[_USER])
    return checked(
        JobRow(
            line,
            job_id,
            values[_SUBMIT],
            run_s,
            max(0, int(gpus)),
            values[_SUBMIT] + wait_s if wait_s >= 0.0 else math.nan,
            state=_STATES.get(status, "unknown"),
            tenant=str(user) if user >= 0 else "",
            requested_s=values[_LIMIT] if values[_LIMIT] > 0.0 else math.nan,
        )
    )


def _fits(source: Record) -> bool:
    lines = [line for line in source.text[:100_000].splitlines() if line.strip()]
    first = next((line for line in lines if not line.lstrip().startswith(";")), "")
    cells = first.split()
    return len(cells) == FIELDS and all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells)


LAYOUT = Layout(
    "swf", "Standard Workload Format: 18 numbers a line, comments with ;", absolute=False, fits=_fits, rows=_rows
)
