"""Load points with customers: what a distribution system supplies, each with its own feed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from twin.plant import fields as f
from twin.spec import Count, NonNegative, Spec
from twin.world.declared import Load

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World


class LoadPointSpec(Spec):
    """A load point that is no row: a building, a street, a factory. Its kW follow house_load_profile."""

    load_kw: NonNegative = Field(description="largest; house_load_profile shapes it")
    customers: Count = Field(default=1, description="weight in SAIFI, SAIDI and ASAI")


class LoadPoints:
    """The load points of a site that a scenario lists."""

    def __init__(self, points: dict[str, LoadPointSpec]) -> None:
        self.points = points

    def declare(self, site: SiteBuilder) -> None:
        """One load a point."""
        for name, point in sorted(self.points.items()):
            add_load_point(site, name, point.load_kw, point.customers)

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Nothing runs by itself."""


def add_load_point(site: SiteBuilder, name: str, load_kw: float, customers: int) -> None:
    """A load point of plain load on all sections of a site."""
    load = Load(name, f.HOUSE, fixed_kw=load_kw, hold_up_ms=0.0, max_hold_up_ms=0.0, sections=(1 << site.sections) - 1)
    site.add_load(load, "load_point", load_kw)
    site.customers[load.name] = customers
