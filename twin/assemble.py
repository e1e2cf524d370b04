"""From a scenario to a blueprint: which parts a site has, and which feed carries which load."""

from __future__ import annotations

import math
from datetime import date

from twin.fleet.outlook import exposure_of, outlook_of
from twin.fleet.part import Fleet
from twin.fleet.running import FleetSite
from twin.inputs.outages_csv import OutageLog, read_outages
from twin.parts.ageing import Ageing
from twin.parts.application import Application
from twin.parts.cabinets import Cabinets
from twin.parts.cluster import Cluster
from twin.parts.cooling import Cooling
from twin.parts.demand_response import DemandResponse
from twin.parts.ems import Ems
from twin.parts.gang import Gang, GangSpec, take_servers
from twin.parts.gensets import Gensets
from twin.parts.grid import Grid
from twin.parts.grid_spec import GridSpec
from twin.parts.hands import Hands
from twin.parts.import_limit import ImportLimit
from twin.parts.load_points import LoadPoints
from twin.parts.network import DistributionNetwork
from twin.parts.points import Points
from twin.parts.power_window import PowerWindow
from twin.parts.pv import Place, Pv
from twin.parts.queue import Queue
from twin.parts.regions import Region
from twin.parts.row_work import BoardWork
from twin.parts.shocks import Shocks
from twin.parts.transfer_switch import TransferSwitches
from twin.parts.ups import Ups
from twin.plant import fields as f
from twin.scenario.model import Job, Scenario, SiteSpec
from twin.tariff_terms import transformer_kva
from twin.units import ticks
from twin.world.blueprint import SiteBlueprint, SiteBuilder
from twin.world.declared import Feed, Item
from twin.world.part import Part
from twin.world.profile import Clockwork, Filling, Grown
from twin.world.site import Site
from twin.world.world import World

GROUP_OF_KIND = {f.ROW: "rows", f.CORE: "core", f.PUMPS: "continuous_cooling", f.CHILLERS: "restartable_cooling",
                f.HOUSE: "house"}  # fmt: skip


class Blueprint:
    """All that replications of one design share: items by name, sites as arrays, parts to install."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.horizon_us = ticks(scenario.horizon.hours)
        start = date.fromisoformat(scenario.horizon.start)
        builders: list[SiteBuilder] = []
        self.parts: list[list[Part]] = []
        for index, name in enumerate(sorted(scenario.sites)):
            builder = SiteBuilder(name, index, len(scenario.sites[name].grid.feeders))
            builder.start_month = start.month
            parts = _parts(scenario, name, start)
            for part in parts:
                part.declare(builder)
            parts += _raw_feeds(builder, scenario.sites[name])
            parts += _switched(builder, scenario.sites[name])
            if scenario.sites[name].shocks:
                parts.append(Shocks(scenario.sites[name].shocks, start.month))
                parts[-1].declare(builder)
            builder.profiles = _profiles(scenario.sites[name], _grown(scenario.sites[name], self.horizon_us))
            builders.append(builder)
            self.parts.append(parts)
        queues = {
            builder.path(f"jobs/{part.name}"): part
            for builder, parts in zip(builders, self.parts, strict=True)
            for part in parts
            if isinstance(part, Queue)
        }
        self.waits_unknown = sorted(name for name, queue in queues.items() if not queue.waits_known)
        used = {name: queue.record_gpu_h(scenario.horizon.hours) for name, queue in queues.items()}
        self.record_gpu_h = {name: gpu_h for name, gpu_h in used.items() if gpu_h is not None}
        self.customers = {name: count for builder in builders for name, count in builder.customers.items()}
        self.crews = {name: crew.pool() for name, crew in scenario.crews.items()}
        self.spares = {name: spare.pool() for name, spare in scenario.spares.items()}
        self.regions = [Region(name, region, start.month) for name, region in sorted(scenario.regions.items())]
        self.fleet = _fleet(scenario)
        shared = [item for region in self.regions for item in region.items()]
        shared += self.fleet.items() if self.fleet else []
        own = [item for builder in builders for item in builder.items]
        self.items: list[Item] = sorted(own + shared, key=_name)
        self.ids = {item.name: k for k, item in enumerate(self.items)}
        self.sites: list[SiteBlueprint] = [
            builder.freeze(self.ids, scenario.seed, start, self.horizon_us) for builder in builders
        ]

    def install_shared(self, world: World, sites: list[Site]) -> None:
        """Start what belongs to no single site: the fleet, regional events."""
        by_name = {site.name: site for site in sites}
        fleet = self.fleet.install(world, by_name, self.ids) if self.fleet else None
        for region in self.regions:
            region.install(world, by_name, self.ids, fleet.close_roads if fleet else _nobody_drives)


def _nobody_drives(sites: list[str], until_us: int) -> None:
    """Closed roads stop nobody where there are no trucks."""


def _fleet(scenario: Scenario) -> Fleet | None:
    """The trucks, and what their dispatcher knows of the sites; no trucks, no fleet."""
    if not scenario.trucks:
        return None
    known = {}
    for name, site in scenario.sites.items():
        storms = [one.storm for one in scenario.regions.values() if one.storm is not None and name in one.sites]
        value_per_h = site.cluster.gpus * site.value_per_gpu_h
        outlook = outlook_of(site.grid, storms)
        exposure = exposure_of(site.protection.gensets, outlook)
        known[name] = FleetSite(site.connection_points, site.plugged_trucks, value_per_h, outlook, exposure)
    return Fleet(scenario.fleet, scenario.trucks, scenario.roads, known)


def _switched(builder: SiteBuilder, site: SiteSpec) -> list[Part]:
    """What stands beside the feeds that are there: connection points, and work on single boards."""
    parts: list[Part] = [Points(site.connection_points, site.plugged_trucks)] if site.connection_points else []
    if site.planned_work is not None:
        parts.append(BoardWork(site.planned_work, site.cluster.rows))
    for part in parts:
        part.declare(builder)
    return parts


def discount_terms(site: SiteSpec) -> tuple[float, float]:
    """Import from which on a month's demand is cheaper [kWh], and by which factor; of the tariff's own demand price."""
    demand = site.tariff.demand if site.tariff else None
    assert site.ems is not None
    if demand is None or demand.discount is None or site.ems.demand_price_per_kw_month is not None:
        return math.inf, 1.0
    kva = transformer_kva(site.model_dump(mode="json")) or math.inf
    return demand.discount.from_kwh_per_kva_month * kva, demand.discount.factor


def demand_terms(site: SiteSpec) -> tuple[float, float]:
    """What a kW more in the month's demand costs, and import that adds nothing to it [kW]."""
    assert site.ems is not None
    if site.ems.demand_price_per_kw_month is not None:
        return site.ems.demand_price_per_kw_month, site.ems.free_demand_kw
    demand = site.tariff.demand if site.tariff else None
    if demand is None or demand.price_per_kw_month is None or demand.mode == "capacity":
        return 0.0, site.ems.free_demand_kw
    if demand.contract_kw is None:
        return demand.price_per_kw_month, site.ems.free_demand_kw
    least_kw = demand.floor_fraction * (transformer_kva(site.model_dump(mode="json")) or 0.0)
    band_kw = (1.0 + demand.band_fraction) * max(demand.contract_kw, least_kw)
    return demand.price_per_kw_month * demand.excess_multiple, max(band_kw, site.ems.free_demand_kw)


def outage_log(scenario: Scenario, grid: GridSpec) -> OutageLog | None:
    """The log that a site replays, with the rows of all sites checked.

    Raises:
        InputError: see `read_outages`.
    """
    if grid.outages is None:
        return None
    feeders = {name: tuple(one.grid.feeders) for name, one in scenario.sites.items()}
    return read_outages(grid.outages.file, scenario.horizon.start, scenario.horizon.hours, feeders)


def _steady(site: SiteSpec, jobs: list[Job]) -> bool:
    """Whether what a site draws without failures is the same in all replications."""
    clouds = site.pv is not None and site.pv.weather.clouds is not None
    endless = all(isinstance(job, GangSpec) and job.work_h is None for job in jobs)
    return endless and not clouds and site.application is None


def _name(item: Item) -> str:
    return item.name


def _parts(scenario: Scenario, name: str, start: date) -> list[Part]:
    """A site's parts; their phases run in this order: starts, cooling, cap, jobs."""
    site = scenario.sites[name]
    parts: list[Part] = [Grid(site.grid, start.month, outage_log(scenario, site.grid))]
    if site.human_error:
        parts.append(Hands(site.human_error))
    if site.pv:
        at = site.location if site.pv.profile is None else None
        place = Place(at.latitude, at.longitude, at.altitude_m, at.timezone) if at else None
        parts.append(Pv(site.pv, place, start))
    if site.protection.gensets:
        parts.append(Gensets(site.protection.gensets))
    parts += loads_and_storage(site, _grown(site, ticks(scenario.horizon.hours)))
    free = [site.cluster.servers_per_row] * site.cluster.rows
    own = [(one, job) for one, job in sorted(scenario.jobs.items()) if scenario.site_of(job) == name]
    gangs = [(one, job) for one, job in own if isinstance(job, GangSpec)]
    parts += [Gang(one, job, site.cluster, free) for one, job in gangs]
    take_servers(sum(job.spare_servers for _, job in gangs), free)
    parts += [Queue(one, job, site.cluster, free) for one, job in own if not isinstance(job, GangSpec)]
    if site.application is not None:
        parts.append(Application(site.application, site.value_per_gpu_h))
    if site.ems is not None:
        jobs = [job for job in scenario.jobs.values() if scenario.site_of(job) == name]
        parts.append(Ems(site.ems, *demand_terms(site), discount_terms(site), steady=_steady(site, jobs)))
    limited = [site.grid.import_limit_kw, *(feeder.capacity_kw for feeder in site.grid.feeders.values())]
    if any(limit is not None for limit in limited):
        parts.append(ImportLimit())
    programmes = site.tariff.demand_response if site.tariff else {}
    parts += [DemandResponse(programme, spec, start) for programme, spec in sorted(programmes.items())]
    return parts


def loads_and_storage(site: SiteSpec, grown: Grown | None = None) -> list[Part]:
    """The parts that lay out a site's load points and the storage on their feeds; a load that grows as it will be."""
    protection = site.protection
    served = protection.genset_served
    parts: list[Part] = [
        Cooling(site.cooling, site.location.timezone if site.location else None),
        Cluster(site.cluster, site.house_load_kw * (grown.largest if grown else 1.0)),
    ]
    if site.load_points:
        parts.append(LoadPoints(site.load_points))
    parts += [Ups(name, ups, site.cluster.rows, served) for name, ups in protection.ups_systems]
    if protection.cabinets:
        parts.append(Cabinets(protection.cabinets, site.cluster.rows, served, follow=site.ems is not None))
    cabinets = protection.cabinets
    aged = (
        ["cabinets"]
        if cabinets and cabinets.ageing and any((cabinets.per_row, cabinets.core, cabinets.cooling))
        else []
    )
    aged += [f"{name}/cells" for name, ups in protection.ups_systems if ups.ageing]
    if aged:
        parts.append(Ageing(aged[0]))
    if site.network:
        parts.append(DistributionNetwork(site.network, bool(served)))
    return parts


def _grown(site: SiteSpec, horizon_us: int) -> Grown | None:
    """The house load's growth; None where it has none."""
    if not site.house_load_growth_per_year:
        return None
    shape = site.house_load_profile.shape() if site.house_load_profile else None
    return Grown(shape, site.house_load_growth_per_year, horizon_us)


def _profiles(site: SiteSpec, grown: Grown | None) -> dict[int, Clockwork]:
    """What follows the clock at a site, by row of the edge block; load shapes as shares of their largest value."""
    shapes = (
        (f.E_HOUSE_FRACTION, site.house_load_profile),
        (f.E_UTILISATION_FRACTION, site.cluster.utilisation_profile),
    )
    found: dict[int, Clockwork] = {row: profile.shape() for row, profile in shapes if profile is not None}
    if grown is not None:
        found[f.E_HOUSE_FRACTION] = grown
    if growth := site.cluster.utilisation_growth:
        full = found.get(f.E_UTILISATION_FRACTION)
        found[f.E_UTILISATION_FRACTION] = Filling(full, growth.first_year_fraction, growth.per_year)
    if site.cluster.power_window is not None:
        found[f.E_UTILISATION_FRACTION] = PowerWindow(site.cluster.power_window, site.cluster.server)
    if site.price_per_kwh:
        found[f.E_PRICE_PER_KWH] = site.price_per_kwh
    return found | (site.tariff.clockworks() if site.tariff else {})


def _raw_feeds(builder: SiteBuilder, site: SiteSpec) -> list[Part]:
    """Loads that nothing protects hang on the sections directly, rows perhaps by a static transfer switch.

    The recharge limit is the site's.
    """
    switched: list[str] = []
    for load in list(builder.loads.values()):
        if not load.feeds:
            short = load.name.removeprefix(builder.name + "/")
            genset = GROUP_OF_KIND[load.kind] in site.protection.genset_served
            if load.kind == f.ROW and site.cluster.transfer_switch:
                switched.append(short)
                for s, side in enumerate("ab"):
                    builder.add_feed(Feed(f"{short}/feed-{side}", f.RAW, 1 << s, genset=genset), "feed", [load.name])
                continue
            builder.add_feed(Feed(f"{short}/feed", f.RAW, load.sections, genset=genset), "feed", [load.name])
    if site.recharge_after_outage:
        builder.recharge_limit_kw = site.recharge_after_outage.limit_kw
    if site.cluster.transfer_switch is None or not switched:
        return []
    switches = TransferSwitches("cluster", site.cluster.transfer_switch, switched)
    switches.declare(builder)
    return [switches]
