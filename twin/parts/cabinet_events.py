"""What cabinets do to their load besides failing: faults that take its bus along, thermal events, black starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twin.chance.law import Law, compile_law, exponential
from twin.plant import fields as f
from twin.spec import NonNegative, Positive, Probability, Spec
from twin.units import HOURS_PER_YEAR, NEVER, ticks
from twin.world import record as r
from twin.world.failing import Failing
from twin.world.family import Family
from twin.world.site import SUPPLY, UNITS, Site

if TYPE_CHECKING:
    from twin.parts.unit_flips import UnitFlips
    from twin.world.world import Process, World


class BusTripSpec(Spec):
    """A cabinet's fault that the breaker of its load's bus clears instead of its own."""

    probability: Probability = Field(default=0.002, description="of a cabinet's failures")
    dark_h: Law = Field(default=1.0, validate_default=True, description="until the cabinet is isolated by hand")


class ThermalSpec(Spec):
    """Cells of a cabinet that run away, and neighbours that catch it."""

    per_gw_year: Positive = Field(default=0.2, description="of rated power; 9.2 in 2018, 0.2 in 2023 (EPRI, TWAICE)")
    propagation_probability: Probability = Field(default=0.1, description="to each cabinet beside one that burns")
    down_h: Law = Field(default=2160.0, validate_default=True, description="until a burnt cabinet is replaced")
    load_dark_h: Law = Field(default=24.0, validate_default=True, description="of the load whose cabinets burn")


class BusTrips:
    """Wraps the flips of a family of cabinets: some failures take the bus of their load along."""

    def __init__(self, spec: BusTripSpec, world: World, site: Site, units: UnitFlips, names: list[str]) -> None:
        self._world, self._site, self._units = world, site, units
        self._probability, self._law = spec.probability, compile_law(spec.dark_h)
        self._draws = [world.stream(name, "trips_bus") for name in names]
        self._lengths = [world.stream(name, "bus_dark") for name in names]

    def flip(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        """See `Flip`."""
        row = self._units.flip(flipped, up, cause)
        for k in flipped.tolist():
            if not up[k] and self._world.luck.fails("bus_trip", self._probability, self._draws[k].uniform()):
                j = int(self._site.fact[f.U_FEED, self._units.columns[k]])
                dark(self._world, self._site, self._units.items[k], [j], self._lengths[k].ticks(self._law), row)
        return row


def dark(world: World, site: Site, item: int, feeds: list[int], length_us: int, cause: int) -> None:
    """These feeds give nothing for a while, tripped by `item`."""
    world.start(_dark(world, site, item, feeds, length_us, cause))


def _dark(world: World, site: Site, item: int, feeds: list[int], length_us: int, cause: int) -> Process:
    row = site.change(item, r.STRIKES, length_us, SUPPLY, cause)
    for j in feeds:
        site.faults.feed(j, row, on=True)
    yield world.sleep(length_us)
    row = site.change(item, r.RESTORED, 1, SUPPLY, row)
    for j in feeds:
        site.faults.feed(j, row, on=False)


class Thermal:
    """Thermal events of all cabinets: one clock a cabinet, spreading along the row of its group."""

    def __init__(self, spec: ThermalSpec, rated_kw: float, world: World, site: Site, units: UnitFlips,
                 names: list[str]) -> None:  # fmt: skip
        self._spec, self._world, self._site, self._units = spec, world, site, units
        self._down, self._load_dark = compile_law(spec.down_h), compile_law(spec.load_dark_h)
        self._spreads = [world.stream(name, "thermal_spread") for name in names]
        self._lengths = [world.stream(name, "thermal_down") for name in names]
        self._darks = [world.stream(name, "thermal_dark") for name in names]
        self._burning: set[int] = set()
        mean_h = HOURS_PER_YEAR / (spec.per_gw_year * rated_kw / 1e6)
        model = Failing(exponential(mean_h), compile_law(0.0))
        Family(world, site, [f"{name}/thermal" for name in names], units.items, model, self._flip)

    def _flip(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        row = cause
        for k in flipped.tolist():
            if not up[k] and k not in self._burning:
                row = self._catch(k, cause)
                feed = int(self._site.fact[f.U_FEED, self._units.columns[k]])
                dark(self._world, self._site, self._units.items[k], [feed], self._darks[k].ticks(self._load_dark), row)
        return row

    def _catch(self, k: int, cause: int) -> int:
        """Cabinet k burns; so may those beside it on the same feed, and on from there."""
        self._burning.add(k)
        row = self._site.change(self._units.items[k], r.THERMAL_EVENT, 1, UNITS, cause)
        self._site.faults.unit(int(self._units.columns[k]), on=True)
        self._world.start(self._replaced(k, row))
        feed_of = self._site.fact[f.U_FEED]
        for beside in (k - 1, k + 1):
            spreads = self._world.luck.fails(
                "thermal_spread", self._spec.propagation_probability, self._spreads[k].uniform()
            )
            if not 0 <= beside < len(self._units.columns) or beside in self._burning:
                continue
            if spreads and feed_of[self._units.columns[beside]] == feed_of[self._units.columns[k]]:
                self._catch(beside, row)
        return row

    def _replaced(self, k: int, row: int) -> Process:
        yield self._world.sleep(self._lengths[k].ticks(self._down))
        self._burning.discard(k)
        self._site.change(self._units.items[k], r.THERMAL_EVENT, 0, UNITS, row)
        self._site.faults.unit(int(self._units.columns[k]), on=False)


class BlackStart:
    """Cabinets that light a dark load again, some time after it went dark, if their kW carry it from a standstill."""

    def __init__(self, after_min: NonNegative, world: World, site: Site, feeds: list[int]) -> None:
        self._site, self._feeds = site, feeds
        self._after_us = max(1, ticks(after_min / 60.0))
        self._alarm = world.alarm(lambda: site.ask(SUPPLY))
        self._waiting = False

    def react(self) -> None:
        """Note which feeds have gone dark, and when each may start."""
        if not (self._site.abnormal or self._waiting):
            return
        fact, now, due = self._site.fact, self._site.now_us, NEVER
        self._waiting = False
        for j in self._feeds:
            if fact[f.F_STATE, j] != f.DEAD or not fact[f.F_UP, j]:
                fact[f.F_START_US, j] = 0
                continue
            self._waiting = True
            if fact[f.F_START_US, j] == 0:
                fact[f.F_START_US, j] = now + self._after_us
            if fact[f.F_START_US, j] > now:
                due = min(due, int(fact[f.F_START_US, j]))
        if due < NEVER:
            self._alarm.at(due)
        else:
            self._alarm.stop()
