"""The public supply: feeders onto bus sections with a tie between them, and the events that strike them.

Feeder k feeds section k. A section whose feeder is down is taken over by the other feeder through the tie, after the
auto-transfer time - which is always longer than any hold-up, so a load without ride-through is lost all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.inputs.outages_csv import OutageLog
from twin.parts.grid_spec import ExpansionSpec, GridSpec
from twin.parts.planned_work import Drain
from twin.parts.supply_events import (
    EventSpec,
    LoggedSource,
    PlannedSource,
    ScriptedEventSpec,
    ScriptedSource,
    Source,
    event_number,
)
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_S, hours, ticks
from twin.world import record as r
from twin.world.declared import UNLIMITED_KW
from twin.world.site import SUPPLY, Site
from twin.world.site_network import supply_state
from twin.world.world import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World


class Grid:
    """Feeders, sections and tie of one running site; `log` is what `spec.outages` names, read for all sites."""

    def __init__(self, spec: GridSpec, start_month: int, log: OutageLog | None = None) -> None:
        self.spec = spec
        self.names = sorted(spec.feeders)
        self._start_month = start_month
        self._log = log
        self._sources: list[tuple[Source | PlannedSource | ScriptedSource | LoggedSource, str]] = []

    def declare(self, site: SiteBuilder) -> None:
        """Feeders, tie, and one item for each source of events."""
        for name in self.names:
            site.item(f"feeder-{name}", "feeder")
        if len(self.names) == 2:
            site.item("tie", "tie")
        site.import_floor_kw = self.spec.import_floor_kw
        if self.spec.import_limit_kw is not None:
            site.import_limit_kw = self.spec.import_limit_kw
        if self.spec.ramp_limit_kw_per_min is not None:
            site.ramp_limit_kw = self.spec.ramp_limit_kw_per_min
        if self.spec.expansion is not None:
            site.item("grid/expansion", "expansion")
        everywhere = tuple(range(len(self.names)))
        if self.spec.draws:
            self._add_drawn(site, everywhere)
        again: dict[str, int] = {}
        for n, event in enumerate(sorted(self.spec.script, key=_script_order)):
            full = site.item(f"grid/script-{n + 1:04d}", event.kind)
            struck = tuple(self.names.index(name) for name in event.feeders) or everywhere
            key = f"{site.name}/grid/script/{','.join(event.feeders)}/{ticks(event.at_h)}"
            again[key] = again.get(key, 0) + 1
            self._sources.append((ScriptedSource(event, f"{key}/{again[key]}", struck), full))
        if self._log is not None:
            self._add_log(site, self._log)

    def _add_drawn(self, site: SiteBuilder, everywhere: tuple[int, ...]) -> None:
        for k, name in enumerate(self.names):
            feeder = self.spec.feeders[name]
            self._add(site, feeder.momentary, f"grid/{name}/momentary", "momentary", (k,))
            self._add(site, feeder.sustained, f"grid/{name}/sustained", "sustained", (k,))
            if feeder.planned is not None:
                full = site.item(f"grid/{name}/planned", "planned")
                self._sources.append((PlannedSource(feeder.planned, full, k), full))
        self._add(site, self.spec.both_feeders, "grid/both_feeders", "common", everywhere)
        self._add(site, self.spec.deep_sags, "grid/deep_sags", "sag", everywhere)

    def _add_log(self, site: SiteBuilder, log: OutageLog) -> None:
        """One item for each kind of event in the log, which knows its own."""
        own = [event for event in log.events if event.site in ("", site.name)]
        own = [event for event in own if not event.feeders or set(event.feeders) & set(self.names)]
        for kind in sorted({event.kind for event in own}):
            of_kind = [event for event in own if event.kind == kind]
            full = site.item(f"grid/log/{kind}", kind)
            self._sources.append((LoggedSource(of_kind, full, self.names), full))

    def _add(self, site: SiteBuilder, spec: EventSpec | None, name: str, kind: str, feeders: tuple[int, ...]) -> None:
        if spec is not None:
            full = site.item(name, kind)
            self._sources.append((Source(spec, full, feeders, self._start_month), full))

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Start a process for every source."""
        running = RunningGrid(self.spec, world, site, ids, self.names)
        for source, name in self._sources:
            world.start(source.run(world, running, ids[name]))
        if self.spec.expansion is not None:
            world.start(running.expand(self.spec.expansion, ids[site.path("grid/expansion")]))


def _script_order(event: ScriptedEventSpec) -> tuple[float, list[str], str]:
    """Scripted events are known by time and feeders: their order in the file, or one more of them, changes nothing."""
    return event.at_h, event.feeders, event.model_dump_json()


@dataclass(frozen=True)
class Strike:
    """A supply event in force on a feeder. `event` numbers it by its source, alike in every design."""

    until_us: int
    item: int
    row: int
    event: int
    closed_transition: bool


class RunningGrid:
    """State of the feeders in one world: strikes in force, which feeders are up, and the tie."""

    def __init__(self, spec: GridSpec, world: World, site: Site, ids: dict[str, int], names: list[str]) -> None:
        self.spec, self.world, self.site = spec, world, site
        self._items = [ids[site.path(f"feeder-{name}")] for name in names]
        self._strikes: list[list[Strike]] = [[] for _ in names]
        self._up = [True] * len(names)
        self._rows = [-1] * len(names)
        self._stuck = [False] * len(names)
        self._transfer_us = round(spec.auto_transfer_s * TICKS_PER_S)
        self._tie_closed = self._transfer_due = False
        self._tie_item = ids.get(site.path("tie"), -1)
        self._tie_fails = world.stream(site.path("tie"), "transfer_failure")
        self._tie_alarm = world.alarm(self._transfer)
        site.supply = self.react
        site.grid = self
        self._capacity_kw = [spec.feeders[name].capacity_kw or UNLIMITED_KW for name in names]
        self._limit_kw = spec.import_limit_kw or UNLIMITED_KW

    def event(
        self,
        item: int,
        event: int,
        feeders: tuple[int, ...],
        duration_us: int,
        residual: float,
        *,
        closed_transition: bool = False,
    ) -> Process:
        """Strike `feeders` (none: all) for `duration_us`, then clear; a shallow dip is only logged."""
        harmless = residual >= self.spec.ride_through_voltage_fraction
        row = self.site.change(item, r.STRIKES, duration_us, 0 if harmless else SUPPLY)
        if harmless:
            return
        strike = Strike(self.world.now + duration_us, item, row, event, closed_transition)
        yield from self._struck(strike, feeders or tuple(range(len(self._strikes))))

    def _struck(self, strike: Strike, feeders: tuple[int, ...]) -> Process:
        """These feeders are down until the strike is over."""
        for k in feeders:
            self._strikes[k].append(strike)
        self.world.luck.degraded(strike, True)
        yield self.world.sleep(strike.until_us - self.world.now)
        for k in feeders:
            self._strikes[k].remove(strike)
        self.world.luck.degraded(strike, False)
        self.site.ask(SUPPLY)

    def take(self, item: int, row: int, event: int, feeder: int) -> Callable[[], None]:
        """Take a feeder down for the reason in `row`, for as long as it takes; the answer gives it back."""
        strike = Strike(NEVER, item, row, event, closed_transition=False)
        self._strikes[feeder].append(strike)
        self.site.ask(SUPPLY)

        def give_back() -> None:
            self._strikes[feeder].remove(strike)
            self.site.ask(SUPPLY)

        return give_back

    def others_down(self, feeder: int) -> bool:
        """Whether any other feeder is down, so that planned work must wait."""
        return any(strikes for k, strikes in enumerate(self._strikes) if k != feeder)

    def postpone(self, item: int) -> None:
        """Log that planned work waits for a day."""
        self.site.change(item, r.POSTPONED, 1, 0)

    def work(
        self, item: int, name: str, event: int, feeder: int, duration_us: int, *, closed_transition: bool, drained: bool
    ) -> Process:
        """Planned work: the jobs save and stand by first, where they are drained, and restart when it is done."""
        drain = Drain(self.site, name, on=drained)
        drain.stop(item)
        if drain.lead_us:
            yield self.world.sleep(drain.lead_us)
        row = self.site.change(item, r.STRIKES, duration_us, SUPPLY)
        away = self._switch_by_hand(name, event, feeder, row)
        yield from self._struck(Strike(self.world.now + duration_us, item, away, event, closed_transition), (feeder,))
        row = self.site.change(item, r.RESTORED, 1, 0, row)
        self._switch_by_hand(name, event_number(f"{name}/return", event), feeder, row)
        drain.release(row)

    def _switch_by_hand(self, name: str, event: int, feeder: int, cause: int) -> int:
        """One operation by hand; one that goes wrong opens the other feeder, too, until that is put right.

        Returns:
            The last event's row, cause of what the work takes away: the error where there is one.
        """
        length_us = self.site.hands.err(name)
        if length_us >= 0:
            item = self.site.hands.item
            row = self.site.change(item, r.HUMAN_ERROR, length_us, SUPPLY, cause)
            strike = Strike(self.world.now + length_us, item, row, event, closed_transition=False)
            self.world.start(self._struck(strike, tuple(k for k in range(len(self._strikes)) if k != feeder)))
            return row
        return cause

    def announce(self, item: int, at_us: int, expected_h: float, feeders: tuple[int, ...]) -> None:
        """Log what is announced, and tell those who decide; not what leaves a feeder, since the tie will take over."""
        row = self.site.change(item, r.ANNOUNCED, at_us, 0)
        if feeders and len(set(feeders)) < len(self._items):
            return
        self.world.announce(Notice(item, self.site.name, hours(at_us), expected_h, row))

    def _transfer(self) -> None:
        self._transfer_due = True
        self.site.ask(SUPPLY)

    def react(self) -> None:
        """All strikes of the instant are known: which feeders are up, where the tie stands, who has grid."""
        for k, item in enumerate(self._items):
            up = not self._strikes[k]
            if up != self._up[k]:
                self._up[k] = up
                worst = None if up else self._worst(k)
                row = self.site.change(item, r.UP, int(up), 0, self._rows[k] if worst is None else worst.row)
                self._rows[k] = row
                if worst is not None:
                    u = self._tie_fails.uniform_at(worst.event)
                    self._stuck[k] = self.world.luck.fails("tie", self.spec.auto_transfer_failure_probability, u)
        if len(self._items) == 2:
            self._react_tie()
        for k in range(len(self._items)):
            self._react_section(k)
        self._say_supply()
        carried_kw = sum(kw for kw, up in zip(self._capacity_kw, self._up, strict=True) if up)
        limit_kw = min(self._limit_kw, carried_kw or UNLIMITED_KW)
        if limit_kw != self.site.import_limit_kw:
            self.site.import_limit_kw = self.site.totals[f.IMPORT_LIMIT_KW] = limit_kw
            self.site.surprise()

    def _say_supply(self) -> None:
        """How each section is fed, for the record of what flows where."""
        fed = zip(self.site.section[f.S_GRID], self._up, strict=True)
        self.site.clock[f.SUPPLY_STATE] = supply_state(
            [(f.OWN_FEEDER if up else f.THROUGH_TIE) if grid else f.DEAD_SECTION for grid, up in fed]
        )

    def _worst(self, k: int) -> Strike:
        """The strike that ends last: it decides how long feeder k stays away."""
        return max(self._strikes[k], key=lambda strike: (strike.until_us, -strike.item))

    def expand(self, spec: ExpansionSpec, item: int) -> Process:
        """The larger connection is there."""
        if spec.at_h > 0:
            yield self.world.sleep(ticks(spec.at_h))
        self.site.change(item, r.ONLINE, 1, SUPPLY)
        self._limit_kw = spec.import_limit_kw

    def _react_tie(self) -> None:
        """Open with both feeders up; closed at once in a closed transition, else after the auto-transfer time."""
        due, self._transfer_due = self._transfer_due, False
        if all(self._up):
            self._tie_alarm.stop()
            if self._tie_closed:
                self._close_tie(False, max(self._rows))
        elif any(self._up) and not self._tie_closed:
            down = self._up.index(False)
            if due or self._worst(down).closed_transition:
                self._tie_alarm.stop()
                self._close_tie(True, self._rows[down])
            elif not self._stuck[down] and self._tie_alarm.due == NEVER:
                self._tie_alarm.at(self.site.now_us + self._transfer_us)

    def _close_tie(self, closed: bool, cause: int) -> None:
        self._tie_closed = closed
        self.site.change(self._tie_item, r.CLOSED, int(closed), 0, cause)

    def _react_section(self, k: int) -> None:
        section, now = self.site.section, self.site.now_us
        until = now if self._up[k] else self._worst(k).until_us
        through_tie = self._tie_closed and self._up[1 - k]
        if not self._up[k] and self._tie_alarm.due != NEVER and self._up[1 - k]:
            until = min(until, self._tie_alarm.due)
        section[f.S_BREAK_UNTIL_US, k] = until
        self.site.section_row[k] = self._rows[k]
        on = int(self._up[k] or through_tie)
        if on != section[f.S_GRID, k]:
            self.site.change(self._items[k], r.ENERGISED, on, 0, self._rows[k])
            section[f.S_GRID, k] = on
            if not on:
                section[f.S_EVENT, k] = self._worst(k).event
