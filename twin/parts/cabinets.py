"""BESS cabinets beside what they protect: one box each, failing and repaired on its own, with its own state of charge.

A row, the core and cooling have cabinets of their own, which island with their load when its supply is lost: in line
(no transfer), in parallel behind a static switch (transfer time against hold-up), or grid-following (trips, carries
nothing). kW come first: a group whose sound cabinets cannot give the demand at that instant leaves its load dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twin.chance.law import Law, TabledLaw, compile_law
from twin.errors import InputError
from twin.parts.ageing import AgeingSpec
from twin.parts.cabinet_events import BlackStart, BusTrips, BusTripSpec, Thermal, ThermalSpec
from twin.parts.capital import CapitalSpec
from twin.parts.cluster import row_name
from twin.parts.failures import FailuresSpec, failing
from twin.parts.unit_flips import UnitFlips
from twin.plant import fields as f
from twin.spec import Count, Fraction, NonNegative, Positive, PositiveCount, Probability, Spec
from twin.world import record as r
from twin.world.declared import Feed, Unit
from twin.world.failing import Group
from twin.world.family import Family
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

KINDS = {"in_line": f.IN_LINE, "parallel_static_switch": f.PARALLEL, "grid_following": f.FOLLOWING}


class PowerByChargeSpec(Spec):
    """Less power near empty and near full; shares of rated_kwh and of the kW."""

    low_fraction: Fraction = Field(default=0.0, description="below it cabinets give only low_kw_fraction; 0: no limit")
    low_kw_fraction: float = Field(default=0.5, gt=0, lt=1, description="of rated_kw, below low_fraction")
    high_fraction: Fraction = Field(default=1.0, description="above it they charge at high_kw_fraction; 1: no limit")
    high_kw_fraction: float = Field(default=0.3, gt=0, lt=1, description="of recharge_kw, above high_fraction")


class CabinetsSpec(Spec):
    """Battery cabinets: how many where, their ratings, and how they take over."""

    per_row: Count = Field(default=0, description="cabinets at each row")
    core: Count = Field(default=0, description="cabinets at the core")
    cooling: Count = Field(default=0, description="cabinets at the continuous part of cooling")
    rated_kw: Positive = Field(description="of a cabinet, both ways, at its AC side")
    rated_kwh: Positive = Field(description="nameplate, DC")
    soc_min_fraction: Fraction = Field(default=0.05, description="of rated_kwh, never less")
    soc_max_fraction: Fraction = Field(default=0.95, description="of rated_kwh, full")
    soc_start_fraction: Fraction | None = Field(default=None, description="at the start; soc_max_fraction if absent")
    efficiency_one_way: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="of charging and of discharging each; 0.9 both ways is usual (NREL REopt: 0.899)",
    )
    auxiliary_kw: NonNegative = Field(
        default=2.0, description="of a cabinet: control and its own cooling, drawn always"
    )
    recharge_kw: Positive | None = Field(default=None, description="per cabinet; rated_kw if absent")
    topology: Literal["in_line", "parallel_static_switch", "grid_following"] = Field(
        default="parallel_static_switch",
        description="how it takes over: without a break, through a static switch, or not at all",
    )
    loss_fraction: float = Field(default=0.0, ge=0, lt=1, description="of the input, while the grid is there")
    transfer_ms: Law = Field(
        default=8.0,
        validate_default=True,
        description="of the static switch, compared with the load's hold-up at each event; 5 to 20 ms by vendors",
    )
    transfer_failure_probability: Probability = Field(
        default=0.002, description="that a static switch does not move; drawn once for each event (assumed)"
    )
    transfer_failure_common_fraction: Fraction = Field(
        default=0.0, description="beta: share of these failures that all static switches have together"
    )
    switch_failures: FailuresSpec | None = Field(
        default=None,
        description="of a static switch, which then does not take over: needs life_h and repair_h; dormant ones are"
        " found by test or when supply goes; a common cause strikes all switches",
    )
    cabinet_mtbf_h: Positive = Field(default=15000.0, description="of a cabinet; 8,000 to 30,000 h (assumed)")
    cabinet_mttr_h: Law = Field(default=24.0, validate_default=True, description="of a cabinet; 8 to 72 h (assumed)")
    failures: FailuresSpec | None = Field(
        default=None,
        description="of a cabinet, beyond its MTBF and MTTR; a common cause strikes the cabinets of one load",
    )
    bus_trip: BusTripSpec | None = Field(default=None, description="failures that take the load's bus along")
    thermal: ThermalSpec | None = Field(default=None, description="cells that run away, and spread to neighbours")
    pod_rows: PositiveCount | None = Field(
        default=None, description="so many rows share their cabinets over a tie; each stands alone if absent"
    )
    black_start_min: NonNegative | None = Field(
        default=None, description="cabinets light a dark load again after so long; not at all if absent"
    )
    power_by_charge: PowerByChargeSpec = PowerByChargeSpec()
    ageing: AgeingSpec | None = Field(default=None, description="of the cells; without it they stay as new")
    capital: CapitalSpec | None = None

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.soc_min_fraction >= self.soc_max_fraction:
            raise ValueError("soc_min_fraction must be below soc_max_fraction")
        start = self.soc_start_fraction
        if start is not None and not self.soc_min_fraction <= start <= self.soc_max_fraction:
            raise ValueError("soc_start_fraction must lie between soc_min_fraction and soc_max_fraction")
        switch = self.switch_failures
        if switch is not None and (switch.life_h is None or switch.repair_h is None):
            raise ValueError("switch_failures: give life_h and repair_h")
        if switch is not None and self.topology != "parallel_static_switch":
            raise ValueError(f"switch_failures: cabinets that are {self.topology} have no static switch")
        if isinstance(self.transfer_ms, TabledLaw):
            message = f"transfer_ms: a switch's time is a law of parameters, not {self.transfer_ms.law}"
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
        return self


class Cabinets:
    """All cabinets of a site."""

    def __init__(self, spec: CabinetsSpec, rows: int, gensets: frozenset[str], *, follow: bool = False) -> None:
        self.spec, self._rows, self._gensets, self._follow = spec, rows, gensets, follow
        self.names: list[str] = []
        self._feeds: list[str] = []
        self._switches: list[tuple[str, str]] = []
        """Static switches that may fail: full item name, name of the feed."""
        self._groups: dict[str, list[int]] = {}
        """By the full name of its common cause: a load's cabinets, as indices of `names`."""

    def declare(self, site: SiteBuilder) -> None:
        """A feed with its cabinets for every load that has some."""
        groups = self._row_groups(site)
        groups.append(("core", self.spec.core, ["core"], "core"))
        cooling = ["continuous_cooling", "restartable_cooling"]
        groups.append(("cooling", self.spec.cooling, cooling, "continuous_cooling"))
        for name, count, loads, served in groups:
            if count:
                self._group(site, name, count, [site.path(load) for load in loads], served in self._gensets)
        if self.spec.switch_failures and self.spec.switch_failures.common_cause_fraction > 0.0:
            site.item("switches/common_cause", "common_cause")

    def _row_groups(self, site: SiteBuilder) -> list[tuple[str, int, list[str], str]]:
        """Each row with its own cabinets, or pods of rows that share theirs."""
        rows, each = [row_name(k) for k in range(self._rows)], self.spec.pod_rows
        if each is None:
            return [(row, self.spec.per_row, [row], "rows") for row in rows]
        pods = [rows[first : first + each] for first in range(0, len(rows), each)]
        for pod in pods:
            if len({site.loads[site.path(row)].sections for row in pod}) > 1:
                raise InputError(
                    f"sites.{site.name}.protection.cabinets.pod_rows: {pod[0]} to {pod[-1]} hang on two bus sections;"
                    " a pod needs one (give a number that divides the rows of a section)"
                )
        return [(f"pod-{p + 1:02d}", self.spec.per_row * len(pod), pod, "rows") for p, pod in enumerate(pods)]

    def _group(self, site: SiteBuilder, name: str, count: int, loads: list[str], genset: bool) -> None:
        spec = self.spec
        units = []
        by = spec.power_by_charge
        low = (spec.rated_kwh * by.low_fraction, by.low_kw_fraction)
        high = (spec.rated_kwh * by.high_fraction * (by.high_fraction < 1.0), by.high_kw_fraction)
        for k in range(count):
            full = site.item(f"{name}/cabinet-{k + 1:02d}", "cabinet", breakable=True)
            self.names.append(full)
            units.append(
                Unit(
                    full, spec.rated_kw, spec.rated_kwh, spec.rated_kwh * spec.soc_min_fraction,
                    spec.rated_kwh * spec.soc_max_fraction, spec.efficiency_one_way, spec.auxiliary_kw,
                    spec.recharge_kw or spec.rated_kw, spec.ageing.cells() if spec.ageing else None,
                    low, high,
                    self._follow,
                    None if spec.soc_start_fraction is None else spec.rated_kwh * spec.soc_start_fraction,
                )
            )  # fmt: skip
        if spec.failures and spec.failures.common_cause_fraction > 0.0:
            common = site.item(f"{name}/common_cause", "common_cause")
            self._groups[common] = list(range(len(self.names) - count, len(self.names)))
        feed = Feed(
            f"{name}/cabinets", KINDS[spec.topology], site.loads[loads[0]].sections, units, spec.loss_fraction,
            transfer=compile_law(spec.transfer_ms, to_h=1 / 3.6e6), fail_probability=spec.transfer_failure_probability,
            fail_common_fraction=spec.transfer_failure_common_fraction, fail_group="cabinets", genset=genset,
        )  # fmt: skip
        site.add_feed(feed, "feed", loads)
        self._feeds.append(f"{name}/cabinets")
        if spec.switch_failures is not None:
            self._switches.append((site.item(f"{name}/switch", "static_switch", breakable=True), f"{name}/cabinets"))

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One family of failure clocks over all cabinets."""
        units = UnitFlips(site, [ids[name] for name in self.names])
        spec = self.spec
        model = failing(spec.failures, spec.cabinet_mtbf_h, spec.cabinet_mttr_h, site.plan.start_month)
        groups = [Group(ids[name], name, members) for name, members in self._groups.items()]
        flip = units.flip
        if spec.bus_trip is not None:
            flip = BusTrips(spec.bus_trip, world, site, units, self.names).flip
        Family(world, site, self.names, units.items, model, flip, groups=groups, needed=units.needed)
        if spec.thermal is not None:
            Thermal(spec.thermal, spec.rated_kw, world, site, units, self.names)
        if spec.black_start_min is not None:
            feeds = [site.plan.feed_of[feed] for feed in self._feeds]
            site.phases.append(BlackStart(spec.black_start_min, world, site, feeds).react)
        if spec.switch_failures is not None:
            self._install_switches(spec.switch_failures, world, site, ids)

    def _install_switches(self, failures: FailuresSpec, world: World, site: Site, ids: dict[str, int]) -> None:
        """A family over the static switches: one that is down does not take over."""
        names = [name for name, _ in self._switches]
        items = [ids[name] for name in names]
        feeds = [site.plan.feed_of[feed] for _, feed in self._switches]

        def flip(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for k in flipped.tolist():
                row = site.change(items[k], r.UP, int(up[k]), SUPPLY, cause)
                site.fact[f.F_SWITCH, feeds[k]] = up[k]
            return row

        def needed(k: int) -> bool:
            return bool(site.fact[f.F_STATE, feeds[k]] != f.ON_SECTION)

        assert failures.repair_h is not None, "the spec was validated"
        model = failing(failures, 1.0, failures.repair_h, site.plan.start_month)
        common = site.path("switches/common_cause")
        groups = [Group(ids[common], common, list(range(len(names))))] if model.common_fraction > 0.0 else []
        Family(world, site, names, items, model, flip, groups=groups, needed=needed)
