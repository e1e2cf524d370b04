"""What follows the outdoor temperature: a piecewise-linear curve over a weather file's or a profile's hours."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from twin.inputs.weather_csv import read_weather, standard_offset_h
from twin.spec import NonNegative, Spec
from twin.units import TICKS_PER_H
from twin.world.profile import ProfileSpec


class CurvePointSpec(Spec):
    """One point of the curve."""

    outdoor_c: float = Field(ge=-90, le=70, description="dry-bulb temperature")
    fraction_of_it: NonNegative = Field(description="cooling power over IT power at that temperature")


class OutdoorSpec(Spec):
    """Outdoor temperature by the hour, and what follows from it; beyond its ends the curve is level."""

    file: str | None = Field(default=None, description="typical year, 8,760 rows (TMY3 or PVGIS columns)")
    profile: ProfileSpec | None = Field(default=None, description="outdoor temperature in C, by the clock")
    curve: list[CurvePointSpec] = Field(min_length=2, description="in order of rising temperature")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.profile is None):
            raise ValueError("give file or profile, and not both")
        places = [point.outdoor_c for point in self.curve]
        if any(after <= before for before, after in pairwise(places)):
            raise ValueError("curve: outdoor_c must rise from point to point")
        return self

    def fractions(self, timezone: str | None) -> tuple[NDArray[np.float64], int]:
        """Fraction of IT by step from 1 January 00:00 on, and the ticks of a step [us].

        Raises:
            InputError: the file or the profile is broken.
        """
        if self.profile is not None:
            outdoor_c, step_us = self.profile.values()
        else:
            assert self.file is not None
            assert timezone is not None, "the scenario asks for the location"
            outdoor_c, step_us = read_weather(self.file, standard_offset_h(timezone)).air_c, TICKS_PER_H
        places = [point.outdoor_c for point in self.curve]
        fractions = [point.fraction_of_it for point in self.curve]
        return np.interp(outdoor_c, places, fractions), step_us
