"""The `claims:` block: what somebody claims, how each statement is judged, and the sets of assumptions to try."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from twin.claims import DERIVED
from twin.metrics.names import METRICS
from twin.scenario.merge import suggest
from twin.spec import NonNegative, Positive, PositiveCount, Spec


class ClaimSetSpec(Spec):
    """One set of assumptions: a design, and the design that it is compared with."""

    design: str = Field(description="the claimed product, built as these assumptions say")
    against: str = Field(description="the design that it is compared with")
    prior: str | None = Field(default=None, description="design whose figure a reading `shorter_fraction` starts from")
    assumes: str = Field(min_length=1, description="in words, after `reproduced only if`")


class StatementSpec(Spec):
    """One claim. A bound holds the rounding of the claim's own digits."""

    name: str = Field(description="stands in the table of verdicts")
    says: str = Field(description="the claim, in the vendor's words")
    judged: str = Field(description="the exact statement that is judged")
    figure: str = Field(description="a metric, payback_years, or lost_gpu_h_by_limit_per_year")
    reading: Literal["value", "saving_fraction", "shorter_fraction"] = Field(
        default="value", description="of the design; less than the other's; less than that of the prior design"
    )
    divided_by: Positive = Field(default=1.0, description="brings the figure to the claim's unit")
    other_costs_per_gpu_year: NonNegative = Field(default=0.0, description="in the denominator of a saving")
    counts_lost_gpu_h: bool = Field(default=False, description="in the yearly benefit of a payback, at value_per_gpu_h")
    before: float | None = Field(default=None, description="what the claim starts from")
    start_within_fraction: Positive = Field(default=0.05, description="of `before`, beyond the interval of the start")
    at_most: float | None = Field(default=None, description="the claim holds up to here")
    at_least: float | None = Field(default=None, description="the claim holds from here on")
    sets: list[str] = Field(min_length=1, description="the first is the claim as described")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give at_most or at_least, and not both")
        if self.figure not in METRICS and self.figure not in DERIVED:
            raise ValueError(f"figure: no metric '{self.figure}' ({suggest(self.figure, [*METRICS, *DERIVED])})")
        return self


class UnjudgedSpec(Spec):
    """What is claimed besides, and is not simulated here."""

    says: str = Field(min_length=1, description="the claim, in the vendor's words")
    reason: str = Field(min_length=1, description="why it is not judged")


class ClaimsSpec(Spec):
    """Claims of one vendor about one product."""

    replications: PositiveCount = Field(description="of every design")
    sets: dict[str, ClaimSetSpec] = Field(min_length=1)
    statements: list[StatementSpec] = Field(min_length=1)
    not_judged: list[UnjudgedSpec] = Field(default=[], description="printed after the verdicts")

    @model_validator(mode="after")
    def _sets_are_there(self) -> Self:
        for statement in self.statements:
            name = statement.name
            unknown = [one for one in statement.sets if one not in self.sets]
            if unknown:
                raise ValueError(f"statements.{name}.sets: no set '{unknown[0]}' ({suggest(unknown[0], self.sets)})")
            if statement.reading == "shorter_fraction" and any(self.sets[one].prior is None for one in statement.sets):
                raise ValueError(f"statements.{name}: shorter_fraction needs sets with a prior design")
        return self
