"""Roads between sites: distances by the shortest way, speeds by a law and the hour, closures by storms."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from twin.chance.law import Law, compile_law
from twin.spec import NonNegative, Positive, Spec

Hourly = Annotated[list[Positive], Field(min_length=24, max_length=24)]


class RoadsSpec(Spec):
    """Roads: known stretches in km, and how fast trucks drive on them."""

    distances_km: dict[str, dict[str, NonNegative]] = Field(
        default_factory=dict, description="site: {site: km}, either way; further ones by the shortest way"
    )
    speed_kmh: Law = Field(default=40.0, validate_default=True, description="of a trip, traffic included")
    hour_factor: Hourly = Field(default=[1.0] * 24, description="of the speed, by the hour of departure")
    cost_per_km: NonNegative = Field(default=0.0, description="of a driving truck, in the currency")

    @model_validator(mode="after")
    def _moving(self) -> Self:
        if compile_law(self.speed_kmh).mean <= 0.0:
            raise ValueError("speed_kmh: trucks must move")
        return self


class Roads:
    """Distances between all places, and times to cover them."""

    def __init__(self, spec: RoadsSpec, places: list[str]) -> None:
        self.spec = spec
        self.speed = compile_law(spec.speed_kmh)
        self._km = shortest_km(spec.distances_km, places)

    def km(self, origin: str, destination: str) -> float:
        """Shortest way [km]; infinite where none is known."""
        return self._km[origin, destination]

    def expected_h(self, origin: str, destination: str, hour: int) -> float:
        """Expected driving time of a departure in an hour of the day [h]."""
        return self.km(origin, destination) / (self.speed.mean * self.spec.hour_factor[hour % 24])


def shortest_km(stretches: dict[str, dict[str, float]], places: list[str]) -> dict[tuple[str, str], float]:
    """Shortest ways between all places (Floyd and Warshall)."""
    names = sorted({*places, *stretches, *(there for row in stretches.values() for there in row)})
    km = {(a, b): 0.0 if a == b else math.inf for a in names for b in names}
    for here, row in stretches.items():
        for there, length in row.items():
            km[here, there] = km[there, here] = min(length, km[here, there])
    for via in names:
        for a in names:
            for b in names:
                km[a, b] = min(km[a, b], km[a, via] + km[via, b])
    return km
