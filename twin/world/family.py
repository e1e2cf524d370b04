"""Like items on one alarm: a compiled row of failure clocks draws what a process for each item would.

A family carries the whole of `Failing`: lives by hazard, imperfect repair, beta factor by groups, hidden failures,
crews and spare parts. A part says what its items are and what a flip changes in the plant; the family decides when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from twin.chance.law import compile_law
from twin.chance.philox import stream_key, stream_keys, uniform
from twin.errors import InternalError
from twin.plant import clocks as c
from twin.units import ticks
from twin.world import record as r
from twin.world.failing import Dormancy, Failing, Group, instantaneous

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import Process, World


class Flip(Protocol):
    """What a part does when its items flip: log each with `cause` and write the facts; returns the last row logged."""

    def __call__(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        """`flipped`: indices, ascending; `up`: of all items, as they stand now."""


class Family:
    """Items that fail and are restored by keyed clocks of their own.

    Args:
        site: the site that they belong to.
        names: full item names; an item's draws depend on its name alone.
        items: their ids.
        model: how they fail and are restored.
        flip: see `Flip`.
        groups: whom a common cause strikes together; needed where the model has a common fraction.
        needed: whether item i is needed at this instant, asked where hidden failures are found by need.
    """

    def __init__(
        self,
        world: World,
        site: Site,
        names: Sequence[str],
        items: Sequence[int],
        model: Failing,
        flip: Flip,
        *,
        groups: Sequence[Group] = (),
        needed: Callable[[int], bool] | None = None,
    ) -> None:
        count = len(names)
        self._world, self._site, self._flip = world, site, flip
        self.names, self._items, self._model = list(names), items, model
        self._life, self._restoration = model.life.columns, model.restoration
        self._keys = np.zeros((2, count), np.uint64)
        self._keys[c.FAILURE] = stream_keys(world.seed, tuple(names), "failure")
        self._keys[c.RESTORATION] = stream_keys(world.seed, tuple(names), "restoration")
        self._clock = np.zeros((c.CLOCK_ROWS, count), np.int64)
        self._hazard = np.zeros((c.HAZARD_ROWS, count))
        self._hazard[c.RATE], self._hazard[c.THETA] = 1.0 - model.common_fraction, 1.0
        self.up = self._clock[c.UP]
        self._flipped = np.zeros(count, np.int64)
        self._hidden: dict[int, int] = {}
        self._needed = needed
        self._alarm = world.alarm(self._ring)
        if not count:
            return
        c.first(self._clock, self._hazard, self._keys, world.replication, self._life)
        self._alarm.at(int(c.earliest(self._clock)))
        world.families.append(self)
        self.group = re.sub(r"-\d+$", "", names[0].rsplit("/", 1)[-1])
        if model.life.has_hazard:
            world.luck.add_source(self)
        for i, name in enumerate(names):
            world.struck[name] = (self, i)
        if model.common_fraction > 0.0:
            self._share(groups)
        if model.dormancy is not None and model.dormancy.by_need:
            if needed is None and model.dormancy.test_every_h is None:
                raise InternalError(f"nothing would ever find a hidden failure of {names[0]}")
            if needed is not None:
                site.phases.append(self._find_by_need)

    # ------------------------------------------------------------------ flips
    def _ring(self) -> None:
        world = self._world
        count = c.step(
            world.now, self._clock, self._hazard, self._keys, world.replication, self._life, self._restoration,
            self._model.age_kept_fraction, self._flipped,
        )  # fmt: skip
        self._degraded(begun=True)
        if self._model.managed:
            for i in self._flipped[:count].tolist():
                self._failed(i, -1)
        else:
            self._flip(self._flipped[:count], self.up, -1)
        self._degraded()
        self._alarm.at(int(c.earliest(self._clock)))

    def strike(self, i: int, cause: int) -> bool:
        """Bring item i down from outside, for the reason in row `cause`; returns whether it was up."""
        world = self._world
        was_up = c.strike(
            i, world.now, self._clock, self._hazard, self._keys, world.replication, self._life, self._restoration,
            self._model.age_kept_fraction,
        )  # fmt: skip
        if was_up:
            self._degraded(begun=True)
            self._failed(i, cause)
            self._degraded()
            self._alarm.at(int(c.earliest(self._clock)))
        return bool(was_up)

    def _degraded(self, *, begun: bool = False) -> None:
        """Tell whether any item is down; before a flip only that one is (`begun`), for what its failure draws."""
        luck = self._world.luck
        if luck.is_biased and not (begun and self.up.all()):
            luck.degraded(self, not self.up.all())

    def _failed(self, i: int, cause: int) -> None:
        """Item i has just gone down: flip it, and see to its restoration unless the clock does."""
        row = self._flip(np.array([i]), self.up, cause)
        dormancy = self._model.dormancy
        n = (int(self._clock[c.ORDINAL, i]) >> 1) - 1
        if dormancy is not None and self._is_hidden(dormancy, self._uniform(i, "dormant", n)):
            self._hidden[i] = row
            if dormancy.test_every_h is not None:
                self._world.start(self._tested(i, row))
        elif self._model.managed:
            self._care(i, row)

    def _care(self, i: int, row: int) -> None:
        """The failure of item i is known."""
        world, n = self._world, (int(self._clock[c.ORDINAL, i]) >> 1) - 1

        def done(last: int) -> None:
            c.mend(i, world.now, self._clock, self._hazard, self._keys, world.replication, self._life)
            self._flip(np.array([i]), self.up, last)
            self._degraded()
            self._alarm.at(int(c.earliest(self._clock)))

        name, model = self.names[i], self._model
        work_us = world.stream(name, "restoration").ticks_at(model.repair, n)
        world.start(world.repairs.repair(self._site, self._items[i], name, n, work_us, model.care, row, done))

    def _is_hidden(self, dormancy: Dormancy, u: float) -> bool:
        return self._world.luck.fails(f"hidden {self.group}", dormancy.fraction, u)

    def _uniform(self, i: int, purpose: str, n: int) -> float:
        return float(uniform(stream_key(self._world.seed, self.names[i], purpose), self._world.replication, n))

    # ------------------------------------------------------------------ hidden failures
    def _tested(self, i: int, row: int) -> Process:
        """A hidden failure waits for the next test."""
        dormancy = self._model.dormancy
        assert dormancy is not None, "asked for a hidden failure"
        assert dormancy.test_every_h is not None, "asked where there are tests"
        every = max(1, ticks(dormancy.test_every_h))
        phase = int(self._uniform(i, "test_phase", 0) * every) if dormancy.staggered else 0
        yield self._world.sleep(every - (self._world.now - phase) % every)
        if self._hidden.get(i) == row:
            self._found(i, r.BY_TEST)

    def _find_by_need(self) -> None:
        """A phase of the site's reaction: whoever is needed and not there is found out."""
        if self._hidden and self._needed is not None:
            for i in [i for i in self._hidden if self._needed(i)]:
                self._found(i, r.BY_NEED)

    def _found(self, i: int, how: int) -> None:
        item, hidden = self._items[i], self._hidden.pop(i)
        if how == r.BY_NEED:  # inside a reaction: a consequence, not what triggered it
            self._care(i, self._site.log(item, r.FOUND, how, hidden))
        else:
            self._care(i, self._site.change(item, r.FOUND, how, 0, hidden))

    # ------------------------------------------------------------------ common causes, rates, speeds
    def _share(self, groups: Sequence[Group]) -> None:
        """The common share of the hazard, as a family of its own: one clock a group, over as soon as it has struck."""
        if sorted(i for group in groups for i in group.members) != list(range(len(self.names))):
            raise InternalError("common causes need groups that hold each item once")

        def strike(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for g in flipped.tolist():
                if not up[g]:
                    row = self._site.change(groups[g].item, r.STRIKES, len(groups[g].members), 0, cause)
                    for i in groups[g].members:
                        self.strike(i, row)
            return row

        model = instantaneous(self._model, compile_law(0.0))
        common = Family(
            self._world, self._site, [group.name for group in groups], [group.item for group in groups], model, strike
        )
        common.set_rate(slice(None), self._model.common_fraction)

    def set_rate(self, members: slice | np.ndarray, rate: float | np.ndarray) -> None:
        """Change the physical factor on the hazard rate, e.g. 0 while an item is not exposed. For the owning part."""
        self._set(c.RATE, members, rate)

    def set_theta(self, members: slice | np.ndarray, theta: float | np.ndarray) -> None:
        """Change the speed of clocks. For rare-event sampling alone, which weighs by `used`."""
        self._set(c.THETA, members, theta)

    def _set(self, field: int, members: slice | np.ndarray, value: float | np.ndarray) -> None:
        if not self._model.life.has_hazard:
            raise InternalError("a life of fixed, scripted or resampled values has no hazard rate to change")
        now = self._world.now
        c.settle(now, self._clock, self._hazard, self._life)
        self._hazard[field, members] = value
        c.arm(now, self._clock, self._hazard, self._life)
        self._alarm.at(int(c.earliest(self._clock)))

    def run_at(self, speed: float) -> None:
        """Change the speed of all clocks."""
        self.set_theta(slice(None), speed)

    def used(self) -> tuple[float, int]:
        """Hazard used up so far at natural speed, and lives that ended of themselves."""
        c.settle(self._world.now, self._clock, self._hazard, self._life)
        return float(self._hazard[c.USED].sum()), int(self._clock[c.FIRED].sum())
