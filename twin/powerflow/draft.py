"""Buses and branches of a network as they are added, one after the other."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt

from twin.powerflow.network import Network


class TransformerPlate(Protocol):
    """What the draft asks of a transformer."""

    @property
    def rated_kva(self) -> float:
        """Rating."""

    @property
    def no_load_loss_kw(self) -> float:
        """Losses without load."""

    @property
    def tap_fraction(self) -> float:
        """How far the tap lifts the lower side above nominal."""

    def ohm(self, kv: float) -> complex:
        """Series impedance at the side of `kv`."""


class Draft:
    """A network that grows; bus 0 is its slack."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.iron_kw: list[float] = []
        self._kv: list[float] = []
        self._ends: list[tuple[int, int]] = []
        self._figures: list[tuple[complex, float, float, float]] = []
        self._closed: list[bool] = []
        self.roles: list[str] = []
        """What each branch is, as whoever added it says."""

    @property
    def branches(self) -> int:
        """How many there are: the number of the next one."""
        return len(self._ends)

    def bus(self, name: str, kv: float) -> int:
        """Add a bus; returns its number."""
        self.names.append(name)
        self._kv.append(kv)
        self.iron_kw.append(0.0)
        return len(self.names) - 1

    def branch(
        self,
        from_bus: int,
        to_bus: int,
        ohm: complex,
        rating_a: float,
        *,
        b_us: float = 0.0,
        ratio: float = 1.0,
        closed: bool = True,
        role: str = "",
    ) -> int:
        """Add a branch, ohms and amperes at the from side; returns its number."""
        self._ends.append((from_bus, to_bus))
        self._figures.append((ohm, rating_a, b_us, ratio))
        self._closed.append(closed)
        self.roles.append(role)
        return len(self._ends) - 1

    def transformer(self, from_bus: int, name: str, kv: float, plate: TransformerPlate, role: str = "") -> int:
        """Add a transformer and the bus below it; returns that bus."""
        upper_kv = self._kv[from_bus]
        lower = self.bus(name, kv)
        rating_a = plate.rated_kva / (math.sqrt(3.0) * upper_kv)
        self.branch(from_bus, lower, plate.ohm(upper_kv), rating_a, ratio=1.0 / (1.0 + plate.tap_fraction), role=role)
        self.iron_kw[from_bus] += plate.no_load_loss_kw
        return lower

    def network(self, base_kva: float = 10_000.0) -> Network:
        """The network as it stands."""
        ends: npt.NDArray[np.int64] = np.array(self._ends, dtype=np.int64)
        z, rating_a, b_us, ratio = (np.array(column) for column in zip(*self._figures, strict=True))
        return Network(
            ends[:, 0], ends[:, 1], z.real, z.imag, self._kv, in_service=self._closed, b_us=b_us, ratio=ratio,
            rating_a=rating_a, base_kva=base_kva,
        )  # fmt: skip
