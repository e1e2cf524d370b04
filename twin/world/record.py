"""What a run leaves behind: append-only columns, turned into the trace's tables when the world closes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVELS = ("ledger", "series", "units")

WHATS = (
    "strikes", "up", "energised", "closed", "lit", "phase", "picked_up", "failed_to_pick_up", "overloaded", "empty",
    "restored", "failed_to_start", "failed_to_run", "online", "tripped_on_heat", "capped", "hardware", "running",
    "bypass", "postponed", "shed", "plugged", "announced", "ordered", "notice", "call", "metered",
    "health", "replaced", "fell_back", "found", "attended", "rows_held",
    "failed_to_load", "delivered", "maintenance", "locked_out", "transferred", "failed_to_transfer", "human_error",
    "thermal_event", "started_dark", "drained", "paused", "rows_booting", "application", "isolated",
    "failed_to_operate",
)  # fmt: skip
(
    STRIKES, UP, ENERGISED, CLOSED, LIT, PHASE, PICKED_UP, FAILED_TO_PICK_UP, OVERLOADED, EMPTY,
    RESTORED, FAILED_TO_START, FAILED_TO_RUN, ONLINE, TRIPPED_ON_HEAT, CAPPED, HARDWARE, RUNNING,
    BYPASS, POSTPONED, SHED, PLUGGED, ANNOUNCED, ORDERED, NOTICE, CALL, METERED,
    HEALTH, REPLACED, FELL_BACK, FOUND, ATTENDED, ROWS_HELD,
    FAILED_TO_LOAD, DELIVERED, MAINTENANCE, LOCKED_OUT, TRANSFERRED, FAILED_TO_TRANSFER, HUMAN_ERROR,
    THERMAL_EVENT, STARTED_DARK, DRAINED, PAUSED, ROWS_BOOTING, APPLICATION, ISOLATED,
    FAILED_TO_OPERATE,
) = range(len(WHATS))  # fmt: skip

BY_TEST, BY_NEED = 1, 2  # values of FOUND: how a hidden failure was found

EVENT_COLUMNS = ("time_us", "item", "what", "value", "cause")
JOB_COLUMNS = (
    "item", "submit_us", "start_us", "end_us", "gpus", "useful_us", "stall_us", "rollback_us", "down_us",
    "interruptions", "tenant",
)  # fmt: skip
SLOWED_COLUMNS = ("fewer_rows_us", "paused_us")
TRIP_COLUMNS = (
    "item", "origin", "destination", "reason", "ordered_us", "depart_us", "arrive_us", "plugged_us", "in_time", "km",
    "cost",
)  # fmt: skip
STAY_COLUMNS = (
    "item", "site", "start_us", "end_us", "start_kwh", "end_kwh", "charged_kwh", "discharged_kwh", "cost", "income",
)  # fmt: skip
INTERRUPTION_COLUMNS = ("job", "item", "start_us", "end_us", "cause", "level", "gpus", "rollback_us")


def columns(rows: list[int], names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    """A flat list of rows as named int64 columns."""
    block = np.array(rows, np.int64).reshape(-1, len(names))
    return {name: block[:, k].copy() for k, name in enumerate(names)}


def mixed(rows: list[tuple[float, ...]], names: tuple[str, ...], whole: int) -> dict[str, Any]:
    """Rows as named columns, the first `whole` of them int64."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return {name: np.array(cells[k], np.int64 if k < whole else np.float64) for k, name in enumerate(names)}


class Record:
    """Events, jobs and interruptions of one run as int64 in flat lists; trips and stays of trucks as tuples."""

    __slots__ = ("count", "events", "interruptions", "jobs", "level", "slowed", "stays", "trips")

    def __init__(self, level: str) -> None:
        self.level = level
        self.events: list[int] = []
        self.jobs: list[int] = []
        self.slowed: dict[int, tuple[int, int]] = {}
        """Of jobs by row, what `SLOWED_COLUMNS` say; 0 where a job says nothing."""
        self.interruptions: list[int] = []
        self.trips: list[tuple[float, ...]] = []
        self.stays: list[tuple[float, ...]] = []
        self.count = 0

    def event(self, time_us: int, item: int, what: int, value: int, cause: int) -> int:
        """Append an event; returns its row, to be named as the cause of what follows."""
        self.events.extend((time_us, item, what, value, cause))
        row = self.count
        self.count = row + 1
        return row

    def time_of(self, row: int) -> int:
        """When an event was [us]."""
        return self.events[row * len(EVENT_COLUMNS)]

    def tables(self) -> dict[str, dict[str, Any]]:
        """All tables as columns."""
        jobs = columns(self.jobs, JOB_COLUMNS)
        slowed = [self.slowed.get(row, (0, 0)) for row in range(len(jobs["item"]))]
        return {
            "events": columns(self.events, EVENT_COLUMNS),
            "jobs": jobs | columns([value for row in slowed for value in row], SLOWED_COLUMNS),
            "interruptions": columns(self.interruptions, INTERRUPTION_COLUMNS),
            "trips": mixed(self.trips, TRIP_COLUMNS, 9),
            "stays": mixed(self.stays, STAY_COLUMNS, 4),
        }
