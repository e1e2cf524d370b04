"""Reads a job record of any known layout; the layout is found in the file's head unless it is named."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from twin.errors import InputError, Problem
from twin.inputs.jobs import acme_helios, alibaba, opendc, philly, slurm, swf, table
from twin.inputs.jobs.schema import TOO_LARGE, TWICE, JobRow, Jobs, Layout, Reading, Rejected, Source, gathered
from twin.inputs.jobs.source import open_source
from twin.inputs.table import ROWS_NAMED_MAX

_ROOM = (table, slurm, swf, philly, alibaba, acme_helios, opendc)
LAYOUTS: dict[str, Layout] = {module.LAYOUT.name: module.LAYOUT for module in _ROOM}
"""By name; the first whose `fits` holds is taken."""


def read_record(path: Path | str, layout: str | None = None, *, gpus_max: int | None = None) -> Reading:
    """Reads a job record and says what was rejected.

    Args:
        path: the file, plain or gzipped.
        layout: a name in `LAYOUTS`; found in the file's head if absent.
        gpus_max: GPUs of the cluster; larger jobs are rejected.

    Raises:
        InputError: the file cannot be read at all, no layout fits its head, columns are missing, or no job is usable.
    """
    source = open_source(path)
    chosen = _chosen(source, layout)
    rows: list[JobRow] = []
    rejected = list(source.broken)
    first: dict[str, int] = {}
    for row in chosen.rows(source):
        if isinstance(row, Rejected):
            rejected.append(row)
        elif row.job_id in first:
            detail = f"job {row.job_id}, first in row {first[row.job_id]}"
            rejected.append(Rejected(row.line, TWICE, detail, bad=True))
        elif gpus_max is not None and row.gpus > gpus_max:
            first[row.job_id] = row.line
            detail = f"job {row.job_id}, {row.gpus} GPUs of {gpus_max}"
            rejected.append(Rejected(row.line, TOO_LARGE, detail, bad=True))
        else:
            first[row.job_id] = row.line
            rows.append(row)
    rejected.sort(key=lambda row: row.line)
    reading = Reading(
        source.path,
        chosen.name,
        len(rows) + len(rejected),
        gathered(rows, absolute=chosen.absolute),
        rejected,
        source.notes,
    )
    if not rows:
        raise InputError([_nothing(reading), *_named(source.path, rejected)])
    return reading


def read_jobs(
    path: Path | str,
    layout: str | None = None,
    *,
    gpus_max: int | None = None,
    bad_rows: Literal["refuse", "leave_out"] = "refuse",
) -> Jobs:
    """Reads the jobs of a record for a simulation.

    Raises:
        InputError: as `read_record`; and rows are bad, unless they are to be left out.
    """
    reading = read_record(path, layout, gpus_max=gpus_max)
    if bad_rows == "refuse" and reading.bad:
        raise InputError(_named(reading.path, reading.bad))
    return reading.jobs


def _chosen(source: Source, layout: str | None) -> Layout:
    if layout is not None:
        if layout not in LAYOUTS:
            remedy = f"there are {', '.join(LAYOUTS)}"
            raise InputError(Problem(f"there is no layout '{layout}'", str(source.path), remedy=remedy))
        return LAYOUTS[layout]
    found = next((one for one in LAYOUTS.values() if one.fits(source)), None)
    if found is None:
        known = "; ".join(f"{one.name}: {one.about}" for one in LAYOUTS.values())
        message = "the head of the file is of no known layout of job records"
        raise InputError(Problem(message, str(source.path), 1, remedy=f"known are {known}"))
    return found


def _nothing(reading: Reading) -> Problem:
    reasons = ", ".join(f"{count} {reason}" for reason, count in reading.reasons().items())
    found = f"{reading.rows} rows rejected: {reasons}" if reading.rows else "the file has no rows"
    return Problem(f"no usable job ({found})", str(reading.path))


def _named(path: Path, rejected: list[Rejected]) -> list[Problem]:
    """The first rejected rows as problems, then how many more there are."""
    named = [
        Problem(f"{row.reason}: {row.detail}" if row.detail else row.reason, str(path), row.line)
        for row in rejected[:ROWS_NAMED_MAX]
    ]
    if len(rejected) > len(named):
        more = len(rejected) - len(named)
        named.append(Problem(f"and {more} more", str(path), remedy=f"twin jobs {path} --rejected {len(rejected)}"))
    return named
