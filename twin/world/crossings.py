"""When a level of a site's plant meets a bound: found by a look-ahead, announced by one alarm, answered by facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.errors import InternalError
from twin.plant import advance as a
from twin.plant import fields as f
from twin.units import TICKS_PER_H
from twin.world import record as r

if TYPE_CHECKING:
    from twin.world.site import Site

LOOK_AHEAD_US = 48 * TICKS_PER_H


class Crossings:
    """The alarm of the next crossing, and what it finds.

    Args:
        site: whose levels are watched.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._alarm = site.world.alarm(site.on_bound)
        self._scratch: np.ndarray | None = None

    def stop(self) -> None:
        """Nothing is short of supply: no level is watched."""
        self._alarm.stop()

    def answer(self) -> int:
        """What a crossing announced: units found empty, units with less power from here on, rows tripped on heat.

        Returns:
            The row of a trip on heat, -1 for none.
        """
        site = self._site
        fact, quantity, totals = site.fact, site.quantity, site.totals
        rate = quantity[f.RATE_KW]
        room = quantity[f.ENERGY_KWH] - quantity[f.U_MIN_KWH]
        carrying = fact[f.F_STATE, fact[f.U_FEED]] == f.ON_STORAGE
        for i in np.flatnonzero(carrying & (rate < 0.0) & (room <= -rate * (f.TOUCH / TICKS_PER_H))):
            fact[f.U_EMPTY, i] = 1
            fact[f.F_VERSION, fact[f.U_FEED, i]] += 1
        above = quantity[f.ENERGY_KWH] - quantity[f.U_LOW_KWH]
        for i in np.flatnonzero((rate < 0.0) & (np.abs(above) <= -rate * (f.TOUCH / TICKS_PER_H))):
            fact[f.F_VERSION, fact[f.U_FEED, i]] += 1
        burnt = -totals[f.FUEL_RATE_L_PER_H]
        if burnt > 0.0 and totals[f.FUEL_L] <= burnt * (f.TOUCH / TICKS_PER_H) and site.gensets is not None:
            site.gensets.run_dry()
        heat_rate = totals[f.HEAT_RATE]
        if heat_rate > 0.0 and 1.0 - totals[f.HEAT] <= heat_rate * (f.TOUCH / TICKS_PER_H):
            return self._trip_on_heat()
        return -1

    def _trip_on_heat(self) -> int:
        site, plan = self._site, self._site.plan
        dark = plan.pumps if not site.fact[f.L_LIT, plan.pumps] else plan.chillers
        row = site.log(plan.load_items[dark], r.TRIPPED_ON_HEAT, 1, site.load_row[dark])
        site.fact[f.L_TRIPPED, site.fact[f.L_KIND] == f.ROW] = 1
        return row

    def look_ahead(self) -> None:
        """The first tick at which a demand changes or a level meets a bound: the same kernel, on a copy."""
        site, plan = self._site, self._site.plan
        quantity, clock, totals = site.quantity.copy(), site.clock.copy(), site.totals.copy()
        until = min(site.now_us + LOOK_AHEAD_US, site.world.horizon_us)
        nothing = np.zeros(0, np.int64), np.zeros((0, 0))
        code = a.advance(
            until, a.LOOK_AHEAD, site.rare, site.fact, quantity, plan.link, clock, totals, self._blank_ledger(),
            plan.edge_us, site.edge, *nothing,
        )  # fmt: skip
        if code not in (a.OK, a.STOPPED):
            raise InternalError(f"site {site.name}: the look-ahead failed with code {code}")
        self._alarm.at(int(clock[f.NOW_US]))

    def _blank_ledger(self) -> np.ndarray:
        """A ledger to throw away: empty in all months that a look-ahead can reach."""
        site = self._site
        if self._scratch is None:
            self._scratch = np.zeros_like(site.ledger)
        month = int(site.edge[f.E_MONTH, site.clock[f.EDGE]])
        self._scratch[:, month : month + 3] = 0.0
        return self._scratch

    def watch_next_edge(self) -> None:
        """A load that follows the clock, or a truck at its reserve, may bring import above its limit."""
        site, plan = self._site, self._site.plan
        following, bound = int(plan.edge[f.E_NEXT, site.clock[f.EDGE]]), int(site.clock[f.BOUND_US])
        if following < plan.edge_us.size:
            bound = min(bound, int(plan.edge_us[following]))
        if site.clock[f.PLAN_SLOTS]:
            bound = min(bound, int(site.clock[f.PLAN_EDGE_US]))
        if bound < self._alarm.due:
            self._alarm.at(bound)
