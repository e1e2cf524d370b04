"""Who may overtake a job that does not fit yet: one file a rule, `overtake(scheduler, now) -> jobs that start`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from twin.jobs.backfills import conservative, easy, none

if TYPE_CHECKING:
    from twin.jobs.scheduler import Scheduler

Backfill = Callable[["Scheduler", int], list[int]]

BACKFILLS: dict[str, Backfill] = {
    "none": none.overtake, "easy": easy.overtake, "conservative": conservative.overtake,
}  # fmt: skip
