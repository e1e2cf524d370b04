"""Cooling: a continuous part that must never stop (pumps, coolant units, row fans) and a restartable one (chillers).

Heat is a level: it reaches 1, and the rows trip, after `ride_through_s` without the continuous part at full IT heat, or
after `chilled_water_tank_min` without chillers; with both running it falls again. Chillers drop out whenever they lose
supply and come back `restart_min` after it returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from twin.parts.outdoor import OutdoorSpec
from twin.parts.supply_events import SEASON_OF_MONTH
from twin.plant import fields as f
from twin.spec import NonNegative, Positive, Spec
from twin.units import NEVER, TICKS_PER_S
from twin.world import record as r
from twin.world.declared import Load
from twin.world.site import LOAD, SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World


class FractionOfItSpec(Spec):
    """Cooling power per IT power, by season."""

    winter: NonNegative = Field(description="December to February")
    spring: NonNegative = Field(description="March to May")
    summer: NonNegative = Field(description="June to August")
    autumn: NonNegative = Field(description="September to November")


class CoolingSpec(Spec):
    """Cooling of the cluster."""

    fraction_of_it: FractionOfItSpec | None = None
    temperature: OutdoorSpec | None = Field(
        default=None, description="the fraction by outdoor temperature, hour by hour, instead of by season"
    )
    continuous_kw: NonNegative = Field(description="pumps, coolant units, row fans: part of the fraction")
    ride_through_s: Positive = Field(
        default=60.0,
        description="until rows trip, at full IT heat without the continuous part; 10 to 60 s if liquid-cooled"
        " (assumed)",
    )
    chilled_water_tank_min: Positive = Field(default=15.0, description="usable only while the continuous part runs")
    restart_min: NonNegative = Field(
        default=5.0,
        description="of the chillers after supply is back; 2 to 3 min in Opengate Data Systems (2007), up to 30",
    )
    hold_up_ms: NonNegative = Field(default=20.0, description="drives and contactors")

    @model_validator(mode="after")
    def _one_fraction(self) -> Self:
        if (self.fraction_of_it is None) == (self.temperature is None):
            raise ValueError("give fraction_of_it (by season) or temperature, and not both")
        return self


class Cooling:
    """The two cooling load points of a site; without a block they are there with no load, and nothing ever heats up."""

    def __init__(self, spec: CoolingSpec | None, timezone: str | None = None) -> None:
        self.spec, self._timezone = spec, timezone

    def declare(self, site: SiteBuilder) -> None:
        """Continuous and restartable cooling, both fed from every section."""
        everywhere = (1 << site.sections) - 1
        hold_up = self.spec.hold_up_ms if self.spec else 20.0
        continuous = self.spec.continuous_kw if self.spec else 0.0
        pumps = Load("continuous_cooling", f.PUMPS, continuous, hold_up_ms=hold_up, sections=everywhere)
        site.add_load(pumps, "cooling", continuous)
        chillers = Load("restartable_cooling", f.CHILLERS, hold_up_ms=hold_up, sections=everywhere)
        site.add_load(chillers, "cooling", 0.0)
        if self.spec:
            fractions, outdoor = self.spec.fraction_of_it, self.spec.temperature
            if outdoor:
                site.cooling_values = outdoor.fractions(self._timezone)
                site.cooling_fraction = (float(site.cooling_values[0].max()),) * 12
            else:
                site.cooling_fraction = tuple(float(getattr(fractions, season)) for season in SEASON_OF_MONTH)
            site.continuous_kw = continuous
            site.ride_through_h = self.spec.ride_through_s / 3600.0
            site.tank_h = self.spec.chilled_water_tank_min / 60.0

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Chiller drop-out and restart, and the end of a heat trip."""
        if self.spec is not None:
            site.phases.append(RunningCooling(self.spec, world, site).react)


class RunningCooling:
    """Chillers and the rows' heat trip in one world."""

    def __init__(self, spec: CoolingSpec, world: World, site: Site) -> None:
        self.world, self.site = world, site
        self._restart_us = round(spec.restart_min * 60 * TICKS_PER_S)
        self._pumps, self._chillers = site.plan.pumps, site.plan.chillers
        self._item = site.plan.load_items[self._chillers]
        self._alarm = world.alarm(self._restarted)

    def react(self) -> None:
        """Drop out with the supply; ask for a restart when it is back; untrip the rows when cooling runs again."""
        fact, site = self.site.fact, self.site
        chillers = self._chillers
        if fact[f.L_TRIPPED, chillers] and site.fact[f.F_STATE, site.plan.feeds_of[chillers][0]] == f.ON_SECTION:
            fact[f.L_TRIPPED, chillers] = 0
            site.ask(SUPPLY)
        lit = fact[f.L_LIT, chillers]
        if not lit:
            self._alarm.stop()
            if fact[f.L_RUNNING, chillers]:
                fact[f.L_RUNNING, chillers] = 0
                site.log(self._item, r.RUNNING, 0, site.load_row[chillers])
        elif not fact[f.L_RUNNING, chillers] and self._alarm.due == NEVER:
            self._alarm.at(self.world.now + self._restart_us)
        self._untrip()

    def _untrip(self) -> None:
        fact = self.site.fact
        if not (fact[f.L_LIT, self._pumps] and fact[f.L_RUNNING, self._chillers]):
            return
        tripped = (fact[f.L_KIND] == f.ROW) & (fact[f.L_TRIPPED] == 1)
        if tripped.any():
            fact[f.L_TRIPPED, tripped] = 0
            self.site.ask(SUPPLY)

    def _restarted(self) -> None:
        self.site.change(self._item, r.RUNNING, 1, LOAD | SUPPLY, self.site.load_row[self._chillers])
        self.site.fact[f.L_RUNNING, self._chillers] = 1
