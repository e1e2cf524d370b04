"""A connection point at run time: its berths, the queue before it, and whether those it serves are without supply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.parts.points import ConnectionPointSpec
from twin.plant import fields as f
from twin.units import TICKS_PER_H
from twin.world.site import Site

if TYPE_CHECKING:
    from twin.fleet.truck import RunningTruck


class Place:
    """One connection point of one running site."""

    def __init__(self, name: str, site: Site, number: int, spec: ConnectionPointSpec) -> None:
        self.site, self.number, self.spec = site, number, spec
        self.key = f"{site.name}/{name}"
        p = site.plan.feed_of[f"points/{name}"]
        self.item = site.plan.feed_items[p]
        first = int(site.fact[f.F_FIRST, p])
        self.units = list(range(first, first + int(site.fact[f.F_COUNT, p])))
        self.point = p
        self.taken: dict[int, RunningTruck] = {}
        self.queue: list[RunningTruck] = []
        self.served = [j for j in range(len(site.plan.feed_items)) if site.fact[f.F_POINT, j] == p + 1]
        self._masks = [int(site.fact[f.F_SECTIONS, j]) for j in self.served]
        self._shares = self._loads()
        self.connect_us = round(spec.connect_h * TICKS_PER_H)
        self.disconnect_us = round(spec.disconnect_min / 60.0 * TICKS_PER_H)
        self.closed_until_us = 0
        self.down_us = self.down_row = -1

    def _loads(self) -> list[list[tuple[int, float]]]:
        """For each served feed its loads and the share of each that it carries, losses included."""
        out: list[list[tuple[int, float]]] = []
        for j in self.served:
            loss = float(self.site.quantity[f.F_LOSS_FRACTION, j])
            own = [(i, feeds) for i, feeds in enumerate(self.site.plan.feeds_of) if j in feeds]
            out.append([(i, 1.0 / len(feeds) / (1.0 - loss)) for i, feeds in own])
        return out

    def free_unit(self) -> int:
        """The first free berth's unit, -1 if all are taken."""
        return next((i for i in self.units if i not in self.taken), -1)

    def without_supply(self) -> list[int]:
        """Served feeds (their places in `served`) that neither sections nor gensets supply."""
        grid, fact = self.site.section[f.S_GRID], self.site.fact
        on = sum(1 << s for s in range(grid.size) if grid[s])
        return [
            k
            for k, j in enumerate(self.served)
            if (not self._masks[k] & on or fact[f.F_AWAY_US, j]) and not fact[f.F_ON_GENSET, j]
        ]

    def feeds_of(self, load: str) -> list[int]:
        """Served feeds (their places in `served`) of a load point, of all where none is named."""
        i = self.site.plan.load_of.get(load, -1)
        return [k for k, shares in enumerate(self._shares) if not load or any(one == i for one, _ in shares)]

    def need_kw(self, feeds: list[int]) -> float:
        """What some served feeds need with their loads at full level [kW]."""
        full = self.site.quantity[f.L_FULL_KW]
        return float(sum(full[i] * share for k in feeds for i, share in self._shares[k]))

    def carried_kw(self) -> float:
        """What the plugged trucks give now [kW]."""
        return float(self.site.quantity[f.F_NEED_KW, self.point])
