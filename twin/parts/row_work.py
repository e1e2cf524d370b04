"""Planned work of a site: on boards of single load points, UPS blocks, cabinets and gensets.

A board's load is dark for as long, unless storage on its feed or a truck at its connection point carries it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from twin.errors import InputError
from twin.parts.cluster import row_name
from twin.parts.planned_work import Drain, TurnWorkSpec, Work, WorkTermsSpec, announced, by_rate, done_on
from twin.parts.service import Boards, CabinetsInService, GensetsInService, UpsBlocks
from twin.parts.supply_events import event_number
from twin.spec import NonNegative, Spec
from twin.units import ticks
from twin.world.site import Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World


class WorkSpec(WorkTermsSpec):
    """Work on one load point at a known time."""

    at_h: NonNegative = Field(description="from the start of the horizon")
    on: str = Field(description="a load point by name: row-001, core, ...")


class BoardWorkSpec(Spec):
    """All planned work of a site besides that on feeders."""

    rows: TurnWorkSpec | None = Field(default=None, description="on the rows' boards")
    ups_blocks: TurnWorkSpec | None = Field(default=None, description="a block stands on bypass meanwhile")
    cabinets: TurnWorkSpec | None = Field(default=None, description="a cabinet is off meanwhile")
    gensets: TurnWorkSpec | None = Field(default=None, description="a set cannot start meanwhile")
    script: list[WorkSpec] = Field(default_factory=list)


_TURNS = ("rows", "ups_blocks", "cabinets", "gensets")


class BoardWork:
    """The works of one site."""

    def __init__(self, spec: BoardWorkSpec, rows: int) -> None:
        self.spec, self._rows = spec, rows
        self._cabinets: list[str] = []

    def _turns(self) -> list[tuple[str, TurnWorkSpec]]:
        found = [(name, getattr(self.spec, name)) for name in _TURNS]
        return [(name, turn) for name, turn in found if turn is not None]

    def declare(self, site: SiteBuilder) -> None:
        """One item for works by rate, one for each scripted one."""
        for name, _ in self._turns():
            site.item(f"work/{name}", "planned")
        if self.spec.rows is not None:
            for k in range(self._rows):
                _refuse_shared(site, row_name(k))
        self._cabinets = sorted(item.name for item in site.items if item.kind == "cabinet")
        for work in self.spec.script:
            _refuse_shared(site, work.on)
        for n, _ in enumerate(self._script()):
            site.item(f"work/script-{n + 1:04d}", "planned")

    def _script(self) -> list[WorkSpec]:
        return sorted(self.spec.script, key=lambda work: (work.at_h, work.on, work.model_dump_json()))

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start a process for every source of work."""
        if self.spec.rows is not None or self.spec.script:
            site.switches = True
        for name, turn in self._turns():
            if turn.per_year > 0.0:
                full = site.path(f"work/{name}")
                world.start(by_rate(world, site, ids[full], full, turn, self._work(name, site, ids)))
        for n, work in enumerate(self._script()):
            world.start(_scripted(world, site, work, ids[site.path(f"work/script-{n + 1:04d}")]))

    def _work(self, name: str, site: Site, ids: dict[str, int]) -> Work:
        if name == "rows":
            return Boards(site, [row_name(k) for k in range(self._rows)])
        if name == "ups_blocks":
            return UpsBlocks(site)
        if name == "gensets":
            return GensetsInService(site)
        column = {int(item): i for i, item in enumerate(site.plan.unit_items)}
        items = [ids[cabinet] for cabinet in self._cabinets]
        return CabinetsInService(site, [column[item] for item in items], items)


def _scripted(world: World, site: Site, work: WorkSpec, item: int) -> Process:
    """Once, on one board."""
    name = f"{site.path('work')}/{work.on}/{ticks(work.at_h)}"
    law, drain = work.law(), Drain(site, name, on=work.drain_job)
    yield from announced(world, site, item, ticks(work.at_h), drain.lead_us, work, law.mean, work.on)
    duration_us = world.stream(name, "duration").ticks(law)
    yield from done_on(world, site, item, name, Boards(site, [work.on]), 0, event_number(name, 0), duration_us, drain)


def _refuse_shared(site: SiteBuilder, name: str) -> None:
    """Work on a board is work on one load point alone: a feed that carries others cannot be cut off for it."""
    load = site.loads.get(site.path(name))
    if load is None:
        raise InputError(f"planned_work on '{name}' of site {site.name}: no such load point")
    others = [one.name for one in site.loads.values() if one is not load and set(one.feeds) & set(load.feeds)]
    if others:
        also = ", ".join(site.short(one) for one in sorted(others))
        raise InputError(f"planned_work on '{name}' of site {site.name}: its feed also carries {also}")
