"""Whether jobs fit on the clusters of their sites, gang jobs and a queue beside each other too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.parts.gang import GangSpec
from twin.parts.queue import QueueSpec

if TYPE_CHECKING:
    from twin.scenario.model import Scenario


def check_jobs(scenario: Scenario) -> None:
    """Each job by itself, then what the jobs of a site hold together.

    Raises:
        ValueError: a job names no site, or does not fit.
    """
    for name, job in scenario.jobs.items():
        _fits(name, job, scenario)
    held: dict[str, int] = {}
    for job in scenario.jobs.values():
        site = scenario.site_of(job)
        cluster = scenario.sites[site].cluster
        own = job.servers(cluster) + job.spare_servers if isinstance(job, GangSpec) else 0
        held[site] = held.get(site, 0) + own
        if held[site] > cluster.rows * cluster.servers_per_row:
            raise ValueError(f"jobs: the gang jobs of site '{site}' hold more servers than it has")
    _share(scenario, held)


def _fits(name: str, job: GangSpec | QueueSpec, scenario: Scenario) -> None:
    if job.site is None and len(scenario.sites) > 1:
        raise ValueError(f"jobs.{name}.site: name one of the sites: {', '.join(sorted(scenario.sites))}")
    site = scenario.site_of(job)
    if site not in scenario.sites:
        raise ValueError(f"jobs.{name}.site: '{site}' is none of the sites: {', '.join(scenario.sites)}")
    cluster = scenario.sites[site].cluster
    if isinstance(job, QueueSpec):
        if job.spare_servers_per_row >= cluster.servers_per_row:
            raise ValueError(f"jobs.{name}.spare_servers_per_row: a row has {cluster.servers_per_row} servers")
        return
    if job.spare_rows >= cluster.rows:
        raise ValueError(f"jobs.{name}.spare_rows: {job.spare_rows} of the cluster's {cluster.rows} rows")
    if job.minimum_rows is not None and job.minimum_rows > cluster.rows:
        raise ValueError(f"jobs.{name}.minimum_rows: {job.minimum_rows} of the cluster's {cluster.rows} rows")
    if job.servers(cluster) > (cluster.rows - job.spare_rows) * cluster.servers_per_row:
        raise ValueError(f"jobs.{name}.gpus: {job.gpus} GPUs do not fit on the cluster's {cluster.gpus}")


def _share(scenario: Scenario, held: dict[str, int]) -> None:
    """One queue a site, on the servers that its gang jobs leave; spare rows would not stay empty beside it."""
    queues: dict[str, str] = {}
    for name, job in sorted(scenario.jobs.items()):
        site = scenario.site_of(job)
        cluster = scenario.sites[site].cluster
        if not isinstance(job, QueueSpec):
            continue
        if queues.setdefault(site, name) != name:
            raise ValueError(
                f"jobs: {queues[site]} and {name} would share the servers of site '{site}'; make them one queue"
            )
        if held[site] == cluster.rows * cluster.servers_per_row:
            raise ValueError(f"jobs.{name}: the gang jobs of site '{site}' leave it no server; give them fewer GPUs")
    for name, job in sorted(scenario.jobs.items()):
        site = scenario.site_of(job)
        if isinstance(job, GangSpec) and job.spare_rows and site in queues:
            raise ValueError(
                f"jobs.{name}.spare_rows: {queues[site]} runs on the same site and would fill them; say spare_servers"
            )
