"""What connection points carry at a site: asked in every reaction, logged with its number when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twin.plant import fields as f
from twin.plant.points import connect_points
from twin.units import NEVER
from twin.world import record as r

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.world.site import Site
    from twin.world.world import World


class CarriedByPoints:
    """The feeds that plugged trucks carry at a site that has connection points."""

    def __init__(self, world: World, site: Site, blocks: tuple[Any, ...], ask: Callable[[], None]) -> None:
        plan = site.plan
        self._site, self._blocks = site, blocks
        self._replication, self._key = world.replication, plan.feed_key
        self._points = [j for j in range(len(plan.feed_items)) if plan.fact[f.F_KIND, j] == f.POINT]
        self._carried = [0] * len(self._points)
        self._alarm = world.alarm(ask)

    def __len__(self) -> int:
        return len(self._points)

    def connect(self) -> None:
        """Connect what trucks can carry now, let go of what has supply again, and ask again when a changeover ends."""
        site = self._site
        again = connect_points(site.now_us, self._key, self._replication, *self._blocks)
        if again < NEVER:
            self._alarm.at(int(again))
        else:
            self._alarm.stop()
        for k, j in enumerate(self._points):
            carried = int((site.fact[f.F_ON_POINT] == j + 1).sum())
            if carried != self._carried[k]:
                self._carried[k] = carried
                site.log(site.plan.feed_items[j], r.ONLINE, carried, site.trigger)
                if site.watched is not None:
                    site.watched()
