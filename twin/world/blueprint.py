"""What all replications of a design share: item table, block layout, ratings, profiles. Built once, copied per run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from twin.chance.philox import stream_key
from twin.errors import InputError, InternalError, Problem
from twin.plant import fields as f
from twin.units import NEVER
from twin.world.declared import UNLIMITED_KW, Feed, Item, Load, Point, Unit
from twin.world.edges import edge_block
from twin.world.fill import fill_cords, fill_feeds, fill_loads
from twin.world.flows import FlowPlan
from twin.world.profile import Clockwork
from twin.world.pv_plan import PvPlan
from twin.world.site_network import SiteNetwork, supply_state

ITEMS_MAX = 100_000
"""Items of a site; each has a name, a stream and a row of its tables."""


@dataclass
class SiteBlueprint:
    """Arrays and ids of one site; see `fields` for the blocks. `feed_key` uint64 (3, feeds + loads).

    `load_of` and `feed_of` give the index of a load point or feed by its name within the site.
    """

    name: str
    start_month: int
    fact: NDArray[np.int64]
    quantity: NDArray[np.float64]
    link: NDArray[np.int64]
    section: NDArray[np.int64]
    clock: NDArray[np.int64]
    site: NDArray[np.float64]
    edge_us: NDArray[np.int64]
    edge: NDArray[np.float64]
    month_us: NDArray[np.int64]
    feed_key: NDArray[np.uint64]
    feeds_of: list[list[int]]
    load_of: dict[str, int]
    feed_of: dict[str, int]
    load_items: list[int]
    feed_items: list[int]
    unit_items: NDArray[np.int64]
    berth: NDArray[np.bool_]
    pumps: int
    chillers: int
    most_kw: float
    flows: FlowPlan | None
    pv: PvPlan | None


class SiteBuilder:
    """Collects what a site's parts declare and freezes it, in sorted name order, into a `SiteBlueprint`."""

    def __init__(self, name: str, index: int, sections: int) -> None:
        self.name = name
        self.index = index
        self.sections = sections
        self.items: list[Item] = []
        self.breakable: list[str] = []
        """Full names of items that a shock may bring down: all that a family of failure clocks will hold."""
        self.loads: dict[str, Load] = {}
        self.feeds: dict[str, Feed] = {}
        self.points: dict[str, Point] = {}
        self.recharge_limit_kw = UNLIMITED_KW
        self.import_limit_kw = UNLIMITED_KW
        self.ramp_limit_kw = 0.0  # per minute; 0: none
        self.peak_target_kw, self.import_floor_kw = UNLIMITED_KW, 0.0
        self.ride_through_h = self.tank_h = math.inf
        self.continuous_kw = 0.0
        self.cooling_fraction: tuple[float, ...] = (0.0,) * 12
        self.cooling_values: tuple[NDArray[np.float64], int] | None = None
        """Cooling by the clock instead: a year's or a day's values that repeat, and the ticks from one to the next."""
        self.network: SiteNetwork | None = None
        self.start_month = 1  # of tick 0
        self.customers: dict[str, int] = {}  # by load point's full name
        self.pv: PvPlan | None = None
        self.planned = False  # whether storage follows a plan
        self.profiles: dict[int, Clockwork] = {}  # by row of the edge block: what follows the clock

    def path(self, name: str) -> str:
        """The full item name of a part of this site."""
        return f"{self.name}/{name}"

    def short(self, full: str) -> str:
        """The name within this site."""
        return full.removeprefix(f"{self.name}/")

    def item(self, name: str, kind: str, *, weight_kw: float = 0.0, gpus: int = 0, breakable: bool = False) -> str:
        """Declare an item; returns its full name.

        Raises:
            InputError: there are more than a site can have.
        """
        if len(self.items) >= ITEMS_MAX:
            text = f"the site has more than {ITEMS_MAX:,} items"
            remedy = "fewer rows, cabinets, modules, strings, sets or berths"
            raise InputError(Problem(text, key=f"sites.{self.name}", remedy=remedy))
        full = self.path(name)
        if breakable:
            self.breakable.append(full)
        self.items.append(Item(full, kind, self.index, weight_kw, gpus))
        return full

    def add_load(self, load: Load, kind: str, weight_kw: float, gpus: int = 0) -> None:
        """Declare a load point."""
        load.name = self.item(load.name, kind, weight_kw=weight_kw, gpus=gpus)
        self.loads[load.name] = load

    def add_feed(self, feed: Feed, kind: str, loads: list[str]) -> None:
        """Declare a feed and hang loads on it (full names)."""
        feed.name = self.item(feed.name, kind)
        self.feeds[feed.name] = feed
        for load in loads:
            self.loads[load].feeds.append(feed.name)

    def add_point(self, point: Point) -> None:
        """Declare a connection point: a feed whose units are berths, empty at first."""
        berths = [
            Unit(self.item(f"{point.name}/{berth}", "berth"), 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
            for berth in point.berths
        ]
        feed = Feed(point.name, f.POINT, point.sections, berths, limit_kw=point.limit_kw, transfer=point.transfer)
        self.add_feed(feed, "connection_point", [])
        self.points[feed.name] = point

    def freeze(self, ids: dict[str, int], seed: int, start: date, horizon_us: int) -> SiteBlueprint:
        """All blocks, in name order."""
        loads = [self.loads[name] for name in sorted(self.loads)]
        feeds = [self.feeds[name] for name in sorted(self.feeds)]
        for load in loads:
            if not load.feeds:
                raise InternalError(f"load point {load.name} hangs on no feed")
        place = {feed.name: j for j, feed in enumerate(feeds)}
        feeds_of = [sorted(place[name] for name in load.feeds) for load in loads]
        link = np.array([(i, j) for i, js in enumerate(feeds_of) for j in js], np.int64).reshape(-1, 2).T.copy()
        units = [unit for feed in feeds for unit in sorted(feed.units, key=attrgetter("name"))]
        wide = max(len(units), len(feeds), len(loads))
        ages = any(unit.cells for unit in units)
        rows = f.AGEING_QUANTITIES if ages else f.QUANTITIES
        fact, quantity = np.zeros((f.FACTS, wide), np.int64), np.zeros((rows, wide))
        _fill_units(units, fact, quantity)
        fill_feeds(feeds, fact, quantity)
        fill_loads(loads, fact, quantity)
        fill_cords(loads, feeds_of, fact, quantity)
        self._fill_points(place, fact)
        fact[f.F_LINKS, : len(feeds)] = np.bincount(link[f.LINK_FEED], minlength=len(feeds))
        kinds = [load.kind for load in loads]
        site = self._site(loads)
        edge_us, edge, month_us = edge_block(self, start, horizon_us)
        clock = np.zeros(f.CLOCK_FIELDS, np.int64)
        clock[[f.BOUND_US, f.RAMP_EDGE_US]], clock[f.AGEING] = NEVER, ages
        clock[[f.UNITS, f.FEEDS, f.LOADS, f.POINTS]] = len(units), len(feeds), len(loads), len(self.points)
        clock[f.SUPPLY_STATE] = supply_state([f.OWN_FEEDER] * self.sections)
        if self.pv is not None:
            self.pv.fill(clock, site, [len(feed.units) for feed in feeds if feed.kind in (f.IN_LINE, f.PARALLEL)])
        flows = self._flows(loads, feeds, link)
        if flows is not None:
            clock[f.DRAWS] = len(flows.links) - clock[f.PV]
            site[[f.TAN_PHI, f.LOSS_FIXED_KW, f.LOSS_PER_KW2]] = flows.network.tan_phi, flows.fixed_kw, flows.per_kw2
            for i, load in enumerate(loads):
                way = flows.network.busway_pu_per_kw.get(self.short(load.name), 0j)
                quantity[[f.L_WAY_R, f.L_WAY_X], i] = way.real, way.imag
        section = np.zeros((f.SECTION_FACTS, self.sections), np.int64)
        section[f.S_GRID] = 1
        switches = [feed.name for feed in feeds] + [f"{load.name}/switch" for load in loads]
        keys = [[stream_key(seed, name, purpose) for name in switches] for purpose in ("pick_up", "transfer")]
        groups = [self.path(feed.fail_group) for feed in feeds] + [""] * len(loads)
        keys.append([stream_key(seed, name, "pick_up_together") for name in groups])
        return SiteBlueprint(
            name=self.name, start_month=start.month, fact=fact, quantity=quantity, link=link, section=section,
            clock=clock, site=site,
            edge_us=edge_us, edge=edge, month_us=month_us, feed_key=np.array(keys, np.uint64), feeds_of=feeds_of,
            load_of={self.short(load.name): i for i, load in enumerate(loads)},
            feed_of={self.short(feed.name): j for j, feed in enumerate(feeds)},
            load_items=[ids[load.name] for load in loads], feed_items=[ids[feed.name] for feed in feeds],
            unit_items=np.array([ids[unit.name] for unit in units], np.int64),
            berth=np.array([feed.kind == f.POINT for feed in feeds for _ in feed.units], np.bool_),
            pumps=kinds.index(f.PUMPS), chillers=kinds.index(f.CHILLERS), most_kw=self._most_kw(feeds, loads),
            flows=flows, pv=self.pv,
        )  # fmt: skip

    def _flows(self, loads: list[Load], feeds: list[Feed], link: NDArray[np.int64]) -> FlowPlan | None:
        """The power flow of the site: its links with the sections of their feeds, and what each draws at full load."""
        if self.network is None:
            return None
        it_kw = sum(load.full_kw for load in loads if load.kind in (f.ROW, f.CORE))
        chillers_kw = max(0.0, max(self.cooling_fraction) * it_kw - self.continuous_kw)
        links, full_kw = [], []
        for i, j in link.T:
            load, feed = loads[i], feeds[j]
            kw = chillers_kw if load.kind == f.CHILLERS else load.full_kw
            own_kw = sum(unit.auxiliary_kw for unit in feed.units) / max(1, int((link[f.LINK_FEED] == j).sum()))
            links.append((self.short(load.name), feed.sections))
            full_kw.append(kw / len(load.feeds) / (1.0 - feed.loss_fraction) + own_kw)
        for name, point in sorted(self.points.items()):
            self.network.buses_of[self.short(name)] = [self._bus_of(point)] * self.sections
            links.append((self.short(name), point.sections))
            full_kw.append(0.0)
        normal = supply_state([f.OWN_FEEDER] * self.sections)
        if self.pv is not None:
            links.append(("pv", (1 << self.sections) - 1))
            full_kw.append(0.0)
        return FlowPlan(self.network, links, normal, np.array(full_kw))

    def _bus_of(self, point: Point) -> list[int]:
        """The bus of a connection point; none named: the sections'."""
        assert self.network is not None, "asked for where there is a network"
        if point.bus is None:
            return []
        if point.bus not in self.network.names:
            raise InputError(f"{point.name}: the network of {self.name} has no bus '{point.bus}'")
        return [self.network.names.index(point.bus)]

    def _most_kw(self, feeds: list[Feed], loads: list[Load]) -> float:
        """More than all load points ever draw together, in the month that cools hardest [kW]."""
        it_kw = sum(load.full_kw for load in loads if load.kind in (f.ROW, f.CORE))
        others_kw = sum(load.fixed_kw for load in loads if load.kind not in (f.ROW, f.CORE))
        auxiliary_kw = sum(unit.auxiliary_kw for feed in feeds for unit in feed.units)
        loss = max(feed.loss_fraction for feed in feeds)
        most_kw = (it_kw * (1.0 + max(self.cooling_fraction)) + others_kw) / (1.0 - loss) + auxiliary_kw
        return most_kw * 1.1 if self.network else most_kw

    def _fill_points(self, place: dict[str, int], fact: NDArray[np.int64]) -> None:
        """Which feed may hang on which point; every berth is empty."""
        for name, point in self.points.items():
            p = place[name]
            fact[f.F_SYNCHRONISED, p], fact[f.F_CHANGEOVER_US, p] = point.synchronised, point.changeover_us
            fact[f.U_UP, fact[f.U_FEED] == p] = 0
            for load in point.serves:
                for feed in self.loads[load].feeds:
                    if fact[f.F_POINT, place[feed]] not in {0, p + 1}:
                        raise InputError(f"{name}: {feed} hangs on another connection point already")
                    fact[f.F_POINT, place[feed]] = p + 1

    def _site(self, loads: list[Load]) -> NDArray[np.float64]:
        site = np.zeros(f.SITE_QUANTITIES + (f.PLAN_QUANTITIES if self.planned else 0))
        site[f.RECHARGE_LIMIT_KW] = self.recharge_limit_kw
        site[f.IMPORT_LIMIT_KW] = self.import_limit_kw
        site[f.RAMP_LIMIT_KW], site[f.RAMP_END_KW] = self.ramp_limit_kw, math.nan
        site[f.PEAK_TARGET_KW], site[f.IMPORT_FLOOR_KW] = self.peak_target_kw, self.import_floor_kw
        site[f.RIDE_THROUGH_H] = self.ride_through_h
        site[f.TANK_H] = self.tank_h
        site[f.CONTINUOUS_KW] = self.continuous_kw
        full = sum(load.full_kw for load in loads if load.kind in (f.ROW, f.CORE))
        site[f.IT_FULL_KW] = max(full, 1e-9)
        return site


def _fill_units(units: list[Unit], fact: NDArray[np.int64], quantity: NDArray[np.float64]) -> None:
    for i, unit in enumerate(units):
        fact[f.U_UP, i] = 1
        fact[f.U_USE, i] = f.FOLLOWS if unit.follows else 0
        quantity[f.ENERGY_KWH, i] = quantity[f.ANCHOR_KWH, i] = (
            unit.max_kwh if unit.start_kwh is None else unit.start_kwh
        )
        quantity[f.U_RATED_KW : f.U_RECHARGE_KW + 1, i] = (
            unit.rated_kw, unit.rated_kwh, unit.min_kwh, unit.max_kwh, unit.efficiency, unit.auxiliary_kw,
            unit.recharge_kw,
        )  # fmt: skip
        quantity[f.U_FLOOR_KWH, i], quantity[f.U_CEILING_KWH, i] = unit.min_kwh, unit.max_kwh
        quantity[f.U_LOW_KWH : f.U_HIGH_SHARE + 1, i] = (*unit.low, *unit.high)
        if unit.cells is not None:
            unit.cells.fill(quantity[:, i])
