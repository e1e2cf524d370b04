"""What parts of a site may ask of each other, without knowing who answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.jobs.application.view import Offer
    from twin.world.world import Process


class GensetPlant(Protocol):
    """What other parts may ask of the genset plant."""

    @property
    def settled(self) -> bool:
        """Whether every set that will come on line has done so."""

    @property
    def called(self) -> bool:
        """Whether it has been asked for."""

    @property
    def sets(self) -> int:
        """How many sets it has."""

    def stand_down(self, k: int, until_us: int, row: int) -> None:
        """Set k is taken out of service until then."""

    def stand_up(self, k: int, row: int) -> None:
        """Set k is given back."""

    def leave_off(self, k: int, row: int) -> None:
        """Set k was left switched off: it will not start when it is next called."""

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


class SiteSupply(GridSupply, Protocol):
    """What parts of the same site may ask besides."""

    def take(self, item: int, row: int, event: int, feeder: int) -> Callable[[], None]:
        """Take a feeder down for the reason in `row`, for as long as it takes; the answer gives it back."""


class PowerCap(Protocol):
    """What the import limit asks of the power cap on GPUs."""

    @property
    def on(self) -> bool:
        """Whether rows are capped."""

    @property
    def importing(self) -> bool:
        """Whether the import limit is a reason."""

    def for_import(self, on: bool) -> None:
        """Cap for the limit's sake, or no longer."""

    def for_application(self, on: bool, row: int) -> None:
        """Cap because the application layer decided so in this event, or no longer."""


class Bypassable(Protocol):
    """What planned work asks of a UPS block."""

    feed: int

    def bypass(self, reason: str, row: int, *, on: bool) -> None:
        """One more reason to be on static bypass, or one less."""


class Switching(Protocol):
    """Whoever switches by hand."""

    item: int
    """In whose name errors are logged."""

    def err(self, name: str) -> int:
        """One operation on `name`: -1 where it goes well, else how long its consequence lasts [us]."""

    def switch(self, name: str, feeds: list[int], cause: int) -> None:
        """One operation on these feeds, for `name`, which may go wrong."""


class SureHands:
    """People who make no errors: where the scenario knows of none."""

    item = -1

    def err(self, name: str) -> int:
        """All goes well."""
        return -1

    def switch(self, name: str, feeds: list[int], cause: int) -> None:
        """All goes well."""


class RunningJob(Protocol):
    """What planned work and the application layer may ask of a job, or of a queue of jobs."""

    name: str
    priority: float
    write_us: int

    def offer(self) -> Offer:
        """As it stands now."""

    def pause(self, on: bool, cause: int) -> None:
        """Stand still in memory with idle GPUs, or go on."""

    def stop(self, reason: str, cause: int) -> None:
        """Save, then stand by until `resume` is called with the same reason."""

    def resume(self, reason: str, cause: int) -> None:
        """Go on, where nothing else holds the job back."""
