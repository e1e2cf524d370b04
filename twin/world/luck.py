"""Nature's luck, behind the one door through which rare-event sampling may bias what fails: parts ask it, not a law.

What is asked here is drawn as nature does and weighs nothing; `twin.world.weights` draws otherwise and keeps account.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from simpy import Event

if TYPE_CHECKING:
    from twin.chance.law import CompiledLaw
    from twin.world.site import Site
    from twin.world.switch_luck import SwitchLuck
    from twin.world.world import Stream, World

Cycles: TypeAlias = dict[str, NDArray[np.int64] | NDArray[np.float64]]


class HazardRate(Protocol):
    """A hazard rate over the clock."""

    def used(self, start_us: int, end_us: int) -> float:
        """Hazard between two ticks."""

    def tick(self, hazard: float, now_us: int) -> int:
        """When so much hazard is used up from `now_us` on."""


class Source(Protocol):
    """Clocks that keep count of themselves, such as a family."""

    group: str

    def used(self) -> tuple[float, int]:
        """Hazard used up so far at natural speed, and clocks run out."""

    def run_at(self, speed: float) -> None:
        """Run at this speed from now on."""


class Luck:
    """All as nature draws it."""

    is_biased = False
    """Whether anybody listens to `degraded`."""
    _world: World

    def bind(self, world: World) -> None:
        """Belong to a world that begins."""
        self._world = world

    def live(self, group: str, us: int, mean_h: float) -> Event:
        """An event at the end of an exponential life of mean `mean_h`, drawn as `us`: a clock that may be sped up."""
        return self._world.sleep(us)

    def wait(self, group: str, due_us: int, rate: HazardRate) -> Event:
        """An event at `due_us`, of a clock with any hazard rate that may be sped up."""
        return self._world.sleep(due_us - self._world.now)

    def clocks(self, group: str, count: int, mean_h: float) -> None:
        """So many more clocks of mean `mean_h` run (fewer: negative); whoever says so keeps them, at `speed`."""

    def add_source(self, source: Source) -> None:
        """Clocks that keep count of themselves."""

    def fire(self, group: str) -> None:
        """One of them has run out."""

    def speed(self, group: str) -> float:
        """How fast clocks of a group run at present."""
        return 1.0

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever speeds and probabilities change."""

    def fails(self, group: str, probability: float, u: float) -> bool:
        """Whether something fails on demand, by one uniform."""
        return u < probability

    def switches(self, site: Site) -> SwitchLuck | None:
        """The luck of a site's static switches, where it is not nature's."""
        return None

    def duration_us(self, group: str, draws: Stream, parts: Stream, law: CompiledLaw) -> int:
        """The next draw of a duration [us]; `parts` is a stream of its own, for where a longer law is mixed in."""
        return draws.ticks(law)

    def degraded(self, key: Hashable, on: bool) -> None:
        """A fault begins or ends to matter."""

    def hold(self, until_us: int) -> None:
        """What was drawn just now matters until then."""

    def finish(self) -> None:
        """The horizon is reached."""

    def table(self) -> Cycles:
        """The trace's table of cycles: one span that weighs 1."""
        end = np.array([self._world.horizon_us])
        return {"start_us": np.zeros(1, np.int64), "end_us": end, "log_weight": np.zeros(1)}

    def release(self) -> None:
        """Let go of the world."""
        self.__dict__.pop("_world", None)
