"""The import limit as a duty: above it GPUs are capped, then load is shed in a stated order, until import fits.

The limit is that of the connection or, if lower, what the feeders that are up can carry. Utilities measure means of
minutes and transformers bear an overload for minutes, so the cap is taken as immediate. Storage that discharges beside
the grid lowers import before anything is capped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.plant import fields as f
from twin.plant.limit import full_import_kw, reconnect, shed
from twin.world import record as r
from twin.world.site import LOAD, SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

SLACK = 1.0 + 1e-9
"""kW that differ by less are equal."""


class ImportLimit:
    """Watches a site's import, where a limit is given."""

    def declare(self, site: SiteBuilder) -> None:
        """Nothing of its own: it acts on the load points."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Hook into the end of every reaction."""
        site.limit = RunningLimit(site).react


class RunningLimit:
    """What is capped or shed for the limit's sake in one world."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._out = np.zeros(len(site.plan.load_items), np.int64)
        self._blocks = (site.fact, site.quantity, site.plan.link, site.clock)
        self._most_kw = site.plan.most_kw
        self._shed = 0

    def react(self) -> bool:
        """Cap, shed or reconnect; whether the limit may bind later with no fact flipping: then edges are watched."""
        site = self.site
        limit_kw, cap = site.import_limit_kw, site.cap
        capping = cap is not None and cap.importing
        if self._most_kw <= limit_kw and not self._shed and not capping:
            return False
        drawn_kw = float(site.totals[f.IMPORT_KW] - site.totals[f.CHARGE_KW])
        excess_kw = drawn_kw + self._network_kw(drawn_kw) - limit_kw * SLACK
        if excess_kw > 0.0:
            if cap is not None and not cap.on:
                cap.for_import(True)
            else:
                self._flip(shed(excess_kw, *self._blocks, site.edge, self._out), 1)
        else:
            rest = (site.totals, site.edge)
            if self._shed:
                capped = cap is not None and cap.on
                self._flip(reconnect(limit_kw, capped, *self._blocks, *rest, self._out), 0)
            elif cap is not None and capping and full_import_kw(False, *self._blocks, *rest) <= limit_kw:
                cap.for_import(False)
        return True

    def _network_kw(self, drawn_kw: float) -> float:
        """The estimate of what the network loses [kW]."""
        totals = self.site.totals
        return float(totals[f.LOSS_FIXED_KW] + totals[f.LOSS_PER_KW2] * drawn_kw**2)

    def _flip(self, count: int, on: int) -> None:
        site = self.site
        for i in self._out[:count]:
            site.shed_row[i] = site.log(site.plan.load_items[i], r.SHED, on, site.trigger)
        if count:
            self._shed += count if on else -count
            site.ask(LOAD | SUPPLY)
