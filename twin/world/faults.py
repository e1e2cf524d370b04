"""Why a feed or a unit gives nothing, or a load is cut off: any number of reasons, sound once the last one is gone."""

from __future__ import annotations

from typing import Any

from twin.plant import fields as f


class Faults:
    """Reasons in force, by feed, unit and load, written into the facts. The caller logs them through `site.change`."""

    def __init__(self, fact: Any) -> None:
        self._fact = fact
        self.row = [-1] * fact.shape[1]
        """By feed: the event that last brought it down, or back."""
        self._of_feed = [0] * fact.shape[1]
        self._of_unit = [0] * fact.shape[1]

    def feed(self, j: int, row: int, *, on: bool) -> None:
        """One more reason that feed j gives nothing, or one less; `row` is the event that says so."""
        self.row[j] = row
        self._of_feed[j] += 1 if on else -1
        self._fact[f.F_UP, j] = int(self._of_feed[j] == 0)

    def unit(self, i: int, *, on: bool) -> None:
        """One more reason that unit i gives nothing, or one less."""
        self._of_unit[i] += 1 if on else -1
        self._fact[f.U_UP, i] = int(self._of_unit[i] == 0)
        self._fact[f.F_VERSION, self._fact[f.U_FEED, i]] += 1

    def load(self, i: int, *, on: bool) -> None:
        """One more reason that load i is cut off, or one less."""
        self._fact[f.L_CUT, i] += 1 if on else -1
