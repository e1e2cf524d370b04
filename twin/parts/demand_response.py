"""Demand-response programmes: calls with notice, by script or by chance; import while called is metered.

A call asks for `kw` below a stated baseline. It moves nothing by itself: what answers it is the site's management
(`ems`), which hears of it with the notice. Events in the trace: `notice`, `call` (1 begins, 0 ends) and `metered`
(import during the call in Wh, with the network's losses); payment and penalty are lines of the bill. Left out:
baselines drawn from past days.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from heapq import merge
from typing import TYPE_CHECKING, Self

from pydantic import Field, field_validator, model_validator

from twin.parts.tariff_hours import Month, slots_of
from twin.spec import NonNegative, Positive, Spec
from twin.units import ticks
from twin.world import record as r
from twin.world.profile import DAY_US, QUARTER_US

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import Process, Stream, World

Call = tuple[int, int]
"""Begin and end [us]."""


class CallSpec(Spec):
    """A scripted call."""

    at_h: NonNegative = Field(description="from the start of the horizon")
    duration_h: Positive = Field(description="of the call")


class RandomCallsSpec(Spec):
    """Calls by chance: a Poisson stream over the hours in which a call may begin."""

    per_month: NonNegative = Field(description="mean number in each of these months")
    months: list[Month] = Field(default=list(range(1, 13)), min_length=1, description="numbers from 1, January, to 12")
    hours: str = Field(default="0-24", description='hours in which a call may begin, like "14-17"')
    duration_h: Positive = Field(description="of each call")

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, text: str) -> str:
        slots_of(text)
        return text


class ProgrammeSpec(Spec):
    """One programme: what is asked, against which baseline, and what it pays."""

    calls: list[CallSpec] = Field(default_factory=list)
    random_calls: list[RandomCallsSpec] = Field(default_factory=list, description="one block a season")
    notice_h: NonNegative = Field(default=0.0, description="announced this long before it begins")
    kw: Positive = Field(description="asked below the baseline, mean over the call")
    baseline_kw: Positive = Field(description="import that the contract takes for normal")
    payment_per_kwh: NonNegative = Field(default=0.0, description="of what is delivered, at most what is asked")
    payment_per_kw: NonNegative = Field(default=0.0, description="of the mean delivered, for every call")
    penalty_per_kwh: NonNegative = Field(default=0.0, description="of what is asked and not delivered")

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.calls and not self.random_calls:
            raise ValueError("a programme without calls: give calls or random_calls")
        if self.kw > self.baseline_kw:
            raise ValueError(f"kw ({self.kw:g}) is more than baseline_kw ({self.baseline_kw:g})")
        return self


class DemandResponse:
    """One programme at a site."""

    def __init__(self, name: str, spec: ProgrammeSpec, start: date) -> None:
        self.name, self.spec, self._start = f"demand-response/{name}", spec, start

    def declare(self, site: SiteBuilder) -> None:
        """One item, whose events are the calls."""
        site.item(self.name, "demand_response")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start the programme."""
        full = site.path(self.name)
        streams = [world.stream(full, f"calls-{k}") for k in range(len(self.spec.random_calls))]
        calls = upcoming(self.spec, self._start, streams, world.horizon_us)
        world.start(self._run(world, site, ids[full], calls))

    def _run(self, world: World, site: Site, item: int, calls: Iterator[Call]) -> Process:
        """Wait for the notice of each call; the call then runs by itself."""
        for begin_us, end_us in calls:
            notice_us = max(begin_us - ticks(self.spec.notice_h), world.now)
            if notice_us > world.now:
                yield world.sleep(notice_us - world.now)
            row = site.change(item, r.NOTICE, 1, 0)
            site.announce(begin_us, end_us, self.spec.baseline_kw - self.spec.kw)
            world.start(self._call(world, site, item, (begin_us, end_us), row))

    def _call(self, world: World, site: Site, item: int, call: Call, cause: int) -> Process:
        if call[0] > world.now:
            yield world.sleep(call[0] - world.now)
        before_kwh = site.imported_kwh()
        row = site.change(item, r.CALL, 1, 0, cause)
        yield world.sleep(call[1] - world.now)
        taken_kwh = site.imported_kwh() - before_kwh
        row = site.change(item, r.CALL, 0, 0, row)
        site.change(item, r.METERED, round(taken_kwh * 1000.0), 0, row)


def upcoming(spec: ProgrammeSpec, start: date, streams: list[Stream], horizon_us: int) -> Iterator[Call]:
    """Calls in order of time; one that would begin before the last has ended falls away, at its end is a tick later."""
    script = sorted((ticks(one.at_h), ticks(one.at_h + one.duration_h)) for one in spec.calls)
    chance = [_random(one, start, stream, horizon_us) for one, stream in zip(spec.random_calls, streams, strict=True)]
    free_us = -1
    for begin_us, end_us in merge(script, *chance):
        if begin_us >= horizon_us:
            return
        if begin_us >= free_us:
            yield begin_us + (begin_us == free_us), end_us
            free_us = end_us


def _random(spec: RandomCallsSpec, start: date, stream: Stream, horizon_us: int) -> Iterator[Call]:
    """Days are walked with their share of the month's hazard; a call falls where a unit exponential is used up."""
    slots = sorted(slots_of(spec.hours))
    left = -math.log1p(-stream.uniform())
    for day in range(-(-horizon_us // DAY_US)):
        today = start + timedelta(days=day)
        if today.month not in spec.months:
            continue
        hazard = spec.per_month / _days_in(today)
        used = 0.0
        while hazard > 0.0 and used + left < hazard:
            used += left
            place = used / hazard * len(slots)
            begin_us = day * DAY_US + int((slots[int(place)] + place % 1.0) * QUARTER_US)
            yield begin_us, begin_us + ticks(spec.duration_h)
            left = -math.log1p(-stream.uniform())
        left -= hazard - used


def _days_in(day: date) -> int:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - date(day.year, day.month, 1)).days
