"""The metric rows of a campaign in memory, filled in any order, read from the complete beginning only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.errors import InternalError

Float = NDArray[np.float64]
Span = tuple[int, int]
"""Replications from the first number up to the second, which is not included."""


class Rows:
    """Replications `first` up to `end`; grows as they come."""

    def __init__(self, first: int, end: int, designs: int, metrics: int) -> None:
        self.first, self.end = first, end
        self._values = np.empty((0, designs, metrics))
        self._is_there = np.zeros(0, bool)
        self.done = 0
        self.complete = 0
        """Replications from `first` on without a gap."""

    def put(self, first: int, rows: Float) -> None:
        """Take a block; what lies outside `first` .. `end` is left out."""
        begin, end = max(first, self.first), min(first + len(rows), self.end)
        if begin >= end:
            return
        here = slice(begin - self.first, end - self.first)
        self._reserve(here.stop)
        if self._is_there[here].any():
            raise InternalError(f"replications {begin} to {end - 1} came twice")
        self._values[here] = rows[begin - first : end - first]
        self._is_there[here] = True
        self.done += end - begin
        while self.complete < len(self._is_there) and self._is_there[self.complete]:
            self.complete += 1

    def _reserve(self, count: int) -> None:
        if count <= len(self._is_there):
            return
        more = min(max(count, 2 * len(self._is_there), 1024), self.end - self.first) - len(self._is_there)
        self._values = np.concatenate([self._values, np.empty((more, *self._values.shape[1:]))])
        self._is_there = np.concatenate([self._is_there, np.zeros(more, bool)])

    def beginning(self, count: int | None = None) -> Float:
        """The first `count` complete replications, all complete ones if None."""
        size = self.complete if count is None else count
        if size > self.complete:
            raise InternalError(f"{size} replications asked for, {self.complete} are complete")
        return self._values[:size]

    def missing(self) -> list[Span]:
        """What is still to simulate, in order."""
        edges = np.flatnonzero(np.diff(np.concatenate([[1], self._is_there, [1]]).astype(np.int8)))
        spans = [(int(a) + self.first, int(b) + self.first) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        known = self.first + len(self._is_there)
        if known < self.end:
            spans.append((known, self.end))
        return spans
