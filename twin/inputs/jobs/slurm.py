"""Slurm accounting: the text of `sacct --parsable2` (or `--parsable`), with a head line.

Needed are JobID, Submit, Start, State, a length (End, Elapsed or ElapsedRaw) and the GPUs: AllocTRES or ReqTRES
(`gres/gpu=8`, `gres/gpu:a100=8`), or AllocGRES or ReqGRES (`gpu:8`, by server). Read where they are there: User,
Account, NNodes, Timelimit, Priority. A good command is

    sacct -aXP --format=JobID,User,Account,Submit,Start,End,Elapsed,State,AllocTRES,ReqTRES,NNodes,Timelimit,Priority
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from twin.errors import InputError, Problem
from twin.inputs.jobs.schema import (
    NEVER_STARTED,
    NO_SUMMARY,
    NOT_ENDED,
    WRONG_CELL,
    JobRow,
    Layout,
    Rejected,
    RowError,
    Source,
)
from twin.inputs.jobs.source import Cells, cells_of, checked, count, number, says, span_s
from twin.inputs.jobs.times import Clock, span

_GPUS = re.compile(r"gres/gpu=(\d+)")
_GPUS_BY_TYPE = re.compile(r"gres/gpu:[^=,]+=(\d+)")
_GPUS_A_SERVER = re.compile(r"(?:gres[:/])?gpu(?::[^:,(]*[^:,(\d][^:,(]*)?:(\d+)")
_TRES, _GRES, _LENGTHS = ("AllocTRES", "ReqTRES"), ("AllocGRES", "ReqGRES"), ("Elapsed", "ElapsedRaw", "End")
_OPEN = ("PENDING", "RUNNING", "REQUEUED", "SUSPENDED", "CONFIGURING", "COMPLETING")
_SET_BACK_S = 3600.0
_NO_LIMIT = frozenset({"unlimited", "partition_limit", "invalid"})
STATES = {
    "COMPLETED": "completed", "CANCELLED": "cancelled", "REVOKED": "cancelled", "FAILED": "failed",
    "OUT_OF_MEMORY": "failed", "BOOT_FAIL": "failed", "DEADLINE": "timeout", "TIMEOUT": "timeout",
    "NODE_FAIL": "node_fail", "PREEMPTED": "preempted", "RUNNING": "running", "SUSPENDED": "running",
}  # fmt: skip
"""Slurm's job states; a job that waits (PENDING, REQUEUED ...) has not ended."""


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    columns = set(source.first_line().strip().split("|"))
    for wanted in ((*_TRES, *_GRES), _LENGTHS):
        if not columns & set(wanted):
            message = f"there is none of the columns {', '.join(wanted)}"
            raise InputError(Problem(message, str(source.path), 1, remedy="add one to sacct --format"))
    clock = Clock(source)

    def job(line: int, cells: Cells) -> JobRow:
        return _job(clock, line, cells)

    return cells_of(source, ("JobID", "Submit", "Start", "State"), job, "|")


def _job(clock: Clock, line: int, cells: Cells) -> JobRow:
    job_id = cells["JobID"].strip()
    if "." in job_id:
        raise RowError(NO_SUMMARY, f"step {job_id}", bad=False)
    submit_s = clock.seconds("Submit", cells["Submit"])
    if math.isnan(submit_s):
        raise RowError(WRONG_CELL, f"Submit {cells['Submit']!r} is no date")
    start_s, end_s = clock.seconds("Start", cells["Start"]), clock.seconds("End", cells.get("End"))
    servers = count("NNodes", cells["NNodes"]) if says(cells.get("NNodes")) else 0
    return checked(
        JobRow(
            line,
            job_id,
            submit_s,
            _length_s(job_id, cells, start_s, end_s),
            _gpus(cells, max(servers, 1)),
            start_s,
            servers,
            STATES.get(_word(cells), "unknown"),
            cells.get("User") or cells.get("Account") or "",
            priority=number("Priority", cells["Priority"]) if says(cells.get("Priority")) else 0.0,
            requested_s=_limit_s(cells.get("Timelimit")),
        )
    )


def _word(cells: Cells) -> str:
    """A job's state without what stands behind it (CANCELLED by 1000, COMPLETED+)."""
    return cells["State"].split(" ")[0].rstrip("+").upper()


def _length_s(job_id: str, cells: Cells, start_s: float, end_s: float) -> float:
    """Elapsed time where it is told, else from start to end; a local clock set back by an hour is no fault."""
    if math.isnan(start_s):
        raise RowError(NEVER_STARTED, f"job {job_id}", bad=False)
    between_s = end_s - start_s
    if _word(cells) in _OPEN or ("End" in cells and math.isnan(between_s)):
        raise RowError(NOT_ENDED, f"job {job_id}", bad=False)
    if between_s < -_SET_BACK_S:
        return between_s
    if says(cells.get("ElapsedRaw")):
        return number("ElapsedRaw", cells["ElapsedRaw"])
    if says(cells.get("Elapsed")):
        return span("Elapsed", cells["Elapsed"])
    return span_s(job_id, start_s, end_s)


def _gpus(cells: Cells, servers: int) -> int:
    """GPUs of the whole job; what was allocated goes before what was asked for."""
    for name in _TRES:
        text = cells.get(name, "")
        if found := _GPUS.search(text):
            return int(found[1])
        if by_type := _GPUS_BY_TYPE.findall(text):
            return sum(map(int, by_type))
    for name in _GRES:
        if a_server := _GPUS_A_SERVER.findall(cells.get(name, "")):
            return servers * sum(map(int, a_server))
    return 0


def _limit_s(text: str | None) -> float:
    if text is None or not says(text) or text.strip().lower() in _NO_LIMIT:
        return math.nan
    return span("Timelimit", text)


LAYOUT = Layout(
    "slurm",
    "sacct --parsable2 with JobID, Submit, Start, State",
    absolute=True,
    fits=lambda source: {"JobID", "Submit"} <= set(source.first_line().strip().split("|")),
    rows=_rows,
)
