"""What parts declare of a site before it is laid out in blocks: items, load points, feeds, storage units, berths."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twin.chance.law import CompiledLaw
    from twin.world.cells import Cells

UNLIMITED_KW = 1e12


@dataclass
class Item:
    """One row of the trace's item table."""

    name: str
    kind: str
    site: int = -1
    weight_kw: float = 0.0
    gpus: int = 0


@dataclass
class LoadSwitch:
    """A static transfer switch between the feeds of a load, as declared; its time in hours."""

    transfer: CompiledLaw
    fail_probability: float


@dataclass
class Load:
    """A load point as declared: its kind, its kW law and the feeds it hangs on."""

    name: str
    kind: int
    fixed_kw: float = 0.0
    per_gpu_kw: float = 0.0
    per_gpu_capped_kw: float = 0.0
    per_boot_kw: float = 0.0
    per_gpu_swing_kw: float = 0.0
    full_gpus: int = 0
    hold_up_ms: float = 20.0
    max_hold_up_ms: float = 20.0
    sections: int = 1
    feeds: list[str] = field(default_factory=list)
    supplies: tuple[int, int] = (1, 0)
    """Power supplies, spread evenly over its cords, and how many it needs; at least one cord is live in any case."""
    switch: LoadSwitch | None = None

    @property
    def full_kw(self) -> float:
        """With all its GPUs busy [kW]; chillers follow from the rest."""
        return self.fixed_kw + self.full_gpus * self.per_gpu_kw


@dataclass
class Unit:
    """A storage unit as declared, on its feed; `efficiency` is one way."""

    name: str
    rated_kw: float
    rated_kwh: float
    min_kwh: float
    max_kwh: float
    efficiency: float
    auxiliary_kw: float
    recharge_kw: float
    cells: Cells | None = None
    low: tuple[float, float] = (0.0, 1.0)
    """Below this many kWh it gives only this share of its kW; then the same above for charging, both 0 for no limit."""
    high: tuple[float, float] = (0.0, 1.0)
    follows: bool = False
    start_kwh: float | None = None


@dataclass
class Feed:
    """One path from the sections to its loads, as declared."""

    name: str
    kind: int
    sections: int
    units: list[Unit] = field(default_factory=list)
    loss_fraction: float = 0.0
    limit_kw: float = UNLIMITED_KW
    transfer: CompiledLaw | None = None
    fail_probability: float = 0.0
    fail_common_fraction: float = 0.0
    """Share of the failures to pick up that all feeds of `fail_group` have together (beta on demand)."""
    fail_group: str = ""
    genset: bool = False


@dataclass
class Point:
    """A connection point as declared: berths for trucks, and the load points whose feeds they may carry."""

    name: str
    sections: int
    limit_kw: float
    berths: list[str]
    synchronised: bool
    changeover_us: int
    transfer: CompiledLaw
    serves: list[str]
    bus: str | None = None
