"""A centralised UPS in blocks of N+r modules: in line, double conversion, a battery of minutes, a static bypass.

A block carries a share of the rows and, with the other blocks, the dual-corded core and pumps. On the grid it loses
`loss_fraction` of its input. With fewer than n sound modules it goes to static bypass: no break, but raw supply from
then on. A block failure (rare: the output itself) darkens what it alone feeds until it has been bypassed by hand; it is
normal again when repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from twin.chance.law import Law, compile_law, exponential
from twin.parts.cluster import row_name
from twin.parts.failures import FailuresSpec, failing
from twin.plant import fields as f
from twin.spec import Count, NonNegative, Positive, PositiveCount, Probability, Spec
from twin.units import ticks
from twin.world import record as r
from twin.world.blueprint import Feed, Unit
from twin.world.failing import Group
from twin.world.family import Family
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World

Served = Literal["rows", "core", "continuous_cooling"]


class ModulesSpec(Spec):
    """Parallel modules of a block: n carry its load, r are spare."""

    n: PositiveCount
    r: Count = 0
    rated_kw: Positive
    mtbf_h: Positive = 170000.0
    mttr_h: Law = Field(default=8.0, validate_default=True)
    failures: FailuresSpec | None = Field(
        default=None,
        description="of a module, beyond its MTBF and MTTR; a common cause strikes the modules of one block",
    )


class UpsSpec(Spec):
    """Centralised UPS."""

    blocks: PositiveCount = 1
    modules: ModulesSpec
    serves: list[Served] = Field(default=["rows", "core", "continuous_cooling"], min_length=1)
    loss_fraction: float = Field(default=0.045, ge=0, lt=1, description="of the input, double conversion")
    autonomy_min: Positive = Field(default=10.0, description="at the block's rating n x rated_kw")
    recharge_multiple: Positive = Field(default=10.0, description="recharging takes this many discharge times")
    block_mtbf_h: Positive = 200000.0
    block_mttr_h: Law = Field(default=8.0, validate_default=True)
    bypass_by_hand_h: NonNegative = 1.0
    fail_on_demand_probability: Probability = 0.001

    @property
    def block_kw(self) -> float:
        """Rating of a block with n modules [kW]."""
        return self.modules.n * self.modules.rated_kw


class Ups:
    """All blocks of one UPS; gensets feed it only if they serve all that it serves."""

    def __init__(self, name: str, spec: UpsSpec, rows: int, gensets: frozenset[str]) -> None:
        self.spec, self._rows = spec, rows
        self._genset = gensets >= set(spec.serves)
        self._blocks = [f"{name}-{b + 1}" for b in range(spec.blocks)]

    def declare(self, site: SiteBuilder) -> None:
        """A feed, a battery and the modules of each block."""
        spec = self.spec
        kwh = spec.block_kw * spec.autonomy_min / 60.0
        limit = (spec.modules.n + spec.modules.r) * spec.modules.rated_kw
        for b, name in enumerate(self._blocks):
            rows = [row_name(k) for k in range(self._rows) if k * spec.blocks // self._rows == b]
            loads = rows if "rows" in spec.serves else []
            loads = loads + [load for load in ("core", "continuous_cooling") if load in spec.serves]
            everywhere = (1 << site.sections) - 1
            sections = 1 << (b * site.sections // spec.blocks) if spec.blocks > 1 else everywhere
            battery = Unit(
                site.item(f"{name}/battery", "ups_battery"), limit, kwh, 0.0, kwh, 1.0, 0.0,
                spec.block_kw / spec.recharge_multiple,
            )  # fmt: skip
            feed = Feed(
                name, f.IN_LINE, sections, [battery], spec.loss_fraction, limit,
                fail_probability=spec.fail_on_demand_probability, genset=self._genset,
            )  # fmt: skip
            site.add_feed(feed, "ups_block", [site.path(load) for load in loads])
            for m in range(spec.modules.n + spec.modules.r):
                site.item(f"{name}/module-{m + 1}", "ups_module", breakable=True)
            if spec.modules.failures and spec.modules.failures.common_cause_fraction > 0.0:
                site.item(f"{name}/common_cause", "common_cause")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """A family of modules over all blocks; a process for each block's own failure."""
        spec, count = self.spec, self.spec.modules.n + self.spec.modules.r
        blocks = [RunningBlock(spec, world, site, name, ids) for name in self._blocks]
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

        modules = spec.modules
        model = failing(modules.failures, modules.mtbf_h, modules.mttr_h, site.plan.start_month)
        groups = []
        for b, name in enumerate(self._blocks if model.common_fraction > 0.0 else ()):
            common = site.path(f"{name}/common_cause")
            groups.append(Group(ids[common], common, list(range(b * count, (b + 1) * count))))
        Family(world, site, names, items, model, flip, groups=groups, needed=needed)
        for block in blocks:
            world.start(block.fail())


class RunningBlock:
    """One block: bypass and output failure."""

    def __init__(self, spec: UpsSpec, world: World, site: Site, name: str, ids: dict[str, int]) -> None:
        self.spec, self.world, self.site = spec, world, site
        self._name = site.path(name)
        self.item, self.feed = ids[self._name], site.plan.feed_of[name]
        self._short = self._failed = False

    def modules(self, up: int, row: int) -> None:
        """The number of sound modules has changed: new limit, perhaps to or from static bypass."""
        limit = up * self.spec.modules.rated_kw
        self.site.quantity[f.F_LIMIT_KW, self.feed] = limit
        self._short = up < self.spec.modules.n
        self._bypass(row)

    def _bypass(self, row: int) -> None:
        fact = self.site.fact
        on = int(self._short or self._failed)
        if on != fact[f.F_BYPASS, self.feed]:
            self.site.change(self.item, r.BYPASS, on, SUPPLY, row)
            fact[f.F_BYPASS, self.feed] = on

    def fail(self) -> Process:
        """Fails, is bypassed by hand, is repaired, and again."""
        lives, repairs = self.world.stream(self._name, "failure"), self.world.stream(self._name, "restoration")
        parts = self.world.stream(self._name, "restoration_part")
        life = exponential(self.spec.block_mtbf_h)
        restoration = compile_law(self.spec.block_mttr_h)
        fact = self.site.fact
        by_hand = ticks(self.spec.bypass_by_hand_h)
        while True:
            yield self.world.luck.live("ups_block", lives.ticks(life), life.mean)
            self.world.luck.degraded(self.item, True)
            repair = self.world.luck.duration_us("ups_block_repair", repairs, parts, restoration)
            row = self.site.change(self.item, r.UP, 0, SUPPLY)
            fact[f.F_UP, self.feed] = 0
            self._failed = True
            if by_hand < repair:
                yield self.world.sleep(max(1, by_hand))
                self.site.change(self.item, r.BYPASS, 1, SUPPLY, row)
                fact[f.F_BYPASS, self.feed] = 1
                fact[f.F_UP, self.feed] = 1
                yield self.world.sleep(repair - by_hand)
            else:
                yield self.world.sleep(repair)
            self.site.change(self.item, r.UP, 1, SUPPLY, row)
            self._failed = False
            fact[f.F_UP, self.feed] = 1
            self._bypass(row)
            self.world.luck.degraded(self.item, False)
