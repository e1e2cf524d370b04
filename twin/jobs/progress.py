"""What a job has trained since its last restart, and what of it would be lost.

Training goes in cycles: `interval_us`, then a stall; what was trained before it is durable `lag_us` after it has ended.
A pace below one (a power cap, fewer rows, a pause) slows training down, not the cycles. Pure bookkeeping on ticks.
"""

from __future__ import annotations

from typing import NamedTuple


class Booked(NamedTuple):
    """Ticks of a span of training, by what became of them; what is missing was lost to a pace below one."""

    useful: int
    stalled: int
    rolled_back: int


class Progress:
    """One run of a job, from a restart on."""

    __slots__ = ("_paces", "interval_us", "lag_us", "pace", "since", "stall_us")

    def __init__(self, interval_us: int, stall_us: int, lag_us: int) -> None:
        self.interval_us, self.stall_us, self.lag_us = interval_us, stall_us, lag_us
        self.pace = 1.0
        self.begin(0)

    def begin(self, now: int) -> None:
        """The job trains from now on, at the pace that holds."""
        self.since = now
        self._paces: list[tuple[int, float]] = [(now, self.pace)]

    def set_pace(self, now: int, pace: float) -> None:
        """From now on it trains at another pace, as a fraction of the full one."""
        self.pace = pace
        self._paces.append((now, pace))

    def slowed_us(self, elapsed: int) -> float:
        """Training time that paces below one cost within the first `elapsed` ticks since the restart."""
        if len(self._paces) == 1 and self.pace == 1.0:
            return 0.0
        end = self.since + elapsed
        lost = 0.0
        for k, (start, pace) in enumerate(self._paces):
            until = self._paces[k + 1][0] if k + 1 < len(self._paces) else end
            lost += (1.0 - pace) * max(0, min(until, end) - max(start, self.since))
        return lost * self.interval_us / (self.interval_us + self.stall_us)

    def exposed_us(self, now: int) -> int:
        """What a loss would take away now."""
        elapsed = now - self.since
        cycle = self.interval_us + self.stall_us
        return elapsed - max(0, elapsed - self.lag_us) // cycle * cycle

    def book(self, now: int, *, to_checkpoint: bool) -> Booked:
        """The time since the restart: back to the last durable checkpoint, or all of it kept."""
        elapsed = now - self.since
        cycle = self.interval_us + self.stall_us
        rolled_back = self.exposed_us(now) if to_checkpoint else 0
        whole, rest = divmod(elapsed - rolled_back, cycle)
        stalled = whole * self.stall_us + max(0, rest - self.interval_us)
        slowed = round(self.slowed_us(elapsed - rolled_back))
        return Booked(elapsed - rolled_back - stalled - slowed, stalled, rolled_back)

    def finish_us(self, now: int, left_us: int) -> int | None:
        """When `left_us` of training, counted from the restart, will be done and saved; None at a pace of zero.

        Exact at full pace; under another, within two stalls.
        """
        if self.pace == 0.0:
            return None
        if len(self._paces) == 1 and self.pace == 1.0:
            return self.since + left_us + -(-left_us // self.interval_us) * self.stall_us
        left_us = max(0, left_us - self.book(now, to_checkpoint=False).useful)
        share = self.interval_us / (self.interval_us + self.stall_us)
        return now + round(left_us / self.pace / share) + self.stall_us
