"""The strict table: job_id, submit_s, gpus, and duration_s or start_s and end_s; so is the flattened Philly record.

Further columns are read where they are there: tenant (or vc, user), servers, state, checkpointable, priority,
requested_s. `twin jobs FILE -o JOBS.csv` writes any record in this layout.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from twin.inputs.jobs.schema import STATES, UNSAID, WRONG_CELL, JobRow, Jobs, Layout, Rejected, RowError, Source
from twin.inputs.jobs.source import Cells, cells_of, checked, count, number, optional, says, span_s

TENANT_COLUMNS = ("tenant", "vc", "user")
"""The columns that may say whose a job is; the first one there counts."""
COLUMNS = (
    "job_id", "tenant", "submit_s", "start_s", "duration_s", "gpus", "servers", "state", "checkpointable", "priority",
    "requested_s",
)  # fmt: skip
_TRUTH = {"1": 1, "true": 1, "yes": 1, "0": 0, "false": 0, "no": 0}


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    lengths = ("duration_s",) if "end_s" not in source.columns() else ()
    return cells_of(source, ("job_id", "submit_s", "gpus", *lengths), _job)


def _job(line: int, cells: Cells) -> JobRow:
    job_id = cells["job_id"].strip()
    start_s = optional("start_s", cells.get("start_s"))
    if says(cells.get("duration_s")):
        duration_s = number("duration_s", cells["duration_s"])
    else:
        duration_s = span_s(job_id, start_s, optional("end_s", cells.get("end_s")))
    return checked(
        JobRow(
            line,
            job_id,
            number("submit_s", cells["submit_s"]),
            duration_s,
            count("gpus", cells["gpus"]),
            start_s,
            count("servers", cells["servers"]) if says(cells.get("servers")) else 0,
            _state(cells.get("state")),
            next((cells[name] for name in TENANT_COLUMNS if name in cells), ""),
            _truth(cells.get("checkpointable")),
            number("priority", cells["priority"], minimum=-1e18) if says(cells.get("priority")) else 0.0,
            optional("requested_s", cells.get("requested_s")),
        )
    )


def _state(text: str | None) -> str:
    if text is None or not says(text):
        return "unknown"
    if (state := text.strip().lower()) not in STATES:
        raise RowError(WRONG_CELL, f"state {text.strip()!r} is none of {', '.join(STATES)}")
    return state


def _truth(text: str | None) -> int:
    if text is None or not says(text):
        return UNSAID
    if (word := text.strip().lower()) not in _TRUTH:
        raise RowError(WRONG_CELL, f"checkpointable {text.strip()!r} is not true or false")
    return _TRUTH[word]


def table_lines(jobs: Jobs) -> Iterable[str]:
    """The lines of a file in this layout; reading them gives the same jobs."""
    yield ",".join(COLUMNS)
    for k in range(len(jobs)):
        known = {0: "false", 1: "true"}
        cells = (
            jobs.job_id[k], jobs.tenant[k], _plain(jobs.submit_s[k]), _plain(jobs.start_s[k]),
            _plain(jobs.duration_s[k]), str(jobs.gpus[k]), str(jobs.servers[k] or ""), jobs.state[k],
            known.get(int(jobs.checkpointable[k]), ""), _plain(jobs.priority[k]), _plain(jobs.requested_s[k]),
        )  # fmt: skip
        yield ",".join(_quoted(cell) for cell in cells)


def _plain(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value)).removesuffix(".0")


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ',"\n\r') else cell


LAYOUT = Layout(
    "table",
    "columns job_id, submit_s, gpus, duration_s (or start_s and end_s)",
    absolute=False,
    fits=lambda source: "submit_s" in source.columns() and "qos" not in source.columns(),
    rows=_rows,
)
