"""As evenly over rows or pods as can be: power per row stays low, and no row's loss takes many servers."""

from __future__ import annotations


def choose(free: int, count: int, groups: list[int]) -> list[int]:
    """One server after the other from the group with most free, the first of equals.

    Args:
        free: mask of free servers, at least `count` of them.
        count: servers wanted.
        groups: masks of rows or pods.
    """
    rooms = [free & group for group in groups]
    servers = []
    for _ in range(count):
        k = max(range(len(rooms)), key=lambda one: rooms[one].bit_count())
        lowest = rooms[k] & -rooms[k]
        rooms[k] ^= lowest
        servers.append(lowest.bit_length() - 1)
    return servers
