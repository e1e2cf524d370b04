"""Who does the work: spawned processes of this machine, or any executor of `concurrent.futures`.

Always spawn: a forked child of a process with threads (a progress bar, a cluster client, OpenMP) may hang or die.
A pool of the standard library dies whole when one of its workers does, so it is made anew; a started worker hangs on a
leash (see `boot`), so that no worker outlives a parent that was killed or interrupted.
"""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Protocol

from twin.campaign import boot
from twin.campaign.task import Block, greet, run_block
from twin.errors import HaltedError

Errors = tuple[type[BaseException], ...]

_GUARD = (
    "worker processes do not start; a script that calls run_campaign must do so below "
    "`if __name__ == '__main__':`, since each worker imports it"
)
_STARTS = 3
"""How often workers that die while they start are started again."""


class Engine(Protocol):
    """Takes blocks and gives futures."""

    target_s: float
    """How long a task should last [s], so that its overhead does not count."""
    lost: Errors
    """What a future raises whose worker is gone; the block may be tried again."""
    deadly: Errors
    """What a future raises whose block ended several workers already."""
    is_whole: bool
    """Whether all other tasks are lost with one, and `rebuild` must be called."""

    @property
    def slots(self) -> int:
        """Tasks that run at one time."""

    def canaries(self) -> list[Future[str]]:
        """Ask workers for their canary; starts them too."""

    def submit(self, first: int, last: int) -> Future[Block]:
        """Start a block of replications `first` up to `last`."""

    def rebuild(self) -> None:
        """Begin with new workers after some were lost."""

    def close(self, *, at_once: bool) -> None:
        """End all workers of ours; `at_once` does not wait for running tasks."""


class LocalEngine:
    """Processes on this machine."""

    target_s = 0.25
    lost: Errors = (BrokenExecutor, CancelledError)
    deadly: Errors = ()
    is_whole = True

    def __init__(self, key: str, packed: bytes, workers: int | None = None) -> None:
        self._key, self._packed = key, packed
        self.slots = workers or usable_cores()
        self._pool: ProcessPoolExecutor
        self._leash: Connection
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        for_workers, self._leash = context.Pipe(duplex=False)
        arguments = (for_workers, self._key, self._packed)
        self._pool = ProcessPoolExecutor(self.slots, context, boot.begin_worker, arguments)

    def canaries(self) -> list[Future[str]]:
        """One for each process; the first call starts them."""
        with boot.calm_children():
            return [self._pool.submit(greet, self._key, None) for _ in range(self.slots)]

    def submit(self, first: int, last: int) -> Future[Block]:
        """See `Engine`."""
        with boot.calm_children():
            return self._pool.submit(run_block, self._key, None, first, last)

    def rebuild(self) -> None:
        """See `Engine`."""
        self.close(at_once=True)
        self._start()

    def close(self, *, at_once: bool) -> None:
        """See `Engine`."""
        if at_once:
            self._leash.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._leash.close()


class ForeignEngine:
    """An executor of the caller, who starts and ends it; each task brings its work along."""

    target_s = 2.0
    lost: Errors = (CancelledError,)
    deadly: Errors = ()
    is_whole = False

    def __init__(self, key: str, packed: bytes, executor: Executor, slots: int | None = None) -> None:
        self._key, self._packed, self._executor = key, packed, executor
        self.slots = slots or int(getattr(executor, "_max_workers", 0)) or usable_cores()

    def canaries(self) -> list[Future[str]]:
        """One."""
        return [self._executor.submit(greet, self._key, self._packed)]

    def submit(self, first: int, last: int) -> Future[Block]:
        """See `Engine`."""
        return self._executor.submit(run_block, self._key, self._packed, first, last)

    def rebuild(self) -> None:
        """Nothing to do: it is the caller's."""

    def close(self, *, at_once: bool) -> None:
        """Nothing to do: it is the caller's, and futures not begun were cancelled."""


def usable_cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_canaries(engine: Engine, canary: str) -> None:
    """Wait until workers are ready, and refuse those whose arithmetic differs.

    Raises:
        HaltedError: they do not start, or compute other last bits than this process.
    """
    for tries_left in reversed(range(_STARTS)):
        try:
            answers = [future.result() for future in engine.canaries()]
        except (*engine.lost, *engine.deadly) as error:
            if not tries_left:
                raise HaltedError(f"{_GUARD} ({type(error).__name__})") from error
            engine.rebuild()
        except BrokenExecutor as error:
            raise HaltedError(f"the executor given is broken ({error})") from error
        else:
            for answer in answers:
                check_canary(answer, canary)
            return


def check_canary(answer: Any, canary: str) -> None:
    """Refuse a worker that computes other last bits."""
    if answer != canary:
        raise HaltedError(
            "a worker computes other last bits than this process (another processor or other versions): "
            "its results would depend on who computed what; use workers of one kind"
        )
