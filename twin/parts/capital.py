"""What equipment costs: the `capital:` block beside its ratings, in the catalogue or where it stands.

`twin.finance.equipment` reads it from the resolved scenario; nothing of it is simulated.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twin.spec import Fraction, NonNegative, Positive, Spec


class CapitalSpec(Spec):
    """Capital cost, the sum of its three parts, and what follows from it over the years."""

    per_kwh: NonNegative = Field(default=0.0, description="of nameplate energy")
    per_kw: NonNegative = Field(default=0.0, description="of nameplate power: modules, sets, PCS, PV peak")
    per_unit: NonNegative = Field(default=0.0, description="of a cabinet, UPS block, set, truck; once for PV")
    o_and_m_fraction_per_year: Fraction = Field(default=0.0, description="of the capital, each year")
    life_years: Positive = Field(default=20.0, description="then it is bought again")
    cells_per_kwh: NonNegative | None = Field(
        default=None, description="new cells, when simulated ageing replaces them; needed where cells age"
    )
    salvage_fraction: Fraction = Field(default=0.0, description="of the capital, left at the end of its life")

    @model_validator(mode="after")
    def _costs_something(self) -> Self:
        if not (self.per_kwh or self.per_kw or self.per_unit):
            raise ValueError("give per_kwh, per_kw or per_unit")
        return self
