"""Conservative backfill: every waiting job has a reservation, and nobody starts who delays one ahead of it.

Mu'alem and Feitelson 2001. The plan is made anew at every instant, in the queue's order, from what is expected of the
running jobs; only the first `backfill_depth` jobs of the queue are planned, later ones wait.
"""

from __future__ import annotations

from bisect import bisect_left
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
    candidates = scheduler.candidates()
    if not candidates:
        return []
    plan = Plan(scheduler, now)
    started = []
    for job in [scheduler.head, *scheduler.behind()]:
        first, held = plan.earliest(scheduler.gpus[job], scheduler.expected_us[job])
        plan.reserve(first, held, scheduler.expected_us[job])
        if first == 0 and held:
            scheduler.placement.give(job, held)
            started.append(job)
        if job == candidates[-1]:
            break  # nobody behind it could start
    return started


class Plan:
    """What is free from now on, as it changes at the ends of running and reserved jobs."""

    def __init__(self, scheduler: Scheduler, now: int) -> None:
        self._placement = scheduler.placement
        self._found: dict[int, list[tuple[int, int]]] = {}
        self._full = self._some = 0
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

    def earliest(self, gpus: int, length_us: int) -> tuple[int, Held]:
        """The first time of the plan from which servers are free for as long as the job is expected to run.

        Returns:
            Place in `times_us`, and the servers; none where the job fits at no time (rows are dark).
        """
        first = 0
        for before_us, at_us in self._found.get(gpus, ()):
            if before_us <= length_us:
                # Room only shrinks: not before one of its size that is no longer, and was planned ahead of it.
                first = max(first, bisect_left(self.times_us, at_us))
        part = gpus % self._placement.size
        while first < len(self.times_us):
            blocked = self._blocked(first, gpus, part, self.times_us[first] + length_us)
            if blocked < 0:
                self._found.setdefault(gpus, []).append((length_us, self.times_us[first]))
                held = self._placement.search(gpus, self._free[first], self._full, self._some)
                return first, held or []
            first = blocked
        return len(self.times_us) - 1, []

    def _blocked(self, first: int, gpus: int, part: int, end_us: int) -> int:
        """The next time at which the job may fit, -1 if it fits from `first` to its end."""
        times_us, room = self.times_us, self._free
        whole = gpus // self._placement.size
        full = some = self._placement.open
        for k in range(first, len(times_us)):
            if times_us[k] >= end_us:
                break
            full &= room[k].full()
            if part:
                some &= room[k].at_least(part)
            if not _fits(whole, part, full, some):
                return self._after(first, k, whole, part)
        self._full, self._some = full, some
        return -1

    def _after(self, first: int, blocked: int, whole: int, part: int) -> int:
        """The first time after `first` from which the same servers are free until past the one that blocks.

        Room on the servers that are free throughout only shrinks with the span: all starts before it are blocked there.
        """
        full = some = self._placement.open
        for k in range(blocked, first, -1):
            full &= self._free[k].full()
            if part:
                some &= self._free[k].at_least(part)
            if not _fits(whole, part, full, some):
                return k + 1
        return first + 1

    def reserve(self, first: int, held: Held, length_us: int) -> None:
        """Take servers from a time of the plan on."""
        if not held:
            return
        end_us = self.times_us[first] + length_us
        last = first
        while last < len(self.times_us) and self.times_us[last] < end_us:
            last += 1
        if last == len(self.times_us) or self.times_us[last] > end_us:
            self.times_us.insert(last, end_us)
            self._free.insert(last, self._free[last - 1].sketch())
        for free in self._free[first:last]:
            free.move(held, -1)


def _fits(whole: int, part: int, full: int, some: int) -> bool:
    """Whether a job fits on servers that are free altogether, its part of one on one of `some`, `full` among them."""
    spare = full.bit_count() - whole
    return spare >= 0 if not part else spare > 0 or (spare == 0 and bool(some & ~full))
