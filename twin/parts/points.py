"""Connection points: where mobile storage plugs in, what it may carry there, and what it does beside the grid.

A point has berths. While the section supply of the loads that it serves is away, plugged trucks carry them: within
`transfer_ms` at a synchronised point, else after a dark changeover, which comes once more when the supply is back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from twin.chance.law import Law, TabledLaw, compile_law
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, PositiveCount, Spec
from twin.units import TICKS_PER_S
from twin.world.declared import UNLIMITED_KW, Point

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World

GROUPS = {
    "rows": f.ROW, "core": f.CORE, "continuous_cooling": f.PUMPS, "restartable_cooling": f.CHILLERS, "house": f.HOUSE,
}  # fmt: skip


class ConnectionPointSpec(Spec):
    """A place to plug trucks in."""

    limit_kw: Positive = Field(description="of all trucks at this point together, either way")
    berths: PositiveCount = Field(default=1, le=99, description="trucks that may be plugged in at one time")
    level: Literal["low", "medium"] = Field(default="low", description="voltage: 0.4 kV plugs, or a 10 kV cubicle")
    synchronised: bool = Field(
        default=False,
        description="takes over within transfer_ms, gives back without a break, may discharge beside the grid",
    )
    transfer_ms: Law = Field(default=8.0, validate_default=True, description="of a synchronised point's static switch")
    changeover_s: NonNegative = Field(default=10.0, description="dark, both ways, at a point that is not synchronised")
    connect_min: NonNegative | None = Field(default=None, description="default 25 at low, 90 at medium voltage")
    disconnect_min: NonNegative = Field(default=10.0, description="from the order until the truck may drive")
    serves: list[str] = Field(
        default=["rows", "core", "continuous_cooling", "restartable_cooling", "house"],
        min_length=1,
        description="rows, core, continuous_cooling, restartable_cooling, house, or single rows by name",
    )
    bus: str | None = Field(default=None, description="of the site's network; for the power flow")

    @property
    def connect_h(self) -> float:
        """From arrival to power [h]."""
        by_level = 25.0 if self.level == "low" else 90.0
        return (by_level if self.connect_min is None else self.connect_min) / 60.0

    @model_validator(mode="after")
    def _switch(self) -> Self:
        if isinstance(self.transfer_ms, TabledLaw):
            message = f"transfer_ms: a switch's time is a law of parameters, not {self.transfer_ms.law}"
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
        return self


class PluggedTrucksSpec(Spec):
    """What a truck that is plugged in at a site does there while the grid is up."""

    buffers: bool = Field(default=True, description="discharges what the site needs above its import limit or target")
    peak_target_kw: Positive | None = Field(default=None, description="import to stay below, for the demand charge")
    charge_at_price_per_kwh: NonNegative | None = Field(default=None, description="and below: charges")
    discharge_at_price_per_kwh: NonNegative | None = Field(default=None, description="and above: discharges")
    reserve_fraction: Fraction = Field(default=0.5, description="of the rated energy, never sold: kept for outages")

    @model_validator(mode="after")
    def _prices(self) -> Self:
        low, high = self.charge_at_price_per_kwh, self.discharge_at_price_per_kwh
        if (low is None) != (high is None):
            raise ValueError("give both charge_at_price_per_kwh and discharge_at_price_per_kwh, or neither")
        if low is not None and high is not None and low >= high:
            raise ValueError("charge_at_price_per_kwh must be below discharge_at_price_per_kwh")
        return self

    @property
    def use(self) -> int:
        """The plant's flags."""
        return f.BUFFERS * self.buffers + f.TRADES * (self.charge_at_price_per_kwh is not None)


class Points:
    """All connection points of a site."""

    def __init__(self, points: dict[str, ConnectionPointSpec], plugged: PluggedTrucksSpec) -> None:
        self.points, self.plugged = points, plugged

    def declare(self, site: SiteBuilder) -> None:
        """Each point with its berths; the loads are there already."""
        everywhere = (1 << site.sections) - 1
        for name, spec in sorted(self.points.items()):
            loads = [
                load.name
                for load in site.loads.values()
                if any(GROUPS.get(group, -1) == load.kind or site.path(group) == load.name for group in spec.serves)
            ]
            berths = [f"berth-{k + 1:02d}" for k in range(spec.berths)]
            law = compile_law(spec.transfer_ms, to_h=1 / 3.6e6)
            changeover_us = round(spec.changeover_s * TICKS_PER_S)
            site.add_point(
                Point(
                    f"points/{name}",
                    everywhere,
                    spec.limit_kw,
                    berths,
                    spec.synchronised,
                    changeover_us,
                    law,
                    sorted(loads),
                    spec.bus,
                )
            )
        site.peak_target_kw = self.plugged.peak_target_kw or UNLIMITED_KW

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Nothing runs here: trucks come and go, the plant does the rest."""
