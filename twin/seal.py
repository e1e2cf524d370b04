"""The digest by which a file of ours is known to be whole: over everything that a reader takes from it, in order.

HDF5 checks its structure, and of large columns their compressed bytes; a bit that flips in a short column, or in a
text, would be read as another number.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

_ATTRIBUTE = "content_sha256"


class Seal:
    """SHA-256 of named texts and arrays; writer and reader add the same in the same order."""

    def __init__(self) -> None:
        self._sha = hashlib.sha256()

    def text(self, name: str, text: str) -> str:
        """Add a text; returns it."""
        data = text.encode("utf-8", "surrogatepass")
        self._sha.update(f"{name} text {len(data)}\n".encode())
        self._sha.update(data)
        return text

    def numbers(self, name: str, values: Any) -> Any:
        """Add an array by type, shape and bits; returns it."""
        array = np.ascontiguousarray(values)
        self._sha.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        self._sha.update(array.data)
        return values

    def close(self, file: Any) -> None:
        """Write the digest into an open HDF5 file."""
        file.attrs[_ATTRIBUTE] = self._sha.hexdigest()

    def fits(self, file: Any) -> bool:
        """Whether an open HDF5 file holds this digest."""
        return bool(file.attrs.get(_ATTRIBUTE) == self._sha.hexdigest())
