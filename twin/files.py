"""Read a file only where it is one and within bounds; write it whole or not at all: beside its place, then moved."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twin.errors import InputError, Problem

BYTES_MAX = 1_000_000_000
"""No input is longer; of a gzip file neither what it expands to."""
_EXPANSION_MAX, _EXPANDED_FREE = 50, 64_000_000
"""Tables shrink to a fifth or a twentieth: what expands further, and beyond some size, is a bomb and no table."""
_PIECE = 1 << 20


def read_bytes(path: str | os.PathLike[str], most: int = BYTES_MAX) -> bytes:
    """The bytes of a regular file; never waits for a pipe, nor reads a device without end.

    Raises:
        OSError: with a `strerror` for people: no such file, a folder, a pipe or a device, too long, no right.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except ValueError:  # a zero byte in the name
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    with os.fdopen(descriptor, "rb") as stream:
        refuse_irregular(os.fstat(descriptor).st_mode)
        data = stream.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it is longer than {most / 1e6:g} MB")
    return data


def refuse_irregular(mode: int) -> None:
    """Check that a file's mode is that of a regular file.

    Raises:
        OSError: it is a folder, or a pipe or a device.
    """
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device, not a file")


def expansion_max(size: int) -> int:
    """The most bytes that gzip data of this size may expand to."""
    return min(max(_EXPANDED_FREE, _EXPANSION_MAX * size), BYTES_MAX)


def gunzip(data: bytes) -> bytes:
    """The content of gzip data, but never more than text of that size can hold.

    Raises:
        OSError: what the data expand to is too long to be a table.
        EOFError, zlib.error: they break off, or are broken.
    """
    left = most = expansion_max(len(data))
    pieces: list[bytes] = []
    held = data
    while held:  # one member after the other, as gzip allows
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        while not stream.eof:
            piece = stream.decompress(held, _PIECE)
            if not piece and not held:
                raise EOFError("the gzip data break off")
            held = stream.unconsumed_tail
            pieces.append(piece)
            left -= len(piece)
            if left < 0:
                raise OSError(errno.EFBIG, f"it expands to more than {most / 1e6:g} MB")
        held = stream.unused_data.lstrip(b"\0")
    return b"".join(pieces)


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
    if os.path.lexists(target) and not os.path.isfile(target):
        raise InputError(Problem("is not a file that can be replaced", file=str(path), remedy="name another file"))
    beside = target.with_name(f".{target.name[:80]}.{os.getpid()}.part")
    try:
        _write(beside, data)
        if verify is not None:
            verify(beside)
        os.replace(beside, target)
        sync_folder(target.parent)
    except OSError as error:
        _remove(beside)
        remedy = "check the folder, its rights and the free space, or name another file"
        raise InputError(Problem(f"cannot be written: {error.strerror}", file=str(path), remedy=remedy)) from error
    except BaseException:
        _remove(beside)
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


def _remove(path: Path) -> None:
    with suppress(OSError):  # it is not there, or its name is what is wrong
        path.unlink()


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o666)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
