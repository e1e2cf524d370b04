"""As few rows or pods as can be: a job dies with any row that it holds, and its traffic stays near."""

from __future__ import annotations

from twin.jobs.placements import first_fit


def choose(free: int, count: int, groups: list[int]) -> list[int]:
    """The group that fits the whole job most tightly; where none does, the emptiest groups first.

    Args:
        free: mask of free servers, at least `count` of them.
        count: servers wanted.
        groups: masks of rows or pods.
    """
    rooms = sorted((room.bit_count(), -k, room) for k, group in enumerate(groups) if (room := free & group))
    servers: list[int] = []
    while count:
        tight = [one for one in rooms if one[0] >= count]
        best = min(tight, key=lambda one: (one[0], -one[1])) if tight else rooms[-1]
        rooms.remove(best)
        some = min(count, best[0])
        servers += first_fit.choose(best[2], some, groups)
        count -= some
    return servers
