"""Clocks whose speed may change while they run, and the count of what they use up: the clockwork of `Weights`.

Three kinds: sleeping processes, with any hazard rate (`Sleeper`); clocks of constant rate that their owner keeps, such
as running sets (`count`); and families, which count for themselves (`Source`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simpy import Event

from twin.units import NEVER, TICKS_PER_H
from twin.world.luck import HazardRate, Source

if TYPE_CHECKING:
    from twin.world.world import World


@dataclass(frozen=True)
class ConstantRate:
    """The hazard rate of an exponential life."""

    mean_h: float

    def used(self, start_us: int, end_us: int) -> float:
        """Hazard between two ticks."""
        return (end_us - start_us) / (self.mean_h * TICKS_PER_H)

    def tick(self, hazard: float, now_us: int) -> int:
        """When so much hazard is used up from `now_us` on."""
        return int(min(now_us + hazard * self.mean_h * TICKS_PER_H, NEVER))


class SpedClocks:
    """All clocks of one world. `speed_of` says how fast those of a group run; change it by `turn`."""

    def __init__(self, world: World, speed_of: Callable[[str], float]) -> None:
        self._world, self.speed_of = world, speed_of
        self._rates: dict[str, float] = {}
        self._sleepers: dict[Sleeper, None] = {}
        self._sources: list[Source] = []
        self._before: list[tuple[float, int]] = []
        self._used: dict[str, float] = {}
        self._fired: dict[str, int] = {}
        self._since_us = 0

    def add(self, source: Source) -> None:
        """A family, new at this moment."""
        self._sources.append(source)
        self._before.append(source.used())
        if self.speed_of(source.group) != 1.0:
            source.run_at(self.speed_of(source.group))

    def count(self, group: str, count: int, mean_h: float) -> None:
        """So many more clocks of constant rate run."""
        self._settle_rates()
        self._rates[group] = self._rates.get(group, 0.0) + count / (mean_h * TICKS_PER_H)

    def fire(self, group: str) -> None:
        """One of them, or a sleeper, has run out."""
        self._fired[group] = self._fired.get(group, 0) + 1

    def sleep(self, group: str, due_us: int, rate: HazardRate) -> Event:
        """An event at `due_us` of natural speed, from now on."""
        sleeper = Sleeper(self._world, group, due_us, rate, self._woken)
        self._sleepers[sleeper] = None
        if self.speed_of(group) != 1.0:
            sleeper.retime(self.speed_of(group))
        return sleeper.event

    def _woken(self, sleeper: Sleeper) -> None:
        self._use(sleeper.group, sleeper.settle(self.speed_of(sleeper.group)))
        self.fire(sleeper.group)
        self._sleepers.pop(sleeper)

    def take(self) -> Iterator[tuple[str, float, int]]:
        """Group, natural hazard used and clocks run out since it was last asked."""
        self._settle_rates()
        for sleeper in self._sleepers:
            self._use(sleeper.group, sleeper.settle(self.speed_of(sleeper.group)))
        for place, source in enumerate(self._sources):
            used, fired = source.used()
            used_before, fired_before = self._before[place]
            self._before[place] = used, fired
            self._use(source.group, used - used_before)
            self._fired[source.group] = self._fired.get(source.group, 0) + fired - fired_before
        used_by, fired_by = self._used, self._fired
        self._used, self._fired = {}, {}
        for group in {**used_by, **fired_by}:
            yield group, used_by.get(group, 0.0), fired_by.get(group, 0)

    def turn(self, speed_of: Callable[[str], float]) -> None:
        """Run at other speeds from now on; call right after `take`."""
        before, self.speed_of = self.speed_of, speed_of
        for sleeper in self._sleepers:
            if before(sleeper.group) != speed_of(sleeper.group):
                sleeper.retime(speed_of(sleeper.group))
        for source in self._sources:
            if before(source.group) != speed_of(source.group):
                source.run_at(speed_of(source.group))

    def _settle_rates(self) -> None:
        now = self._world.now
        if now > self._since_us:
            for group, rate in self._rates.items():
                self._use(group, rate * (now - self._since_us))
            self._since_us = now

    def _use(self, group: str, hazard: float) -> None:
        self._used[group] = self._used.get(group, 0.0) + hazard


class Sleeper:
    """A process that sleeps until its clock runs out."""

    __slots__ = ("_alarm", "_left", "_rate", "_since_us", "_woken", "_world", "event", "group")

    def __init__(
        self, world: World, group: str, due_us: int, rate: HazardRate, woken: Callable[[Sleeper], None]
    ) -> None:
        self._world, self.group, self._rate, self._woken = world, group, rate, woken
        self.event = Event(world.env)
        self._since_us = world.now
        self._left = rate.used(self._since_us, due_us)
        self._alarm = world.alarm(self._ring)
        self._alarm.at(due_us)

    def settle(self, speed: float) -> float:
        """Natural hazard used since the last time, at this speed."""
        now = self._world.now
        used = self._rate.used(self._since_us, now)
        self._since_us = now
        self._left = max(self._left - used * speed, 0.0)
        return used

    def retime(self, speed: float) -> None:
        """Run at this speed from now on; settled."""
        self._alarm.at(max(self._rate.tick(self._left / speed, self._world.now), self._world.now + 1))

    def _ring(self) -> None:
        self._woken(self)
        self.event.succeed()
