"""What a storage unit's failure or repair changes in the plant: one place for cabinets and battery strings."""

from __future__ import annotations

import numpy as np

from twin.plant import fields as f
from twin.world import record as r
from twin.world.site import UNITS, Site


class UnitFlips:
    """Storage units of a family, by their items."""

    def __init__(self, site: Site, items: list[int]) -> None:
        self.items = items
        self._site = site
        column = {int(item): i for i, item in enumerate(site.plan.unit_items)}
        self.columns = np.array([column[item] for item in items], np.int64)

    def flip(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        """Units have failed or been repaired: see `Flip`."""
        site, row = self._site, cause
        for k in flipped:
            i = self.columns[k]
            row = site.change(self.items[k], r.UP, int(up[k]), UNITS, cause)
            site.faults.unit(i, on=not up[k])
        return row

    def needed(self, k: int) -> bool:
        """Whether unit k's feed has nothing but storage at this instant."""
        fact = self._site.fact
        return bool(fact[f.F_STATE, fact[f.U_FEED, self.columns[k]]] != f.ON_SECTION)
