"""What a scenario says of the public supply: feeders, tie, limits, the events that strike, or a log of them."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from twin.parts.supply_events import EventSpec, PlannedSpec, ScriptedEventSpec
from twin.spec import Fraction, NonNegative, Positive, Probability, Spec


class FeederSpec(Spec):
    """One incoming feeder and the events that strike it alone."""

    momentary: EventSpec | None = None
    sustained: EventSpec | None = None
    planned: PlannedSpec | None = None
    capacity_kw: Positive | None = Field(default=None, description="what the feeder and its transformer carry")


class ExpansionSpec(Spec):
    """From `at_h` on the site may import more."""

    at_h: NonNegative = Field(description="when it is connected, from the start of the horizon")
    import_limit_kw: Positive = Field(description="of the site from then on")


class OutageLogSpec(Spec):
    """A record of what a site has lived through, replayed; columns as `twin.inputs.outages_csv` says."""

    file: str = Field(description="CSV record, one row an outage")
    beside_drawn: bool = Field(default=False, description="whether drawn events strike, too")


class GridSpec(Spec):
    """Grid supply of a site: one feeder, or two with a normally open tie between their sections."""

    feeders: dict[str, FeederSpec] = Field(min_length=1, max_length=2)
    both_feeders: EventSpec | None = Field(default=None, description="common cause: substation, storm, ice")
    deep_sags: EventSpec | None = Field(default=None, description="voltage dips that strike all sections at once")
    script: list[ScriptedEventSpec] = Field(default_factory=list)
    outages: OutageLogSpec | None = Field(default=None, description="a log of outages instead of drawn ones")
    auto_transfer_s: NonNegative = Field(
        default=1.5, description="from the loss of a feeder until the tie carries its section (assumed)"
    )
    auto_transfer_failure_probability: Probability = Field(
        default=0.02, description="that the tie does not close when called (assumed)"
    )
    ride_through_voltage_fraction: Fraction = Field(
        default=0.7,
        description="sags that leave so much voltage harm nothing, however long they last; the ITIC and SEMI F47 curves"
        " have 0.7 for half a second",
    )
    import_limit_kw: Positive | None = Field(
        default=None, description="of the site; over it GPUs are capped, then load is shed; none if absent"
    )
    import_floor_kw: NonNegative = Field(
        default=0.0,
        description="import that discharging cabinets and plugged trucks leave, where export is banned",
    )
    ramp_limit_kw_per_min: Positive | None = Field(
        default=None, description="of exchange with the grid; kept by cabinets with a plan (`ems`), else only counted"
    )
    expansion: ExpansionSpec | None = Field(default=None, description="a larger connection, once it is built")

    @model_validator(mode="after")
    def _limit_grows(self) -> Self:
        if self.expansion is not None and self.import_limit_kw is None:
            raise ValueError("expansion: give the import_limit_kw that holds until then")
        return self

    @property
    def draws(self) -> bool:
        """Whether drawn events strike: not where a log says what happened."""
        return self.outages is None or self.outages.beside_drawn
