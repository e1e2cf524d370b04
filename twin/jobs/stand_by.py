"""Servers that are out for repair, against those that stand by."""

from __future__ import annotations


class StandBy:
    """Spare servers of a job; where fewer stand by than are out, it waits for a repair."""

    def __init__(self, spare_servers: int) -> None:
        self._spare = spare_servers
        self._mended_us: list[int] = []

    def broken(self, count: int, mended_us: int) -> None:
        """So many servers are out until `mended_us`."""
        self._mended_us += [mended_us] * count

    def complete_us(self, now: int) -> int:
        """The first tick, now or later, at which no more are out than stand by."""
        if not self._mended_us:
            return now
        self._mended_us = sorted(one for one in self._mended_us if one > now)
        missing = len(self._mended_us) - self._spare
        return self._mended_us[missing - 1] if missing > 0 else now
