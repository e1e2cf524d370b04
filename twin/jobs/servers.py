"""Free GPUs of servers at one time, as bit masks by number of free GPUs: a search costs a few integer operations."""

from __future__ import annotations

from collections.abc import Callable

Held = list[tuple[int, int]]
"""Servers that a job holds, each with its number of GPUs."""
Layout = Callable[[int, int, list[int]], list[int]]
"""From the mask of free servers, a count that it holds at least, and the masks of rows or pods: the servers to take."""


class Servers:
    """What is free on every server; bit s of a mask stands for server s."""

    __slots__ = ("_free", "_mask", "size")

    def __init__(self, size: int, free: list[int], mask: list[int]) -> None:
        self.size = size
        """GPUs of a server."""
        self._free, self._mask = free, mask

    def sketch(self) -> Servers:
        """A copy to plan on."""
        return Servers(self.size, self._free.copy(), self._mask.copy())

    def full(self) -> int:
        """Mask of servers that are free altogether."""
        return self._mask[self.size]

    def at_least(self, gpus: int) -> int:
        """Mask of servers with `gpus` free GPUs or more."""
        mask = 0
        for servers in self._mask[gpus:]:
            mask |= servers
        return mask

    def move(self, held: Held, sign: int) -> None:
        """Take (-1) or give back (+1) what a job holds."""
        for server, gpus in held:
            bit = 1 << server
            self._mask[self._free[server]] ^= bit
            self._free[server] += sign * gpus
            self._mask[self._free[server]] |= bit

    def fits(self, gpus: int, full: int, some: int) -> bool:
        """Whether a job fits on servers of the mask `full`, its part of a server on one of `some`."""
        whole, part = divmod(gpus, self.size)
        spare = (full & self.full()).bit_count() - whole
        if spare < 0 or not part:
            return spare >= 0
        # A part takes a server that is free altogether only where the whole ones leave one, or one of the rest.
        return spare > 0 or bool(some & self.at_least(part) & ~(full & self.full()))

    def find(self, gpus: int, full: int, some: int, layout: Layout, groups: list[int]) -> Held | None:
        """Servers for a job: whole ones by the layout, a part of one where it fits best; None where it does not fit.

        Args:
            gpus: GPUs of the job.
            full: servers that may be taken altogether.
            some: servers of which a part may be taken; holds all of `full`.
            layout: which whole servers to take.
            groups: masks of rows or pods, for the layout.
        """
        whole, part = divmod(gpus, self.size)
        full &= self.full()
        if full.bit_count() < whole:
            return None
        chosen = layout(full, whole, groups) if whole else []
        if not part:
            return [(server, self.size) for server in chosen]
        taken = 0
        for server in chosen:
            taken |= 1 << server
        for free in range(part, self.size + 1):
            mask = self._mask[free] & some & ~taken
            if mask:
                return [*((server, self.size) for server in chosen), ((mask & -mask).bit_length() - 1, part)]
        return None
