"""A centralised UPS in blocks of N+r modules: in line, double conversion, a battery of minutes, a static bypass.

A block carries a share of the rows and, with the other blocks, the dual-corded core and pumps. On the grid it loses
`loss_fraction` of its input. With fewer than n sound modules it goes to static bypass: no break, but raw supply from
then on. A block failure (rare: the output itself) darkens what it alone feeds until it has been bypassed by hand; it is
normal again when repaired. Two systems (2N) stand side by side: every load has a cord to each, or hangs on one of them
by a static transfer switch. Battery strings fail on their own, and take their kW and minutes with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twin.chance.law import Law
from twin.parts.ageing import AgeingSpec
from twin.parts.capital import CapitalSpec
from twin.parts.cluster import row_name
from twin.parts.failures import FailuresSpec, failing
from twin.parts.transfer_switch import TransferSwitches, TransferSwitchSpec
from twin.parts.unit_flips import UnitFlips
from twin.parts.ups_block import LockOut, RunningBlock
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

Served = Literal["rows", "core", "continuous_cooling"]


class ModulesSpec(Spec):
    """Parallel modules of a block: n carry its load, r are spare."""

    n: PositiveCount = Field(description="carry the block's load")
    r: Count = Field(default=0, description="spare")
    rated_kw: Positive = Field(description="of a module")
    mtbf_h: Positive = Field(default=170000.0, description="of a module (assumed)")
    mttr_h: Law = Field(default=8.0, validate_default=True, description="of a module, spares on site (assumed)")
    failures: FailuresSpec | None = Field(
        default=None,
        description="of a module, beyond its MTBF and MTTR; a common cause strikes the modules of one block",
    )


class StringsSpec(Spec):
    """Battery strings of a block, in parallel: n give its rated kW; all share its minutes."""

    n: PositiveCount = Field(description="give the block's rated kW")
    r: Count = Field(default=0, description="spare")
    mtbf_h: Positive = Field(default=440000.0, description="2 % of strings a year")
    mttr_h: Law = Field(default=48.0, validate_default=True, description="of a string (assumed)")
    failures: FailuresSpec | None = Field(
        default=None,
        description="of a string, e.g. dormant until tested or needed; a common cause strikes the strings of one block",
    )


class LockOutSpec(Spec):
    """After `transfers` to battery within `within_s` a block stays there, or on bypass, until returned by hand."""

    transfers: PositiveCount = Field(default=3, description="to battery that lock it out")
    within_s: Positive = Field(default=60.0, description="in which they fall")
    stays_on: Literal["battery", "bypass"] = Field(default="battery", description="until somebody returns it")
    manual_return_h: Positive = Field(default=0.5, description="until somebody has")


class UpsSpec(Spec):
    """Centralised UPS."""

    systems: Literal[1, 2] = Field(default=1, description="2: A and B (2N), each able to carry all that they serve")
    transfer_switch: TransferSwitchSpec | None = Field(
        default=None, description="before each load, with two systems; without it loads have a cord to each"
    )
    blocks: PositiveCount = Field(default=1, description="of a system")
    modules: ModulesSpec
    serves: list[Served] = Field(
        default=["rows", "core", "continuous_cooling"], min_length=1, description="groups of loads that hang on it"
    )
    loss_fraction: float = Field(default=0.045, ge=0, lt=1, description="of the input, double conversion")
    autonomy_min: Positive = Field(default=10.0, description="at the block's rating n x rated_kw")
    recharge_multiple: Positive = Field(default=10.0, description="recharging takes this many discharge times")
    block_mtbf_h: Positive = Field(
        default=200000.0,
        description="of a block's output; 200,000 h in the field (UFGS 16265A, redundant or with bypass)",
    )
    block_mttr_h: Law = Field(
        default=8.0, validate_default=True, description="until the block is normal again (assumed)"
    )
    bypass_by_hand_h: NonNegative = Field(
        default=1.0, description="until loads that a failed block darkened are fed past it (assumed)"
    )
    fail_on_demand_probability: Probability = Field(
        default=0.001, description="that a block drops its load when supply goes; 0.0005 to 0.002 (assumed)"
    )
    fail_on_demand_common_fraction: Fraction = Field(
        default=0.0, description="beta: share of these failures that all blocks of the system have together"
    )
    strings: StringsSpec | None = Field(default=None, description="of a block's battery; without them it never fails")
    lock_out: LockOutSpec | None = None
    ageing: AgeingSpec | None = Field(default=None, description="of LFP batteries; without it they stay as new")
    capital: CapitalSpec | None = None

    @model_validator(mode="after")
    def _two_to_switch(self) -> Self:
        if self.transfer_switch is not None and self.systems == 1:
            raise ValueError("transfer_switch: there is nothing to switch between (set systems: 2)")
        return self

    @property
    def block_kw(self) -> float:
        """Rating of a block with n modules [kW]."""
        return self.modules.n * self.modules.rated_kw


class Ups:
    """All blocks of one UPS; gensets feed it only if they serve all that it serves."""

    def __init__(self, name: str, spec: UpsSpec, rows: int, gensets: frozenset[str]) -> None:
        self.spec, self._rows = spec, rows
        self._name = name
        self._genset = gensets >= set(spec.serves)
        sides = [name] if spec.systems == 1 else [f"{name}-a", f"{name}-b"]
        self._blocks = [f"{side}-{b + 1}" for side in sides for b in range(spec.blocks)]
        rows_served = [row_name(k) for k in range(rows)] if "rows" in spec.serves else []
        self._loads = rows_served + [load for load in ("core", "continuous_cooling") if load in spec.serves]
        self._switches = TransferSwitches(name, spec.transfer_switch, self._loads) if spec.transfer_switch else None

    def _served(self, b: int) -> list[str]:
        """Loads of block b of a system: its share of the rows, and with the other blocks all else."""
        spec = self.spec
        rows = [row_name(k) for k in range(self._rows) if k * spec.blocks // self._rows == b]
        return [load for load in self._loads if load in rows or not load.startswith("row-")]

    def _sections(self, site: SiteBuilder, system: int, b: int) -> int:
        """A system of two has a section of its own; blocks of a single one are spread over all."""
        spec = self.spec
        if spec.systems == 2:
            return 1 << (system * site.sections // 2)
        return 1 << (b * site.sections // spec.blocks) if spec.blocks > 1 else (1 << site.sections) - 1

    def declare(self, site: SiteBuilder) -> None:
        """A feed, a battery and the modules of each block."""
        spec = self.spec
        limit = (spec.modules.n + spec.modules.r) * spec.modules.rated_kw
        for place, name in enumerate(self._blocks):
            system, b = divmod(place, spec.blocks)
            feed = Feed(
                name, f.IN_LINE, self._sections(site, system, b), self._batteries(site, name, limit),
                spec.loss_fraction, limit, fail_probability=spec.fail_on_demand_probability, genset=self._genset,
                fail_common_fraction=spec.fail_on_demand_common_fraction, fail_group=self._name,
            )  # fmt: skip
            site.add_feed(feed, "ups_block", [site.path(load) for load in self._served(b)])
            for m in range(spec.modules.n + spec.modules.r):
                site.item(f"{name}/module-{m + 1}", "ups_module", breakable=True)
            if spec.modules.failures and spec.modules.failures.common_cause_fraction > 0.0:
                site.item(f"{name}/common_cause", "common_cause")
            if spec.strings and spec.strings.failures and spec.strings.failures.common_cause_fraction > 0.0:
                site.item(f"{name}/strings/common_cause", "common_cause")
        if self._switches is not None:
            self._switches.declare(site)

    def _batteries(self, site: SiteBuilder, name: str, limit_kw: float) -> list[Unit]:
        """One battery, or strings: n of them give the block's kW, each holds its part of the minutes."""
        spec, strings = self.spec, self.spec.strings
        kwh = spec.block_kw * spec.autonomy_min / 60.0
        cells = spec.ageing.cells() if spec.ageing else None
        recharge_kw = spec.block_kw / spec.recharge_multiple
        if strings is None:
            battery = site.item(f"{name}/battery", "ups_battery")
            return [Unit(battery, limit_kw, kwh, 0.0, kwh, 1.0, 0.0, recharge_kw, cells)]
        count = strings.n + strings.r
        each_kw, each_kwh = limit_kw / strings.n, kwh / count
        return [
            Unit(
                site.item(f"{name}/string-{k + 1}", "battery_string", breakable=True), each_kw, each_kwh, 0.0, each_kwh,
                1.0, 0.0, recharge_kw / count, cells,
            )
            for k in range(count)
        ]  # fmt: skip

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Families of modules and strings over all blocks; a process for each block's own failure."""
        blocks = [RunningBlock(self.spec, world, site, name, ids) for name in self._blocks]
        self._install_modules(world, site, ids, blocks)
        if self.spec.strings is not None:
            self._install_strings(self.spec.strings, world, site, ids)
        if self._switches is not None:
            self._switches.install(world, site, ids)
        for name, block in zip(self._blocks, blocks, strict=True):
            world.start(block.fail())
            site.blocks[name] = block
            if self.spec.lock_out is not None:
                site.switches = True
                site.phases.append(LockOut(self.spec.lock_out, world, block).react)

    def _install_modules(self, world: World, site: Site, ids: dict[str, int], blocks: list[RunningBlock]) -> None:
        modules = self.spec.modules
        count = modules.n + modules.r
        names = [site.path(f"{name}/module-{m + 1}") for name in self._blocks for m in range(count)]
        items = [ids[name] for name in names]

        def flip(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for k in flipped:
                row = site.change(items[k], r.UP, int(up[k]), SUPPLY, cause)
                block = int(k) // count
                blocks[block].modules(int(up[block * count : (block + 1) * count].sum()), row)
            return row

        def needed(k: int) -> bool:
            return bool(site.fact[f.F_STATE, blocks[k // count].feed] != f.ON_SECTION)

        model = failing(modules.failures, modules.mtbf_h, modules.mttr_h, site.plan.start_month)
        groups = self._groups("common_cause", count, site, ids) if model.common_fraction > 0.0 else []
        Family(world, site, names, items, model, flip, groups=groups, needed=needed)

    def _install_strings(self, strings: StringsSpec, world: World, site: Site, ids: dict[str, int]) -> None:
        count = strings.n + strings.r
        names = [site.path(f"{name}/string-{k + 1}") for name in self._blocks for k in range(count)]
        units = UnitFlips(site, [ids[name] for name in names])
        model = failing(strings.failures, strings.mtbf_h, strings.mttr_h, site.plan.start_month)
        groups = self._groups("strings/common_cause", count, site, ids) if model.common_fraction > 0.0 else []
        Family(world, site, names, units.items, model, units.flip, groups=groups, needed=units.needed)

    def _groups(self, name: str, count: int, site: Site, ids: dict[str, int]) -> list[Group]:
        """Of the blocks' `count` modules or strings each: a common cause strikes those of one block."""
        full = [site.path(f"{block}/{name}") for block in self._blocks]
        return [Group(ids[one], one, list(range(b * count, (b + 1) * count))) for b, one in enumerate(full)]
