"""Bring the plant exactly to an instant: between facts and edges every power is constant, so energies are exact.

Levels (stored energy, heat) are kept as a value at an anchor tick and a rate. Settling once more adds no rounding to
them, so crossings fall on the same microsecond however often somebody looks.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.plant.dispatch import refresh
from twin.plant.fuel import fuel_level, is_empty
from twin.plant.meter import meter
from twin.plant.plan import begin_slot, next_slot
from twin.units import NEVER, TICKS_PER_H

Array = Any

SETTLE, LOOK_AHEAD, TURN = range(3)
"""What `advance` is asked for: levels at a tick; the first edge, or bound that needs a fact; powers from then on."""
OK, STOPPED, UNANNOUNCED, TAPE_FULL = 0, -1, -2, -3
ARRIVED, WALKED, AT_EDGE, AT_BOUND, AT_SLOT = range(5)
"""Where a step ends: no more to walk; powers go on as they are; a profile has moved, a level has; the plan alone."""
POWERS = f.POWERS


def rare_parts(fact: Array, clock: Array, site: Array) -> bool | None:
    """What kernels are to be told of parts that few sites have.

    These are a plan, a ramp, connection points, static transfer switches, cells that age, PV, a network and a tank.

    Returns:
        None where the site has none of them. numba then leaves out what hangs on `rare is not None` before it
        compiles, and with it all kernels called there alone; a site that has any of them gets kernels with all.
    """
    planned, switched = site.size > f.SITE_QUANTITIES, fact[f.L_SOURCE].any()
    counted = clock[[f.POINTS, f.AGEING, f.PV, f.DRAWS]].any()
    rated = site[f.RAMP_LIMIT_KW] > 0.0 or site[f.FUEL_PER_KWH_L] > 0.0
    return True if planned or switched or counted or rated else None


@inner
def _integrate(end_us: int, site: Array, ledger: Array, clock: Array, edge: Array) -> None:
    start_us = clock[f.NOW_US]
    month = int(edge[f.E_MONTH, clock[f.EDGE]])
    dt_h = (end_us - start_us) / TICKS_PER_H
    price = edge[f.E_PRICE_PER_KWH, clock[f.EDGE]]
    for k in range(POWERS):
        if site[k] != 0.0:
            ledger[k, month] += site[k] * dt_h
    if site[f.PV_AVAILABLE_KW] > 0.0:
        for k in range(3):
            ledger[f.LEDGER_PV_KWH + k, month] += site[f.PV_KW + k] * dt_h
        ledger[f.LEDGER_PV_VALUE, month] += (site[f.PV_KW] - site[f.EXPORT_KW]) * dt_h * price
    if site[f.RAMP_LIMIT_KW] > 0.0:
        for k in range(4):
            ledger[f.LEDGER_RAMP_KWH + k, month] += site[f.RAMP_STORAGE_KW + k] * dt_h
    imported_kwh = site[f.IMPORT_KW] * dt_h
    ledger[f.LEDGER_PERIOD_KWH + int(edge[f.E_PERIOD, clock[f.EDGE]]), month] += imported_kwh
    ledger[f.LEDGER_ENERGY_COST, month] += imported_kwh * price
    ledger[f.LEDGER_CHARGE_COST, month] += site[f.CHARGE_KW] * dt_h * price
    meter(start_us, end_us, site[f.IMPORT_KW], site, f.QUARTER_KWH, ledger, month)
    if clock[f.PLAN_SLOTS] > 0:
        site[f.SLOT_NET_KWH] += site[f.NET_KW] * dt_h
        site[f.MONTH_PEAK_KW] = ledger[f.LEDGER_PEAK_KW, month]
    clock[f.NOW_US] = end_us


@inner
def levels(quantity: Array, clock: Array, site: Array) -> None:
    """Stored energies, heat and fuel at the clock's now, from their anchors."""
    dt_h = (clock[f.NOW_US] - clock[f.ANCHOR_US]) / TICKS_PER_H
    if clock[f.ACTIVE] > 0:
        for i in range(clock[f.UNITS]):
            if quantity[f.RATE_KW, i] != 0.0:
                quantity[f.ENERGY_KWH, i] = quantity[f.ANCHOR_KWH, i] + quantity[f.RATE_KW, i] * dt_h
    if site[f.HEAT_RATE] != 0.0:
        site[f.HEAT] = site[f.HEAT_ANCHOR] + site[f.HEAT_RATE] * (
            (clock[f.NOW_US] - clock[f.HEAT_ANCHOR_US]) / TICKS_PER_H
        )
    fuel_level(clock, site)


@inner
def stored_kwh(quantity: Array, clock: Array) -> float:
    """Energy in all units [kWh]."""
    total = 0.0
    for i in range(clock[f.UNITS]):
        total += quantity[f.ENERGY_KWH, i]
    return total


@inner
def _benign(fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """Whether the bound at hand needs no fact to flip: a unit is full, a truck at its reserve, or the heat is gone."""
    for i in range(clock[f.UNITS]):
        if quantity[f.RATE_KW, i] < 0.0 and fact[f.F_STATE, fact[f.U_FEED, i]] == f.ON_STORAGE:
            room = quantity[f.ENERGY_KWH, i] - quantity[f.U_MIN_KWH, i]
            touch = -quantity[f.RATE_KW, i] / TICKS_PER_H * f.TOUCH
            if room <= touch or abs(quantity[f.ENERGY_KWH, i] - quantity[f.U_LOW_KWH, i]) <= touch:
                return False
    if is_empty(site):
        return False
    return not (site[f.HEAT_RATE] > 0.0 and 1.0 - site[f.HEAT] <= site[f.HEAT_RATE] / TICKS_PER_H * f.TOUCH)


@inner
def _matters(edge_before: int, edge_after: int, edge: Array, fact: Array, clock: Array) -> bool:
    """Whether an edge changes any power, or cuts a span of flows: a price alone concerns only trucks that trade."""
    if edge_after < edge[f.E_NEXT, edge_before]:
        return False
    if clock[f.DRAWS] > 0:
        return True
    for row in range(f.E_COOLING_FRACTION, f.E_NEXT):
        if row != f.E_PRICE_PER_KWH and row != f.E_PERIOD and edge[row, edge_before] != edge[row, edge_after]:
            return True
    if clock[f.POINTS] > 0:
        for i in range(clock[f.UNITS]):
            if fact[f.U_USE, i] & f.TRADES:
                return True
    return False


@inner
def _tape_full(clock: Array, tape_us: Array) -> bool:
    """Whether a recording tape has no room for the points and the row of one more dispatch."""
    return 0 < tape_us.size < clock[f.TAPE_POINTS] + clock[f.TAPE_ROWS] + clock[f.UNITS] + 2


@inner
def _step(
    until_us: int,
    stop: bool,
    rare: Any,
    fact: Array,
    quantity: Array,
    clock: Array,
    site: Array,
    ledger: Array,
    edge_us: Array,
    edge: Array,
    tape_us: Array,
) -> int:
    """Walk to the next edge, slot or bound, at most to `until_us`; returns where this ends, or a code of `advance`."""
    if _tape_full(clock, tape_us):
        return TAPE_FULL
    end_us = until_us
    if clock[f.BOUND_US] < end_us:
        end_us = clock[f.BOUND_US]
    next_edge = clock[f.EDGE] + 1
    at_edge = only_money = at_slot = False
    if next_edge < edge_us.size and edge_us[next_edge] <= end_us:
        end_us = edge_us[next_edge]
        at_edge = True
    if rare is not None:
        at_slot = clock[f.PLAN_SLOTS] > 0 and clock[f.PLAN_EDGE_US] <= end_us
    if at_slot:
        at_edge = at_edge and end_us == clock[f.PLAN_EDGE_US]
        end_us = clock[f.PLAN_EDGE_US]
    if end_us > clock[f.NOW_US]:
        _integrate(end_us, site, ledger, clock, edge)
    at_bound = clock[f.BOUND_US] <= end_us
    if not at_edge and not at_bound and not at_slot:
        return ARRIVED
    quiet = False
    if rare is not None and at_slot and not at_edge:
        quiet = next_slot(clock, site)
        if quiet and not at_bound:
            return WALKED
    levels(quantity, clock, site)
    if at_edge:
        month = int(edge[f.E_MONTH, clock[f.EDGE]])
        if month != int(edge[f.E_MONTH, next_edge]):
            ledger[f.LEDGER_STORED_KWH, month] = stored_kwh(quantity, clock)
            if clock[f.PLAN_SLOTS] > 0:
                site[f.MONTH_PEAK_KW] = 0.0
        clock[f.EDGE] = next_edge
        only_money = not _matters(next_edge - 1, next_edge, edge, fact, clock)
        if stop and not only_money:
            return STOPPED
        if rare is not None and at_slot:
            quiet = next_slot(clock, site)
    if rare is not None and at_slot and not quiet:
        begin_slot(fact, quantity, clock, site)
        clock[f.MOVED] = 1
    if at_bound:
        clock[f.MOVED] = 1
        if not _benign(fact, quantity, clock, site):
            if stop:
                return STOPPED
            if clock[f.NOW_US] < until_us:
                return UNANNOUNCED
            if not at_edge or only_money:
                return ARRIVED
        clock[f.BOUND_US] = NEVER
    elif (not at_edge or only_money) and (not at_slot or quiet):
        return WALKED
    if at_bound:
        return AT_BOUND
    return AT_EDGE if at_edge and not only_money else AT_SLOT


@borrowing
def advance(
    until_us: int,
    task: int,
    rare: Any,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    site: Array,
    ledger: Array,
    edge_us: Array,
    edge: Array,
    tape_us: Array,
    tape: Array,
) -> int:
    """Advance the plant to `until_us`, walking profile edges and benign bounds inside.

    One kernel does all three tasks, because what it calls is compiled once more for every kernel that calls it.

    Args:
        until_us: tick to reach; the clock's now or later.
        task: SETTLE; LOOK_AHEAD, run on a copy; or TURN: then set every power from the facts as they stand.
        rare: from `rare_parts`.

    Returns:
        After TURN the tick up to which its powers hold: next edge or bound, NEVER if none; else OK; or a negative code:
        STOPPED (looking ahead, the clock stands at the edge's or bound's tick); UNANNOUNCED when a bound was met that
        no alarm announced; TAPE_FULL when the caller must empty the tape first and call again.
    """
    while True:
        where = ARRIVED
        if clock[f.NOW_US] < until_us:
            stop = task == LOOK_AHEAD
            where = _step(until_us, stop, rare, fact, quantity, clock, site, ledger, edge_us, edge, tape_us)
            if where < OK:
                return where
            if where == WALKED:
                continue
        if where == ARRIVED:
            levels(quantity, clock, site)
            if task != TURN:
                return OK
            if _tape_full(clock, tape_us):
                return TAPE_FULL
        bound = refresh(
            where == AT_EDGE, where == AT_SLOT, rare, fact, quantity, link, clock, site, edge, tape_us, tape
        )
        if where == ARRIVED:
            if clock[f.PLAN_SLOTS] > 0:
                bound = min(bound, clock[f.PLAN_QUIET_US])
            following = int(edge[f.E_NEXT, clock[f.EDGE]])
            return min(bound, edge_us[following]) if following < edge_us.size else bound
