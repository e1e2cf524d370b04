"""How a gang job comes back: how long a restart takes by what was lost, rows that boot one by one, servers that do not.

A restart waits until enough servers are sound; those out for repair are counted against the job's spare ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twin.jobs.stand_by import StandBy
from twin.parts.held_rows import BOOTING
from twin.units import TICKS_PER_H, ticks
from twin.world import record as r
from twin.world.site import LOAD

if TYPE_CHECKING:
    from twin.parts.gang import GangSpec
    from twin.parts.held_rows import HeldRows
    from twin.world.site import Site
    from twin.world.world import World

SERVER, ROWS, CORE = range(3)  # what was lost


class GangRestart:
    """The restart that is under way, if one is, and the servers that are out.

    Args:
        spec: the job's keys.
        name: full name of the job's item, for its draws.
        item: the job's item.
        rows: the rows that it holds.
        train: called when the job trains again.
    """

    def __init__(
        self, spec: GangSpec, name: str, item: int, rows: HeldRows, world: World, site: Site, train: Callable[[], None]
    ) -> None:
        self._site, self._item, self._rows = site, item, rows
        self.warm_us = ticks(spec.warm_restart_min / 60.0)
        """A restart after a stop on purpose [us]."""
        by_loss = spec.restart_after_power_loss_h
        self._after_us = (
            ticks((spec.detection_min + spec.warm_restart_min) / 60.0),
            ticks(by_loss.core_kept),
            ticks(by_loss.core_lost),
        )
        every_min = 1.0 / spec.restart_rows_per_min if spec.restart_rows_per_min else 0.0
        self._stage_us = ticks(every_min / 60.0)
        self._one_by_one = every_min > 0.0
        self._fails_to_boot = spec.hardware.fails_to_boot_probability
        self._repair_us = ticks(spec.hardware.repair_h)
        self._stand_by = StandBy(spec.spare_servers)
        self._boots = world.stream(name, "boots")
        self._dark: set[int] = set()
        self._booting, self._cause = 0, -1
        self._restarted, self._more_rows = world.alarm(train), world.alarm(self._boot_another)

    # ------------------------------------------------------------------ servers
    def fail(self) -> None:
        """A server has failed; it is out until it is repaired, where repairs take time."""
        if self._repair_us:
            self._stand_by.broken(1, self._site.now_us + self._repair_us)

    def lose_power(self, dark: list[int]) -> None:
        """Of servers that have just lost power, some will not boot."""
        fresh = [row for row in dark if row not in self._dark]
        self._dark.update(fresh)
        if self._fails_to_boot and self._repair_us:
            boots = (self._boots.uniform() for _ in range(self._rows.servers_on(fresh)))
            failed = sum(draw < self._fails_to_boot for draw in boots)
            self._stand_by.broken(failed, self._site.now_us + self._repair_us)

    # ------------------------------------------------------------------ time
    @property
    def due_us(self) -> int:
        """When the job will train again; NEVER if no restart is under way."""
        return self._restarted.due

    def after_us(self, level: int) -> int:
        """How long a restart takes by what was lost [us]."""
        return self._after_us[level]

    def stop(self) -> None:
        """Break off the restart that is under way."""
        self._restarted.stop()
        self._more_rows.stop()

    def begin(self, after_us: int) -> None:
        """Train after so long, but not before enough servers are sound."""
        now = self._site.now_us
        due = self._stand_by.complete_us(now)
        due = max(due, now + after_us)
        self._restarted.at(due)
        if due - now > TICKS_PER_H // 2:
            self._site.surprise()

    def boot(self, level: int, cause: int) -> None:
        """Supply is back: servers boot, all at once or row by row, and the job restarts by what it has lost."""
        self._dark.clear()
        rows = len(self._rows.loads)
        self._booting, self._cause = 1 if self._one_by_one else rows, cause
        self._rows.use(BOOTING, self._booting)
        if self._booting < rows:
            self._more_rows.at(self._site.now_us + self._stage_us)
        self.begin(self._after_us[level] + (rows - 1) * self._stage_us)

    def _boot_another(self) -> None:
        self._booting += 1
        self._site.change(self._item, r.ROWS_BOOTING, self._booting, LOAD, self._cause)
        self._rows.use(BOOTING, self._booting)
        if self._booting < len(self._rows.loads):
            self._more_rows.at(self._site.now_us + self._stage_us)
