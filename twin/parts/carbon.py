"""CO2 factors of a site's energy: of the grid by place and by market (GHG Protocol, Scope 2), of gensets (Scope 1).

What gensets put into the air beside it (NOx, particulate matter) has no factor of ours: it is the set's, from its
certificate or permit.

The factors are constant over the year. The figures are functions of the ledger: `twin.finance.carbon`.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from twin.parts.presets import known_preset, with_preset
from twin.spec import Fraction, NonNegative, Spec


class CarbonSpec(Spec):
    """Factors in kg of CO2, and of gensets in g of NOx and of particulate matter."""

    preset: str | None = Field(default=None, description="named factors that the keys here are laid over")
    location_kg_per_kwh: NonNegative | None = Field(default=None, description="mean of the grid where the site stands")
    market_kg_per_kwh: NonNegative | None = Field(
        default=None, description="of energy bought without proof of origin; as location_kg_per_kwh if absent"
    )
    green_fraction: Fraction = Field(default=0.0, description="of the import, bought with proof of origin: no CO2")
    genset_l_per_kwh: NonNegative = Field(default=0.25, description="diesel for a kWh of a loaded set; assumed")
    fuel_kg_per_l: NonNegative = Field(default=2.68, description="CO2 of diesel")
    genset_nox_g_per_kwh: NonNegative | None = Field(default=None, description="NOx of the set, by its certificate")
    genset_pm_g_per_kwh: NonNegative | None = Field(default=None, description="particulate matter, likewise")

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, data: Any) -> Any:
        return with_preset("carbon", data)

    @field_validator("preset")
    @classmethod
    def _is_preset(cls, name: str | None) -> str | None:
        return known_preset("carbon", name)

    @model_validator(mode="after")
    def _has_factor(self) -> Self:
        if self.location_kg_per_kwh is None:
            raise ValueError("give location_kg_per_kwh, or a preset such as north_china_2022")
        return self
