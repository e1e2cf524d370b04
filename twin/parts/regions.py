"""Regional events: one storm, one draw, several sites struck in the same instant; roads may be closed for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from twin.chance.law import Law, compile_law
from twin.parts.supply_events import EventSpec, ScriptedEventSpec, ScriptedSource, Source
from twin.spec import Spec
from twin.units import ticks
from twin.world.declared import Item

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import Process, World

CloseRoads = Callable[[list[str], int], None]


class RegionSpec(Spec):
    """Sites that lie together, and what strikes all their feeders at once."""

    sites: list[str] = Field(min_length=1, description="whose feeders an event strikes, all in one instant")
    storm: EventSpec | None = None
    script: list[ScriptedEventSpec] = Field(default_factory=list, description="`feeders` stays empty: all of them")
    roads_closed_h: Law | None = Field(default=None, description="from the strike on, no truck sets out there")


class Region:
    """The events of one region."""

    def __init__(self, name: str, spec: RegionSpec, start_month: int) -> None:
        self.name, self.spec = f"regions/{name}", spec
        self._sources: list[tuple[Source | ScriptedSource, str]] = []
        if spec.storm is not None:
            full = f"{self.name}/storm"
            self._sources.append((Source(spec.storm, full, (), start_month), full))
        again: dict[int, int] = {}
        for n, event in enumerate(sorted(spec.script, key=lambda one: (one.at_h, one.model_dump_json()))):
            at = ticks(event.at_h)
            again[at] = again.get(at, 0) + 1
            key = f"{self.name}/script/{at}/{again[at]}"
            self._sources.append((ScriptedSource(event, key, ()), f"{self.name}/script-{n + 1:04d}"))

    def items(self) -> list[Item]:
        """One item for each source of events."""
        return [Item(name, "regional") for _, name in self._sources]

    def install(self, world: World, sites: dict[str, Site], ids: dict[str, int], close_roads: CloseRoads) -> None:
        """Start a process for every source."""
        struck = [sites[name] for name in sorted(self.spec.sites)]
        # one for all sources: each event then draws a closure of its own
        region = StruckRegion(self.spec, self.name, world, struck, close_roads)
        for source, name in self._sources:
            world.start(source.run(world, region, ids[name]))


class StruckRegion:
    """What a source of regional events asks of its sites together."""

    def __init__(self, spec: RegionSpec, name: str, world: World, sites: list[Site], close_roads: CloseRoads) -> None:
        self._world, self._sites, self._close_roads = world, sites, close_roads
        self._closed = None if spec.roads_closed_h is None else compile_law(spec.roads_closed_h)
        self._closures = world.stream(name, "roads_closed")

    def event(
        self,
        item: int,
        event: int,
        feeders: tuple[int, ...],
        duration_us: int,
        residual: float,
        *,
        closed_transition: bool = False,
    ) -> Process:
        """Strike every site's feeders in this instant."""
        for site in self._sites:
            assert site.grid is not None, "every site has a grid"
            self._world.start(site.grid.event(item, event, feeders, duration_us, residual))
        if self._closed is not None:
            until_us = self._world.now + self._closures.ticks(self._closed)
            self._close_roads([site.name for site in self._sites], until_us)
        yield self._world.sleep(duration_us)

    def others_down(self, feeder: int) -> bool:
        """Regional events wait for nobody."""
        return False

    def postpone(self, item: int) -> None:
        """Regional events wait for nobody."""

    def announce(self, item: int, at_us: int, expected_h: float, feeders: tuple[int, ...]) -> None:
        """Announce at every site."""
        for site in self._sites:
            assert site.grid is not None, "every site has a grid"
            site.grid.announce(item, at_us, expected_h, feeders)
