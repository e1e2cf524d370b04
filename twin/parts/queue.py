"""A queue of jobs on a site's servers, recorded or drawn: the keys of the block, and the jobs themselves.

What becomes of the jobs stands in `running_queue`.
"""

from __future__ import annotations

import math
from copy import copy
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twin.inputs.jobs.read import read_jobs
from twin.inputs.jobs.schema import Jobs, gathered
from twin.jobs.checkpoint import INTERVALS
from twin.jobs.scheduler import BACKFILL_DEPTH
from twin.parts.cluster import ClusterSpec
from twin.parts.generator import GeneratorSpec, check_fits, draw_jobs
from twin.parts.hardware import HardwareSpec
from twin.parts.running_queue import RunningQueue
from twin.spec import Count, NonNegative, Positive, PositiveCount, Spec
from twin.units import NEVER, TICKS_PER_S, ticks

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World


class QueueSpec(Spec):
    """Jobs from a record or drawn: submit time, duration, GPUs."""

    kind: Literal["queue"] = Field(
        description="a stream of jobs that wait for GPUs; `gang` is one job that holds its rows"
    )
    site: str | None = Field(default=None, description="the only site, if absent")
    file: str | None = Field(default=None, description="a job record of any layout that twin jobs reads")
    generator: GeneratorSpec | None = Field(
        default=None, description="jobs drawn anew in each replication, not recorded"
    )
    record_gpus: PositiveCount | None = Field(
        default=None, description="GPUs of the cluster that the record is of; waits and slowdown are reported only then"
    )
    layout: str | None = Field(default=None, description="the record's layout; found in the file's head if absent")
    bad_rows: Literal["refuse", "leave_out"] = Field(
        default="refuse", description="rows that contradict themselves, and jobs larger than the cluster"
    )
    order: Literal["fifo", "priority", "shortest_first"] = Field(default="fifo", description="who is next")
    backfill: Literal["none", "easy", "conservative"] = Field(
        default="none", description="who may overtake a job that does not fit yet"
    )
    backfill_depth: PositiveCount = Field(
        default=BACKFILL_DEPTH,
        description="jobs behind the head of the queue that may overtake it; conservative plans each of them at each"
        " event, which is slow where hundreds run (25 is not)",
    )
    expected_run_time: Literal["requested", "history", "exact"] = Field(
        default="requested",
        description="what order and backfill go by: the record's requested time, or, where it has none, as history: the"
        " mean of the tenant's last two run times; exact looks into the future and is a bound",
    )
    placement: Literal["first_fit", "pack", "spread"] = Field(
        default="first_fit", description="whole servers of a job: the lowest, in few pods of rows, or evenly over them"
    )
    rows_per_pod: PositiveCount = Field(default=1, description="what placement takes as one place")
    spare_servers_per_row: Count = Field(default=0, description="kept free of jobs")
    checkpoint_interval_min: Positive | None = Field(default=None, description="all work is lost without checkpoints")
    checkpoint_interval: Literal["fixed", "young", "daly", "optimal"] = Field(
        default="fixed",
        description="fixed is checkpoint_interval_min; else by the stall and each job's own rate of hardware failures",
    )
    checkpoint_stall_s: NonNegative = Field(
        default=0.0, description="of training at each checkpoint, until it is durable"
    )
    checkpoint_write_s: NonNegative = Field(default=60.0, description="of a checkpoint before a stop on purpose")
    priority: float = Field(default=0.0, description="of the whole queue, for the application layer")
    restart_min: NonNegative = Field(default=10.0, description="added to an interrupted job's remaining time")
    server_boot_min: NonNegative = Field(default=15.0, description="from a row's return of supply until it takes jobs")
    hardware: HardwareSpec | None = Field(
        default=None, description="servers fail on their own and stop the jobs on them; never, if absent"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.generator is None):
            raise ValueError("give file (a record) or generator, and not both")
        if self.file is None and self.record_gpus is not None:
            raise ValueError("record_gpus: is of a record (file), and generated jobs have none; leave it out")
        return self

    @model_validator(mode="after")
    def _interval_is_known(self) -> Self:
        rule = self.checkpoint_interval
        if rule == "fixed":
            return self
        if self.checkpoint_interval_min is not None:
            raise ValueError(f"checkpoint_interval: {rule} gives the interval; leave out checkpoint_interval_min")
        if not self.checkpoint_stall_s or not self.hardware or not self.hardware.per_1000_server_days:
            raise ValueError(
                f"checkpoint_interval: {rule} goes by the stall and the rate of failures; give checkpoint_stall_s and"
                " hardware.per_1000_server_days"
            )
        return self


class Queue:
    """A queue of recorded or drawn jobs on a site's cluster."""

    def __init__(self, name: str, spec: QueueSpec, cluster: ClusterSpec, free: list[int] | None = None) -> None:
        self.name, self.spec, self.cluster = name, spec, cluster
        self.servers = [cluster.servers_per_row] * cluster.rows if free is None else list(free)
        """By row, servers that no gang job of the site holds: the queue's own."""
        self.take(self._read())

    def take(self, jobs: Jobs) -> None:
        """Make these the queue's jobs."""
        self.jobs = jobs
        self.submit_us = [round(second * TICKS_PER_S) for second in self.jobs.submit_s.tolist()]
        self.duration_us = [max(1, round(second * TICKS_PER_S)) for second in self.jobs.duration_s.tolist()]
        self.gpus = self.jobs.gpus.tolist()

    def intervals_us(self) -> list[int]:
        """By job, training between two checkpoints [us]; `NEVER` for jobs that keep nothing."""
        able = self.jobs.checkpointable.tolist()
        by_servers: dict[int, int] = {}
        found = []
        for gpus, keeps in zip(self.gpus, able, strict=True):
            servers = math.ceil(gpus / self.cluster.gpus_per_server)
            if servers not in by_servers:
                by_servers[servers] = self._interval_us(servers)
            found.append(by_servers[servers] if keeps else NEVER)
        return found

    def _interval_us(self, servers: int) -> int:
        spec = self.spec
        if spec.checkpoint_interval == "fixed" or spec.hardware is None:
            return ticks(spec.checkpoint_interval_min / 60.0) if spec.checkpoint_interval_min else NEVER
        mtbf_h = 1.0 / spec.hardware.failures_per_h(servers)
        return max(1, ticks(INTERVALS[spec.checkpoint_interval](spec.checkpoint_stall_s / 3600.0, mtbf_h)))

    @property
    def waits_known(self) -> bool:
        """Whether waits say anything: jobs that were drawn for this cluster, or a record of a cluster of known size."""
        return self.spec.file is None or self.spec.record_gpus is not None

    def record_gpu_h(self, until_h: float) -> float | None:
        """GPU-hours in use from time zero until then by the record's own starts; None where it does not say them."""
        jobs = self.jobs
        if self.spec.file is None or not len(jobs) or np.isnan(jobs.start_s).any():
            return None
        end_s = np.minimum(jobs.start_s + jobs.duration_s, until_h * 3600.0)
        return float((np.maximum(0.0, end_s - np.maximum(jobs.start_s, 0.0)) * jobs.gpus).sum() / 3600.0)

    @property
    def _usable_gpus(self) -> int:
        """GPUs of the cluster that are no spares."""
        spare = self.spec.spare_servers_per_row
        return sum(max(0, servers - spare) for servers in self.servers) * self.cluster.gpus_per_server

    @property
    def own_gpus(self) -> int:
        """GPUs of its servers, spares counted in."""
        return sum(self.servers) * self.cluster.gpus_per_server

    def _read(self) -> Jobs:
        """The record's jobs; none where they are drawn.

        Raises:
            InputError: see `read_jobs`, and `check_fits`.
        """
        spec = self.spec
        if spec.generator is not None:
            check_fits(spec.generator, self._usable_gpus, f"jobs.{self.name}.generator")
        if spec.file is None:
            return gathered([], absolute=False)
        return read_jobs(spec.file, spec.layout, gpus_max=self._usable_gpus, bad_rows=spec.bad_rows)

    def declare(self, site: SiteBuilder) -> None:
        """One item for the whole queue, and one for each tenant."""
        site.item(f"jobs/{self.name}", "queue", gpus=self.own_gpus)
        if self.spec.hardware is not None:
            site.item(f"jobs/{self.name}/hardware", "hardware")
        for tenant in self.tenants:
            site.item(self.tenant_item(tenant), "tenant")

    @property
    def tenants(self) -> list[str]:
        """All whose jobs may be in the queue, by name."""
        named = self.jobs.tenant if self.spec.generator is None else self.spec.generator.tenant_names
        return sorted(set(named) - {""})

    def tenant_item(self, tenant: str) -> str:
        """Name of a tenant's item within the site."""
        return f"jobs/{self.name}/tenants/{tenant.replace('/', '_')}"

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The first submission is awaited."""
        queue = RunningQueue(self._in(world, site), world, site, ids)
        site.phases.append(queue.react)
        site.capped.append(queue.cap)
        site.jobs.append(queue)
        site.queue_ahead = queue.ahead
        world.at_end(queue.close)

    def _in(self, world: World, site: Site) -> Queue:
        """The queue with the jobs of this replication."""
        if self.spec.generator is None:
            return self
        drawn = copy(self)
        name = site.path(f"jobs/{self.name}")
        drawn.take(draw_jobs(self.spec.generator, name, self._usable_gpus, world))
        return drawn
