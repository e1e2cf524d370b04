"""The fleet as a part of the world: declares its trucks, installs the dispatcher over all sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.fleet.roads import Roads, RoadsSpec
from twin.fleet.running import FleetSite, RunningFleet
from twin.fleet.spec import FleetSpec, TruckSpec
from twin.fleet.truck import RunningTruck
from twin.world.declared import Item

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import World


class Fleet:
    """All trucks of a scenario."""

    def __init__(
        self, spec: FleetSpec, trucks: dict[str, TruckSpec], roads: RoadsSpec, sites: dict[str, FleetSite]
    ) -> None:
        self.spec, self.trucks, self.sites = spec, trucks, sites
        self.roads = Roads(roads, sorted(sites))

    def items(self) -> list[Item]:
        """One item for each truck."""
        return [
            Item(f"trucks/{name}", "generator_truck" if truck.generator else "truck", weight_kw=0.0)
            for name, truck in self.trucks.items()
        ]

    def install(self, world: World, sites: dict[str, Site], ids: dict[str, int]) -> RunningFleet:
        """Every truck at home, the dispatcher awake."""
        fleet = RunningFleet(world, self.spec, self.roads, sites, self.sites)
        for name in sorted(self.trucks):
            truck = self.trucks[name]
            home = fleet.places[home_place(truck.home, self.sites)]
            fleet.add(RunningTruck(name, truck, fleet, ids[f"trucks/{name}"], home))
        fleet.ask()
        return fleet


def home_place(home: str, sites: dict[str, FleetSite]) -> str:
    """The key of a home: "site/point", or of a site its first point by name."""
    site, _, point = home.partition("/")
    return f"{site}/{point or min(sites[site].points)}"
