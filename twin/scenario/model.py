"""The scenario as the YAML gives it: sites, jobs, horizon. Each part's own block stands in the part's file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from twin.parts.cabinets import CabinetsSpec
from twin.parts.cluster import ClusterSpec
from twin.parts.cooling import CoolingSpec
from twin.parts.gang import GangSpec
from twin.parts.gensets import GensetsSpec
from twin.parts.grid import GridSpec
from twin.parts.queue import QueueSpec
from twin.parts.ups import UpsSpec
from twin.spec import Count, NonNegative, Positive, Spec
from twin.units import HORIZON_MAX_YEARS, HOURS_PER_YEAR


class HorizonSpec(Spec):
    """The simulated span, in local standard time of the site."""

    start: str = Field(default="2026-01-01", description="ISO date; the clock starts at its midnight")
    hours: Positive = Field(default=HOURS_PER_YEAR, le=HORIZON_MAX_YEARS * HOURS_PER_YEAR)

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

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    timezone: str

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

    limit_kw: Positive


class ProtectionSpec(Spec):
    """What stands between the grid and the loads; freely combined."""

    ups: UpsSpec | None = None
    cabinets: CabinetsSpec | None = None
    gensets: GensetsSpec | None = None

    @model_validator(mode="after")
    def _one_storage_a_load(self) -> Self:
        if self.ups and self.cabinets:
            cabinets = self.cabinets
            groups = {"rows": cabinets.per_row, "core": cabinets.core, "continuous_cooling": cabinets.cooling}
            both = [name for name in self.ups.serves if groups[name]]
            if both:
                raise ValueError(f"{', '.join(both)}: served by the UPS and by cabinets; leave one out of ups.serves")
        return self


class SiteSpec(Spec):
    """One site: supply, loads, protection."""

    location: LocationSpec | None = None
    cluster: ClusterSpec
    cooling: CoolingSpec | None = None
    house_load_kw: NonNegative = 0.0
    grid: GridSpec
    protection: ProtectionSpec = ProtectionSpec()
    recharge_after_outage: RechargeSpec | None = None

    @model_validator(mode="after")
    def _layout(self) -> Self:
        for event in self.grid.script:
            unknown = [name for name in event.feeders if name not in self.grid.feeders]
            if unknown:
                raise ValueError(f"grid.script names feeders that are not there: {', '.join(unknown)}")
        ups = self.protection.ups
        if ups and ups.blocks > self.cluster.rows and "rows" in ups.serves:
            raise ValueError(f"{ups.blocks} UPS blocks for {self.cluster.rows} rows: some serve none")
        return self


Job = Annotated[GangSpec | QueueSpec, Field(discriminator="kind")]


class Scenario(Spec):
    """A resolved scenario: one design and its world."""

    name: str = Field(min_length=1, max_length=200)
    question: str = ""
    currency: str = "CNY"
    seed: Count = 1
    horizon: HorizonSpec = HorizonSpec()
    sites: dict[str, SiteSpec] = Field(min_length=1)
    jobs: dict[str, Job] = Field(default_factory=dict)
    design_note: str = Field(default="", description="what a design is, in a few words")

    @model_validator(mode="after")
    def _jobs_fit(self) -> Self:
        for name, job in self.jobs.items():
            site = self.site_of(job)
            if site not in self.sites:
                raise ValueError(f"jobs.{name}.site: '{site}' is none of the sites: {', '.join(self.sites)}")
            cluster = self.sites[site].cluster
            if isinstance(job, GangSpec) and job.servers(cluster) > cluster.rows * cluster.servers_per_row:
                raise ValueError(f"jobs.{name}.gpus: {job.gpus} GPUs do not fit on the cluster's {cluster.gpus}")
        held: dict[str, int] = {}
        for job in self.jobs.values():
            site = self.site_of(job)
            cluster = self.sites[site].cluster
            held[site] = held.get(site, 0) + (job.servers(cluster) if isinstance(job, GangSpec) else 0)
            if held[site] > cluster.rows * cluster.servers_per_row:
                raise ValueError(f"jobs: the gang jobs of site '{site}' hold more servers than it has")
        return self

    def site_of(self, job: GangSpec | QueueSpec) -> str:
        """Name of the job's site: its own, else the first."""
        return job.site or next(iter(self.sites))
