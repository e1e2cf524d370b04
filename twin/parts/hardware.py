"""Servers that fail on their own: the keys, and the failures of the servers that a queue runs on.

Each server fails at a constant rate while it is lit, busy or idle; its jobs stop, and it is out until it is repaired.
A failed server goes on drawing idle power.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from twin.spec import NonNegative, Probability, Spec
from twin.units import TICKS_PER_H, ticks
from twin.world import record as r
from twin.world.site import LOAD, Site

if TYPE_CHECKING:
    from twin.jobs.placement import Placement
    from twin.world.world import World


class HardwareSpec(Spec):
    """Interruptions by the servers themselves, and what a hard loss of power breaks."""

    per_1000_server_days: NonNegative = Field(
        default=3.79,
        description="interruptions of lit servers; 3.79 is 419 in 54 days of 2,048 servers (Llama 3, 2024)",
    )
    fails_to_boot_probability: Probability = Field(
        default=0.0, description="per server that has lost power; FACTS 1.33 assumes 0.001 to 0.01"
    )
    repair_h: NonNegative = Field(
        default=0.0, description="a failed server is out for so long; 0: the restart mends it"
    )

    @model_validator(mode="after")
    def _is_repaired(self) -> Self:
        if self.fails_to_boot_probability and not self.repair_h:
            raise ValueError("fails_to_boot_probability: say how long such a server is out (add repair_h)")
        return self

    def failures_per_h(self, servers: int) -> float:
        """Rate at which so many servers fail [1/h]."""
        return self.per_1000_server_days * servers / 24_000.0


class FailingServers:
    """The servers of one queue in one world: which fail when, and when they are back.

    Args:
        spec: the keys.
        path: full name of the queue's item, for its draws.
        item: the hardware's item.
        placement: the queue's servers.
        lose: told of a server that is about to fail: stops its jobs, the event being their cause.
        wake: told that a server takes jobs again.
    """

    def __init__(
        self, spec: HardwareSpec, path: str, item: int, world: World, site: Site, placement: Placement,
        lose: Callable[[int, int], None], wake: Callable[[], None],
    ) -> None:  # fmt: skip
        self._spec, self._item, self._world, self._site = spec, item, world, site
        self._placement, self._lose, self._wake = placement, lose, wake
        self._repair_us = ticks(spec.repair_h)
        self._draws, self._boots = world.stream(path, "hardware"), world.stream(path, "boots")
        self._mended_us: list[tuple[int, int]] = []
        self._strikes, self._mends = world.alarm(self._strike), world.alarm(self._mend)
        self._next(0)

    def _next(self, now: int) -> None:
        """All servers together fail as a Poisson process; who is dark or out already when it strikes is spared."""
        per_us = self._spec.failures_per_h(self._placement.servers) / TICKS_PER_H
        if per_us > 0.0:
            gap_us = -math.log1p(-self._draws.uniform()) / per_us
            self._strikes.at(now + max(1, int(min(gap_us, self._world.horizon_us))))

    def _strike(self) -> None:
        now, placement = self._world.now, self._placement
        server = int(self._draws.uniform() * placement.servers)
        if placement.at_risk(server):
            self._lose(server, self._site.change(self._item, r.HARDWARE, 1, LOAD))
            if self._repair_us:
                self._out(server, now)
        self._next(now)

    def _out(self, server: int, now: int) -> None:
        self._placement.fail(server)
        self._mended_us.append((now + self._repair_us, server))
        self._mends.at(min(self._mended_us)[0])

    def _mend(self) -> None:
        now = self._world.now
        for due_us, server in sorted(self._mended_us):
            if due_us <= now:
                self._mended_us.remove((due_us, server))
                self._placement.mend(server)
        if self._mended_us:
            self._mends.at(min(self._mended_us)[0])
        self._wake()

    def boot(self, row: int) -> None:
        """Servers of a row that had lost power have booted, but for some."""
        if not self._spec.fails_to_boot_probability:
            return
        for server in self._placement.sound_on(row):
            if self._boots.uniform() < self._spec.fails_to_boot_probability:
                self._out(server, self._world.now)
