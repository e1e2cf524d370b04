"""What every part of a site does: declare itself at build, install itself in a world."""

from __future__ import annotations

from typing import Protocol

from twin.world.blueprint import SiteBuilder
from twin.world.site import Site
from twin.world.world import World


class Part(Protocol):
    """A part of a site: it declares items, loads, feeds and units at build, and starts its processes in a world."""

    def declare(self, site: SiteBuilder) -> None:
        """Add this part's items, loads, feeds and units to the site's plan."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start this part's processes and alarms, hook its phases."""
