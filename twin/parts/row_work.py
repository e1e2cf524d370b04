"""Planned work on one load point's own board: its feed is cut off from the sections, whoever stands behind it or not.

The load is dark for as long, unless storage on its feed or a truck at its connection point carries it. Works by rate
come at even spacing with a drawn phase, and take the rows in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from twin.errors import InputError
from twin.parts.cluster import row_name
from twin.parts.supply_events import Duration, event_number
from twin.plant import fields as f
from twin.spec import NonNegative, Spec
from twin.units import HOURS_PER_YEAR, hours, ticks
from twin.world import record as r
from twin.world.site import SUPPLY, Site
from twin.world.world import Notice

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World


class WorkSpec(Duration):
    """Work on one load point at a known time."""

    at_h: NonNegative
    on: str = Field(description="a load point by name: row-001, core, ...")
    notice_h: NonNegative = 0.0


class RowWorkSpec(Duration):
    """Work on the rows in turn."""

    per_year: NonNegative = Field(description="works a year, over all rows")
    notice_h: NonNegative = 0.0


class BoardWorkSpec(Spec):
    """All planned work on boards of single load points."""

    rows: RowWorkSpec | None = None
    script: list[WorkSpec] = Field(default_factory=list)


class BoardWork:
    """The works of one site."""

    def __init__(self, spec: BoardWorkSpec, rows: int) -> None:
        self.spec, self._rows = spec, rows

    def declare(self, site: SiteBuilder) -> None:
        """One item for works by rate, one for each scripted one."""
        if self.spec.rows is not None:
            site.item("work/rows", "planned")
            for k in range(self._rows):
                _refuse_shared(site, row_name(k))
        for work in self.spec.script:
            _refuse_shared(site, work.on)
        for n, _ in enumerate(self._script()):
            site.item(f"work/script-{n + 1:04d}", "planned")

    def _script(self) -> list[WorkSpec]:
        return sorted(self.spec.script, key=lambda work: (work.at_h, work.on, work.model_dump_json()))

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start a process for every source of work."""
        site.switches = True
        running = RunningWork(world, site)
        if self.spec.rows is not None and self.spec.rows.per_year > 0.0:
            world.start(running.by_rate(self.spec.rows, ids[site.path("work/rows")], self._rows))
        for n, work in enumerate(self._script()):
            world.start(running.scripted(work, ids[site.path(f"work/script-{n + 1:04d}")]))


def _refuse_shared(site: SiteBuilder, name: str) -> None:
    """Work on a board is work on one load point alone: a feed that carries others cannot be cut off for it."""
    load = site.loads.get(site.path(name))
    if load is None:
        raise InputError(f"planned_work on '{name}' of site {site.name}: no such load point")
    others = [one.name for one in site.loads.values() if one is not load and set(one.feeds) & set(load.feeds)]
    if others:
        also = ", ".join(site.short(one) for one in sorted(others))
        raise InputError(f"planned_work on '{name}' of site {site.name}: its feed also carries {also}")


class RunningWork:
    """Works of one site in one world."""

    def __init__(self, world: World, site: Site) -> None:
        self._world, self._site = world, site

    def by_rate(self, spec: RowWorkSpec, item: int, rows: int) -> Process:
        """Evenly spaced, row after row."""
        name = self._site.path("work/rows")
        phase, durations = self._world.stream(name, "phase"), self._world.stream(name, "duration")
        every = ticks(HOURS_PER_YEAR / spec.per_year)
        at, ordinal, law = round(phase.uniform() * every), 0, spec.law()
        while True:
            row = row_name(ordinal % rows)
            yield from self._warned(item, row, max(at, self._world.now + 1), spec.notice_h, law.mean)
            yield from self._cut_off(item, row, event_number(name, ordinal), durations.ticks(law))
            at += every
            ordinal += 1

    def scripted(self, spec: WorkSpec, item: int) -> Process:
        """Once."""
        name = f"{self._site.path('work')}/{spec.on}/{ticks(spec.at_h)}"
        law = spec.law()
        yield from self._warned(item, spec.on, ticks(spec.at_h), spec.notice_h, law.mean)
        duration_us = self._world.stream(name, "duration").ticks(law)
        yield from self._cut_off(item, spec.on, event_number(name, 0), duration_us)

    def _warned(self, item: int, load: str, at_us: int, notice_h: float, expected_h: float) -> Process:
        world, site = self._world, self._site
        if notice_h > 0.0 and at_us < world.horizon_us:
            early = at_us - ticks(notice_h)
            if early > world.now:
                yield world.sleep(early - world.now)
            row = site.change(item, r.ANNOUNCED, at_us, 0)
            world.announce(Notice(item, site.name, hours(at_us), expected_h, row, load))
        if at_us > world.now:
            yield world.sleep(at_us - world.now)

    def _cut_off(self, item: int, load: str, event: int, duration_us: int) -> Process:
        """The load's feed is away from the sections until the work is done."""
        site = self._site
        plan = site.plan
        feeds = plan.feeds_of[plan.load_of[load]]
        site.change(item, r.STRIKES, duration_us, SUPPLY)
        until = site.now_us + duration_us
        for j in feeds:
            site.fact[f.F_AWAY_US, j] = max(int(site.fact[f.F_AWAY_US, j]), until)
            site.fact[f.F_EVENT, j] = event
        yield self._world.sleep(duration_us)
        site.change(item, r.RESTORED, 1, SUPPLY)
