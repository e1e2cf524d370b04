"""The dispatcher of one world: looks when something happened, asks the policy once an instant, sends trucks.

It decides after all sites of the instant have reacted. It sees what a dispatcher would: an outage once it has been
detected, announced work, where trucks are and what they hold; never how long an outage will last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from twin.errors import InternalError
from twin.fleet.place import Place
from twin.fleet.policies.home import Home
from twin.fleet.roads import Roads
from twin.fleet.spec import FleetSpec, ServiceSpec
from twin.fleet.truck import IN_SERVICE, LEASE, LENT, PLUGGED, SERVICE, RunningTruck
from twin.fleet.view import Announced, Outlook, PlaceView, TruckView, View
from twin.parts.points import ConnectionPointSpec, PluggedTrucksSpec
from twin.plant import fields as f
from twin.units import TICKS_PER_H, TICKS_PER_S, hours, ticks
from twin.world.berths import Content
from twin.world.site import Site

if TYPE_CHECKING:
    from twin.fleet.spec import LeaseSpec
    from twin.world.world import World

MOST_DECISIONS = 50
STARTED_H = 0.25
"""An announced start this far back is no longer waited for: the work has begun, or was put off."""


@dataclass
class FleetSite:
    """What the fleet knows of a site for good."""

    points: dict[str, ConnectionPointSpec]
    plugged: PluggedTrucksSpec
    value_per_h: float
    outlook: Outlook
    exposure: float = 1.0
    spreads: dict[tuple[int, int], float] = field(default_factory=dict)

    def apply(self, content: Content, *, synchronised: bool) -> None:
        """Set what a truck that is plugged in here does beside the grid; without synchronism it can only charge."""
        plugged = self.plugged
        content.use = 0 if content.fuelled or not synchronised else plugged.use
        content[f.U_RESERVE_KWH] = plugged.reserve_fraction * content[f.U_RATED_KWH]
        if plugged.charge_at_price_per_kwh is not None and plugged.discharge_at_price_per_kwh is not None:
            content[f.U_LOW_PRICE] = plugged.charge_at_price_per_kwh
            content[f.U_HIGH_PRICE] = plugged.discharge_at_price_per_kwh


class RunningFleet:
    """Trucks, places and the policy in one world."""

    def __init__(
        self,
        world: World,
        spec: FleetSpec,
        roads: Roads,
        sites: dict[str, Site],
        known: dict[str, FleetSite],
    ) -> None:
        self.world, self.spec, self.roads, self._known = world, spec, roads, known
        self._number = {name: k for k, name in enumerate(sorted(sites))}
        self.places = {
            f"{name}/{point}": Place(point, sites[name], self._number[name], block)
            for name, site in sorted(known.items())
            for point, block in sorted(site.points.items())
        }
        self.trucks: dict[str, RunningTruck] = {}
        self._views = {key: self._place_view(place) for key, place in self.places.items()}
        self._detect_us = round(spec.detection_min * 60 * TICKS_PER_S)
        self._alarm = world.alarm(self.ask)
        self._noticed = world.alarm(self._notice)
        self._decided = (-1, 0)
        self._late: list[tuple[int, str, Callable[[], None]]] = []
        world.decide = self.decide
        world.at_end(self.close)
        for site in sites.values():
            own = [place for place in self.places.values() if place.site is site and place.served]
            if own:
                site.watched = _Watch(self, own)

    def _place_view(self, place: Place) -> PlaceView:
        known = self._known[place.site.name]
        trades = known.plugged.charge_at_price_per_kwh is not None
        site = place.site.plan.site
        short = bool(min(site[f.IMPORT_LIMIT_KW], site[f.PEAK_TARGET_KW]) < place.site.plan.most_kw)
        return PlaceView(
            place.key, place.site.name, len(place.units), place.spec.limit_kw, known.value_per_h, known.outlook,
            trades and place.spec.synchronised, known.plugged.buffers and place.spec.synchronised and short,
            known.exposure, known.plugged.reserve_fraction,
            _Spread(place.site, known), place.spec.connect_h, place.spec.disconnect_min / 60.0,
        )  # fmt: skip

    # ------------------------------------------------------------------ what trucks ask
    def number_of(self, site: Site) -> int:
        """The site's number in the trace."""
        return self._number[site.name]

    def use_of(self, place: Place) -> FleetSite:
        """What a truck does at a place."""
        return self._known[place.site.name]

    def hour(self) -> int:
        """Hour of the day."""
        return int(hours(self.world.now)) % 24

    def response_us(self) -> int:
        """From an order until the crew is there [us]."""
        return ticks(self.spec.crew.response_h(hours(self.world.now) % 24.0))

    def arrive(self, place: Place, truck: RunningTruck) -> None:
        """A truck stands before a place: at the end of this instant it connects, or queues."""
        place.queue.append(truck)
        self.world.ask_to_decide()

    def release(self, place: Place, truck: RunningTruck) -> None:
        """A truck has left its berth; at the end of this instant the next in the queue takes it."""
        place.taken = {unit: holder for unit, holder in place.taken.items() if holder is not truck}
        self.world.ask_to_decide()

    def _allot(self) -> None:
        """Free berths to who waits, by time of arrival, then by name: the order inside an instant is nobody's luck."""
        for place in self.places.values():
            place.queue.sort(key=lambda truck: (truck.arrived_us, truck.name))
            while place.queue and (unit := place.free_unit()) >= 0:
                following = place.queue.pop(0)
                place.taken[unit] = following
                following.connect()
            for truck in place.queue:
                truck.queue()

    def is_awaited(self, place: Place) -> bool:
        """Whether supply is away there, or announced to go."""
        return bool(place.without_supply()) or any(soon.place == place.key for soon in self._announced())

    # ------------------------------------------------------------------ what happens
    def add(self, truck: RunningTruck) -> None:
        """A truck of this fleet, plugged in at home; its service and leases on their alarms."""
        self.trucks[truck.name] = truck
        home = truck.home
        home.taken[home.free_unit()] = truck
        truck.plug()
        if truck.spec.service is not None:
            _Service(self, truck, truck.spec.service)
        for lease in truck.spec.leases:
            _Lease(self, truck, lease)

    def later(self, rank: int, name: str, act: Callable[[], None]) -> None:
        """Act once all events of this instant are known, in the order of rank and name: none of them wins by chance."""
        self._late.append((rank, name, act))
        self.world.ask_to_decide()

    def ask(self) -> None:
        """Decide at the end of this instant."""
        if not isinstance(self.spec.policy, Home):
            self.world.ask_to_decide()

    def look(self, places: list[Place]) -> None:
        """Something flipped at a site: note who is without supply; the dispatcher learns of it after detection."""
        now = self.world.now
        for place in places:
            off = bool(place.without_supply())
            if off and place.down_us < 0:
                place.down_us = now
                place.down_row = place.site.trigger
                if self._detect_us:
                    self._noticed.at(min(self._noticed.due, now + self._detect_us))
                else:
                    self.ask()
            elif place.down_us >= 0 and now >= place.down_us + self._detect_us:
                self.ask()
            if not off:
                place.down_us = -1

    def _notice(self) -> None:
        due = [place.down_us + self._detect_us for place in self.places.values() if place.down_us >= 0]
        later = [tick for tick in due if tick > self.world.now]
        if later:
            self._noticed.at(min(later))
        if any(tick <= self.world.now for tick in due):
            self.ask()

    def close_roads(self, sites: list[str], until_us: int) -> None:
        """No truck sets out from or to these sites until then."""
        for place in self.places.values():
            if place.site.name in sites:
                place.closed_until_us = max(place.closed_until_us, until_us)

    # ------------------------------------------------------------------ the decision
    def decide(self) -> None:
        """Allot berths, ask the policy, carry out its orders."""
        now = self.world.now
        tick, count = self._decided
        self._decided = (now, count + 1 if tick == now else 1)
        if self._decided[1] > MOST_DECISIONS:
            raise InternalError(f"the fleet does not settle at {now} us")
        self._allot()
        late, self._late = sorted(self._late, key=_rank_and_name), []
        for _, _, act in late:
            act()
        if isinstance(self.spec.policy, Home):
            return
        view = self.view()
        plan = self.spec.policy.decide(view)
        for order in plan.orders:
            place = self.places[order.place]
            self.trucks[order.truck].order(place, order.reason, place.down_row if place.down_us >= 0 else -1)
        if plan.again_h is not None:
            self._alarm.at(max(now + 1, ticks(plan.again_h)))
        else:
            self._alarm.stop()

    def _announced(self) -> list[Announced]:
        now_h = hours(self.world.now)
        found = []
        for notice in self.world.notices:
            if notice.start_h + STARTED_H <= now_h:
                continue
            found += [
                Announced(place.key, notice.start_h, notice.end_h, place.need_kw(feeds))
                for place in self.places.values()
                if place.site.name == notice.site and (feeds := place.feeds_of(notice.load))
            ]
        return found

    def view(self) -> View:
        """What the dispatcher knows now."""
        now = self.world.now
        for key, place in self.places.items():
            seen = self._views[key]
            if place.down_us < 0 and seen.down_since_h is None:
                continue
            visible = place.down_us >= 0 and now >= place.down_us + self._detect_us
            seen.down_since_h = hours(place.down_us) if visible else None
            seen.need_kw = place.need_kw(place.without_supply()) if visible else 0.0
            seen.carried_kw = place.carried_kw() if visible else 0.0
        hour = hours(now) % 24.0
        return View(
            hours(now), hour, self._views, [self._truck_view(truck) for truck in self.trucks.values()],
            self._announced(), self.spec.crew.response_h(hour), self.roads.km,
            lambda here, there: self.roads.expected_h(here, there, int(hour)), self.roads.spec.cost_per_km,
        )  # fmt: skip

    def _truck_view(self, truck: RunningTruck) -> TruckView:
        standing = truck.free or truck.phase in {IN_SERVICE, LENT}
        return TruckView(
            truck.name, truck.home.key, truck.content[f.U_RATED_KW], truck.usable_kwh, truck.full_kwh(),
            truck.place.key if standing else None, truck.destination.key, truck.reason, truck.free,
            generator=truck.spec.generator,
        )  # fmt: skip

    def at_home(self, truck: RunningTruck) -> bool:
        """Whether a truck stands at home, plugged, and nobody needs it there."""
        return truck.phase == PLUGGED and truck.place is truck.home and truck.home.down_us < 0

    def close(self) -> None:
        """The horizon: last rows of all trucks, in the order of their names."""
        for truck in self.trucks.values():
            truck.close()
        for place in self.places.values():
            place.taken.clear()
            place.queue.clear()
        self.trucks.clear()


def _rank_and_name(late: tuple[int, str, Callable[[], None]]) -> tuple[int, str]:
    return late[:2]


class _Watch:
    """Tells the fleet that something flipped at a site."""

    def __init__(self, fleet: RunningFleet, places: list[Place]) -> None:
        self._fleet, self._places = fleet, places

    def __call__(self) -> None:
        self._fleet.look(self._places)


class _Spread:
    """Dear hours against cheap ones of the day that holds a time, at a site; the same in all replications."""

    def __init__(self, site: Site, known: FleetSite) -> None:
        self._plan, self._days = site.plan, known.spreads

    def __call__(self, now_h: float, count: int) -> float:
        day = int(now_h // 24)
        found = self._days.get((day, count))
        if found is None:
            hours_us = (day * 24 + np.arange(24)) * TICKS_PER_H
            edge = np.searchsorted(self._plan.edge_us, hours_us, side="right") - 1
            price = np.sort(self._plan.edge[f.E_PRICE_PER_KWH, edge])
            found = self._days[day, count] = float(price[-count:].mean() - price[:count].mean())
        return found


class _Service:
    """Calls a truck to its service, and again every so often; waits for an hour while it cannot go."""

    def __init__(self, fleet: RunningFleet, truck: RunningTruck, spec: ServiceSpec) -> None:
        self._fleet, self._truck, self._spec = fleet, truck, spec
        self._alarm = fleet.world.alarm(lambda: fleet.later(SERVICE, truck.name, self._due))
        self._alarm.at(ticks(spec.every_h))

    def _due(self) -> None:
        now = self._fleet.world.now
        if self._fleet.at_home(self._truck):
            self._truck.serve(ticks(self._spec.duration_h))
            self._alarm.at(now + ticks(self._spec.every_h))
        else:
            self._alarm.at(now + TICKS_PER_H)


class _Lease:
    """Lends a truck from an hour on; while it cannot go, tries again every hour until the lease is over."""

    def __init__(self, fleet: RunningFleet, truck: RunningTruck, spec: LeaseSpec) -> None:
        self._fleet, self._truck, self._spec = fleet, truck, spec
        self._until_us = ticks(spec.from_h + spec.hours)
        self._alarm = fleet.world.alarm(lambda: fleet.later(LEASE, truck.name, self._due))
        self._alarm.at(ticks(spec.from_h))

    def _due(self) -> None:
        if self._fleet.at_home(self._truck):
            self._truck.lend(self._spec, self._until_us)
        elif self._fleet.world.now + TICKS_PER_H < self._until_us:
            self._alarm.at(self._fleet.world.now + TICKS_PER_H)
