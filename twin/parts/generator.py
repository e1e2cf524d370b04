"""Jobs drawn from a workload's few numbers: a background of many small jobs, and some long gang jobs before it.

Submissions of the background are a renewal process with hyperexponential gaps (burstier than Poisson), on a clock that
runs by the hour of the day. Size, end and run time of job n are draw n of their own streams, so one parameter changed
moves no other luck. Model and closed forms: `twin.inputs.workload`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from twin.chance import quantiles
from twin.chance.philox import stream_key
from twin.errors import InputError, Problem
from twin.inputs.jobs.schema import JobRow, Jobs, gathered
from twin.inputs.workload import ENDS, Floats, Workload, bursts, clock_of_day, thinned_cv
from twin.parts.presets import known_preset, with_preset
from twin.spec import NonNegative, Positive, PositiveCount, Probability, Spec
from twin.units import TICKS_PER_S

if TYPE_CHECKING:
    from twin.world.world import World

JOBS_MAX = 2_000_000
"""Background jobs of one replication; beyond, memory and hours of computing time go."""
DAY_S = 86_400.0
_CHUNK = 4096
_NONE = np.zeros(0)


class GangLoadSpec(Spec):
    """Long training jobs that hold many servers at once."""

    gpus: PositiveCount = Field(description="that each holds")
    duration_h: Positive = Field(description="run time without interruption")
    submit_h: NonNegative = Field(default=0.0, description="of the first, after the scenario's start")
    count: PositiveCount = Field(default=1, description="of them")
    every_h: Positive = Field(default=24.0, description="from one submission to the next")
    priority: float = Field(default=1.0, description="in a queue ordered by priority, higher first")
    tenant: str = Field(default="pretraining", description="who submits them")


class GeneratorSpec(Spec):
    """A workload in numbers; `preset` gives all of the background's, and what stands here replaces them."""

    preset: str | None = Field(default=None, description="acme_seren or acme_kalos")
    offered_load_fraction: Positive | None = Field(
        default=None, description="GPU time submitted over that of the cluster's GPUs, by the background"
    )
    jobs_per_day: Positive | None = Field(default=None, description="of the background; the other way to say how many")
    gangs: list[GangLoadSpec] = Field(default_factory=list, description="long jobs besides")
    single_gpu_fraction: Probability = Field(description="share of jobs on one GPU")
    size_ratio: Positive = Field(description="of the probability of 2 k GPUs to that of k, from 2 on")
    gpus_max: PositiveCount = Field(description="largest size; a smaller cluster leaves out what is larger than it")
    run_time_median_s: Positive = Field(description="of a completed job on one GPU")
    run_time_sigma: Positive = Field(le=5.0, description="of the logarithm")
    run_time_size_exponent: float = Field(description="run time goes by GPUs to this power")
    run_time_max_s: Positive = Field(description="longer ones are cut to it")
    end_probability: list[NonNegative] = Field(min_length=3, max_length=3, description="completed, cancelled, failed")
    end_run_time_factor: list[Positive] = Field(
        min_length=3, max_length=3, description="median run time by end, over that of a completed job of the size"
    )
    interarrival_cv: float = Field(ge=1.0, le=100.0, description="coefficient of variation of gaps; 1 is Poisson")
    interarrival_cv_jobs_per_day: Positive | None = Field(
        default=None, description="the stream that it is of; one with fewer jobs is a random share of that, less bursty"
    )
    submit_by_hour: list[NonNegative] = Field(
        default_factory=lambda: [1.0] * 24,
        min_length=24,
        max_length=24,
        description="weights of the hours of the day; alike if absent",
    )
    tenants: PositiveCount = Field(default=20, description="who submit in proportion to 1/rank (assumed)")
    checkpointable_from_gpus: PositiveCount = Field(default=8, description="smaller jobs keep no work (assumed)")

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, data: Any) -> Any:
        """The preset's numbers where the block has none; bursts of one's own are of the stream as it is."""
        instead = {"offered_load_fraction": ["jobs_per_day"], "interarrival_cv": ["interarrival_cv_jobs_per_day"]}
        return with_preset("workload", data, instead)

    @field_validator("preset")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        return known_preset("workload", name)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.offered_load_fraction is None) == (self.jobs_per_day is None):
            raise ValueError("give offered_load_fraction or jobs_per_day, and not both")
        if not sum(self.end_probability) or not sum(self.submit_by_hour):
            raise ValueError("end_probability and submit_by_hour: at least one weight must be above zero")
        return self

    @property
    def tenant_names(self) -> list[str]:
        """All who may submit."""
        return [gang.tenant for gang in self.gangs] + [tenant_name(rank) for rank in range(self.tenants)]

    def workload(self, cluster_gpus: int) -> Workload:
        """The background's model on a cluster: sizes that do not fit are left out."""
        return Workload(
            self.single_gpu_fraction, self.size_ratio, min(self.gpus_max, cluster_gpus), self.run_time_median_s,
            self.run_time_sigma, self.run_time_size_exponent, self.run_time_max_s, self.end_probability,
            self.end_run_time_factor,
        )  # fmt: skip

    def rate_per_day(self, cluster_gpus: int) -> float:
        """Background jobs a day on a cluster of so many GPUs."""
        if self.jobs_per_day is not None:
            return self.jobs_per_day
        assert self.offered_load_fraction is not None
        return self.offered_load_fraction * cluster_gpus * DAY_S / self.workload(cluster_gpus).mean_gpu_s


def check_fits(spec: GeneratorSpec, cluster_gpus: int, key: str) -> None:
    """Check that every gang has its GPUs.

    Raises:
        InputError: one is larger than the cluster.
    """
    for place, gang in enumerate(spec.gangs):
        if gang.gpus > cluster_gpus:
            message = f"{gang.gpus} GPUs do not fit on the cluster's {cluster_gpus}"
            raise InputError(Problem(message, key=f"{key}.gangs.{place}.gpus"))


@dataclass(frozen=True)
class _Luck:
    """The streams of one generator in one replication."""

    seed: int
    item: str
    replication: np.uint64

    def fill(
        self, purpose: str, first: int, count: int, law: tuple[int, float, float] = (quantiles.UNIFORM, 0.0, 1.0)
    ) -> Floats:
        """Draws first ... first + count - 1 for a purpose; uniform in (0, 1) where no law is named."""
        out = np.empty(count)
        quantiles.fill(*law, _NONE, stream_key(self.seed, self.item, purpose), self.replication, first, out)
        return out


def draw_jobs(spec: GeneratorSpec, item: str, cluster_gpus: int, world: World) -> Jobs:
    """The jobs that are submitted within the horizon in the world's replication.

    Args:
        spec: the generator.
        item: its name, which keys its draws.
        cluster_gpus: GPUs of the cluster.
        world: gives seed, replication and horizon.

    Raises:
        InputError: the horizon holds more jobs than `JOBS_MAX`.
    """
    luck = _Luck(world.seed, item, world.replication)
    horizon_s = world.horizon_us / TICKS_PER_S
    rate = spec.rate_per_day(cluster_gpus)
    if rate * horizon_s / DAY_S > JOBS_MAX:
        message = f"{rate:,.0f} jobs a day are more than {JOBS_MAX:,} jobs within the horizon"
        raise InputError(Problem(message, key="jobs", remedy="a shorter horizon, or less load"))
    rows = _gangs(spec, horizon_s)
    rows += _background(spec, spec.workload(cluster_gpus), _submissions(spec, luck, rate, horizon_s), luck)
    return gathered(rows, absolute=False)


def _gangs(spec: GeneratorSpec, horizon_s: float) -> list[JobRow]:
    return [
        JobRow(
            0, f"gang-{place + 1:02d}-{k + 1:04d}", submit_s, gang.duration_h * 3600.0, gang.gpus, state="completed",
            tenant=gang.tenant, checkpointable=1, priority=gang.priority, requested_s=gang.duration_h * 3600.0,
        )
        for place, gang in enumerate(spec.gangs)
        for k in range(gang.count)
        if (submit_s := (gang.submit_h + k * gang.every_h) * 3600.0) < horizon_s
    ]  # fmt: skip


def _submissions(spec: GeneratorSpec, luck: _Luck, rate_per_day: float, horizon_s: float) -> Floats:
    """Times of submission [n], rising, in s after the scenario's start (a midnight)."""
    share = rate_per_day / (spec.interarrival_cv_jobs_per_day or rate_per_day)
    p, short, long = bursts(thinned_cv(spec.interarrival_cv, share))
    gap_days, end = 1.0 / rate_per_day, math.ceil(horizon_s / DAY_S)
    pieces: list[Floats] = []
    last, n = 0.0, 0
    while last < end:
        u = luck.fill("gap", n, _CHUNK)
        # Time does not begin with a job: the first gap is the rest of one, and short gaps fill half of all time.
        split = np.where(np.arange(n, n + _CHUNK) == 0, 0.5, p)
        is_short = u < split
        within = np.where(is_short, u / split, (u - split) / (1.0 - split))
        gaps = -np.log1p(-within) * np.where(is_short, short, long) * gap_days
        pieces.append(last + np.cumsum(gaps))
        last, n = float(pieces[-1][-1]), n + _CHUNK
    even = np.concatenate(pieces)
    day, part = np.floor(even), even - np.floor(even)
    submit_s = (day + np.interp(part, clock_of_day(spec.submit_by_hour), np.arange(25) / 24.0)) * DAY_S
    found: Floats = submit_s[submit_s < horizon_s]
    return found


def _background(spec: GeneratorSpec, model: Workload, submit_s: Floats, luck: _Luck) -> list[JobRow]:
    count = submit_s.size
    size = _chosen(model.size_probability, luck.fill("size", 0, count))
    end = _chosen(model.ends, luck.fill("end", 0, count))
    tenant = _chosen(_zipf(spec.tenants), luck.fill("tenant", 0, count))
    factor = luck.fill("run time", 0, count, (quantiles.LOGNORMAL, 1.0, model.run_time_sigma))
    run_s = np.clip(model.medians_s[size, end] * factor, 1.0, model.run_time_max_s)
    gpus = model.sizes[size]
    keeps = gpus >= spec.checkpointable_from_gpus
    columns = (submit_s, run_s, gpus, end, tenant, keeps)
    return [
        JobRow(
            0,
            f"job-{n:07d}",
            at_s,
            for_s,
            width,
            state=ENDS[how],
            tenant=tenant_name(who),
            checkpointable=int(kept),
        )
        for n, (at_s, for_s, width, how, who, kept) in enumerate(zip(*(one.tolist() for one in columns), strict=True))
    ]


def _zipf(count: int) -> Floats:
    weights: Floats = 1.0 / np.arange(1, count + 1)
    weights /= weights.sum()
    return weights


def _chosen(probability: Floats, u: Floats) -> np.ndarray:
    """The class of each uniform [n], by cumulated probability."""
    return np.minimum(np.searchsorted(np.cumsum(probability), u), probability.size - 1)


def tenant_name(rank: int) -> str:
    """Who submits the most background jobs (0), the second most, ..."""
    return f"tenant-{rank + 1:02d}"
