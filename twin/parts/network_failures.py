"""Failures in the site's network: protection clears a fault, people isolate it and close ties, a crew repairs it.

While a fault is not isolated, all that its zone feeds is dark; then what lies outside the nearest devices is energised
again, if need be over a normally open tie; what lies inside waits for the repair. Switching back takes no supply from
anybody. A component upstream of a bus section takes that section's incoming feeder; there the site's own tie acts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from twin.chance.law import Law
from twin.parts.failures import SeenFailuresSpec, failing
from twin.parts.supply_events import event_number
from twin.plant import fields as f
from twin.spec import PerYear, Probability, Spec
from twin.units import HOURS_PER_YEAR, NEVER
from twin.world import record as r
from twin.world.failing import Failing
from twin.world.family import Family
from twin.world.outages import Component, Effect, NetworkOutages
from twin.world.site import SUPPLY, Site
from twin.world.switchgear import NOTHING, Elements

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World


class PieceFailuresSpec(SeenFailuresSpec):
    """Failures of each piece of one kind: a constant rate while it is sound, or what the failure model has besides."""

    failures_per_year: PerYear = Field(description="of each piece; 0 with life_h given")
    mttr_h: Law = Field(description="until it can be energised again; no shorter than switching takes")

    def model(self, start_month: int, pieces: float = 1.0) -> Failing | None:
        """Compiled, for a piece that counts as `pieces` (kilometres of a line); None where it never fails."""
        per_year = self.failures_per_year * pieces
        if per_year == 0.0 and self.life_h is None:
            return None
        return failing(self, HOURS_PER_YEAR / max(per_year, 1e-12), self.mttr_h, start_month)

    @model_validator(mode="after")
    def _each_its_own(self) -> Self:
        if self.common_cause_fraction > 0.0:
            raise ValueError("common_cause_fraction: pieces of a network have no group (use shocks)")
        return self


class OperationSpec(Spec):
    """How protection and people clear and isolate faults in a network."""

    switching_h: Law = Field(default=1.0, validate_default=True, description="to isolate a fault and close a tie")
    fuse_fails_to_operate_probability: Probability = Field(
        default=0.0, description="of a fuse when it is called; the next device up then clears"
    )
    breaker_fails_to_operate_probability: Probability = Field(
        default=0.0, description="of a breaker when it is called; the next device up then clears"
    )


@dataclass
class Fault:
    """A component that is down: the elements dead for it, what logged it, and how it goes on."""

    zone: Elements
    row: int
    event: int
    opened: tuple[int, ...]
    switched_us: int
    isolated: bool = False


class NetworkFailures:
    """The components of one site's network."""

    def __init__(self, plan: NetworkOutages) -> None:
        self.plan = plan

    def declare(self, site: SiteBuilder) -> None:
        """Items of components, devices and ties."""
        known = {component.name for component in self.plan.components}
        for component in self.plan.components:
            site.item(site.short(component.name), component.kind, breakable=True)
        for name, device in zip(self.plan.device_names, self.plan.gear.devices, strict=True):
            if name not in known:
                site.item(site.short(name), device.kind)
        for name in self.plan.tie_names:
            site.item(site.short(name), "network_tie")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start a family of clocks for each law of life and repair."""
        running = RunningFailures(self.plan, world, site, ids)
        alike: dict[int, list[int]] = defaultdict(list)
        for number, component in enumerate(self.plan.components):
            alike[id(component.model)].append(number)
        for members in alike.values():
            running.watch(members)


class RunningFailures:
    """The faults of one site in one world."""

    def __init__(self, plan: NetworkOutages, world: World, site: Site, ids: dict[str, int]) -> None:
        self.plan, self.world, self.site = plan, world, site
        self._items = [ids[component.name] for component in plan.components]
        self._device_items = [ids[name] for name in plan.device_names]
        self._tie_items = dict(zip(plan.gear.ties, [ids[name] for name in plan.tie_names], strict=True))
        self._faults: dict[int, Fault] = {}
        self._failures = [0] * len(plan.components)
        self._taken: dict[int, Callable[[], None]] = {}
        self._ties: frozenset[int] = NOTHING
        self._lost: frozenset[str] = frozenset()
        self._moved = False
        self._grid = -1
        self._switching = world.alarm(self._isolate)
        self._feeds = _feeds_by_load(site, plan)
        self._load = {name: i for name, i in site.plan.load_of.items() if name in plan.ways}
        self._away = dict[int, int]()
        site.switches = True
        self._before = site.supply
        site.supply = self.react

    # ------------------------------------------------------------------ faults
    def watch(self, members: list[int]) -> None:
        """One family of clocks over components alike in their laws."""
        components = [self.plan.components[number] for number in members]

        def flip(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for k in flipped.tolist():
                row = (self._repaired if up[k] else self._failed)(members[k], cause)
            return row

        names, items = [component.name for component in components], [self._items[number] for number in members]
        Family(self.world, self.site, names, items, components[0].model, flip)

    def _failed(self, number: int, cause: int) -> int:
        component, ordinal = self.plan.components[number], self._failures[number]
        self._failures[number] += 1
        event = event_number(component.name, ordinal)
        row = self.site.change(self._items[number], r.UP, 0, SUPPLY, cause)
        if component.feeder >= 0:
            assert self.site.grid is not None, "every site has a grid"
            self._taken[number] = self.site.grid.take(self._items[number], row, event, component.feeder)
            return row
        zone, opened = self._cleared(component, ordinal, row)
        switching_us = self.world.stream(component.name, "switching").ticks_at(self.plan.switching, ordinal)
        self._faults[number] = Fault(zone, row, event, opened, self.site.now_us + switching_us)
        self._ring_next()
        return row

    def _cleared(self, component: Component, ordinal: int, row: int) -> tuple[Elements, tuple[int, ...]]:
        """The zone that protection takes out, and the devices that opened; each is asked once a fault."""
        plan = self.plan
        gone = NOTHING.union(*(fault.zone for fault in self._faults.values()))
        opened = frozenset(
            device
            for fault in self._faults.values()
            for device in (*fault.opened, *(plan.gear.border(fault.zone) if fault.isolated else ()))
        )
        asked: set[int] = set()
        stuck: set[int] = set()
        while True:
            zone = plan.gear.cleared(component.elements, self._ties, frozenset(stuck), opened)
            border = plan.gear.asked(zone, plan.section_bus, self._ties, gone)
            further = [device for device in border if device not in asked]
            if not further:
                break
            asked.update(further)
            for device in further:
                own = plan.gear.devices[device]
                if own.fails_to_operate > 0.0:
                    stream = self.world.stream(component.name, f"operate/{own.name}")
                    group = f"breaker {own.fails_to_operate:g}"
                    if self.world.luck.fails(group, own.fails_to_operate, stream.uniform_at(ordinal)):
                        stuck.add(device)
                        self.site.log(self._device_items[device], r.FAILED_TO_OPERATE, 1, row)
        for device in border:
            self.site.log(self._device_items[device], r.CLOSED, 0, row)
        return zone, tuple(border)

    def _repaired(self, number: int, cause: int) -> int:
        fault = self._faults.pop(number, None)
        row = self.site.change(self._items[number], r.UP, 1, SUPPLY, fault.row if fault and cause < 0 else cause)
        if fault is None:
            self._taken.pop(number)()
        else:
            self._close(fault, row)
        self._ring_next()
        return row

    def _close(self, fault: Fault, row: int, *, but: Elements = NOTHING) -> None:
        """Close what protection has opened, but for the devices (numbers) that isolate the fault."""
        for device in fault.opened:
            if device not in but:
                self.site.log(self._device_items[device], r.CLOSED, 1, row)
        fault.opened = tuple(device for device in fault.opened if device in but)

    def _isolate(self) -> None:
        for number, fault in self._faults.items():
            if not fault.isolated and fault.switched_us <= self.world.now:
                row = self.site.change(self._items[number], r.ISOLATED, 1, SUPPLY, fault.row)
                fault.isolated = True
                fault.zone = self.plan.gear.isolated(self.plan.components[number].elements)
                self._close(fault, row, but=frozenset(self.plan.gear.border(fault.zone)))
        self._ring_next()

    def _ring_next(self) -> None:
        self._moved = True
        waiting = [fault.switched_us for fault in self._faults.values() if not fault.isolated]
        if waiting:
            self._switching.at(min(waiting))
        else:
            self._switching.stop()

    # ------------------------------------------------------------------ the reaction
    def react(self) -> None:
        """Who has a way to a section, and what is closed for the power flow; after the feeders have had their say."""
        if self._before is not None:
            self._before()
        site = self.site
        grid = sum(int(on) << s for s, on in enumerate(site.section[f.S_GRID]))
        if not self._faults and not self._moved:
            return
        gone = NOTHING.union(*(fault.zone for fault in self._faults.values()))
        settled = all(fault.isolated for fault in self._faults.values())
        effect = self.plan.effect(gone, None if settled else self._ties)
        self._operate(effect)
        if self._moved or grid != self._grid:
            self._cut(effect, grid)
        if site.plan.flows is not None:
            site.clock[f.SUPPLY_STATE] |= site.plan.flows.network.faulted(effect.branches, effect.ties)
        self._moved, self._grid = False, grid

    def _operate(self, effect: Effect) -> None:
        for tie in sorted(effect.ties ^ self._ties):
            self.site.log(self._tie_items[tie], r.CLOSED, int(tie in effect.ties), self.site.trigger)
        self._ties = effect.ties

    def _cut(self, effect: Effect, grid: int) -> None:
        """Feeds without a way are away until they have one again; loads cut off from their board are dark.

        Work on a board that is announced meanwhile is done while it is dead.
        """
        fact = self.site.fact
        event = max((fault.event for fault in self._faults.values()), default=0)
        for j, loads in self._feeds:
            sections = int(fact[f.F_SECTIONS, j])
            asked = sections & grid or sections
            cut = not any(effect.sections[load] & asked for load in loads)
            if cut and j not in self._away:
                self._away[j] = int(fact[f.F_AWAY_US, j])
                fact[f.F_AWAY_US, j], fact[f.F_EVENT, j] = NEVER, event
            elif not cut and j in self._away:
                before = self._away.pop(j)
                fact[f.F_AWAY_US, j] = before if before > self.site.now_us else 0
        for load in sorted(effect.lost ^ self._lost):
            self.site.faults.load(self._load[load], on=load in effect.lost)
        self._lost = effect.lost


def _feeds_by_load(site: Site, plan: NetworkOutages) -> list[tuple[int, list[str]]]:
    """(feed, load points on it that stand in the network), feeds without any left out."""
    on: dict[int, list[str]] = defaultdict(list)
    for load, i in site.plan.load_of.items():
        if load in plan.boards:
            for j in site.plan.feeds_of[i]:
                on[j].append(load)
    return sorted(on.items())
