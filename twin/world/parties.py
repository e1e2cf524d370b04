"""What parts of a site may ask of each other, without knowing who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twin.world.world import Process


class GensetPlant(Protocol):
    """What other parts may ask of the genset plant."""

    @property
    def settled(self) -> bool:
        """Whether every set that will come on line has done so."""

    def run_dry(self) -> None:
        """The tank is empty: the sets stop in this instant."""


class GridSupply(Protocol):
    """What others may ask of a site's grid supply."""

    def event(
        self,
        item: int,
        event: int,
        feeders: tuple[int, ...],
        duration_us: int,
        residual: float,
        *,
        closed_transition: bool = False,
    ) -> Process:
        """Strike feeders for a time; none named means all."""

    def announce(self, item: int, at_us: int, expected_h: float, feeders: tuple[int, ...]) -> None:
        """Tell that these feeders (none named: all) will be away from `at_us` on."""


class PowerCap(Protocol):
    """What the import limit asks of the power cap on GPUs."""

    on: bool
    importing: bool

    def for_import(self, on: bool) -> None:
        """Cap for the limit's sake, or no longer."""
