"""Trucks, crews, leases and the fleet as the YAML gives them."""

from __future__ import annotations

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from twin.chance.law import Law
from twin.fleet.policies import Policy
from twin.fleet.policies.home import Home
from twin.parts.capital import CapitalSpec
from twin.spec import Fraction, NonNegative, Positive, Spec


class ServiceSpec(Spec):
    """Planned service, at home, when no outage needs the truck."""

    every_h: Positive = Field(description="between two services")
    duration_h: Positive = Field(description="of a service")


class LeaseSpec(Spec):
    """Lent to a third party: away from home for a time, for an income; comes back as full as it went."""

    from_h: NonNegative = Field(description="from the start of the horizon")
    hours: Positive = Field(description="that it is away")
    income_per_h: NonNegative = Field(description="in the currency")
    km: NonNegative = Field(default=0.0, description="from home, one way")


class TruckSpec(Spec):
    """A storage truck, or a rented generator truck: a column of the plant on wheels."""

    home: str = Field(description="a site with a free berth; the truck is there at first")
    rated_kw: Positive = Field(description="most that it gives")
    rated_kwh: Positive | None = Field(default=None, description="nameplate, DC; a generator truck has none")
    generator: bool = Field(default=False, description="burns fuel: unlimited energy, never charges, never trades")
    fuel_cost_per_kwh: NonNegative = Field(default=0.0, description="of a generator truck")
    soc_min_fraction: Fraction = Field(default=0.05, description="of rated_kwh, never less")
    soc_max_fraction: Fraction = Field(default=0.95, description="of rated_kwh, full")
    soc_start_fraction: Fraction | None = Field(default=None, description="soc_max_fraction if absent")
    efficiency_one_way: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="of charging and of discharging each; 0.9 both ways is usual (NREL REopt: 0.899)",
    )
    auxiliary_kw: NonNegative = Field(default=1.0, description="on the road and where nobody else supplies it, its own")
    recharge_kw: Positive | None = Field(default=None, description="rated_kw if absent")
    breakdowns_per_1000_km: NonNegative = Field(default=0.03, description="on the road")
    repair_h: Law = Field(
        default=8.0, validate_default=True, description="from a breakdown until it drives again (assumed)"
    )
    service: ServiceSpec | None = None
    leases: list[LeaseSpec] = Field(default_factory=list)
    capital: CapitalSpec | None = None

    @model_validator(mode="after")
    def _window(self) -> Self:
        start = self.soc_max_fraction if self.soc_start_fraction is None else self.soc_start_fraction
        if not self.soc_min_fraction <= start <= self.soc_max_fraction:
            raise ValueError("soc_min_fraction, soc_start_fraction and soc_max_fraction must not decrease")
        if (self.rated_kwh is None) != self.generator:
            raise ValueError("give rated_kwh, or generator: true")
        ends = sorted((lease.from_h, lease.from_h + lease.hours) for lease in self.leases)
        if any(one[1] > two[0] for one, two in pairwise(ends)):
            raise ValueError("leases overlap")
        return self

    @property
    def start_kwh(self) -> float:
        """Stored energy at time zero [kWh]."""
        start = self.soc_max_fraction if self.soc_start_fraction is None else self.soc_start_fraction
        return (self.rated_kwh or 0.0) * start


class CrewSpec(Spec):
    """Who drives: time from the order until the truck is being disconnected, and what an hour costs."""

    response_min: NonNegative = Field(default=15.0, description="from an order until somebody is at the truck, by day")
    night_response_min: NonNegative = Field(default=45.0, description="the same by night")
    night_from_h: float = Field(
        default=22.0, ge=0, le=24, description="hour of the day at which night_response_min begins to hold"
    )
    night_to_h: float = Field(default=6.0, ge=0, le=24, description="hour of the day at which it ends")
    cost_per_h: NonNegative = Field(default=0.0, description="of a crew at work, in the currency")

    def response_h(self, hour_of_day: float) -> float:
        """Response at an hour of the day [h]."""
        late, early = hour_of_day >= self.night_from_h, hour_of_day < self.night_to_h
        night = late or early if self.night_from_h > self.night_to_h else late and early
        return (self.night_response_min if night else self.response_min) / 60.0


class FleetSpec(Spec):
    """Who sends the trucks where."""

    policy: Policy = Field(
        default=Home(kind="home"),
        validate_default=True,
        description="which truck goes where, and when; its `kind` names it",
    )
    crew: CrewSpec = CrewSpec()
    detection_min: NonNegative = Field(default=5.0, description="from an outage until the dispatcher acts on it")
