"""The one form that every job record is brought to, and what is told of the rows that do not fit it.

A row is rejected for one of two reasons. It is *left out*: it is sound, but no job that a replay could run (it asked
for no GPU, never started, has not ended). Or it is *bad*: its cells contradict each other or are no values at all.
Nothing is dropped without a word: every rejected row keeps its line and its reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from twin.inputs.table import Floats, Ints

STATES = ("completed", "failed", "cancelled", "timeout", "node_fail", "preempted", "running", "unknown")
"""How a recorded job ended; `running`: it still ran when its record was closed, at its recorded end."""
UNSAID = -1
"""`checkpointable` of a job whose record does not say."""
DAY_S = 86_400.0


@dataclass(frozen=True)
class Jobs:
    """Jobs in order of submission, then of id. All arrays have one entry a job."""

    job_id: list[str]
    tenant: list[str]
    """Whose job it is; "" where the record does not say."""
    submit_s: Floats
    """Time of submission after the record's origin [s], >= 0."""
    duration_s: Floats
    """Run time on GPUs without interruption [s], > 0."""
    gpus: Ints
    """GPUs held while running, >= 1."""
    start_s: Floats
    """Recorded start after the origin [s]; NaN where the record does not say."""
    servers: Ints
    """Servers held while running; 0 where the record does not say."""
    state: list[str]
    """How the recorded job ended, one of `STATES`."""
    checkpointable: Ints
    """1: keeps its work, 0: does not, -1: the record does not say."""
    priority: Floats
    """Larger goes first; 0 where the record does not say."""
    requested_s: Floats
    """Run time that was asked for [s]; NaN where the record does not say."""
    origin: str | None = None
    """The instant at which `submit_s` is 0, in the record's local time, ISO 8601; None where it does not say."""

    def __len__(self) -> int:
        return len(self.job_id)

    @property
    def gpu_h(self) -> Floats:
        """GPU-hours of each job [n]."""
        return self.duration_s * self.gpus / 3600.0


class JobRow(NamedTuple):
    """One job as a layout reads it; times in s on the record's own clock (see `Layout.absolute`)."""

    line: int
    job_id: str
    submit_s: float
    duration_s: float
    gpus: int
    start_s: float = math.nan
    servers: int = 0
    state: str = "unknown"
    tenant: str = ""
    checkpointable: int = UNSAID
    priority: float = 0.0
    requested_s: float = math.nan


class Rejected(NamedTuple):
    """One row that is no job here: its line (1-based; of a file without lines the row), why, and the details."""

    line: int
    reason: str
    detail: str
    bad: bool
    """Whether the row is wrong, and not merely no job that ran on GPUs."""


class RowError(Exception):
    """Raised by a layout for a row that is no job."""

    def __init__(self, reason: str, detail: str = "", *, bad: bool = True) -> None:
        self.reason, self.detail, self.bad = reason, detail, bad
        super().__init__(f"{reason}: {detail}")

    def at(self, line: int) -> Rejected:
        """The row at this line, rejected."""
        return Rejected(line, self.reason, self.detail, self.bad)


NO_GPU, NEVER_STARTED, NOT_ENDED, NO_TIME = "no GPU", "never started", "not ended", "ran for no time"
NO_SUMMARY = "part of another row's job"
BROKEN, WRONG_CELL, BREAKS_OFF = "broken row", "wrong cell", "file breaks off"
ENDS_EARLY, STARTS_EARLY = "end before start", "start before submission"
TWICE, MIXED_ZONES, TOO_LARGE = "duplicate id", "mixed time zones", "larger than the cluster"


@dataclass
class Source:
    """A record's file, decoded as far as it can be read."""

    path: Path
    data: bytes
    """The first bytes; a binary layout opens the path itself."""
    text: str
    broken: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What a reader had to assume, in sentences."""

    def first_line(self) -> str:
        """The first line that is not blank."""
        return next((line for line in self.text[:100_000].splitlines() if line.strip()), "")

    def columns(self) -> set[str]:
        """The names of a comma-separated head."""
        return {name.strip().strip('"') for name in self.first_line().split(",")}


@dataclass(frozen=True)
class Layout:
    """One layout of job records."""

    name: str
    about: str
    """Whose layout, and where it is defined."""
    absolute: bool
    """Whether its times are dates (seconds after 1970 in local time), not seconds after an origin."""
    fits: Callable[[Source], bool]
    """Whether a file's head is of this layout."""
    rows: Callable[[Source], Iterator[JobRow | Rejected]]


@dataclass(frozen=True)
class Reading:
    """What was read of a record."""

    path: Path
    layout: str
    rows: int
    """Rows looked at, jobs and rejected ones."""
    jobs: Jobs
    rejected: list[Rejected]
    """In order of lines."""
    notes: list[str]

    @property
    def bad(self) -> list[Rejected]:
        """Rows that are wrong, in order of lines."""
        return [row for row in self.rejected if row.bad]

    def reasons(self) -> dict[str, int]:
        """Rejected rows by reason, the most frequent first."""
        names = [row.reason for row in self.rejected]
        return {name: names.count(name) for name in sorted(set(names), key=lambda name: (-names.count(name), name))}


def gathered(rows: list[JobRow], *, absolute: bool) -> Jobs:
    """The jobs of rows that fit, sorted; dates become seconds after the midnight before the first submission."""
    submit_s = np.array([row.submit_s for row in rows])
    shift_s = math.floor(submit_s.min() / DAY_S) * DAY_S if absolute and rows else 0.0
    by_id = np.array(sorted(range(len(rows)), key=lambda k: rows[k].job_id), dtype=np.int64)
    order = by_id[np.argsort(submit_s[by_id], kind="stable")] if rows else by_id
    ordered = [rows[k] for k in order.tolist()]
    return Jobs(
        job_id=[row.job_id for row in ordered],
        tenant=[row.tenant for row in ordered],
        submit_s=np.array([row.submit_s for row in ordered]) - shift_s,
        duration_s=np.array([row.duration_s for row in ordered]),
        gpus=np.array([row.gpus for row in ordered], dtype=np.int64),
        start_s=np.array([row.start_s for row in ordered]) - shift_s,
        servers=np.array([row.servers for row in ordered], dtype=np.int64),
        state=[row.state for row in ordered],
        checkpointable=np.array([row.checkpointable for row in ordered], dtype=np.int64),
        priority=np.array([row.priority for row in ordered], dtype=np.float64),
        requested_s=np.array([row.requested_s for row in ordered], dtype=np.float64),
        origin=_date(shift_s) if absolute and rows else None,
    )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
