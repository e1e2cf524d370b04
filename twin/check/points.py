"""Connection points: what trucks could carry there, kW before kWh, and what goes dark on the way to them and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from twin.check.findings import ROUNDING, Carrier, PointCheck
from twin.check.warnings import kw
from twin.fleet.spec import TruckSpec
from twin.parts.points import GROUPS, ConnectionPointSpec
from twin.scenario.model import Scenario, SiteSpec
from twin.world.blueprint import SiteBuilder
from twin.world.declared import Load


def points_of(
    name: str, site: SiteSpec, scenario: Scenario, builder: SiteBuilder, full_kw: Callable[[Load], float]
) -> tuple[PointCheck, ...]:
    """Every connection point of a site; trucks are those of the whole fleet that could come."""
    trucks = sorted(scenario.trucks.values(), key=lambda truck: -truck.rated_kw)
    found = []
    for point, spec in sorted(site.connection_points.items()):
        needs_kw = sum(full_kw(load) for load in builder.loads.values() if _serves(spec, load, builder))
        there = trucks[: spec.berths]
        able_kw = min(spec.limit_kw, sum(truck.rated_kw for truck in there))
        endless = any(truck.generator for truck in there)
        home = sum(truck.home in {name, f"{name}/{point}"} for truck in trucks)
        changeover_s = None if spec.synchronised else spec.changeover_s
        usable_kwh = None if endless else sum(_usable_kwh(truck) for truck in there)
        serves = tuple(spec.serves)
        found.append(
            PointCheck(point, spec.berths, spec.limit_kw, serves, needs_kw, able_kw, usable_kwh, home, changeover_s)
        )
    return tuple(found)


def _serves(spec: ConnectionPointSpec, load: Load, builder: SiteBuilder) -> bool:
    return any(GROUPS.get(one, -1) == load.kind or builder.path(one) == load.name for one in spec.serves)


def _usable_kwh(truck: TruckSpec) -> float:
    """Of a full truck, at the load's side [kWh]."""
    window = truck.soc_max_fraction - truck.soc_min_fraction
    return (truck.rated_kwh or 0.0) * window * truck.efficiency_one_way


def point_warnings(points: tuple[PointCheck, ...], carriers: tuple[Carrier, ...]) -> Iterator[str]:
    """What trucks cannot do at a point."""
    for one in points:
        if one.able_kw <= 0.0 or one.needs_kw <= 0.0:
            continue
        if one.needs_kw > one.able_kw * ROUNDING:
            yield (
                f"connection point {one.name}: trucks give {kw(one.able_kw)} against {kw(one.needs_kw)} served; "
                "core and cooling come first, what does not fit stays dark"
            )
        if one.changeover_s and all(carrier.kind in {"bare", "following"} for carrier in carriers):
            yield (
                f"connection point {one.name}: not synchronised, and nothing bridges the changeover of "
                f"{one.changeover_s:g} s: loads go dark on the way to a truck and again on the way back"
            )
