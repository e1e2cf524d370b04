"""The lowest servers that are free, wherever they stand."""

from __future__ import annotations


def choose(free: int, count: int, groups: list[int]) -> list[int]:
    """The `count` lowest servers of the mask `free`; `groups` do not matter."""
    servers = []
    for _ in range(count):
        lowest = free & -free
        free ^= lowest
        servers.append(lowest.bit_length() - 1)
    return servers
