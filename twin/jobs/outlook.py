"""How many GPUs the jobs that are known will keep busy, as far as the queue reaches.

Running jobs go on to their expected ends, waiting ones follow in the queue's order, each for as long as is expected of
it, where as many GPUs are free; with backfill whoever fits goes. Which servers these are is left out, and nobody fails.
Once no job waits the load is open: nobody knows what will be submitted.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple


class QueueAhead(NamedTuple):
    """What a queue expects of itself.

    Attributes:
        steps: (tick [us], busy GPUs) from now on, see `busy_ahead`.
        known_us: the tick from which on nobody knows.
        kw_per_gpu: what a busy GPU draws more than an idle one [kW].
    """

    steps: list[tuple[int, int]]
    known_us: int
    kw_per_gpu: float


def busy_ahead(
    now: int, gpus: int, running: list[tuple[int, int]], waiting: list[tuple[int, int]], *, overtake: bool
) -> tuple[list[tuple[int, int]], int]:
    """Busy GPUs from now on.

    Args:
        now: the present tick [us].
        gpus: what may be busy at once.
        running: (expected end [us], GPUs) of jobs; one that has outlived its expectation is expected to go on.
        waiting: (expected time on its servers [us], GPUs) of jobs, in the queue's order.
        overtake: whether a job that fits may start before one that does not.

    Returns:
        (tick, busy GPUs), the first from `now`; and the tick from which on nobody knows: `now` where no job waits, and
        never later than what is known of the ends.
    """
    ends = [(end, size) for end, size in running if end > now]
    heapq.heapify(ends)
    busy = sum(size for _, size in running)
    queue = list(waiting)
    steps, tick = [(now, busy)], now
    while queue:
        kept: list[tuple[int, int]] = []
        for expected, size in queue:
            if busy + size <= gpus and (overtake or not kept):
                busy += size
                heapq.heappush(ends, (tick + max(expected, 1), size))
            else:
                kept.append((expected, size))
        queue = kept
        if steps[-1][1] != busy:
            steps.append((tick, busy))
        if not queue or not ends:
            break
        tick = ends[0][0]
        while ends and ends[0][0] <= tick:
            busy -= heapq.heappop(ends)[1]
    return steps, tick


def mean_busy(steps: list[tuple[int, int]], known_us: int, first: int, count: int, slot_us: int) -> list[float | None]:
    """Mean busy GPUs of slots `first` to `first + count - 1`, as far as a slot is known to its end; None beyond.

    Of the slot at hand the part that is left counts.
    """
    found: list[float | None] = []
    for slot in range(first, first + count):
        begin, end = max(slot * slot_us, steps[0][0]), (slot + 1) * slot_us
        if end > known_us:
            found += [None] * (count - len(found))
            break
        total = 0
        for (at, busy), following in zip(steps, [*steps[1:], (end, 0)], strict=True):
            total += busy * max(0, min(end, max(following[0], begin)) - max(begin, at))
        found.append(total / (end - begin))
    return found
