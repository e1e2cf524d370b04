"""How a part fails and is repaired, as a scenario writes it: one block that any part may embed.

A part keeps its plain keys (`cabinet_mtbf_h`, `cabinet_mttr_h`: a constant rate, one restoration law); its `failures:`
adds what those cannot say. Everything in it is optional, and without it nothing changes. To embed it: a field
`failures: FailuresSpec | None = None`, then `Family(..., failing(spec.failures, mtbf_h, mttr_h, start_month), ...)`.
What is repaired but fails on demand, as a genset does, embeds `RepairSpec` and starts `world.repairs.repair(...)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from twin.chance import quantiles
from twin.chance.law import CompiledLaw, Law, LawSpec, compile_law, exponential
from twin.parts.supply_events import SEASON_OF_MONTH, SeasonSpec
from twin.spec import Fraction, Positive, PositiveCount, Spec
from twin.world.failing import Dormancy, Failing
from twin.world.repairs import Care, CrewPool, SparePool


class SeasonalLaw(SeasonSpec):
    """A constant rate 1/mean times the season's factor; only for lives, whose clocks know the date."""

    law: Literal["seasonal"] = Field(description="names the law")
    mean: Positive = Field(description="mean life at factor 1")

    @model_validator(mode="after")
    def _some_season(self) -> Self:
        if not any(getattr(self, season) for season in SEASON_OF_MONTH):
            raise ValueError("at least one season needs a factor above 0")
        return self


def _no_number(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError(  # noqa: TRY004 - pydantic collects ValueErrors
            f"a life needs a law: for a constant rate {{law: exponential, mean: {value:g}}}"
        )
    return value


Life: TypeAlias = Annotated[
    Annotated[LawSpec | SeasonalLaw, Field(discriminator="law")],
    BeforeValidator(_no_number, json_schema_input_type=LawSpec | SeasonalLaw),
]


class CrewSpec(Spec):
    """Repair crews of one kind, shared by all sites; a crew repairs one item at a time."""

    count: PositiveCount = Field(description="crews of this kind; who finds none free waits")
    travel_h: Law = Field(default=0.0, validate_default=True, description="from free to at the item")

    def pool(self) -> CrewPool:
        """Compiled."""
        return CrewPool(self.count, compile_law(self.travel_h))


class SpareSpec(Spec):
    """Spare parts of one kind, shared by all sites; one that is used is ordered anew at once."""

    count: PositiveCount = Field(description="on the shelf at the start")
    restock_h: Law = Field(description="from the order to the shelf")

    def pool(self) -> SparePool:
        """Compiled."""
        return SparePool(self.count, compile_law(self.restock_h))


class RepairSpec(Spec):
    """What a repair needs."""

    crew: str | None = Field(default=None, description="one of the scenario's crews; none: nobody is waited for")
    spare: str | None = Field(default=None, description="one of the scenario's spares, taken for each repair")
    priority: int = Field(default=1, description="of the repair among those that wait for a crew; lower goes first")

    def care(self) -> Care | None:
        """Compiled; None where nothing is needed."""
        return Care(self.crew, self.spare, self.priority) if self.crew or self.spare else None


class DormantSpec(Spec):
    """Failures that nobody sees when they happen."""

    fraction: Fraction = Field(default=1.0, description="share of the failures that stay hidden")
    test_every_h: Positive | None = Field(default=None, description="a periodic test finds them; absent: no test")
    staggered: bool = Field(default=False, description="each item has test times of its own; else all at once")
    found_by_need: bool = Field(default=True, description="found when the item is needed and does not answer")

    @model_validator(mode="after")
    def _found_somehow(self) -> Self:
        if self.test_every_h is None and not self.found_by_need:
            raise ValueError("nothing finds a dormant failure: give test_every_h, or found_by_need: true")
        return self


class FailuresSpec(RepairSpec):
    """Failure and repair of like items, beyond a constant rate and one restoration law."""

    life_h: Life | None = Field(default=None, description="time to failure; instead of the part's MTBF")
    repair_h: Law | None = Field(
        default=None, description="active repair, without waiting and travel; instead of the part's mttr_h"
    )
    common_cause_fraction: float = Field(
        default=0.0, ge=0, lt=1, description="beta: share of the failure rate that strikes the whole group at once"
    )
    age_kept_fraction: Fraction = Field(
        default=0.0, description="of the age at failure after a repair; 0 as new, 1 as old"
    )
    dormant: DormantSpec | None = None

    @model_validator(mode="after")
    def _hazards(self) -> Self:
        if self.life_h is None:
            return self
        wants = [name for name in ("common_cause_fraction", "age_kept_fraction") if getattr(self, name) > 0.0]
        if wants and not compile_life(self.life_h, 1).has_hazard:
            raise ValueError(f"{wants[0]}: a life by the law {self.life_h.law} has no failure rate to share or to age")
        if self.age_kept_fraction > 0.0 and isinstance(self.life_h, SeasonalLaw):
            raise ValueError("age_kept_fraction: a seasonal rate knows no age")
        return self


class SeenFailuresSpec(FailuresSpec):
    """Failures that darken something in the same instant: none can stay hidden."""

    @model_validator(mode="after")
    def _seen(self) -> Self:
        if self.dormant is not None:
            raise ValueError("dormant: this failure darkens a load at once and is seen (leave it out)")
        return self


def compile_life(law: LawSpec | SeasonalLaw, start_month: int) -> CompiledLaw:
    """A life in hours; `start_month` is the month of tick 0, for seasons.

    Raises:
        InputError: the file of an empirical law cannot be read.
    """
    if not isinstance(law, SeasonalLaw):
        return compile_law(law)
    factors = np.array([getattr(law, SEASON_OF_MONTH[(start_month - 1 + k) % 12]) for k in range(12)], np.float64)
    return CompiledLaw(quantiles.SEASONAL, law.mean, 0.0, factors, law.mean / float(factors.mean()))


def failing(failures: FailuresSpec | None, mtbf_h: float, mttr_h: LawSpec | float, start_month: int = 1) -> Failing:
    """A part's failure model: its plain keys, and what its `failures` block says instead or besides.

    Args:
        failures: the block; None where the scenario has none.
        mtbf_h: of the constant rate that holds without `life_h` [h].
        mttr_h: the restoration law that holds without `repair_h` [h].
        start_month: the month of tick 0, for seasons.
    """
    given = failures or FailuresSpec()
    dormant = given.dormant
    return Failing(
        life=exponential(mtbf_h) if given.life_h is None else compile_life(given.life_h, start_month),
        repair=compile_law(mttr_h if given.repair_h is None else given.repair_h),
        common_fraction=given.common_cause_fraction,
        age_kept_fraction=given.age_kept_fraction,
        care=given.care(),
        dormancy=Dormancy(dormant.fraction, dormant.test_every_h, dormant.staggered, dormant.found_by_need)
        if dormant and dormant.fraction > 0.0
        else None,
    )


def repair_specs(block: Any, path: str = "") -> Iterator[tuple[str, RepairSpec]]:
    """Every repair or failure block within a scenario block, with the keys that lead to it."""
    if isinstance(block, RepairSpec):
        yield path, block
    if isinstance(block, BaseModel):
        for name in type(block).model_fields:
            yield from repair_specs(getattr(block, name), f"{path}.{name}".lstrip("."))
    elif isinstance(block, dict):
        for name, value in block.items():
            yield from repair_specs(value, f"{path}.{name}".lstrip("."))
