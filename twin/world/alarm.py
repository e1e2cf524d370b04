"""A timeout that others may move or stop, without an interrupt and without `timeout | event`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simpy import Event
from simpy.events import Timeout

from twin.units import NEVER

if TYPE_CHECKING:
    from twin.world.world import World


class Alarm:
    """Calls `ring()` at the tick it was last set to; moving it later or stopping it costs nothing in the queue.

    At most one timer is pending in the common case: a timer that rings early (the alarm has moved later) arms the next.
    """

    __slots__ = ("_armed", "_ring", "_world", "due")

    def __init__(self, world: World, ring: Callable[[], None]) -> None:
        self._world = world
        self._ring = ring
        self._armed = NEVER
        self.due = NEVER

    def at(self, tick: int) -> None:
        """Set, or move, the alarm to `tick` [us]; ticks at or beyond the horizon never ring."""
        self.due = tick
        world = self._world
        if tick < self._armed and tick < world.horizon_us:
            self._armed = tick
            Timeout(world.env, tick - world.now).callbacks.append(self._timer)

    def stop(self) -> None:
        """Do not ring."""
        self.due = NEVER

    def release(self) -> None:
        """Let go of whom it would call: the world is over."""
        self._ring = _nobody

    def _timer(self, _: Event) -> None:
        now = self._world.now
        if self._armed <= now:
            self._armed = NEVER
        due = self.due
        if due <= now:
            self.due = NEVER
            self._ring()
        elif due < self._armed:
            self.at(due)


def _nobody() -> None:
    """Whom an alarm calls when its world is over."""
