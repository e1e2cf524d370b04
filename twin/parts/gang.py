"""A gang-scheduled training job: it dies with any row it holds, goes back to its checkpoint, and restarts.

The keys of the job's block, and the servers that it takes. What it does while it runs stands in `running_gang`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from twin.jobs.checkpoint import INTERVALS
from twin.parts.cluster import ClusterSpec
from twin.parts.hardware import HardwareSpec
from twin.parts.running_gang import RunningGang
from twin.spec import Count, NonNegative, Positive, PositiveCount, Spec

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import Stream, World


class CheckpointSpec(Spec):
    """Checkpoints: an interval of training, then a stall; durable `write_s` after the stall began."""

    interval: Literal["fixed", "young", "daly", "optimal"] = Field(
        default="fixed",
        description="fixed is interval_min; else by the stall and the job's own rate of hardware failures",
    )
    interval_min: Positive = Field(default=15.0, description="also where a job that computes its own never fails")
    stall_s: NonNegative = Field(default=15.0, description="training stands still so long at each checkpoint")
    mode: Literal["asynchronous", "blocking"] = Field(
        default="asynchronous", description="blocking: training stands still until the checkpoint is durable"
    )
    write_s: NonNegative | None = Field(default=None, description="until durable, from the stall's start")

    @property
    def writing_s(self) -> float:
        """From the stall's start until the checkpoint is durable [s]."""
        return self.stall_s if self.write_s is None else self.write_s

    @property
    def stalling_s(self) -> float:
        """What a checkpoint keeps the job from training [s]."""
        return max(self.stall_s, self.writing_s) if self.mode == "blocking" else self.stall_s

    def between_h(self, failures_per_h: float) -> float:
        """Training between two checkpoints of a job that fails so often [h]."""
        if self.interval == "fixed" or failures_per_h == 0.0 or self.stalling_s == 0.0:
            return self.interval_min / 60.0
        return INTERVALS[self.interval](self.stalling_s / 3600.0, 1.0 / failures_per_h)


class RestartSpec(Spec):
    """Hours from the return of supply to training."""

    core_kept: Positive = Field(default=0.75, description="where storage and fabric stayed alive")
    core_lost: Positive = Field(default=1.5, description="where they went dark, too")


class GangSpec(Spec):
    """One synchronous training job over all rows of its site."""

    kind: Literal["gang"] = Field(description="one gang-scheduled job; `queue` is a stream of jobs")
    site: str | None = Field(default=None, description="the only site, if absent")
    gpus: PositiveCount = Field(description="held from start to end; all of them train or none")
    priority: float = Field(default=0.0, description="the application layer stops the lower first")
    work_h: Positive | None = Field(default=None, description="training to be done; without it the job never ends")
    spare_rows: Count = Field(default=0, description="rows of the site that stand by, lit and idle, for one that fails")
    spare_servers: Count = Field(
        default=0, description="of the site's other servers, stand by for those out for repair"
    )
    minimum_rows: PositiveCount | None = Field(
        default=None, description="goes on with so many of its rows when others go dark, at a pace by servers"
    )
    server_speed_spread_fraction: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="servers run evenly between full speed and so much less; the job goes at its slowest's",
    )
    checkpoint: CheckpointSpec = CheckpointSpec()
    detection_min: NonNegative = Field(default=2.0, description="from a hardware failure until it is known")
    warm_restart_min: NonNegative = Field(default=13.0, description="from then to training, where no power was lost")
    restart_after_power_loss_h: RestartSpec = RestartSpec()
    restart_rows_per_min: Positive | None = Field(
        default=None, description="rows boot one after the other, so that the inrush stays small; all at once if absent"
    )
    hardware: HardwareSpec = HardwareSpec()

    def servers(self, cluster: ClusterSpec) -> int:
        """Servers that the job holds."""
        return math.ceil(self.gpus / cluster.gpus_per_server)

    def slowest_fraction(self, cluster: ClusterSpec, luck: Stream) -> float:
        """Speed of its slowest server: the least of so many uniform draws, by one draw of its law 1 - (1 - x)^n."""
        spread = self.server_speed_spread_fraction
        if not spread:
            return 1.0
        least = -math.expm1(math.log1p(-luck.uniform()) / self.servers(cluster))
        return 1.0 - spread * (1.0 - least)

    def interruptions_per_h(self, cluster: ClusterSpec) -> float:
        """Rate of hardware interruptions of the whole job [1/h]."""
        return self.hardware.failures_per_h(self.servers(cluster))


class Gang:
    """A gang job on a site's cluster."""

    def __init__(self, name: str, spec: GangSpec, cluster: ClusterSpec, free: list[int]) -> None:
        self.name, self.spec, self.cluster = name, spec, cluster
        own = free[: len(free) - spec.spare_rows]
        self.servers = take_servers(spec.servers(cluster), own) + [0] * spec.spare_rows
        free[: len(own)] = own

    def declare(self, site: SiteBuilder) -> None:
        """The job, and the hardware under it."""
        site.item(f"jobs/{self.name}", "gang_job", gpus=self.spec.gpus)
        site.item(f"jobs/{self.name}/hardware", "hardware")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The job trains from time zero."""
        job = RunningGang(self, world, site, ids)
        site.phases.append(job.react)
        site.capped.append(job.cap)
        site.jobs.append(job)
        site.restarts.append(job.restarts_us)
        world.at_end(job.close)


def take_servers(count: int, free: list[int]) -> list[int]:
    """Servers that a job takes from each row, one by one from the row with most free; `free` is lowered by them."""
    taken = [0] * len(free)
    for _ in range(count):
        row = free.index(max(free))
        free[row] -= 1
        taken[row] += 1
    return taken
