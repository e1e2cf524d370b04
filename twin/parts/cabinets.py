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
from twin.parts.ageing import AgeingSpec, StorageAgeing
from twin.parts.capital import CapitalSpec
from twin.parts.cluster import row_name
from twin.parts.failures import FailuresSpec, failing
from twin.plant import fields as f
from twin.spec import Count, Fraction, NonNegative, Positive, Probability, Spec
from twin.world import record as r
from twin.world.blueprint import Feed, Unit
from twin.world.failing import Group
from twin.world.family import Family
from twin.world.site import UNITS, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

KINDS = {"in_line": f.IN_LINE, "parallel_static_switch": f.PARALLEL, "grid_following": f.FOLLOWING}


class PowerByChargeSpec(Spec):
    """Less power near empty and near full; shares of rated_kwh and of the kW."""

    low_fraction: Fraction = Field(default=0.0, description="below it cabinets give only low_kw_fraction; 0: no limit")
    low_kw_fraction: float = Field(default=0.5, gt=0, lt=1)
    high_fraction: Fraction = Field(default=1.0, description="above it they charge at high_kw_fraction; 1: no limit")
    high_kw_fraction: float = Field(default=0.3, gt=0, lt=1)


class CabinetsSpec(Spec):
    """Battery cabinets: how many where, their ratings, and how they take over."""

    per_row: Count = 0
    core: Count = 0
    cooling: Count = 0
    rated_kw: Positive
    rated_kwh: Positive = Field(description="nameplate, DC")
    soc_min_fraction: Fraction = 0.05
    soc_max_fraction: Fraction = 0.95
    soc_start_fraction: Fraction | None = Field(default=None, description="at the start; soc_max_fraction if absent")
    efficiency_one_way: float = Field(default=0.95, gt=0, le=1)
    auxiliary_kw: NonNegative = 2.0
    recharge_kw: Positive | None = Field(default=None, description="per cabinet; rated_kw if absent")
    topology: Literal["in_line", "parallel_static_switch", "grid_following"] = "parallel_static_switch"
    loss_fraction: float = Field(default=0.0, ge=0, lt=1, description="of the input, while the grid is there")
    transfer_ms: Law = Field(default=8.0, validate_default=True)
    transfer_failure_probability: Probability = 0.002
    cabinet_mtbf_h: Positive = 15000.0
    cabinet_mttr_h: Law = Field(default=24.0, validate_default=True)
    failures: FailuresSpec | None = Field(
        default=None,
        description="of a cabinet, beyond its MTBF and MTTR; a common cause strikes the cabinets of one load",
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
        if isinstance(self.transfer_ms, TabledLaw):
            message = f"transfer_ms: a switch's time is a law of parameters, not {self.transfer_ms.law}"
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
        return self


class Cabinets:
    """All cabinets of a site."""

    def __init__(self, spec: CabinetsSpec, rows: int, gensets: frozenset[str], *, follow: bool = False) -> None:
        self.spec, self._rows, self._gensets, self._follow = spec, rows, gensets, follow
        self.names: list[str] = []
        self._groups: dict[str, list[int]] = {}
        """By the full name of its common cause: a load's cabinets, as indices of `names`."""

    def declare(self, site: SiteBuilder) -> None:
        """A feed with its cabinets for every load that has some."""
        groups = [(row_name(k), self.spec.per_row, [row_name(k)], "rows") for k in range(self._rows)]
        groups.append(("core", self.spec.core, ["core"], "core"))
        cooling = ["continuous_cooling", "restartable_cooling"]
        groups.append(("cooling", self.spec.cooling, cooling, "continuous_cooling"))
        for name, count, loads, served in groups:
            if count:
                self._group(site, name, count, [site.path(load) for load in loads], served in self._gensets)
        if self.spec.ageing and self.names:
            site.item("cabinets", "ageing")

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
            genset=genset,
        )  # fmt: skip
        site.add_feed(feed, "feed", loads)

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One family of failure clocks over all cabinets."""
        items = [ids[name] for name in self.names]
        column = {int(item): i for i, item in enumerate(site.plan.unit_items)}
        columns = np.array([column[item] for item in items], np.int64)
        fact = site.fact

        def flip(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for k in flipped:
                i = columns[k]
                row = site.change(items[k], r.UP, int(up[k]), UNITS, cause)
                fact[f.U_UP, i] = up[k]
                fact[f.F_VERSION, fact[f.U_FEED, i]] += 1
            return row

        def needed(k: int) -> bool:
            return bool(fact[f.F_STATE, fact[f.U_FEED, columns[k]]] != f.ON_SECTION)

        spec = self.spec
        model = failing(spec.failures, spec.cabinet_mtbf_h, spec.cabinet_mttr_h, site.plan.start_month)
        groups = [Group(ids[name], name, members) for name, members in self._groups.items()]
        Family(world, site, self.names, items, model, flip, groups=groups, needed=needed)
        if self.spec.ageing and self.names:
            StorageAgeing(world, site, ids[site.path("cabinets")])
