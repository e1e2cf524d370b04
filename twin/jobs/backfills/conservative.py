"""Conservative backfill: every waiting job has a reservation, and nobody starts who delays one ahead of it.

Mu'alem and Feitelson 2001. The plan is made anew at every instant, in the queue's order, from what is expected of the
running jobs; only the first `backfill_depth` jobs of the queue are planned, later ones wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.jobs.servers import Held

if TYPE_CHECKING:
    from twin.jobs.scheduler import Scheduler


def overtake(scheduler: Scheduler, now: int) -> list[int]:
    """Start what delays no reservation ahead of it.

    Args:
        scheduler: its head does not fit now.
        now: the present tick [us].

    Returns:
        Jobs that have been given servers, in order.
    """
    if not scheduler.candidates():
        return []
    placement = scheduler.placement
    plan = Plan(scheduler, now)
    started = []
    for job in [scheduler.head, *scheduler.behind()]:
        gpus, length_us = scheduler.gpus[job], scheduler.expected_us[job]
        for first in range(len(plan.times_us)):
            held = plan.room(first, gpus, length_us, scheduler)
            if held is not None:
                plan.reserve(first, held, length_us)
                if first == 0:
                    placement.give(job, held)
                    started.append(job)
                break
    return started


class Plan:
    """What is free from now on, as it changes at the ends of running and reserved jobs."""

    def __init__(self, scheduler: Scheduler, now: int) -> None:
        self.times_us, self._free = [now], [scheduler.placement.sketch()]
        for end_us, job in scheduler.ending():
            if end_us > self.times_us[-1]:
                self.times_us.append(end_us)
                self._free.append(self._free[-1].sketch())
            elif len(self.times_us) == 1:
                # Overdue: free at the next tick, not now.
                self.times_us.append(now + 1)
                self._free.append(self._free[-1].sketch())
            self._free[-1].move(scheduler.placement.held[job], 1)

    def room(self, first: int, gpus: int, length_us: int, scheduler: Scheduler) -> Held | None:
        """Servers that are free from a time of the plan on, for as long as the job is expected to run."""
        part, opened = gpus % scheduler.placement.size, scheduler.placement.open
        end_us = self.times_us[first] + length_us
        full = some = opened
        for time_us, free in zip(self.times_us[first:], self._free[first:], strict=True):
            if time_us >= end_us:
                break
            full &= free.full()
            some &= free.at_least(part)
            if not free.fits(gpus, full, some):
                return None
        return scheduler.placement.search(gpus, self._free[first], full, some)

    def reserve(self, first: int, held: Held, length_us: int) -> None:
        """Take servers from a time of the plan on."""
        end_us = self.times_us[first] + length_us
        last = first
        while last < len(self.times_us) and self.times_us[last] < end_us:
            last += 1
        if last == len(self.times_us) or self.times_us[last] > end_us:
            self.times_us.insert(last, end_us)
            self._free.insert(last, self._free[last - 1].sketch())
        for free in self._free[first:last]:
            free.move(held, -1)
