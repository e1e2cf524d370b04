"""Nobody overtakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.jobs.scheduler import Scheduler


def overtake(scheduler: Scheduler, now: int) -> list[int]:
    """Everybody waits behind the head of the queue."""
    return []
