"""What a run leaves behind: append-only columns, turned into the trace's tables when the world closes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEVELS = ("ledger", "series", "units")

WHATS = (
    "strikes", "up", "energised", "closed", "lit", "phase", "picked_up", "failed_to_pick_up", "overloaded", "empty",
    "restored", "failed_to_start", "failed_to_run", "online", "tripped_on_heat", "capped", "hardware", "running",
    "bypass", "postponed", "shed", "health", "replaced",
)  # fmt: skip
(
    STRIKES, UP, ENERGISED, CLOSED, LIT, PHASE, PICKED_UP, FAILED_TO_PICK_UP, OVERLOADED, EMPTY,
    RESTORED, FAILED_TO_START, FAILED_TO_RUN, ONLINE, TRIPPED_ON_HEAT, CAPPED, HARDWARE, RUNNING,
    BYPASS, POSTPONED, SHED, HEALTH, REPLACED,
) = range(len(WHATS))  # fmt: skip

EVENT_COLUMNS = ("time_us", "item", "what", "value", "cause")
JOB_COLUMNS = (
    "item", "submit_us", "start_us", "end_us", "gpus", "useful_us", "stall_us", "rollback_us", "down_us",
    "interruptions",
)  # fmt: skip
INTERRUPTION_COLUMNS = ("job", "item", "start_us", "end_us", "cause", "level", "gpus", "rollback_us")


def columns(rows: list[int], names: tuple[str, ...]) -> dict[str, NDArray[np.int64]]:
    """A flat list of rows as named int64 columns."""
    block = np.array(rows, np.int64).reshape(-1, len(names))
    return {name: block[:, k].copy() for k, name in enumerate(names)}


class Record:
    """Events, jobs and interruptions of one run, each row five to ten int64 in one flat list."""

    __slots__ = ("count", "events", "interruptions", "jobs", "level")

    def __init__(self, level: str) -> None:
        self.level = level
        self.events: list[int] = []
        self.jobs: list[int] = []
        self.interruptions: list[int] = []
        self.count = 0

    def event(self, time_us: int, item: int, what: int, value: int, cause: int) -> int:
        """Append an event; returns its row, to be named as the cause of what follows."""
        self.events.extend((time_us, item, what, value, cause))
        row = self.count
        self.count = row + 1
        return row

    def tables(self) -> dict[str, dict[str, NDArray[np.int64]]]:
        """The three tables as columns."""
        return {
            "events": columns(self.events, EVENT_COLUMNS),
            "jobs": columns(self.jobs, JOB_COLUMNS),
            "interruptions": columns(self.interruptions, INTERRUPTION_COLUMNS),
        }
