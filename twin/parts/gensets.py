"""A genset plant as kW over time: sets start, synchronise one after the other, fail to start, fail while running.

Times count from the loss of supply. The first set is on line after `start_s`, the last after `all_load_s`, the others
evenly between; one that fails to take load trips in its turn. A running set fails at a constant rate (MTTF running); a
failed set is out until repaired. When the grid is back, loads return to it at once (closed transition) and the sets
stop after `retransfer_min`. Sets share a tank, where `fuel` gives one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from twin.chance.law import Law
from twin.parts.capital import CapitalSpec
from twin.parts.failures import FailuresSpec, RepairSpec, failing
from twin.parts.fuel import FuelSpec
from twin.parts.running_gensets import RunningGensets
from twin.spec import Count, NonNegative, Positive, PositiveCount, Probability, Spec
from twin.world.failing import Group
from twin.world.family import Family

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World

Served = Literal["rows", "core", "continuous_cooling", "restartable_cooling", "house"]


class GensetsSpec(Spec):
    """Gensets: n needed, r spare; all are started on demand."""

    n: PositiveCount = Field(description="needed for all that they serve")
    r: Count = Field(default=0, description="spare")
    rated_kw: Positive = Field(description="of a set")
    serves: list[Served] = Field(
        default=["rows", "core", "continuous_cooling", "restartable_cooling", "house"],
        min_length=1,
        description="groups of loads, that they carry",
    )
    confirm_s: NonNegative = Field(default=3.0, description="a loss shorter than this starts nothing")
    start_s: NonNegative = Field(
        default=15.0, description="from the loss of supply until the first set takes load; NFPA 110 allows 10"
    )
    all_load_s: NonNegative = Field(
        default=120.0, description="from the loss of supply until all sets do, one after the other"
    )
    fail_to_start_probability: Probability = Field(
        default=0.0094, description="of a set when called; 0.0094 is NREL REopt's default"
    )
    fail_to_load_probability: Probability = Field(default=0.0, description="started, but trips when it takes load")
    plant_common_cause_probability: Probability = Field(
        default=0.006, description="that no set starts when called: fuel, controls, switchgear (assumed)"
    )
    mttf_running_h: Positive = Field(default=1100.0, description="of a running set; 1,100 h is NREL REopt's default")
    mttr_h: Law = Field(default=37.0, validate_default=True, description="of a set; 12 to 150 h (assumed)")
    repair: RepairSpec = Field(default=RepairSpec(), description="crew and spare part after a failed start or run")
    standby_failures: FailuresSpec | None = Field(
        default=None,
        description="of a set that stands still or runs: needs life_h, repaired by mttr_h; dormant ones are found by"
        " test runs or when the plant is called; a common cause strikes all sets",
    )
    retransfer_min: NonNegative = Field(default=15.0, description="supply is back so long before loads return to it")
    fuel: FuelSpec | None = Field(default=None, description="without it fuel never ends")
    capital: CapitalSpec | None = None

    @model_validator(mode="after")
    def _lives(self) -> Self:
        if self.standby_failures is not None and self.standby_failures.life_h is None:
            raise ValueError("standby_failures: give life_h, the time to failure in stand-by")
        return self

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.confirm_s <= self.start_s <= self.all_load_s:
            raise ValueError("confirm_s, start_s and all_load_s must not decrease")
        return self


class Gensets:
    """The genset plant of a site."""

    def __init__(self, spec: GensetsSpec) -> None:
        self.spec = spec

    def declare(self, site: SiteBuilder) -> None:
        """One plant and its sets."""
        site.item("gensets", "genset_plant")
        for k in range(self.spec.n + self.spec.r):
            site.item(f"gensets/genset-{k + 1:02d}", "genset", breakable=self.spec.standby_failures is not None)
        if self.spec.standby_failures and self.spec.standby_failures.common_cause_fraction > 0.0:
            site.item("gensets/common_cause", "common_cause")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Hook the start signal into the site's reactions."""
        running = RunningGensets(self.spec, world, site, ids)
        site.phases.append(running.react)
        site.gensets = running
        spec = self.spec
        if spec.standby_failures is not None:
            model = failing(spec.standby_failures, 1.0, spec.mttr_h, site.plan.start_month)
            names, common = running.names, site.path("gensets/common_cause")
            groups = [Group(ids[common], common, list(range(len(names))))] if model.common_fraction > 0.0 else []
            needed = running.needed
            Family(world, site, names, running.items, model, running.flip, groups=groups, needed=needed)
