"""What every block of a scenario file has in common: strict, frozen, unknown keys refused, a `source` beside it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Spec(BaseModel):
    """Base of all scenario blocks. Key in YAML = field here = column in the trace; units are in the names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    source: str | None = Field(default=None, description="where the numbers of this block come from")


Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Kilovolts = Annotated[float, Field(ge=0.01, le=10_000)]
"""A voltage at which a network works; beyond, its squares leave the range of floats."""
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]
PositiveCount = Annotated[int, Field(ge=1, le=1_000_000_000)]
PerYear = Annotated[float, Field(ge=0, le=1_000_000)]
"""A rate: what comes more often than every half minute is no event of its own, and would never end."""
