"""A small scenario model for the tests of the loading machinery."""

from typing import Annotated, Literal

from pydantic import Field

from twin.spec import Count, NonNegative, Positive, PositiveCount, Probability, Spec


class Exponential(Spec):
    law: Literal["exponential"]
    mean: Positive


class Lognormal(Spec):
    law: Literal["lognormal"]
    median: Positive
    sigma: Positive


class Empirical(Spec):
    law: Literal["empirical"]
    file: str


Law = Annotated[Exponential | Lognormal | Empirical, Field(discriminator="law")]


class Momentary(Spec):
    per_year: NonNegative
    duration_s: Positive | Law = 1.0


class Feeder(Spec):
    rated_kw: Positive = Field(description="what the feeder carries")
    momentary: Momentary | None = None
    failure_probability: Probability = 0.0


class Ups(Spec):
    rated_kw: Positive
    modules: PositiveCount = 4
    auxiliary_kw: NonNegative = 0.0


class Protection(Spec):
    ups: Ups | None = None
    cabinets: Count = 0


class Gang(Spec):
    kind: Literal["gang"]
    gpus: PositiveCount


class Queue(Spec):
    kind: Literal["queue"]
    trace_file: str | None = None


class Site(Spec):
    feeders: dict[str, Feeder]
    protection: Protection = Protection()
    rows: list[Ups] = Field(default_factory=list)
    steps: tuple[float, ...] = ()
    export_allowed: bool = False


class Small(Spec):
    name: str = "small"
    start: str = "2026-01-01"
    currency: Literal["CNY", "USD", "EUR"] = "CNY"
    sites: dict[str, Site]
    jobs: dict[str, Annotated[Gang | Queue, Field(discriminator="kind")]] = Field(default_factory=dict)
