"""The public supply: feeders onto bus sections with a tie between them, and the events that strike them.

Feeder k feeds section k. A section whose feeder is down is taken over by the other feeder through the tie, after the
auto-transfer time - which is always longer than any hold-up, so a load without ride-through is lost all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from twin.parts.supply_events import (
    EventSpec,
    PlannedSource,
    PlannedSpec,
    ScriptedEventSpec,
    ScriptedSource,
    Source,
)
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, Probability, Spec
from twin.units import NEVER, TICKS_PER_S
from twin.world import record as r
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World


class FeederSpec(Spec):
    """One incoming feeder and the events that strike it alone."""

    momentary: EventSpec | None = None
    sustained: EventSpec | None = None
    planned: PlannedSpec | None = None


class GridSpec(Spec):
    """Grid supply of a site: one feeder, or two with a normally open tie between their sections."""

    feeders: dict[str, FeederSpec] = Field(min_length=1, max_length=2)
    both_feeders: EventSpec | None = Field(default=None, description="common cause: substation, storm, ice")
    deep_sags: EventSpec | None = Field(default=None, description="voltage dips that strike all sections at once")
    script: list[ScriptedEventSpec] = Field(default_factory=list)
    auto_transfer_s: NonNegative = 1.5
    auto_transfer_failure_probability: Probability = 0.02
    ride_through_voltage_fraction: Fraction = 0.7
    import_limit_kw: Positive | None = None


class Grid:
    """Feeders, sections and tie of one running site."""

    def __init__(self, spec: GridSpec, start_month: int) -> None:
        self.spec = spec
        self.names = sorted(spec.feeders)
        self._start_month = start_month
        self._sources: list[tuple[Source | PlannedSource | ScriptedSource, str]] = []

    def declare(self, site: SiteBuilder) -> None:
        """Feeders, tie, and one item for each source of events."""
        for name in self.names:
            site.item(f"feeder-{name}", "feeder")
        if len(self.names) == 2:
            site.item("tie", "tie")
        if self.spec.import_limit_kw is not None:
            site.import_limit_kw = self.spec.import_limit_kw
        everywhere = tuple(range(len(self.names)))
        for k, name in enumerate(self.names):
            feeder = self.spec.feeders[name]
            self._add(site, feeder.momentary, f"grid/{name}/momentary", "momentary", (k,))
            self._add(site, feeder.sustained, f"grid/{name}/sustained", "sustained", (k,))
            if feeder.planned is not None:
                full = site.item(f"grid/{name}/planned", "planned")
                self._sources.append((PlannedSource(feeder.planned, full, k), full))
        self._add(site, self.spec.both_feeders, "grid/both_feeders", "common", everywhere)
        self._add(site, self.spec.deep_sags, "grid/deep_sags", "sag", everywhere)
        for n, event in enumerate(self.spec.script):
            full = site.item(f"grid/script-{n + 1:04d}", event.kind)
            struck = tuple(self.names.index(name) for name in event.feeders) or everywhere
            self._sources.append((ScriptedSource(event, full, struck), full))

    def _add(self, site: SiteBuilder, spec: EventSpec | None, name: str, kind: str, feeders: tuple[int, ...]) -> None:
        if spec is not None:
            full = site.item(name, kind)
            self._sources.append((Source(spec, full, feeders, self._start_month), full))

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start a process for every source."""
        running = RunningGrid(self.spec, world, site, ids, self.names)
        for source, name in self._sources:
            world.start(source.run(world, running, ids[name]))


class RunningGrid:
    """State of the feeders in one world: strikes in force, until when, and the tie."""

    def __init__(self, spec: GridSpec, world: World, site: Site, ids: dict[str, int], names: list[str]) -> None:
        self.spec, self.world, self.site = spec, world, site
        self._items = [ids[f"{site.plan.name}/feeder-{name}"] for name in names]
        self._strikes: list[list[int]] = [[] for _ in names]
        self._rows = [-1] * len(names)
        self._changed_over = [False] * len(names)
        self._events = 0
        self._transfer_us = round(spec.auto_transfer_s * TICKS_PER_S)
        self._two = len(names) == 2
        if self._two:
            self._tie_item = ids[f"{site.plan.name}/tie"]
            self._tie_closed = False
            self._tie_fails = world.stream(f"{site.plan.name}/tie", "transfer_failure")
            self._tie_alarm = world.alarm(self._close_tie)
            self._tie_stuck = False

    def event(
        self, item: int, feeders: tuple[int, ...], duration_us: int, residual: float, *, closed_transition: bool = False
    ) -> Process:
        """Strike `feeders` for `duration_us`, then clear; a shallow dip is only logged."""
        row = self.site.change(item, r.STRIKES, duration_us, 0)
        if residual >= self.spec.ride_through_voltage_fraction:
            return
        end = self.world.now + duration_us
        self._events += 1
        for k in feeders:
            self._strikes[k].append(end)
            if closed_transition:
                self._changed_over[k] = True
            if len(self._strikes[k]) == 1:
                self._rows[k] = self.site.change(self._items[k], r.UP, 0, SUPPLY, row)
        if self._two and not self._tie_closed and not all(self._strikes):
            self._tie_stuck = self._tie_fails.uniform_at(self._events) < self.spec.auto_transfer_failure_probability
        self._sections(row)
        yield self.world.sleep(duration_us)
        for k in feeders:
            self._strikes[k].remove(end)
            if not self._strikes[k]:
                self._changed_over[k] = False
                self.site.change(self._items[k], r.UP, 1, SUPPLY, row)
        self._sections(row)

    def others_down(self, feeder: int) -> bool:
        """Whether any other feeder is down, so that planned work must wait."""
        return any(strikes for k, strikes in enumerate(self._strikes) if k != feeder)

    def postpone(self, item: int) -> None:
        """Log that planned work waits for a day."""
        self.site.change(item, r.POSTPONED, 1, 0)

    def _close_tie(self) -> None:
        down = [k for k, strikes in enumerate(self._strikes) if strikes]
        if len(down) == 1 and not self._tie_stuck and not self._tie_closed:
            self._tie_closed = True
            row = self.site.change(self._tie_item, r.CLOSED, 1, SUPPLY, self._rows[down[0]])
            self._sections(row)

    def _sections(self, row: int) -> None:
        """Which sections carry grid voltage now; a closed transition closes the tie before the feeder opens."""
        section = self.site.section
        now = self.world.now
        healthy = [not strikes for strikes in self._strikes]
        if self._two:
            if all(healthy) and self._tie_closed:
                self._tie_closed = False
                self.site.change(self._tie_item, r.CLOSED, 0, SUPPLY, row)
            down = [k for k in (0, 1) if not healthy[k]]
            if len(down) == 1 and not self._tie_closed:
                if self._changed_over[down[0]]:
                    self._tie_closed = True
                    self.site.change(self._tie_item, r.CLOSED, 1, SUPPLY, row)
                elif not self._tie_stuck and self._tie_alarm.due == NEVER:
                    self._tie_alarm.at(now + self._transfer_us)
        for k in range(len(healthy)):
            through_tie = self._two and self._tie_closed and healthy[1 - k]
            on = int(healthy[k] or through_tie)
            until = max(self._strikes[k], default=now)
            if self._two and healthy[1 - k] and not self._tie_stuck and self._tie_alarm.due != NEVER:
                until = min(until, self._tie_alarm.due)
            section[f.S_BREAK_UNTIL_US, k] = until
            if on != section[f.S_GRID, k]:
                self.site.change(self._items[k], r.ENERGISED, on, SUPPLY, row)
                section[f.S_GRID, k] = on
                if not on:
                    section[f.S_EVENT, k] = self._events
