"""Supply events: what strikes which feeders, how deep, for how long, and when the next one comes.

Each source alternates: a time to the next event, then the event. Times between events are unit-exponential clocks under
a rate that may vary with the season (integrated hazard); durations are laws. An event whose residual voltage stays at
or above what the load rides through is logged and strikes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self

from pydantic import Field, model_validator

from twin.chance.law import CompiledLaw, Law, compile_law
from twin.chance.philox import stream_key
from twin.inputs.outages_csv import LoggedOutage
from twin.spec import Fraction, NonNegative, PerYear, Positive, Probability, Spec
from twin.units import HORIZON_MAX_YEARS, HOURS_PER_YEAR, NEVER, TICKS_PER_H, ticks
from twin.world.parties import GridSupply

if TYPE_CHECKING:
    from twin.world.world import Process, World

SEASON_OF_MONTH = ("winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer", "autumn", "autumn",
                   "autumn", "winter")  # fmt: skip


class SeasonSpec(Spec):
    """Factors on a yearly rate, by season (winter: December to February)."""

    winter: NonNegative = Field(default=1.0, description="factor from December to February")
    spring: NonNegative = Field(default=1.0, description="factor from March to May")
    summer: NonNegative = Field(default=1.0, description="factor from June to August")
    autumn: NonNegative = Field(default=1.0, description="factor from September to November")


class Duration(Spec):
    """A duration law in exactly one unit."""

    duration_h: Law | None = Field(default=None, description="law of the duration, in hours; or one of the next three")
    duration_min: Law | None = Field(default=None, description="the same, in minutes")
    duration_s: Law | None = Field(default=None, description="the same, in seconds")
    duration_ms: Law | None = Field(default=None, description="the same, in milliseconds")

    @model_validator(mode="after")
    def _one_duration(self) -> Self:
        given = [name for name in Duration.model_fields if name != "source" and getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give the duration once: one of duration_h, duration_min, duration_s, duration_ms")
        return self

    def law(self) -> CompiledLaw:
        """The duration's law, in hours."""
        per_h = {"duration_h": 1.0, "duration_min": 60.0, "duration_s": 3600.0, "duration_ms": 3.6e6}
        for name, units in per_h.items():
            value = getattr(self, name)
            if value is not None:
                return compile_law(value, to_h=1.0 / units)
        raise AssertionError("validated above")


class EventSpec(Duration):
    """A Poisson source of supply events."""

    per_year: PerYear = Field(description="mean number of events a year, at a seasonal factor of 1")
    residual_voltage_fraction: Fraction = Field(
        default=0.0, description="what is left of the voltage; 0 is an interruption, more is a sag"
    )
    season: SeasonSpec = SeasonSpec()
    repeat_probability: Probability = Field(
        default=0.0, description="that another event of this kind follows soon after its end"
    )
    repeat_within_h: Positive = Field(default=6.0, description="how soon, evenly distributed")
    notice_h: NonNegative = Field(default=0.0, description="announced this long before, as a storm is forecast")
    notice_probability: Probability = Field(default=1.0, description="share of events that are announced")


class PlannedSpec(Duration):
    """Planned work on a feeder: evenly spaced, never while the other feeder is down."""

    per_year: PerYear = Field(description="works a year")
    closed_transition_probability: Probability = Field(
        default=1.0, description="that load is moved to the other feeder without a break"
    )
    notice_h: NonNegative = Field(default=0.0, description="announced this long before")
    drain_job: bool = Field(default=False, description="jobs save and stand by first, and restart when it is done")


class ScriptedEventSpec(Duration):
    """One event at a known time: for tests, and for replaying what a site has lived through."""

    at_h: NonNegative = Field(description="from the start of the horizon")
    feeders: list[str] = Field(default_factory=list, description="struck feeders; empty = all")
    residual_voltage_fraction: Fraction = Field(
        default=0.0, description="what is left of the voltage; 0 is an interruption, more is a sag"
    )
    notice_h: NonNegative = Field(default=0.0, description="announced this long before")
    kind: Literal["script", "sag", "momentary", "sustained", "common"] = Field(
        default="script", description="the word for it in chains of causes"
    )


ORDINAL_BITS = 26


def event_number(source: str, ordinal: int) -> int:
    """A number for event `ordinal` of a source, the same whatever other sources there are (30 + 26 bits)."""
    return int(stream_key(0, source, "event")) >> 34 << ORDINAL_BITS | ordinal % (1 << ORDINAL_BITS)


def hazard_ticks(exponential: float, per_year: float, factors: tuple[float, ...], now_us: int, start_month: int) -> int:
    """Tick at which a rate with twelve monthly factors has used up a unit-exponential hazard from `now_us` on.

    Months are twelfths of 8,760 hours: a season's edge needs no calendar.
    """
    if not any(factors) or exponential > per_year * max(factors) * HORIZON_MAX_YEARS:
        return NEVER
    if len(set(factors)) == 1:
        return now_us + ticks(exponential / (per_year * factors[0]) * HOURS_PER_YEAR)
    month_us = round(HOURS_PER_YEAR / 12 * TICKS_PER_H)
    left, at = exponential, now_us
    years = math.floor(left / (per_year * sum(factors) / 12))
    if years > 2:
        left -= (years - 1) * per_year * sum(factors) / 12
        at += (years - 1) * 12 * month_us
    while True:
        month = at // month_us
        rate = per_year * factors[(start_month - 1 + month) % 12] / (HOURS_PER_YEAR * TICKS_PER_H)
        end = (month + 1) * month_us
        if rate * (end - at) > left:
            return int(at + left / rate)
        left -= rate * (end - at)
        at = end


@dataclass(frozen=True)
class ArrivalRate:
    """A yearly rate with twelve monthly factors, as a hazard rate over the clock."""

    per_year: float
    factors: tuple[float, ...]
    start_month: int

    def tick(self, hazard: float, now_us: int) -> int:
        """When so much hazard is used up from `now_us` on."""
        return hazard_ticks(hazard, self.per_year, self.factors, now_us, self.start_month)

    def used(self, start_us: int, end_us: int) -> float:
        """Hazard between two ticks."""
        per_us = self.per_year / (HOURS_PER_YEAR * TICKS_PER_H)
        if len(set(self.factors)) == 1:
            return per_us * self.factors[0] * (end_us - start_us)
        month_us = round(HOURS_PER_YEAR / 12 * TICKS_PER_H)
        total, at = 0.0, start_us
        while at < end_us:
            month = at // month_us
            until = min((month + 1) * month_us, end_us)
            total += per_us * self.factors[(self.start_month - 1 + month) % 12] * (until - at)
            at = until
        return total


class Struck(GridSupply, Protocol):
    """What a source of events asks of the grid."""

    def others_down(self, feeder: int) -> bool:
        """Whether any other feeder is down."""

    def postpone(self, item: int) -> None:
        """Log that planned work waits."""


class Worked(Struck, Protocol):
    """What planned work on a feeder asks of the grid besides."""

    def work(
        self, item: int, name: str, event: int, feeder: int, duration_us: int, *, closed_transition: bool, drained: bool
    ) -> Process:
        """Take a feeder down for planned work, with its operations by hand, the jobs drained first where asked."""


def warned(
    world: World, grid: Struck, item: int, at_us: int, notice_h: float, expected_h: float, feeders: tuple[int, ...]
) -> Process:
    """Sleep until `at_us`, announcing it `notice_h` before (at once where that is past; not at all where it is 0)."""
    if notice_h > 0.0 and at_us < world.horizon_us:
        early = at_us - ticks(notice_h)
        if early > world.now:
            yield world.sleep(early - world.now)
        grid.announce(item, at_us, expected_h, feeders)
    if at_us > world.now:
        yield world.sleep(at_us - world.now)


class Source:
    """A running Poisson source: sleeps, strikes, clears, perhaps strikes again soon after."""

    def __init__(self, spec: EventSpec, name: str, feeders: tuple[int, ...], start_month: int) -> None:
        self.spec, self.name, self.feeders = spec, name, feeders
        self._law = spec.law()
        self._start_month = start_month
        self._group = name.rsplit("/", 1)[-1]
        self._factors = tuple(float(getattr(spec.season, season)) for season in SEASON_OF_MONTH)

    def run(self, world: World, grid: Struck, item: int) -> Process:
        """The source's process."""
        gaps, durations = world.stream(self.name, "arrival"), world.stream(self.name, "duration")
        repeats, notices = world.stream(self.name, "repeat"), world.stream(self.name, "notice")
        parts = world.stream(self.name, "duration_part")
        arrivals = ArrivalRate(self.spec.per_year, self._factors, self._start_month)
        spec = self.spec
        ordinal = 0
        while True:
            exponential = -math.log1p(-gaps.uniform())
            at = hazard_ticks(exponential, spec.per_year, self._factors, world.now, self._start_month)
            at = max(at, world.now + 1)
            told = spec.notice_h > 0.0 and notices.uniform_at(ordinal) < spec.notice_probability
            if told or at >= NEVER:  # what is known ahead cannot be sped up
                yield from warned(world, grid, item, at, spec.notice_h if told else 0.0, self._law.mean, self.feeders)
            else:
                yield world.luck.wait(self._group, at, arrivals)
            world.luck.degraded(self.name, True)
            while True:
                number = event_number(self.name, ordinal)
                ordinal += 1
                duration_us = world.luck.duration_us(self._group, durations, parts, self._law)
                yield from grid.event(item, number, self.feeders, duration_us, spec.residual_voltage_fraction)
                again, wait = repeats.uniform(), repeats.uniform()
                if again >= spec.repeat_probability:
                    break
                yield world.sleep(max(1, ticks(wait * spec.repeat_within_h)))
            world.luck.degraded(self.name, False)


class PlannedSource:
    """Planned work at even spacing with a drawn phase; postponed by a day while the other feeder is down."""

    def __init__(self, spec: PlannedSpec, name: str, feeder: int) -> None:
        self.spec, self.name, self.feeder = spec, name, feeder
        self._law = spec.law()

    def run(self, world: World, grid: Worked, item: int) -> Process:
        """The work's process."""
        if self.spec.per_year <= 0.0:
            return
        phase, durations = world.stream(self.name, "phase"), world.stream(self.name, "duration")
        transition = world.stream(self.name, "transition")
        every = ticks(HOURS_PER_YEAR / self.spec.per_year)
        at = round(phase.uniform() * every)
        ordinal = 0
        while True:
            yield from warned(
                world, grid, item, max(at, world.now + 1), self.spec.notice_h, self._law.mean, (self.feeder,)
            )
            while grid.others_down(self.feeder):
                grid.postpone(item)
                later = world.now + 24 * TICKS_PER_H
                yield from warned(
                    world, grid, item, later, min(24.0, self.spec.notice_h), self._law.mean, (self.feeder,)
                )
            closed = transition.uniform() < self.spec.closed_transition_probability
            number = event_number(self.name, ordinal)
            duration_us = durations.ticks(self._law)
            yield from grid.work(
                item, self.name, number, self.feeder, duration_us, closed_transition=closed,
                drained=self.spec.drain_job,
            )  # fmt: skip
            ordinal += 1
            at += every


class ScriptedSource:
    """One scripted event."""

    def __init__(self, spec: ScriptedEventSpec, name: str, feeders: tuple[int, ...]) -> None:
        self.spec, self.name, self.feeders = spec, name, feeders
        self._law = spec.law()

    def run(self, world: World, grid: Struck, item: int) -> Process:
        """The event's process."""
        duration = world.stream(self.name, "duration").ticks(self._law)
        if self.spec.at_h > 0:
            yield from warned(
                world, grid, item, ticks(self.spec.at_h), self.spec.notice_h, self._law.mean, self.feeders
            )
        number = event_number(self.name, 0)
        yield from grid.event(item, number, self.feeders, duration, self.spec.residual_voltage_fraction)


class LoggedSource:
    """The events of one kind in an outage log, in order of time; they may overlap.

    An event is known by its tick, and by its place among those of that tick: rows before it move no luck in it.
    """

    def __init__(self, events: list[LoggedOutage], name: str, feeders: list[str]) -> None:
        self._events, self.name, self._feeders = events, name, feeders

    def run(self, world: World, grid: Struck, item: int) -> Process:
        """Sleep until each event and let it run its course beside those that follow."""
        at_us, ordinal = -1, 0
        for event in self._events:
            ordinal = ordinal + 1 if ticks(event.at_h) == at_us else 0
            at_us = ticks(event.at_h)
            wait_us = at_us - world.now
            if wait_us > 0:
                yield world.sleep(wait_us)
            struck = tuple(self._feeders.index(name) for name in event.feeders if name in self._feeders)
            number = event_number(f"{self.name}/{at_us}", ordinal)
            duration_us = max(1, ticks(event.duration_h))
            world.start(grid.event(item, number, struck, duration_us, event.residual_voltage_fraction))
