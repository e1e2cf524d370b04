"""Philly's own job log, `cluster_job_log`: a JSON list of jobs with their attempts (Jeon et al., USENIX ATC 2019).

A job's run time is the sum over its attempts with a start and an end; its start is the first attempt's; its GPUs are
the most that an attempt held. The flattened table of that record has the layout `table`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from twin.inputs.jobs.schema import (
    BREAKS_OFF,
    BROKEN,
    NEVER_STARTED,
    NOT_ENDED,
    WRONG_CELL,
    JobRow,
    Layout,
    Rejected,
    RowError,
    Source,
)
from twin.inputs.jobs.source import attempt, checked
from twin.inputs.jobs.times import Clock

_STATES = {"Pass": "completed", "Killed": "cancelled", "Failed": "failed"}
_BETWEEN = " \t\r\n,"


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    """One entry after the other, so that a file that breaks off gives those before the break."""
    clock, decoder, text = Clock(source), json.JSONDecoder(), source.text
    place = text.find("[") + 1
    line = 1 + text.count("\n", 0, place)

    def job(line: int, entry: Any) -> JobRow:
        return _job(clock, line, entry)

    while True:
        begin = place
        while begin < len(text) and text[begin] in _BETWEEN:
            begin += 1
        line += text.count("\n", place, begin)
        if begin == len(text):
            if not source.broken:
                yield Rejected(line, BREAKS_OFF, "the list is not closed", bad=True)
            return
        if text[begin] == "]":
            return
        try:
            entry, place = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError) as error:
            yield Rejected(line, BREAKS_OFF, f"the entry that starts here is broken: {error}", bad=True)
            return
        yield attempt(line, job, entry)
        line += text.count("\n", begin, place)


def _job(clock: Clock, line: int, entry: Any) -> JobRow:
    if not isinstance(entry, dict) or not isinstance(entry.get("attempts"), list):
        raise RowError(BROKEN, "the entry is no job with attempts")
    job_id = str(entry.get("jobid") or "")
    submit_s = clock.seconds("submitted_time", _text(entry.get("submitted_time")))
    if math.isnan(submit_s):
        raise RowError(WRONG_CELL, f"job {job_id} has no submitted_time")
    start_s, duration_s, gpus, servers, left = math.nan, 0.0, 0, 0, 0
    for one in entry["attempts"]:
        if not isinstance(one, dict):
            raise RowError(BROKEN, f"an attempt of job {job_id} is none")
        begin_s = clock.seconds("start_time", _text(one.get("start_time")))
        end_s = clock.seconds("end_time", _text(one.get("end_time")))
        held = _held(one)
        gpus, servers = max(gpus, sum(held)), max(servers, len(held))
        start_s = begin_s if math.isnan(start_s) else start_s
        if math.isnan(begin_s) or math.isnan(end_s):
            left += 1
        elif end_s < begin_s:
            duration_s = end_s - begin_s
            break
        else:
            duration_s += end_s - begin_s
    if math.isnan(start_s):
        raise RowError(NEVER_STARTED, f"job {job_id}", bad=False)
    if duration_s == 0.0 and left:
        raise RowError(NOT_ENDED, f"job {job_id}", bad=False)
    state = _STATES.get(str(entry.get("status")), "unknown")
    tenant = str(entry.get("vc") or entry.get("user") or "")
    return checked(JobRow(line, job_id, submit_s, duration_s, gpus, start_s, servers, state, tenant))


def _held(attempt: dict[str, Any]) -> list[int]:
    """GPUs of an attempt by server.

    Raises:
        RowError: it does not say them as the log does.
    """
    detail = attempt.get("detail") or []
    if not isinstance(detail, list) or not all(isinstance(one, dict) for one in detail):
        raise RowError(BROKEN, "an attempt's detail is no list of servers")
    gpus = [one.get("gpus") or [] for one in detail]
    if not all(isinstance(one, list) for one in gpus):
        raise RowError(BROKEN, "a server's gpus are no list")
    return [len(one) for one in gpus]


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


LAYOUT = Layout(
    "philly",
    "Philly's cluster_job_log (JSON)",
    absolute=True,
    fits=lambda source: source.text[:1].strip() in ("[", "") and '"jobid"' in source.text[:20_000],
    rows=_rows,
)
