"""Write a file whole or not at all: beside its place first, then moved over it in one step."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from twin.errors import InputError, Problem


def write_whole(path: str | os.PathLike[str], data: bytes, verify: Callable[[Path], None] | None = None) -> None:
    """Write `data` to `path`, replacing a file of that name only once all bytes are on the disk.

    A symbolic link is followed, so that the file it names is replaced and not the link.

    Args:
        path: the file.
        data: its bytes.
        verify: given the new file before it takes the name; raises `OSError` where it is not good.

    Raises:
        InputError: the place cannot be written (no folder, no right, disk full); nothing half-written stays.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise InputError(Problem("is not a file that can be replaced", file=str(path), remedy="name another file"))
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        _write(beside, data)
        if verify is not None:
            verify(beside)
        os.replace(beside, target)
        sync_folder(target.parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        remedy = "check the folder, its rights and the free space, or name another file"
        raise InputError(Problem(f"cannot be written: {error.strerror}", file=str(path), remedy=remedy)) from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Put a folder's list of names on the disk; systems that cannot are left alone."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
