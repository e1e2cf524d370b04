"""EASY backfill: the head of the queue has a reservation, others start if they do not delay it.

Lifka 1995; Mu'alem and Feitelson 2001. The head's servers are reserved at the shadow time, the first at which it fits
when running jobs end as expected; whoever is expected to end by then may use anything, everybody else leaves the head
its room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.jobs.scheduler import Scheduler


def overtake(scheduler: Scheduler, now: int) -> list[int]:
    """Start what does not delay the head of the queue.

    Args:
        scheduler: its head does not fit now.
        now: the present tick [us].

    Returns:
        Jobs that have been given servers, in order.
    """
    placement, gpus = scheduler.placement, scheduler.gpus
    candidates = scheduler.candidates()
    if not candidates:
        return []
    head = scheduler.head
    shadow, shadow_us = placement.sketch(), now
    reserved = None
    for end_us, job in scheduler.ending():
        shadow.move(placement.held[job], 1)
        if shadow.fits(gpus[head], placement.open, placement.open):
            shadow_us = max(now, end_us)
            reserved = placement.search(gpus[head], shadow, placement.open, placement.open)
            break
    if reserved is not None:
        shadow.move(reserved, -1)
    started = []
    refused: set[tuple[int, bool]] = set()
    for job in candidates:
        long = reserved is not None and now + scheduler.expected_us[job] > shadow_us
        if (gpus[job], long) in refused:
            continue
        full = some = placement.open
        if long:
            full &= shadow.full()
            some &= shadow.at_least(gpus[job] % placement.size)
        held = placement.search(gpus[job], placement, full, some)
        if held is None:
            # Room only shrinks from here on.
            refused.add((gpus[job], long))
            continue
        placement.give(job, held)
        if long:
            shadow.move(held, -1)
        started.append(job)
    return started
