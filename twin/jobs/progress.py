"""What a job has trained since its last restart, and what of it would be lost.

Training goes in cycles: `interval_us`, then a stall; what was trained before it is durable `lag_us` after it has ended.
A pace below one (a power cap, fewer rows, a pause) slows training down, not the cycles. Pure bookkeeping on ticks.
"""

from __future__ import annotations

from typing import NamedTuple


class Booked(NamedTuple):
    """Ticks of a span of training, by what became of them; what is missing was lost to a pace below one.

    Of what is missing, `fewer_rows` and `paused` were lost to fewer servers and to pauses, the rest to caps.
    """

    useful: int
    stalled: int
    rolled_back: int
    fewer_rows: float = 0.0
    paused: float = 0.0


class Progress:
    """One run of a job, from a restart on."""

    __slots__ = ("_at_full_pace", "_cycle", "_losses", "_paces", "interval_us", "lag_us", "pace", "since", "stall_us")

    def __init__(self, interval_us: int, stall_us: int, lag_us: int) -> None:
        self.interval_us, self.stall_us, self.lag_us = interval_us, stall_us, lag_us
        self._cycle = interval_us + stall_us
        self.pace = 1.0
        self._losses = (0.0, 0.0, 0.0)
        self.begin(0)

    def begin(self, now: int) -> None:
        """The job trains from now on, at the pace that holds."""
        self.since = now
        self._paces = [(now, self._losses)]
        self._at_full_pace = self.pace == 1.0

    def set_pace(self, now: int, pace: float, share: float = 1.0) -> None:
        """From now on it trains at another pace, as a fraction of the full one, on a share of its servers.

        Args:
            now: tick.
            pace: under a power cap, 0 in a pause.
            share: of the servers that it began with.
        """
        self.pace = pace * share
        # Shares of time lost to fewer servers and, of the rest, to a pause or else to a cap.
        self._losses = (1.0 - share, 0.0 if pace else share, share * (1.0 - pace) if pace else 0.0)
        self._paces.append((now, self._losses))
        self._at_full_pace = False

    def slowed_by_us(self, elapsed: int) -> tuple[float, float, float]:
        """Training time lost within the first `elapsed` ticks since the restart, to fewer servers, pauses and caps."""
        if self._at_full_pace:
            return 0.0, 0.0, 0.0
        lost = [0.0, 0.0, 0.0]
        end = self.since + elapsed
        for k, (start, losses) in enumerate(self._paces):
            until = self._paces[k + 1][0] if k + 1 < len(self._paces) else end
            for reason, loss in enumerate(losses):
                lost[reason] += loss * max(0, min(until, end) - max(start, self.since))
        fewer, paused, capped = (one * self.interval_us / self._cycle for one in lost)
        return fewer, paused, capped

    def exposed_us(self, now: int) -> int:
        """What a loss would take away now."""
        elapsed = now - self.since
        return elapsed - max(0, elapsed - self.lag_us) // self._cycle * self._cycle

    def book(self, now: int, *, to_checkpoint: bool) -> Booked:
        """The time since the restart: back to the last durable checkpoint, or all of it kept."""
        rolled_back = self.exposed_us(now) if to_checkpoint else 0
        kept = now - self.since - rolled_back
        whole, rest = divmod(kept, self._cycle)
        stalled = whole * self.stall_us + max(0, rest - self.interval_us)
        if self._at_full_pace:
            return Booked(kept - stalled, stalled, rolled_back)
        fewer_rows, paused, capped = self.slowed_by_us(kept)
        slowed = round(fewer_rows + paused + capped)
        return Booked(kept - stalled - slowed, stalled, rolled_back, fewer_rows, paused)

    def ended(self, now: int, left_us: int) -> Booked | None:
        """The time since the restart, if `left_us` of training are done and saved by now; else None.

        After a change of pace `finish_us` may have been up to two stalls too early.
        """
        if self.book(now, to_checkpoint=False).useful < left_us - self.stall_us - 1:
            return None
        fewer_rows, paused, capped = self.slowed_by_us(now - self.since)
        stalled = max(0, now - self.since - left_us - round(fewer_rows + paused + capped))
        return Booked(left_us, stalled, 0, fewer_rows, paused)

    def finish_us(self, now: int, left_us: int) -> int | None:
        """When `left_us` of training, counted from the restart, will be done and saved; None at a pace of zero.

        Exact at full pace; under another, within two stalls.
        """
        if self.pace == 0.0:
            return None
        if self._at_full_pace:
            return self.since + left_us + -(-left_us // self.interval_us) * self.stall_us
        left_us = max(0, left_us - self.book(now, to_checkpoint=False).useful)
        share = self.interval_us / self._cycle
        return now + round(left_us / self.pace / share) + self.stall_us
