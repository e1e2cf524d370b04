"""Planned work: announced, perhaps with the jobs drained first, done, and handed back.

A drained job saves and stands by before the work begins, so it goes back to no checkpoint: it loses the time of the
work and a warm restart. Works by rate come at even spacing with a drawn phase and take what they are done on in turn.
Each begins and ends with an operation by hand, which may go wrong (`human_error`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from twin.parts.supply_events import Duration, event_number
from twin.spec import NonNegative, PerYear
from twin.units import HOURS_PER_YEAR, TICKS_PER_H, hours, ticks
from twin.world import record as r
from twin.world.site import Site
from twin.world.world import Notice

if TYPE_CHECKING:
    from twin.world.world import Process, World


class WorkTermsSpec(Duration):
    """What all planned work has in common."""

    notice_h: NonNegative = Field(default=0.0, description="announced this long before")
    drain_job: bool = Field(default=False, description="jobs save and stand by first, and restart when it is done")


class TurnWorkSpec(WorkTermsSpec):
    """Work on like things in turn."""

    per_year: PerYear = Field(description="works a year, over all of them")


class Work(Protocol):
    """What is worked on."""

    count: int
    concerns: int
    """What of the site reacts when it begins or ends, as in `Site.change`."""

    def load(self, k: int) -> str:
        """The load point whose supply goes with number k; empty where none does."""

    def ready(self, k: int) -> bool:
        """Whether work on number k may begin now; if not, it waits for a day."""

    def begin(self, k: int, event: int, until_us: int, row: int) -> list[int]:
        """Take number k out of service; returns the feeds that are switched by hand for it."""

    def end(self, k: int, row: int) -> None:
        """Give number k back."""


class Drain:
    """The jobs of a site, stopped for one source of work; with `on` false nothing happens to them."""

    def __init__(self, site: Site, reason: str, *, on: bool) -> None:
        self._site, self._reason, self._on = site, reason, on

    @property
    def lead_us(self) -> int:
        """How long before the work they are told: as long as the slowest takes to save."""
        return max((job.write_us for job in self._site.jobs), default=0) if self._on else 0

    def stop(self, item: int) -> None:
        """The work is about to begin."""
        if self._on:
            row = self._site.change(item, r.DRAINED, 1, 0)
            for job in self._site.jobs:
                job.stop(self._reason, row)

    def release(self, row: int) -> None:
        """The work is done."""
        if self._on:
            for job in self._site.jobs:
                job.resume(self._reason, row)


def announced(
    world: World, site: Site, item: int, at_us: int, lead_us: int, spec: WorkTermsSpec, expected_h: float, load: str
) -> Process:
    """Sleep until `lead_us` before `at_us`, with notice before that."""
    if spec.notice_h > 0.0 and at_us < world.horizon_us:
        early = at_us - ticks(spec.notice_h)
        if early > world.now:
            yield world.sleep(early - world.now)
        row = site.change(item, r.ANNOUNCED, at_us, 0)
        world.announce(Notice(item, site.name, hours(at_us), expected_h, row, load))
    if at_us - lead_us > world.now:
        yield world.sleep(at_us - lead_us - world.now)


def done_on(
    world: World, site: Site, item: int, name: str, work: Work, k: int, event: int, duration_us: int, drain: Drain
) -> Process:
    """One work on number k of the source `name`, from the moment at which the jobs are drained."""
    while not work.ready(k):
        site.change(item, r.POSTPONED, 1, 0)
        yield world.sleep(24 * TICKS_PER_H)
    lead_us = drain.lead_us
    drain.stop(item)
    if lead_us:
        yield world.sleep(lead_us)
    row = site.change(item, r.STRIKES, duration_us, work.concerns)
    feeds = work.begin(k, event, world.now + duration_us, row)
    if feeds:
        site.hands.switch(name, feeds, row)
    yield world.sleep(duration_us)
    row = site.change(item, r.RESTORED, 1, work.concerns, row)
    work.end(k, row)
    if feeds:
        site.hands.switch(name, feeds, row)
    drain.release(row)


def by_rate(world: World, site: Site, item: int, name: str, spec: TurnWorkSpec, work: Work) -> Process:
    """Works at even spacing, one after the other."""
    phase, durations = world.stream(name, "phase"), world.stream(name, "duration")
    every = ticks(HOURS_PER_YEAR / spec.per_year)
    at, ordinal, law = round(phase.uniform() * every), 0, spec.law()
    drain, first = Drain(site, name, on=spec.drain_job), event_number(name, 0)
    while True:
        k = ordinal % work.count
        start = max(at, world.now + 1)
        yield from announced(world, site, item, start, drain.lead_us, spec, law.mean, work.load(k))
        yield from done_on(world, site, item, name, work, k, first + ordinal, durations.ticks(law), drain)
        at += every
        ordinal += 1
