"""Ageing of the cells of cabinets and UPS: once a month their health sets usable energy, power and so backup minutes.

The plant counts cycles and time in the cells (`twin/plant/ageing.py`); here a month's event brings the sums into the
ratings, replaces cells at their end of life, and writes the trace's table `health`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twin.plant import fields as f
from twin.plant.ageing import age, conclude, rate
from twin.spec import Spec
from twin.world import record as r
from twin.world.cells import Cells
from twin.world.site import UNITS, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

MONTHS_A_YEAR = 12


class AgeingSpec(Spec):
    """LFP cells (Naumann et al. 2018 and 2020)."""

    cell_c: float = Field(default=25.0, ge=-20, le=60, description="mean temperature of the cells")
    cell_power_ratio: float = Field(
        default=1.25, ge=1, le=20, description="what new cells can give, over rated_kw; falls as resistance grows"
    )
    end_of_life_fraction: float = Field(
        default=0.7, ge=0, lt=1, description="state of health at which cells are replaced; 0: never"
    )

    def cells(self) -> Cells:
        """The same, for the plant."""
        return Cells(self.cell_c, self.cell_power_ratio, self.end_of_life_fraction)


class Ageing:
    """The ageing of all cells of a site; `name` is its item's."""

    def __init__(self, name: str) -> None:
        self.name = name

    def declare(self, site: SiteBuilder) -> None:
        """One item, whose events tell the mean health."""
        site.item(self.name, "ageing")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The months are awaited."""
        StorageAgeing(world, site, ids[site.path(self.name)])


class StorageAgeing:
    """The monthly event of one site's cells, and their table."""

    def __init__(self, world: World, site: Site, item: int) -> None:
        """`item`: of the events that tell the mean health."""
        self._site, self._item = site, item
        self._ages = np.flatnonzero(site.quantity[f.U_NEW_KWH] > 0.0)
        self._rows: list[tuple[int, int, float, float, float, int]] = []
        self._months = iter(enumerate(site.plan.month_us[1:].tolist(), start=1))
        self._alarm = world.alarm(self._ring)
        self._month = 0
        self._next()
        world.at_end(self._conclude)

    def _next(self) -> None:
        self._month, tick = next(self._months, (0, 0))
        if tick:
            self._alarm.at(tick)

    def _ring(self) -> None:
        """A month is over."""
        site, ages = self._site, self._ages
        site.settle()
        quantity, units = site.quantity, int(site.clock[f.UNITS])
        age(quantity, site.clock)
        worn = quantity[f.U_HEALTH, :units] <= quantity[f.U_END_OF_LIFE, :units]
        worn &= quantity[f.U_NEW_KWH, :units] > 0.0
        yearly = self._month % MONTHS_A_YEAR == 0
        self._note(quantity, ages if yearly else ages[worn[ages]], worn)
        mean = float(quantity[f.U_HEALTH, ages].mean())
        row = site.change(self._item, r.HEALTH, round(1e6 * mean), UNITS)
        before_kwh = quantity[f.ENERGY_KWH, :units].copy()
        rate(worn.astype(np.int64), site.fact, quantity, site.clock, site.ledger, site.edge)
        site.tape.jump(site.now_us, before_kwh, quantity[f.ENERGY_KWH, :units])
        for i in np.flatnonzero(worn).tolist():
            site.change(int(site.plan.unit_items[i]), r.REPLACED, int(quantity[f.U_REPLACEMENTS, i]), UNITS, row)
        self._next()

    def _note(self, quantity: np.ndarray, units: np.ndarray, worn: np.ndarray) -> None:
        """Rows of the table as the cells are, those that are `worn` about to be replaced."""
        for i in units.tolist():
            self._rows.append(
                (
                    self._site.now_us, int(self._site.plan.unit_items[i]), float(quantity[f.U_HEALTH, i]),
                    float(quantity[f.U_RESISTANCE, i]), float(quantity[f.U_FULL_CYCLES, i]),
                    int(quantity[f.U_REPLACEMENTS, i]) + int(worn[i]),
                )
            )  # fmt: skip

    def _conclude(self) -> None:
        quantity = self._site.quantity.copy()
        conclude(quantity, self._site.clock)
        self._note(quantity, self._ages, np.zeros(quantity.shape[1], np.int64))
        names = (
            "time_us", "item", "state_of_health_fraction", "resistance_growth_fraction", "full_cycles", "replacements",
        )  # fmt: skip
        whole = {"time_us", "item", "replacements"}
        columns = zip(names, zip(*self._rows, strict=True), strict=True)
        self._site.health = {
            name: np.array(values, np.int64 if name in whole else np.float64) for name, values in columns
        }
