"""Like items on one alarm: a compiled row of failure clocks draws what a process for each item would."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from twin.chance.law import CompiledLaw
from twin.chance.philox import stream_key
from twin.plant.clocks import FAILURE, RESTORATION, earliest, first, step
from twin.world.world import World


class Family:
    """Items that fail and are restored independently, each by its own keyed clocks.

    Args:
        names: full item names; an item's draws depend on its name alone.
        life: time to failure while sound, consumed as unit-exponential hazard.
        restoration: time from failure until the item is sound again.
        flip: called with the indices that flip now and the new `up` of all items; it logs and writes the facts.
    """

    def __init__(
        self,
        world: World,
        names: list[str],
        life: CompiledLaw,
        restoration: CompiledLaw,
        flip: Callable[[np.ndarray, np.ndarray], None],
    ) -> None:
        count = len(names)
        self._world, self._flip = world, flip
        self._life, self._restoration = life.columns, restoration.columns
        self._keys = np.zeros((2, count), np.uint64)
        self._keys[FAILURE] = [stream_key(world.seed, name, "failure") for name in names]
        self._keys[RESTORATION] = [stream_key(world.seed, name, "restoration") for name in names]
        self._due_us, self.up, self._ordinal = (
            np.zeros(count, np.int64),
            np.ones(count, np.int64),
            np.zeros(count, np.int64),
        )
        self._theta, self._flipped = np.ones(count), np.zeros(count, np.int64)
        self._alarm = world.alarm(self._ring)
        if count:
            first(self._due_us, self.up, self._ordinal, self._keys, world.replication, self._theta, self._life)
            self._alarm.at(int(earliest(self._due_us)))

    def _ring(self) -> None:
        count = step(
            self._world.now, self._due_us, self.up, self._ordinal, self._keys, self._world.replication, self._theta,
            self._life, self._restoration, self._flipped,
        )  # fmt: skip
        self._flip(self._flipped[:count], self.up)
        self._alarm.at(int(earliest(self._due_us)))
