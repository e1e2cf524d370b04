"""What a worker process does before it loads anything heavy: one thread, no Ctrl-C of its own, an eye on its parent.

Only the standard library is imported here, so that threads are pinned before numpy looks, and that a worker whose
parent dies while it is still importing ends too.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
"""What numpy's and numba's libraries read when they load. Two threads in each of two workers cost a factor of ten."""
LEASH_CUT = 3
"""Exit code of a worker whose parent let go."""


@contextmanager
def calm_children() -> Iterator[None]:
    """Processes that start inside have one thread each and never see Ctrl-C; for this one all is as before afterwards.

    A Ctrl-C that falls inside reaches this process at the end. Workers are told to ignore it too, but only once they
    run code of ours: while they start, the blocked signal that they inherit spares the user their tracebacks.
    """
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if hasattr(signal, "pthread_sigmask") else None
    try:
        yield
    finally:
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def begin_worker(leash: Connection, key: str, packed: bytes) -> None:
    """Make this process a worker: it ends when the other end of the leash is closed, by death or on purpose.

    Args:
        leash: the reading end of a pipe that only the parent can write to.
        key: of the work, by which tasks name it.
        packed: the work itself, unpacked when the first task asks for it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    threading.Thread(target=_end_with_parent, args=(leash,), name="leash", daemon=True).start()
    SENT[key] = packed


SENT: dict[str, bytes] = {}
"""Packed work that came with the start of this process, by key."""


def _end_with_parent(leash: Connection) -> None:
    with suppress(EOFError, OSError):
        leash.recv_bytes()
    os._exit(LEASH_CUT)
