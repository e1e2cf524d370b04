"""A truck's life: plugged, ordered, unplugged, on the road, perhaps broken down, queueing, connecting, plugged again.

Phases are facts with one movable alarm, not a process with interrupts. Plugged, its content is a berth's column; on the
road the truck owns it and loses its auxiliaries, down to the floor. Draws are keyed by the truck's name, the purpose
and the number of the trip, so that one more truck, or one more trip of another, moves nobody's luck.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from twin.chance.law import compile_law
from twin.fleet.place import Place
from twin.fleet.spec import LeaseSpec, TruckSpec
from twin.fleet.view import REASONS, Reason
from twin.plant import fields as f
from twin.schema_trace import TRUCK_PHASES
from twin.units import TICKS_PER_H, hours, ticks
from twin.world import record as r
from twin.world.berths import CONTENT, Content, plug, refresh, unplug

if TYPE_CHECKING:
    from twin.fleet.running import RunningFleet

(
    PLUGGED, WAITING_FOR_CREW, UNPLUGGING, WAITING_FOR_ROAD, TRAVELLING, BROKEN_DOWN, QUEUEING, CONNECTING, IN_SERVICE,
    LENT,
) = range(len(TRUCK_PHASES))  # fmt: skip
_CREWED = (UNPLUGGING, TRAVELLING, CONNECTING)
DEPARTURE, LEASE, SERVICE = range(3)
"""What waits for the end of an instant, in this order."""
PRICELESS = 1e300


def content_of(spec: TruckSpec) -> Content:
    """A truck's column as it is built."""
    rated_kwh = spec.rated_kwh or 0.0
    recharge_kw = 0.0 if spec.generator else (spec.recharge_kw or spec.rated_kw)
    rows = {
        f.ENERGY_KWH: spec.start_kwh, f.CHARGED_KWH: 0.0, f.DISCHARGED_KWH: 0.0, f.U_RATED_KW: spec.rated_kw,
        f.U_RATED_KWH: rated_kwh, f.U_MIN_KWH: rated_kwh * spec.soc_min_fraction,
        f.U_MAX_KWH: rated_kwh * spec.soc_max_fraction, f.U_EFFICIENCY: spec.efficiency_one_way,
        f.U_AUXILIARY_KW: 0.0 if spec.generator else spec.auxiliary_kw, f.U_RECHARGE_KW: recharge_kw,
        f.U_RESERVE_KWH: 0.0, f.U_LOW_PRICE: -PRICELESS, f.U_HIGH_PRICE: PRICELESS,
    }  # fmt: skip
    return Content(np.array([rows[row] for row in CONTENT]), fuelled=spec.generator)


class RunningTruck:
    """One truck in one world."""

    def __init__(self, name: str, spec: TruckSpec, fleet: RunningFleet, item: int, home: Place) -> None:
        self.name, self.spec, self.fleet, self.item, self.home = name, spec, fleet, item, home
        self.world = fleet.world
        self.content = content_of(spec)
        self.place = self.destination = home
        self.reason: Reason = "home"
        self.phase = PLUGGED
        self.row = -1
        self.lease: LeaseSpec | None = None
        self._since_us = self._away_us = 0
        self._trip = 0
        self._ordered_us = self._depart_us = self.arrived_us = -1
        self._left_us = 0
        self._broken_at: int | None = None
        self._km = self._crew_h = 0.0
        self._origin = home.site
        self._stay = (0, 0.0, 0.0, 0.0)
        self._speed = self.world.stream(self._path, "speed")
        self._fails = self.world.stream(self._path, "breakdown")
        self._where = self.world.stream(self._path, "breakdown_place")
        self._repairs = self.world.stream(self._path, "repair")
        self._repair_law = compile_law(spec.repair_h)
        self._alarm = self.world.alarm(self._ring)

    @property
    def _path(self) -> str:
        return f"trucks/{self.name}"

    # ------------------------------------------------------------------ what it holds
    def energy_kwh(self) -> float:
        """Stored energy now; away from a berth it falls by the auxiliaries, to the floor at most [kWh]."""
        if self.content.at is not None or self.phase == LENT:
            return self.content.energy_kwh
        stored, floor = self.content.energy_kwh, self.content[f.U_MIN_KWH]
        lost = self.content[f.U_AUXILIARY_KW] * hours(self.world.now - self._away_us)
        return max(min(stored, floor), stored - lost)

    def usable_kwh(self) -> float:
        """Above the floor, at the load's side [kWh]."""
        return (self.energy_kwh() - self.content[f.U_MIN_KWH]) * self.content[f.U_EFFICIENCY]

    def full_kwh(self) -> float:
        """The same of a full truck [kWh]."""
        return (self.content[f.U_MAX_KWH] - self.content[f.U_MIN_KWH]) * self.content[f.U_EFFICIENCY]

    @property
    def free(self) -> bool:
        """Whether an order would be obeyed."""
        return self.phase in {PLUGGED, WAITING_FOR_CREW, QUEUEING}

    # ------------------------------------------------------------------ orders
    def order(self, place: Place, reason: Reason, cause: int) -> None:
        """Relocate to `place`; to where it stands: stay after all."""
        if not self.free:
            return
        if place is self.place:
            if self.phase == WAITING_FOR_CREW:
                self._alarm.stop()
                self.destination, self._ordered_us = place, -1
                self._enter(PLUGGED if self.content.at is not None else QUEUEING, cause)
            return
        if self.phase == WAITING_FOR_CREW:
            self.destination, self.reason = place, reason
            return
        if self.phase == QUEUEING and self._ordered_us >= 0:
            self._book_trip(-1, 0 if self._for_outage else -1)
        self.destination, self.reason = place, reason
        self._ordered_us = self.world.now
        self.row = self.world.record.event(self.world.now, self.item, r.ORDERED, REASONS.index(reason), cause)
        self._enter(WAITING_FOR_CREW, self.row)
        self._alarm.at(self.world.now + self.fleet.response_us())

    def _enter(self, phase: int, cause: int = -1) -> None:
        now = self.world.now
        if self.phase in _CREWED:
            self._crew_h += hours(now - self._since_us)
        self.row = self.world.record.event(now, self.item, r.PHASE, phase, self.row if cause < 0 else cause)
        self.phase, self._since_us = phase, now

    def _ring(self) -> None:
        steps = {
            WAITING_FOR_CREW: self._leave, UNPLUGGING: self._unplugged, WAITING_FOR_ROAD: self._set_out,
            TRAVELLING: self._arrive, BROKEN_DOWN: self._repaired, CONNECTING: self._connected,
            IN_SERVICE: self._arrive, LENT: self._returned,
        }  # fmt: skip
        steps[self.phase]()

    def _leave(self) -> None:
        self._origin, self._km, self._crew_h = self.place.site, 0.0, 0.0
        self._depart_us = self.arrived_us = -1
        if self.content.at is None:
            self.place.queue.remove(self)
            self._unplugged()
            return
        self._take_out()
        self._enter(UNPLUGGING)
        self._alarm.at(self.world.now + self.place.disconnect_us)

    def _take_out(self) -> None:
        """The berth's column becomes the truck's again."""
        self.row = unplug(self.content, self.item, self.row)
        self._away_us = self.world.now
        self._end_stay()

    def _unplugged(self) -> None:
        self.fleet.release(self.place, self)
        self._set_out()

    # ------------------------------------------------------------------ the road
    def _set_out(self) -> None:
        """Drive once it is known whether the road closes in this very instant."""
        self.fleet.later(DEPARTURE, self.name, self._drive)

    def _drive(self) -> None:
        now = self.world.now
        open_us = max(self.place.closed_until_us, self.destination.closed_until_us)
        if open_us > now and self.destination.site is not self.place.site:
            self._enter(WAITING_FOR_ROAD)
            self._alarm.at(open_us)
            return
        roads, n = self.fleet.roads, self._trip
        km = roads.km(self.place.site.name, self.destination.site.name)
        speed = self._speed.ticks_at(roads.speed, n) / TICKS_PER_H * roads.spec.hour_factor[self.fleet.hour() % 24]
        self._depart_us, self._km = now, km
        self._enter(TRAVELLING)
        self._left_us = ticks(km / speed)
        risk = 1.0 - math.exp(-km * self.spec.breakdowns_per_1000_km / 1000.0)
        self._broken_at = None
        if self._fails.uniform_at(n) < risk:
            self._broken_at = now + int(self._left_us * self._where.uniform_at(n))
        self._trip += 1
        self._alarm.at(now + self._left_us if self._broken_at is None else self._broken_at)

    def _repaired(self) -> None:
        self._enter(TRAVELLING)
        self._alarm.at(self.world.now + self._left_us)

    def _arrive(self) -> None:
        now = self.world.now
        if self.phase == TRAVELLING and self._broken_at is not None:
            self._left_us -= now - self._depart_us
            self._broken_at = None
            self._enter(BROKEN_DOWN)
            self._alarm.at(now + self._repairs.ticks_at(self._repair_law, self._trip - 1))
            return
        self.arrived_us = now
        self.place = self.destination
        self.fleet.arrive(self.place, self)

    # ------------------------------------------------------------------ at a place
    def queue(self) -> None:
        """No berth is free."""
        if self.phase not in {QUEUEING, WAITING_FOR_CREW}:
            self._enter(QUEUEING)

    def connect(self) -> None:
        """A berth is ours; an order that still waited for its crew is void."""
        if self.phase == WAITING_FOR_CREW:
            self.destination, self._ordered_us = self.place, -1
        self._enter(CONNECTING)
        self._alarm.at(self.world.now + self.place.connect_us)

    def _connected(self) -> None:
        self.plug()
        self._enter(PLUGGED)
        self._end_trip()
        self.fleet.ask()

    def plug(self) -> None:
        """The berth takes over what the truck holds, and what it does here is the site's choice."""
        stored, now = self.energy_kwh(), self.world.now
        if self.content.at is None and stored < self.content.energy_kwh:
            self._mark_the_floor(stored)
        self.content[f.ENERGY_KWH] = stored
        self.fleet.use_of(self.place).apply(self.content, synchronised=self.place.spec.synchronised)
        unit = next(i for i, truck in self.place.taken.items() if truck is self)
        self._stay = (now, stored, self.content[f.CHARGED_KWH], self.content[f.DISCHARGED_KWH])
        self.row = plug(self.place.site, unit, self.content, self.item, self.row)

    def _mark_the_floor(self, stored_kwh: float) -> None:
        """The tick at which the auxiliaries had emptied the truck on its way, for the record."""
        auxiliary_kw = self.content[f.U_AUXILIARY_KW]
        whole_us = (self.content.energy_kwh - stored_kwh) / auxiliary_kw * TICKS_PER_H
        at_us = self._away_us + int(whole_us)
        if at_us < self.world.now - 1:
            self.place.site.tape.mark(self.item, at_us, stored_kwh)

    # ------------------------------------------------------------------ service and leases
    def serve(self, duration_us: int) -> None:
        """Go into service where it stands; plugged in again afterwards."""
        self._take_out()
        self.fleet.release(self.place, self)
        self._enter(IN_SERVICE)
        self._alarm.at(self.world.now + duration_us)

    def lend(self, lease: LeaseSpec, until_us: int) -> None:
        """Away to whoever pays."""
        self.lease, self.reason = lease, "lease"
        self._ordered_us, self._origin, self._km, self._crew_h = self.world.now, self.place.site, 2.0 * lease.km, 0.0
        self._take_out()
        self.fleet.release(self.place, self)
        self._enter(LENT)
        self._since_us = self._depart_us = self.world.now
        self._alarm.at(until_us)

    def _returned(self) -> None:
        self._end_lease(self.world.now)
        self._away_us, self._ordered_us = self.world.now, -1
        self.reason, self.destination = "home", self.home
        self._arrive()

    def _end_lease(self, end_us: int) -> None:
        assert self.lease is not None
        stored, start = self.content.energy_kwh, self._since_us
        self.place.site.tape.mark(self.item, end_us, stored)
        income = hours(end_us - start) * self.lease.income_per_h
        self.world.record.stays.append((self.item, -1, start, end_us, stored, stored, 0.0, 0.0, 0.0, income))
        cost = self._km * self.fleet.roads.spec.cost_per_km
        lease = REASONS.index("lease")
        origin = self.fleet.number_of(self._origin)
        self.world.record.trips.append((self.item, origin, -1, lease, start, start, -1, -1, -1, self._km, cost))
        self.lease = None

    # ------------------------------------------------------------------ the record
    def _end_trip(self) -> None:
        if self._ordered_us < 0:
            return  # back from service or a lease, or the order was called off
        self._book_trip(self.world.now, int(self.fleet.is_awaited(self.place)) if self._for_outage else -1)
        self._ordered_us = -1

    @property
    def _for_outage(self) -> bool:
        """Whether the truck was sent because supply is away, or will be."""
        return self.reason in {"outage", "notice", "relay"}

    def _book_trip(self, plugged_us: int, in_time: int) -> None:
        fleet = self.fleet
        cost = self._km * fleet.roads.spec.cost_per_km + self._crew_h * fleet.spec.crew.cost_per_h
        self.world.record.trips.append(
            (
                self.item, fleet.number_of(self._origin), fleet.number_of(self.destination.site),
                REASONS.index(self.reason), self._ordered_us, self._depart_us, self.arrived_us, plugged_us, in_time,
                self._km, cost,
            )
        )  # fmt: skip

    def _end_stay(self) -> None:
        start, stored, charged, discharged = self._stay
        given = self.content[f.DISCHARGED_KWH] - discharged
        fuel = given * self.spec.fuel_cost_per_kwh if self.spec.generator else 0.0
        self.world.record.stays.append(
            (
                self.item, self.fleet.number_of(self.place.site), start, self.world.now, stored,
                self.content[f.ENERGY_KWH], self.content[f.CHARGED_KWH] - charged, given, fuel, 0.0,
            )
        )  # fmt: skip

    def close(self) -> None:
        """The horizon: book the stay, the lease or the trip that is under way."""
        now = self.world.horizon_us
        if self.phase == LENT:
            self._end_lease(now)
        elif self.content.at is not None:
            refresh(self.content)
            self._end_stay()
            self.place.site.tape.mark(self.item, now, self.content[f.ENERGY_KWH])
        else:
            stored = self.energy_kwh()
            if stored < self.content.energy_kwh:
                self._mark_the_floor(stored)
            self.place.site.tape.mark(self.item, now, stored)
            if self._ordered_us >= 0 and self._depart_us >= 0:
                self._book_trip(-1, -1)
