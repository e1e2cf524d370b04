"""A timeout that others may move or stop, without an interrupt and without `timeout | event`."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment, Event
from simpy.events import Timeout

from twin.units import NEVER


class Alarm:
    """Calls `ring()` at the tick it was last set to; moving it later or stopping it costs nothing in the queue.

    At most one timer is pending in the common case: a timer that rings early (the alarm has moved later) arms the next.
    """

    __slots__ = ("_armed", "_env", "_horizon", "_ring", "due")

    def __init__(self, env: Environment, horizon_us: int, ring: Callable[[], None]) -> None:
        self._env = env
        self._horizon = horizon_us
        self._ring = ring
        self._armed = NEVER
        self.due = NEVER

    def at(self, tick: int) -> None:
        """Set, or move, the alarm to `tick` [us]; ticks at or beyond the horizon never ring."""
        self.due = tick
        if tick < self._armed and tick < self._horizon:
            self._arm(tick)

    def stop(self) -> None:
        """Do not ring."""
        self.due = NEVER

    def _arm(self, tick: int) -> None:
        env = self._env
        self._armed = tick
        Timeout(env, tick - int(env.now)).callbacks.append(self._timer)

    def _timer(self, event: Event) -> None:
        now = int(self._env.now)
        if self._armed <= now:
            self._armed = NEVER
        if self.due <= now:
            self.due = NEVER
            self._ring()
        elif self.due < self._armed and self.due < self._horizon:
            self._arm(self.due)
