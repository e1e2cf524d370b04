"""The scenario as the YAML gives it: sites, jobs, horizon. Each part's own block stands in the part's file."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator, model_validator

from twin.fleet.roads import RoadsSpec, shortest_km
from twin.fleet.spec import FleetSpec, TruckSpec
from twin.parts.application import ApplicationSpec
from twin.parts.cabinets import CabinetsSpec
from twin.parts.carbon import CarbonSpec
from twin.parts.cluster import NO_CLUSTER, ClusterSpec, row_name
from twin.parts.cooling import CoolingSpec
from twin.parts.ems import EmsSpec
from twin.parts.failures import CrewSpec, SpareSpec, repair_specs
from twin.parts.gang import GangSpec
from twin.parts.gensets import GensetsSpec
from twin.parts.grid_spec import GridSpec
from twin.parts.hands import HumanErrorSpec
from twin.parts.load_points import LoadPointSpec
from twin.parts.network import NetworkSpec
from twin.parts.points import GROUPS, ConnectionPointSpec, PluggedTrucksSpec
from twin.parts.pv import PvSpec
from twin.parts.queue import QueueSpec
from twin.parts.regions import RegionSpec
from twin.parts.row_work import BoardWorkSpec
from twin.parts.shocks import ShockSpec
from twin.parts.tariff import TariffSpec
from twin.parts.ups import UpsSpec
from twin.scenario.claims import ClaimsSpec
from twin.scenario.finance import FinanceSpec, lacking
from twin.scenario.jobs_fit import check_jobs
from twin.scenario.sweeps import SweepSpec
from twin.spec import NonNegative, Positive, Spec
from twin.units import HORIZON_MAX_YEARS, HOURS_PER_YEAR
from twin.world.profile import ProfileSpec


class HorizonSpec(Spec):
    """The simulated span, in local standard time of the site."""

    start: str = Field(default="2026-01-01", description="ISO date; the clock starts at its midnight")
    hours: float = Field(
        default=HOURS_PER_YEAR,
        ge=0.25,
        le=HORIZON_MAX_YEARS * HOURS_PER_YEAR,
        description="length; a year unless said otherwise, at most 100,000 of them",
    )

    @field_validator("start")
    @classmethod
    def _is_date(cls, text: str) -> str:
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"must be a date like 2026-01-01, is '{text}'") from error
        return text


class LocationSpec(Spec):
    """Where a site stands."""

    latitude: float = Field(ge=-90, le=90, description="degrees north")
    longitude: float = Field(ge=-180, le=180, description="degrees east")
    altitude_m: float = Field(
        default=0.0, ge=-500, le=6000, description="above the sea; thins the air that the sun shines through"
    )
    timezone: str = Field(
        description="IANA name such as Asia/Shanghai; its standard time, without daylight saving, is the clock"
    )

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, text: str) -> str:
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"must be a zone like Asia/Shanghai, is '{text}'") from error
        return text


class RechargeSpec(Spec):
    """Recharge after an outage."""

    limit_kw: Positive = Field(description="of all storage of the site together")


class ProtectionSpec(Spec):
    """What stands between the grid and the loads; freely combined."""

    ups: UpsSpec | None = None
    core_ups: UpsSpec | None = Field(
        default=None, description="a UPS of its own for core and pumps; say what it serves"
    )
    cabinets: CabinetsSpec | None = None
    gensets: GensetsSpec | None = None

    @property
    def ups_systems(self) -> list[tuple[str, UpsSpec]]:
        """The UPS systems by item name."""
        systems = (("ups", self.ups), ("core-ups", self.core_ups))
        return [(name, ups) for name, ups in systems if ups is not None]

    @property
    def genset_served(self) -> frozenset[str]:
        """Groups of loads that the gensets serve."""
        return frozenset(self.gensets.serves) if self.gensets else frozenset()

    def ups_of(self, block: str) -> UpsSpec | None:
        """The system that a block, `ups-1` or `core-ups-1`, belongs to; None for other names."""
        return next((ups for name, ups in self.ups_systems if block.startswith(f"{name}-")), None)

    @model_validator(mode="after")
    def _one_storage_a_load(self) -> Self:
        cabinets, holders = self.cabinets, dict[str, str]()
        groups = {"rows": "per_row", "core": "core", "continuous_cooling": "cooling"}
        for group, count in groups.items():
            if cabinets and getattr(cabinets, count):
                holders[group] = f"cabinets ({count})"
        for name, ups in (("ups", self.ups), ("core_ups", self.core_ups)):
            for group in ups.serves if ups else ():
                if group in holders:
                    raise ValueError(
                        f"{group}: served by {holders[group]} and by {name}; leave it out of {name}.serves"
                    )
                holders[group] = name
        return self


class SiteSpec(Spec):
    """One site: supply, loads, protection."""

    location: LocationSpec | None = None
    cluster: ClusterSpec = Field(default=NO_CLUSTER, description="without one a site is plain load: house_load_kw")
    cooling: CoolingSpec | None = None
    load_points: dict[str, LoadPointSpec] = Field(default_factory=dict, description="with customers, beside the rows")
    house_load_kw: NonNegative = Field(
        default=0.0, description="of what is neither server nor cooling: lights, offices, a factory"
    )
    house_load_profile: ProfileSpec | None = Field(
        default=None, description="shape of the house load over the day or year; its largest value is house_load_kw"
    )
    house_load_growth_per_year: float = Field(default=0.0, gt=-1, le=1, description="of the house load, year by year")
    price_per_kwh: ProfileSpec | None = Field(default=None, description="of imported energy; the simple form of tariff")
    grid: GridSpec
    network: NetworkSpec | None = Field(
        default=None, description="distribution network; without one no flow is computed", discriminator="kind"
    )
    pv: PvSpec | None = None
    tariff: TariffSpec | None = Field(default=None, description="what electricity costs, line by line")
    carbon: CarbonSpec | None = Field(default=None, description="CO2 of grid energy and of gensets")
    protection: ProtectionSpec = ProtectionSpec()
    recharge_after_outage: RechargeSpec | None = None
    ems: EmsSpec | None = Field(default=None, description="cabinets follow a plan beside the grid")
    application: ApplicationSpec | None = Field(
        default=None, description="jobs are capped, paused or stopped for the sake of supply and price"
    )
    connection_points: dict[str, ConnectionPointSpec] = Field(default_factory=dict, description="for trucks")
    plugged_trucks: PluggedTrucksSpec = Field(default=PluggedTrucksSpec(), description="what they do beside the grid")
    planned_work: BoardWorkSpec | None = Field(default=None, description="on boards of single load points")
    human_error: HumanErrorSpec | None = Field(default=None, description="in manual switching; none if absent")
    shocks: dict[str, ShockSpec] = Field(default_factory=dict, description="common causes that strike items at once")
    value_per_gpu_h: NonNegative = Field(default=1.0, description="of a lost GPU-hour, for whoever must choose")

    @field_validator("tariff")
    @classmethod
    def _tariff_fits(cls, tariff: TariffSpec | None, info: ValidationInfo) -> TariffSpec | None:
        """What a tariff takes from the rest of the site is there, and only once."""
        if tariff is None or not {"grid", "network", "price_per_kwh"} <= info.data.keys():
            return tariff
        network, grid = info.data["network"], info.data["grid"]
        main = getattr(network, "main_transformers", None)
        if info.data["price_per_kwh"] is not None:
            raise ValueError("the site has price_per_kwh too: give one of the two")
        if main is not None and tariff.transformer_kva is not None:
            raise ValueError("transformer_kva is what network.main_transformers say; leave it out")
        if tariff.sealed_reserve and (main is None or len(grid.feeders) < 2):
            raise ValueError("sealed_reserve needs two main transformers in the network")
        if tariff.demand is not None and tariff.demand.needs_kva and main is None and tariff.transformer_kva is None:
            raise ValueError(
                "transformer_kva is missing, and no network.main_transformers say it (add transformer_kva)"
            )
        if tariff.power_factor is not None and tariff.power_factor.value is None and network is None:
            raise ValueError("power_factor.value is missing, and no network says it (add power_factor.value)")
        return tariff

    @model_validator(mode="after")
    def _layout(self) -> Self:
        if self.cluster.transfer_switch is not None and len(self.grid.feeders) < 2:
            raise ValueError("cluster.transfer_switch: there is nothing to switch between (add a second feeder)")
        if self.pv and self.pv.profile is None and not self.location:
            raise ValueError("pv: the sun's path needs the site's location: latitude, longitude, timezone")
        if self.cooling and self.cooling.temperature and self.cooling.temperature.file and not self.location:
            raise ValueError("cooling.temperature.file: a weather file needs the site's location: its timezone")
        if self.pv and self.pv.export_limit_kw > 0.0 and self.tariff and self.tariff.export is None:
            raise ValueError("pv.export_limit_kw: a tariff without export bans it (add tariff.export, or leave it out)")
        if self.pv and self.pv.islanding and not self.protection.cabinets:
            raise ValueError("pv.islanding: strings are wired to cabinets, and the site has none under protection")
        for event in self.grid.script:
            unknown = [name for name in event.feeders if name not in self.grid.feeders]
            if unknown:
                raise ValueError(f"grid.script names feeders that are not there: {', '.join(unknown)}")
        for ups in (self.protection.ups, self.protection.core_ups):
            if ups and ups.blocks > self.cluster.rows and "rows" in ups.serves:
                raise ValueError(f"{ups.blocks} UPS blocks for {self.cluster.rows} rows: some serve none")
        return self

    @model_validator(mode="after")
    def _ems_has_storage(self) -> Self:
        cabinets = self.protection.cabinets
        if self.ems is not None and cabinets is None:
            raise ValueError("ems: there is no storage to plan for (add protection.cabinets)")
        if self.ems is not None and self.ems.charge_from == "pv" and self.pv is None:
            raise ValueError("ems.charge_from: pv charges from surplus of PV, and there is none (add pv)")
        if self.ems is not None and cabinets and self.ems.backup_reserve_fraction > cabinets.soc_max_fraction:
            raise ValueError(
                f"ems.backup_reserve_fraction {self.ems.backup_reserve_fraction:g} cannot be reached: full is"
                f" cabinets.soc_max_fraction {cabinets.soc_max_fraction:g} (lower the reserve)"
            )
        return self

    @model_validator(mode="after")
    def _work_has_objects(self) -> Self:
        work, protection = self.planned_work, self.protection
        if work is not None:
            there = {
                "ups_blocks": protection.ups_systems,
                "cabinets": protection.cabinets,
                "gensets": protection.gensets,
            }
            for name, found in there.items():
                if getattr(work, name) is not None and not found:
                    raise ValueError(f"planned_work.{name}: the site has none under protection (leave it out: null)")
        return self

    @model_validator(mode="after")
    def _points_serve(self) -> Self:
        rows = {row_name(k) for k in range(self.cluster.rows)}
        held: dict[str, str] = {}
        for name, point in sorted(self.connection_points.items()):
            for load in point.serves:
                if load not in GROUPS and load not in rows:
                    raise ValueError(f"connection_points.{name}.serves: '{load}' is no group of loads and no row")
                for one in (rows if load == "rows" else {load}) | {load}:
                    if held.setdefault(one, name) != name:
                        raise ValueError(f"connection_points: {one} is served by {held[one]} and by {name}")
        return self


Job = Annotated[GangSpec | QueueSpec, Field(discriminator="kind")]


class Scenario(Spec):
    """A resolved scenario: one design and its world."""

    name: str = Field(min_length=1, max_length=200, description="stands in traces, results and reports")
    question: str = Field(default="", description="what the scenario is to answer, in one sentence; heads the report")
    currency: str = Field(default="CNY", description="of every price in the file; no price is converted")
    seed: int = Field(
        default=1, ge=0, le=2**63 - 1, description="of all luck: the same seed gives the same years, for every design"
    )
    horizon: HorizonSpec = HorizonSpec()
    sites: dict[str, SiteSpec] = Field(min_length=1)
    jobs: dict[str, Job] = Field(
        default_factory=dict,
        description="training jobs and queues by name; without any, only energy and load points count",
    )
    trucks: dict[str, TruckSpec] = Field(default_factory=dict)
    roads: RoadsSpec = RoadsSpec()
    fleet: FleetSpec = FleetSpec()
    regions: dict[str, RegionSpec] = Field(default_factory=dict)
    crews: dict[str, CrewSpec] = Field(default_factory=dict, description="who repairs; named by `failures` blocks")
    spares: dict[str, SpareSpec] = Field(default_factory=dict, description="spare parts; named by `failures` blocks")
    design_note: str = Field(default="", description="what a design is, in a few words")
    finance: FinanceSpec | None = Field(default=None, description="money: every design against counterfactuals")
    claims: ClaimsSpec | None = Field(default=None, description="what somebody claims, for `twin claims`")
    sweeps: dict[str, SweepSpec] = Field(default_factory=dict, description="by name: what campaigns may vary")

    @model_validator(mode="after")
    def _jobs_fit(self) -> Self:
        check_jobs(self)
        return self

    @model_validator(mode="after")
    def _trucks_fit(self) -> Self:
        reserved = sorted({"trucks", "regions"} & set(self.sites))
        if reserved:
            raise ValueError(f"sites: '{reserved[0]}' is no name for a site")
        taken: dict[tuple[str, str], int] = {}
        for name, truck in self.trucks.items():
            site, _, point = truck.home.partition("/")
            if site not in self.sites:
                raise ValueError(f"trucks.{name}.home: '{site}' is none of the sites: {', '.join(sorted(self.sites))}")
            points = self.sites[site].connection_points
            point = point or min(points, default="")
            if point not in points:
                raise ValueError(f"trucks.{name}.home: site '{site}' has no connection point {point or 'at all'}")
            taken[site, point] = taken.get((site, point), 0) + 1
            if taken[site, point] > points[point].berths:
                raise ValueError(f"trucks.{name}.home: {site}/{point} has {points[point].berths} berths, not more")
        places = sorted(name for name, site in self.sites.items() if site.connection_points)
        if self.trucks and self.fleet.policy.kind != "home":
            km = shortest_km(self.roads.distances_km, places)
            lost = sorted({b for a in places for b in places if math.isinf(km[a, b])})
            if lost:
                raise ValueError(f"roads.distances_km: no way between all of {', '.join(lost)}")
        for name, region in self.regions.items():
            unknown = sorted(set(region.sites) - set(self.sites))
            if unknown:
                raise ValueError(f"regions.{name}.sites: no such site: {', '.join(unknown)}")
            if any(event.feeders for event in region.script):
                raise ValueError(f"regions.{name}.script: strikes all feeders; name none")
            logged = [site for site in region.sites if not self.sites[site].grid.draws]
            if logged:
                raise ValueError(
                    f"regions.{name}: site '{logged[0]}' replays a log of all that struck it; leave the region out, or"
                    " say grid.outages.beside_drawn"
                )
        return self

    @model_validator(mode="after")
    def _repairs_fit(self) -> Self:
        for path, block in repair_specs(self):
            for key, pools in (("crew", self.crews), ("spare", self.spares)):
                name = getattr(block, key)
                if name is not None and name not in pools:
                    known = ", ".join(sorted(pools)) or "none"
                    raise ValueError(
                        f"{path}.{key}: '{name}' is none of the scenario's {key}s ({known}); add {key}s.{name}"
                    )
        return self

    @model_validator(mode="after")
    def _finance_fits(self) -> Self:
        if self.finance is not None and (text := lacking(self.finance, self)) is not None:
            raise ValueError(text)
        return self

    def site_of(self, job: GangSpec | QueueSpec) -> str:
        """Name of the job's site: its own, else the only one."""
        return job.site or next(iter(self.sites))
