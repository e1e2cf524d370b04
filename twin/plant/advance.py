"""Bring the plant exactly to an instant: between facts and edges every power is constant, so energies are exact.

Levels (stored energy, heat) are kept as a value at an anchor tick and a rate. Settling once more adds no rounding to
them, so crossings fall on the same microsecond however often somebody looks.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner, kernel
from twin.plant import fields as f
from twin.plant.dispatch import refresh
from twin.plant.fuel import fuel_level, is_empty
from twin.plant.meter import meter
from twin.plant.plan import begin_slot, next_slot
from twin.units import NEVER, TICKS_PER_H

Array = Any

OK, STOPPED, UNANNOUNCED, TAPE_FULL = 0, -1, -2, -3
POWERS = f.POWERS


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


@kernel
def advance(
    until_us: int,
    stop: bool,
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

    Args:
        until_us: tick to reach; the clock's now or later.
        stop: stop at the first edge, or bound that needs a fact to flip (the look-ahead, run on a copy).

    Returns:
        OK; STOPPED (the clock stands at the edge's or bound's tick); UNANNOUNCED when a bound was met that no alarm
        announced; TAPE_FULL when the caller must empty the tape first and call again.
    """
    while clock[f.NOW_US] < until_us:
        if _tape_full(clock, tape_us):
            return TAPE_FULL
        end_us = until_us
        if clock[f.BOUND_US] < end_us:
            end_us = clock[f.BOUND_US]
        next_edge = clock[f.EDGE] + 1
        at_edge = only_money = False
        if next_edge < edge_us.size and edge_us[next_edge] <= end_us:
            end_us = edge_us[next_edge]
            at_edge = True
        at_slot = clock[f.PLAN_SLOTS] > 0 and clock[f.PLAN_EDGE_US] <= end_us
        if at_slot:
            at_edge = at_edge and end_us == clock[f.PLAN_EDGE_US]
            end_us = clock[f.PLAN_EDGE_US]
        if end_us > clock[f.NOW_US]:
            _integrate(end_us, site, ledger, clock, edge)
        at_bound = clock[f.BOUND_US] <= end_us
        if not at_edge and not at_bound and not at_slot:
            break
        quiet = False
        if at_slot and not at_edge:
            quiet = next_slot(clock, site)
            if quiet and not at_bound:
                continue
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
            if at_slot:
                quiet = next_slot(clock, site)
        if at_slot and not quiet:
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
                    return OK
            clock[f.BOUND_US] = NEVER
        elif not (at_edge and not only_money) and (not at_slot or quiet):
            continue
        refresh(not at_bound, fact, quantity, link, clock, site, edge, tape_us, tape)
    levels(quantity, clock, site)
    return OK


@kernel
def turn(
    now_us: int,
    stop: bool,
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
    """Advance to now and set every power from the facts as they stand: settle and dispatch in one call.

    Returns:
        The tick up to which these powers hold (next edge or bound, NEVER if none), or a negative code of `advance`.
    """
    code = advance(now_us, stop, fact, quantity, link, clock, site, ledger, edge_us, edge, tape_us, tape)  # fmt: skip
    if code != OK:
        return code
    if _tape_full(clock, tape_us):
        return TAPE_FULL
    bound = refresh(False, fact, quantity, link, clock, site, edge, tape_us, tape)
    following = int(edge[f.E_NEXT, clock[f.EDGE]])
    if clock[f.PLAN_SLOTS] > 0:
        bound = min(bound, clock[f.PLAN_QUIET_US])
    return min(bound, edge_us[following]) if following < edge_us.size else bound
