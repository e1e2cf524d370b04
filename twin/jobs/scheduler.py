"""Who runs where: the queue in its order, the jobs that run with their expected ends, and the servers they hold.

Pure bookkeeping on ticks: it knows no clock and no power, and nothing of a job's true length. What it expects of a job
(`expected_us`) is what the caller says.
"""

from __future__ import annotations

from bisect import bisect_left, insort

from twin.jobs.backfills import BACKFILLS
from twin.jobs.orders import ORDERS
from twin.jobs.placement import Placement

BACKFILL_DEPTH = 100


class Scheduler:
    """A queue of jobs, numbered in order of submission, on one cluster.

    Args:
        placement: the cluster's servers.
        gpus: by job, its GPUs.
        order, backfill: names of the rules in `twin.jobs.orders` and `twin.jobs.backfills`.
        depth: jobs behind the head that may overtake it.
    """

    def __init__(
        self,
        placement: Placement,
        gpus: list[int],
        order: str = "fifo",
        backfill: str = "none",
        depth: int = BACKFILL_DEPTH,
    ) -> None:
        self.placement, self.gpus = placement, gpus
        self.expected_us = [0] * len(gpus)
        """By job, how long it is expected to hold its servers if it starts now [us]."""
        self._key, self._overtake, self._depth = ORDERS[order], BACKFILLS[backfill], depth
        self._pending: list[tuple[float, int, int]] = []
        self._place_of: dict[int, tuple[float, int, int]] = {}
        self._requeues = 0
        self._ends: list[tuple[int, int]] = []
        self._end_of: dict[int, int] = {}

    # ------------------------------------------------------------------ the queue
    def submit(self, job: int, expected_us: int, priority: float = 0.0) -> None:
        """A job waits at its place in the queue."""
        self.expected_us[job] = expected_us
        self._wait(job, (self._key(priority, expected_us), 0, job))

    def requeue(self, jobs: list[int], expected_us: list[int], priority: list[float]) -> None:
        """Jobs that have lost their servers go before their equals, those that came back last first."""
        self._requeues += 1
        for job, expected, own in zip(jobs, expected_us, priority, strict=True):
            self.expected_us[job] = expected
            self._wait(job, (self._key(own, expected), -self._requeues, job))

    def _wait(self, job: int, place: tuple[float, int, int]) -> None:
        self._place_of[job] = place
        insort(self._pending, place)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._pending)

    def queued(self) -> list[int]:
        """The jobs that wait, in the queue's order."""
        return [job for _, _, job in self._pending]

    @property
    def head(self) -> int:
        """The job whose turn it is."""
        return self._pending[0][2]

    def behind(self) -> list[int]:
        """The jobs behind the head that may overtake it, in the queue's order."""
        return [job for _, _, job in self._pending[1 : 1 + self._depth]]

    def candidates(self) -> list[int]:
        """Those of them that would fit now, if only the head did not matter."""
        placement, gpus = self.placement, self.gpus
        if placement.busy_gpus == placement.size * placement.servers:
            return []
        behind = self.behind()
        fitting = {
            size for size in {gpus[job] for job in behind} if placement.fits(size, placement.open, placement.open)
        }
        return [job for job in behind if gpus[job] in fitting] if fitting else []

    # ------------------------------------------------------------------ starts and ends
    def start(self, now: int) -> list[int]:
        """Give servers to all jobs that may start now.

        Returns:
            The jobs, in order of their start.
        """
        started = []
        while self._pending and self.placement.take(self.head, self.gpus[self.head]):
            started.append(self._pending.pop(0)[2])
            self._run(started[-1], now)
        if len(self._pending) > 1:
            for job in self._overtake(self, now):
                del self._pending[bisect_left(self._pending, self._place_of[job])]
                self._run(job, now)
                started.append(job)
        return started

    def _run(self, job: int, now: int) -> None:
        del self._place_of[job]
        end_us = now + self.expected_us[job]
        self._end_of[job] = end_us
        insort(self._ends, (end_us, job))

    def ending(self) -> list[tuple[int, int]]:
        """Running jobs as (expected end [us], job), the earliest first; an expected end may have passed."""
        return self._ends

    def release(self, job: int) -> None:
        """A running job has ended, or been stopped: its servers are free."""
        self.placement.release(job)
        self._forget(job)

    def lose_row(self, row: int) -> list[int]:
        """A row goes dark; returns the jobs that died with it, in order."""
        dead = self.placement.close(row)
        for job in dead:
            self._forget(job)
        return dead

    def lose_server(self, server: int) -> list[int]:
        """A server fails; returns the jobs that died with it, in order: all their GPUs are free again."""
        dead = self.placement.on_server(server)
        for job in dead:
            self.release(job)
        return dead

    def _forget(self, job: int) -> None:
        end_us = self._end_of.pop(job)
        del self._ends[bisect_left(self._ends, (end_us, job))]
