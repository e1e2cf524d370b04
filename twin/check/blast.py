"""Blast radius: which load points go dark when one item alone fails, all else sound, the grid there, storage full.

From the layout alone, nothing is simulated. Storage counts where its feed carries its loads at full level and takes
over within their hold-up; how long it then lasts is told beside the carriers. Gensets come too late for all the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_

from twin.check.findings import BlastCheck, Carrier
from twin.plant import fields as f
from twin.world.blueprint import SiteBuilder
from twin.world.declared import Load
from twin.world.outages import Component, Effect, NetworkOutages
from twin.world.switchgear import NOTHING


def blasts_of(
    builder: SiteBuilder, feeders: Sequence[str], carriers: tuple[Carrier, ...], full_kw: dict[str, float]
) -> tuple[BlastCheck, ...]:
    """Of every feeder, UPS block and piece of network that fails, the largest first; those that darken nobody last.

    Args:
        builder: the site's layout.
        feeders: names in order of the sections.
        carriers: its feeds, as `check` found them.
        full_kw: by full name of a load point, at full level.
    """
    carried = {name for one in carriers for name in one.loads if any(one.carries(group) for group in _groups(name))}
    found = _Radius(builder, feeders, full_kw, carried)
    alike: dict[BlastCheck, list[str]] = defaultdict(list)
    for name, one in found.all():
        alike[one].append(name)
    joined = [replace(one, items=tuple(sorted(names))) for one, names in alike.items()]
    return tuple(sorted(joined, key=lambda one: (-one.kw, -one.on_storage_kw, one.items)))


def _groups(load: str) -> tuple[str, ...]:
    return ("rows",) if load.startswith("row-") else (load,)


class _Radius:
    """Works out who is dark, item by item."""

    def __init__(
        self, builder: SiteBuilder, feeders: Sequence[str], full_kw: dict[str, float], carried: set[str]
    ) -> None:
        self._feeders = feeders
        self._builder, self._full_kw, self._carried = builder, full_kw, carried
        self._everywhere = (1 << builder.sections) - 1
        self._loads = {builder.short(name): load for name, load in builder.loads.items() if full_kw[name] > 0.0}

    def all(self) -> Iterable[tuple[str, BlastCheck]]:
        """(name, what it takes along) of everything that is looked at."""
        two = self._builder.sections == 2
        for s, name in enumerate(self._feeders):
            yield f"feeder-{name}", self._without_section("feeder", s, two)
        for block in (item.name for item in self._builder.items if item.kind == "ups_block"):
            alone = [name for name, load in self._loads.items() if load.feeds == [block]]
            yield self._builder.short(block), self._told("ups_block", "it is bypassed by hand", alone, ())
        network = self._builder.network
        if network is not None and network.outages is not None:
            for component in network.outages.components:
                yield from self._of_component(component, network.outages)

    def _without_section(self, kind: str, s: int, two: bool) -> BlastCheck:
        live = self._everywhere & ~(1 << s)
        cut = [name for name, load in self._loads.items() if not self._sections(load) & live]
        return self._told(kind, "the tie closes" if two else "the repair", cut, ())

    def _of_component(self, component: Component, plan: NetworkOutages) -> Iterable[tuple[str, BlastCheck]]:
        name = self._builder.short(component.name)
        if component.feeder >= 0:
            yield name, self._without_section(component.kind, component.feeder, self._builder.sections == 2)
            return
        gear = plan.gear
        isolated = self._without(component, plan.effect(gear.isolated(component.elements), None), "the repair")
        cleared = plan.effect(gear.cleared(component.elements, NOTHING), NOTHING)
        at_once = self._without(component, cleared, "it is isolated")
        yield name, isolated
        if (at_once.kw, at_once.on_storage_kw) != (isolated.kw, isolated.on_storage_kw):
            yield name, at_once

    def _without(self, component: Component, effect: Effect, until: str) -> BlastCheck:
        cut = [
            name
            for name, load in self._loads.items()
            if name in effect.sections and not effect.sections[name] & self._sections(load)
        ]
        return self._told(component.kind, until, cut, effect.lost)

    def _sections(self, load: Load) -> int:
        """Through which sections any of its feeds gets supply."""
        feeds = [self._builder.feeds[feed].sections for feed in load.feeds]
        return reduce(or_, feeds, 0) or load.sections

    def _told(self, kind: str, until: str, cut: list[str], lost: Iterable[str]) -> BlastCheck:
        lost = set(lost) & self._loads.keys()
        stored = set(cut) & self._carried - lost if kind != "ups_block" else set[str]()
        dark = sorted((set(cut) | lost) - stored)
        kw = sum(self._full_kw[self._builder.path(name)] for name in dark)
        held = sum(self._full_kw[self._builder.path(name)] for name in sorted(stored))
        rows = sum(self._loads[name].kind == f.ROW for name in dark)
        return BlastCheck((), kind, until, rows, round(kw, 6), round(held, 6), "core" in dark)
