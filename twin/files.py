"""Write a file whole or not at all: beside its place first, then moved over it in one step."""

from __future__ import annotations

import os
from pathlib import Path

from twin.errors import InputError, Problem


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path`, replacing a file of that name only once all bytes are on the disk.

    A symbolic link is followed, so that the file it names is replaced and not the link.

    Raises:
        InputError: the place cannot be written (no folder, no right, disk full); nothing half-written stays.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError(Problem("is not a file that can be replaced", file=str(path), remedy="name another file"))
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _write(beside, data)
        os.replace(beside, target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        remedy = "check the folder, its rights and the free space, or name another file"
        raise InputError(Problem(f"cannot be written: {error.strerror}", file=str(path), remedy=remedy)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
