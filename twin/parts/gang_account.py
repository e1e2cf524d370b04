"""What is booked of a gang job: training kept and lost, its interruptions, and its row of the trace's jobs."""

from __future__ import annotations

from twin.jobs.progress import Booked
from twin.world import record as r
from twin.world.record import Record


class GangAccount:
    """Ticks by what became of them, and the interruption that is open, if one is.

    Args:
        record: where the rows go; the job's is reserved at once, so that jobs stand in the order of their parts.
        item: the job.
        gpus: GPUs that it holds.
        slowest_fraction: speed of its slowest server, for which all others wait.
    """

    def __init__(self, record: Record, item: int, gpus: int, slowest_fraction: float) -> None:
        self._record, self._item, self._gpus, self._slowest = record, item, gpus, slowest_fraction
        self._row = len(record.jobs) // len(r.JOB_COLUMNS)
        record.jobs.extend([0] * len(r.JOB_COLUMNS))
        self.useful_us = self._stalled = self._rolled_back = self._down = self._fewer_rows = self._paused = 0
        self._count, self._end_us = 0, -1
        self._open: tuple[int, int, int, int] | None = None

    def left_us(self, work_us: int) -> int:
        """Training at the slowest server's speed until so much work is done [us]."""
        return round((work_us - self.useful_us) / self._slowest)

    def keep(self, booked: Booked) -> int:
        """A span of training; in it all but the slowest server wait, which counts as standing still.

        What is missing of the span in the end is the cost of caps.

        Returns:
            What going back to a checkpoint loses [us].
        """
        trained, stalled, rolled_back, fewer_rows_us, paused_us = booked
        useful = round(trained * self._slowest)
        self.useful_us += useful
        self._stalled += stalled + trained - useful
        self._rolled_back += rolled_back
        fewer = round(fewer_rows_us)
        self._fewer_rows += fewer
        self._paused += round(fewer_rows_us + paused_us) - fewer
        return rolled_back

    def stall(self, us: int) -> None:
        """The job stood still for so long."""
        self._stalled += us

    def end(self, now: int) -> None:
        """All its work is done."""
        self._end_us = now

    # ------------------------------------------------------------------ interruptions
    @property
    def cause(self) -> int:
        """Event row that began the open interruption; -1 where none is open."""
        return self._open[1] if self._open else -1

    def interrupt(self, now: int, cause: int, level: int, rollback: int) -> None:
        """An interruption begins, and ends one that was open."""
        if self._open is not None:
            self.resume(now)
        self._open = (now, cause, level, rollback)
        self._count += 1

    def worsen(self, level: int) -> None:
        """More was lost while an interruption was open."""
        if self._open is not None:
            start, cause, before, rollback = self._open
            self._open = (start, cause, max(before, level), rollback)

    def resume(self, now: int) -> None:
        """The open interruption is over."""
        if self._open is not None:
            start, cause, level, rollback = self._open
            self._record.interruptions.extend((self._row, self._item, start, now, cause, level, self._gpus, rollback))
            self._down += now - start
            self._open = None

    def close(self, now: int) -> None:
        """The horizon: write the job's row."""
        self.resume(now)
        start = self._row * len(r.JOB_COLUMNS)
        values = (
            self._item, 0, 0, self._end_us, self._gpus, self.useful_us, self._stalled, self._rolled_back, self._down,
            self._count, -1,
        )  # fmt: skip
        for k, value in enumerate(values):
            self._record.jobs[start + k] = value
        self._record.slowed[self._row] = (self._fewer_rows, self._paused)
