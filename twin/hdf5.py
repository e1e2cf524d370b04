"""Opens HDF5 files of strangers: one whose texts would keep the library busy for ever is refused before it is asked.

HDF5 keeps texts of any length in global heaps ("GCOL": HDF5 Format Specification 3.0, III.E), a row of objects, each
with its length. The library walks the row without looking whether it gets on: a length of zero, as a lost sector leaves
behind, or one that runs over 64 bits, ends the walk never, and no signal interrupts it (HDF5 2.0.0).
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

import h5py

_SIGNATURE, _HEAP = b"\x89HDF\r\n\x1a\n", b"GCOL\x01"
_HEADER = 16
"""Bytes before the first object of a heap, and before the data of each."""
_WIDTH_AT = {0: 13, 1: 13, 2: 9, 3: 9}
"""By version of the superblock the place of its widths of addresses and lengths [bytes]."""


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """The file, open for reading.

    Raises:
        OSError: it cannot be read, it is no HDF5 file, or the library would not come back from it.
    """
    with open(path, "rb") as stream:
        try:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
                _check(data)
        except ValueError:  # nothing in it
            raise OSError("no HDF5 file") from None
    with h5py.File(path, "r", locking=False) as file:
        yield file


def _check(data: mmap.mmap) -> None:
    widths = _WIDTH_AT.get(data[8]) if data[:8] == _SIGNATURE and len(data) > _HEADER else None
    if widths is None or data[widths : widths + 2] != b"\x08\x08":
        raise OSError("no HDF5 file as this package writes them")
    at = data.find(_HEAP)
    while at >= 0:
        if not _ends(data, at):
            raise OSError(f"the heap of texts at byte {at} has no end")
        at = data.find(_HEAP, at + 1)


def _ends(data: mmap.mmap, at: int) -> bool:
    """Whether the library's walk over a heap comes to its end; it counts in 64 bits."""
    end = min(at + _number(data, at + 8, 8), len(data))
    at += _HEADER
    while at + _HEADER <= end:
        length = _number(data, at + 8, 8)
        is_free = _number(data, at, 2) == 0  # its length counts the header
        step = length if is_free else (_HEADER + ((length + 7) & ~7)) % (1 << 64)
        if step == 0:
            return False
        at += step
    return True


def _number(data: mmap.mmap, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little")
