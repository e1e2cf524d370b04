"""Fuel of a genset plant: a tank that its sets share, and deliveries that take their time.

A delivery is ordered as the plant starts, and again on arrival while it still runs or the tank is below
`order_below_fraction`. It arrives after a drawn time, whatever happens meanwhile. An empty tank stops all sets.
"""

from __future__ import annotations

from pydantic import Field

from twin.chance.law import Law, compile_law
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, Spec
from twin.units import NEVER
from twin.world import record as r
from twin.world.site import SUPPLY, Site
from twin.world.world import World


class FuelSpec(Spec):
    """The tank, what the sets burn, and who brings more."""

    tank_l: Positive = Field(description="full at the start")
    per_kwh_l: Positive = Field(default=0.24, description="burnt per kWh delivered, above the no-load burn")
    no_load_l_per_h: NonNegative = Field(default=0.0, description="of each running set")
    delivery_after_h: Law = Field(default=24.0, validate_default=True, description="from the order to the tank")
    delivery_l: Positive | None = Field(default=None, description="what a delivery brings; fills the tank if absent")
    order_below_fraction: Fraction = Field(default=0.95, description="order again on arrival while the tank is below")


class FuelTank:
    """The tank in one world; `item` is the plant's."""

    def __init__(self, spec: FuelSpec, world: World, site: Site, item: int) -> None:
        self.spec, self._site, self._item = spec, site, item
        self.dry = False
        """Found empty, and no fuel has come since."""
        self._law = compile_law(spec.delivery_after_h)
        self._delays = world.stream(site.path("gensets"), "delivery")
        self._alarm = world.alarm(self._arrive)
        self._row = -1
        totals = site.totals
        totals[f.FUEL_L] = totals[f.FUEL_ANCHOR_L] = spec.tank_l
        totals[f.FUEL_PER_KWH_L] = spec.per_kwh_l

    def run(self, sets: int) -> None:
        """So many sets run from now on."""
        self._site.totals[f.FUEL_NO_LOAD_L_PER_H] = sets * self.spec.no_load_l_per_h

    def order(self, cause: int) -> None:
        """Have fuel brought, unless some is on its way."""
        if self._alarm.due == NEVER:
            self._row = self._site.log(self._item, r.ORDERED, 1, cause)
            self._alarm.at(self._site.now_us + self._delays.ticks(self._law))

    def _arrive(self) -> None:
        site, spec = self._site, self.spec
        site.settle()
        level = float(site.totals[f.FUEL_L])
        brought = spec.tank_l - level if spec.delivery_l is None else min(spec.delivery_l, spec.tank_l - level)
        row = site.change(self._item, r.DELIVERED, round(brought), SUPPLY, self._row)
        site.totals[f.FUEL_L] = site.totals[f.FUEL_ANCHOR_L] = level + brought
        site.clock[f.FUEL_ANCHOR_US] = site.now_us
        burning = site.totals[f.FUEL_NO_LOAD_L_PER_H] > 0.0 or site.totals[f.FUEL_RATE_L_PER_H] < 0.0
        if burning or level + brought < spec.order_below_fraction * spec.tank_l:
            self.order(row)
        self.dry = False
