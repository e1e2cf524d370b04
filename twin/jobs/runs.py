"""What every job of a queue has done: training kept, lost and stalled, and when those that run will end.

All running jobs train at one pace: full, slowed by a power cap, or none. Pure bookkeeping on ticks.
"""

from __future__ import annotations

import heapq

from twin.jobs.progress import Booked, Progress
from twin.units import NEVER


class Runs:
    """Jobs by number.

    Args:
        duration_us: by job, training to be done [us].
        interval_us: by job, training between two checkpoints [us]; `NEVER` for a job that keeps nothing.
        stall_us: what a checkpoint keeps a job from training [us].
        restart_us: from the start of an interrupted job until it trains [us].
    """

    def __init__(self, duration_us: list[int], interval_us: list[int], stall_us: int, restart_us: int) -> None:
        count = len(duration_us)
        self.duration_us, self._interval_us = duration_us, interval_us
        self._stall_us, self.restart_us = stall_us, restart_us
        self.useful_us, self.stalled_us, self.rolled_us = [0] * count, [0] * count, [0] * count
        self.first_us, self.end_us = [-1] * count, [-1] * count
        """First start, and end; -1 where there is none yet."""
        self.hits = [0] * count
        """How often a job has been stopped before its end."""
        self.running: dict[int, Progress] = {}
        self.pace = 1.0
        self._ends: list[tuple[int, int, int]] = []

    def undisturbed_us(self, job: int) -> int:
        """How long a job takes from its start if nothing happens to it, checkpoints included [us]."""
        duration_us, interval_us = self.duration_us[job], self._interval_us[job]
        return duration_us + (0 if interval_us == NEVER else -(-duration_us // interval_us) * self._stall_us)

    def begin(self, job: int, now: int) -> None:
        """A job has been given its servers; one that was stopped before restarts first."""
        if self.first_us[job] < 0:
            self.first_us[job] = now
        interval_us = self._interval_us[job]
        run = Progress(interval_us, 0 if interval_us == NEVER else self._stall_us, 0)
        run.set_pace(now, self.pace)  # before it begins: a cap that is on books what it loses
        run.begin(now + (self.restart_us if self.hits[job] else 0))
        self.running[job] = run
        self._expect(job, now)

    def _expect(self, job: int, now: int) -> None:
        run = self.running[job]
        end_us = run.finish_us(max(now, run.since), self.duration_us[job] - self.useful_us[job])
        if end_us is not None:
            heapq.heappush(self._ends, (max(end_us, now), job, self.hits[job]))

    def set_pace(self, now: int, pace: float) -> None:
        """From now on all running jobs train at another pace, as a fraction of the full one; at zero none ends."""
        if pace == self.pace:
            return
        self.pace = pace
        self._ends.clear()
        for job, run in self.running.items():
            run.set_pace(now, pace)
            self._expect(job, now)

    def next_end_us(self) -> int:
        """When the next job may end, or one that has been stopped would have; `NEVER` if none will."""
        return self._ends[0][0] if self._ends else NEVER

    def take_ended(self, now: int) -> list[tuple[int, int]]:
        """Jobs that have ended by now, each with the tick of its last restart."""
        ended = []
        while self._ends and self._ends[0][0] <= now:
            _, job, hits = heapq.heappop(self._ends)
            if hits != self.hits[job]:
                continue
            run = self.running[job]
            booked = run.ended(now, self.duration_us[job] - self.useful_us[job])
            if booked is None:
                self._expect(job, now + 1)
                continue
            self._book(job, booked)
            self.end_us[job] = now
            del self.running[job]
            ended.append((job, run.since))
        return ended

    def exposed_us(self, job: int, at: int) -> int:
        """What a loss would take away from a running job at this tick [us]."""
        run = self.running[job]
        return run.exposed_us(at) if at > run.since else 0

    def stop(self, job: int, trained_until: int, now: int, *, saved: bool) -> tuple[int, int]:
        """A running job loses its servers, and what it has done since its last checkpoint, unless that was saved.

        Args:
            job: its number.
            trained_until: now, or the tick at which all jobs began to be saved [us].
            now: the present tick [us].
            saved: all has been saved since; of no use to a job that keeps nothing.

        Returns:
            The tick of its last restart, and what it has lost [us].
        """
        run = self.running.pop(job)
        self.hits[job] += 1
        kept = saved and self._interval_us[job] != NEVER
        return run.since, self._leave(job, run, trained_until, now, to_checkpoint=not kept)

    def close(self, trained_until: int, now: int) -> None:
        """The horizon: what running jobs have done counts as kept."""
        for job, run in self.running.items():
            self._leave(job, run, trained_until, now, to_checkpoint=False)

    def _leave(self, job: int, run: Progress, trained_until: int, now: int, *, to_checkpoint: bool) -> int:
        self.stalled_us[job] += max(0, now - max(trained_until, run.since))
        if trained_until <= run.since:
            return 0
        booked = run.book(trained_until, to_checkpoint=to_checkpoint)
        self._book(job, booked)
        return booked.rolled_back

    def _book(self, job: int, booked: Booked) -> None:
        self.useful_us[job] += booked.useful
        self.stalled_us[job] += booked.stalled
        self.rolled_us[job] += booked.rolled_back
