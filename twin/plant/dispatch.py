"""Who carries which load now, at which power: loads -> feeds -> storage -> site totals -> first bound.

`refresh` is idempotent: called again with nothing changed it gives the same powers to the last bit and moves no anchor.
A feed on storage shares its demand over its sound units in proportion to their stored energy (so that they empty
together), within each unit's kW; the shares are reused until demand or units change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, scratch
from twin.plant import ageing
from twin.plant import fields as f
from twin.plant.demand import loads
from twin.plant.feeds import feed_demands
from twin.plant.fuel import burn, empty_at
from twin.plant.parallel import beside_the_grid
from twin.plant.plan import all_net_kw, follow_plan, on_grid, quiet_until, stays
from twin.plant.ramp import hold_ramp, judge_ramp
from twin.plant.recording import record
from twin.plant.sharing import auxiliaries_kw, from_storage, points
from twin.plant.solar import import_besides_pv, left_for_grid_kw, strings_kw
from twin.plant.unit_power import charging_kw, limited_by_charge, next_level
from twin.units import NEVER, TICKS_PER_H

Array = Any

POWERS = f.POWERS


@inner
def _fixed_kw(rare: Any, fact: Array, quantity: Array, clock: Array, site: Array) -> float:
    """What the grid's feeds draw without their storage, less PV [kW]."""
    fixed = 0.0
    for j in range(clock[f.FEEDS]):
        if on_grid(j, fact):
            fixed += quantity[f.F_INPUT_KW, j]
    if rare is not None and clock[f.PV]:
        fixed -= left_for_grid_kw(fact, clock, site)
    return fixed


@inner
def _charge_wishes(
    wanted: Array, rare: Any, fact: Array, quantity: Array, clock: Array, site: Array, price: float
) -> bool:
    """Recharge on the grid: each unit at its own rate, all within the site's recharge and import limits; then trucks.

    Returns:
        Whether any unit wishes to take, be it granted or not, or follows price or demand.
    """
    wish = 0.0
    fixed = _fixed_kw(rare, fact, quantity, clock, site)
    planned = clock[f.PLAN_SLOTS] > 0
    for j in range(clock[f.FEEDS]):
        if not on_grid(j, fact) or fact[f.F_KIND, j] == f.POINT:
            continue
        first = fact[f.F_FIRST, j]
        for i in range(first, first + fact[f.F_COUNT, j]):
            if planned and fact[f.U_USE, i] & f.FOLLOWS:
                continue
            room = quantity[f.U_MAX_KWH, i] - quantity[f.ENERGY_KWH, i]
            if fact[f.U_UP, i] and room > f.TOUCH * quantity[f.U_RECHARGE_KW, i] / TICKS_PER_H:
                wanted[i] = -charging_kw(i, quantity)
                wish -= wanted[i]
    wishing = wish > 0.0
    if wishing:
        limit = min(site[f.RECHARGE_LIMIT_KW], max(0.0, site[f.IMPORT_LIMIT_KW] - fixed))
        if wish > limit:
            scale = limit / wish
            wish = limit
            for i in range(wanted.size):
                if wanted[i] < 0.0:
                    wanted[i] *= scale
    if rare is not None and planned:
        wishing = True
        site[f.UNPLANNED_KW] = wish
        site[f.NET_KW] = all_net_kw(fixed + wish, fact, quantity, clock, site)
        wish += follow_plan(fixed + wish, wanted, fact, quantity, clock, site)
    if rare is not None and clock[f.POINTS] > 0:
        wishing |= beside_the_grid(wanted, fixed, wish, price, fact, quantity, clock, site)
    return wishing


@inner
def _whole_window(j: int, fact: Array, quantity: Array) -> None:
    """Storage that carries feed j obeys no plan."""
    for i in range(fact[f.F_FIRST, j], fact[f.F_FIRST, j] + fact[f.F_COUNT, j]):
        quantity[f.U_FLOOR_KWH, i], quantity[f.U_CEILING_KWH, i] = quantity[f.U_MIN_KWH, i], quantity[f.U_MAX_KWH, i]


@inner
def _inputs(wanted: Array, rare: Any, fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """The input of every feed, and the wanted power of units that carry one [kW]; whether there are such units."""
    hold_up = 0.0
    carrying = False
    for j in range(clock[f.FEEDS]):
        if fact[f.F_KIND, j] == f.POINT:
            continue
        state = fact[f.F_STATE, j]
        demand = quantity[f.F_DEMAND_KW, j]
        count = fact[f.F_COUNT, j]
        auxiliary = auxiliaries_kw(j, fact, quantity) if count > 0 and state != f.DEAD else 0.0
        quantity[f.F_INPUT_KW, j] = 0.0
        quantity[f.F_NEED_KW, j] = 0.0
        if state == f.ON_SECTION:
            loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
            quantity[f.F_INPUT_KW, j] = demand / (1.0 - loss) + auxiliary
        elif state == f.ON_HOLD_UP:
            hold_up += demand + auxiliary
        elif state == f.ON_STORAGE:
            carrying = True
            if rare is not None and clock[f.PLAN_SLOTS] > 0:
                _whole_window(j, fact, quantity)
            need = demand + quantity[f.F_WAY_LOSS_KW, j] + auxiliary
            if rare is not None and clock[f.PV]:
                quantity[f.F_PV_KW, j] = min(need, strings_kw(j, fact, site))
                need -= quantity[f.F_PV_KW, j]
            from_storage(j, need, wanted, fact, quantity)
        if state != f.ON_STORAGE:
            quantity[f.F_SHARED_KW, j] = -1.0
    site[f.HOLD_UP_KW] = hold_up
    if rare is not None and clock[f.POINTS] > 0:
        carrying |= points(wanted, fact, quantity, clock)
    return carrying


@inner
def _anchor(wanted: Array, rare: Any, fact: Array, quantity: Array, clock: Array, tape_us: Array, tape: Array) -> None:
    """Give the units their new powers; every level in motion is anchored at now."""
    now = clock[f.NOW_US]
    dt_h = (now - clock[f.ANCHOR_US]) / TICKS_PER_H
    active = 0
    ages, taped = rare is not None and clock[f.AGEING] > 0, tape_us.size > 0
    for i in range(wanted.size):
        old, new = quantity[f.POWER_KW, i], wanted[i]
        if old != 0.0:
            if old > 0.0:
                quantity[f.DISCHARGED_KWH, i] += old * dt_h
            else:
                quantity[f.CHARGED_KWH, i] -= old * dt_h
        if rare is not None and ages:
            ageing.span(i, dt_h, quantity)
            ageing.steer(i, new, quantity)
        quantity[f.ANCHOR_KWH, i] = quantity[f.ENERGY_KWH, i]
        if new != old:
            if taped:
                n = clock[f.TAPE_POINTS]
                tape_us[n] = now
                tape[n, 0] = i
                tape[n, 1] = quantity[f.ENERGY_KWH, i]
                clock[f.TAPE_POINTS] = n + 1
            quantity[f.POWER_KW, i] = new
            efficiency = quantity[f.U_EFFICIENCY, i]
            quantity[f.RATE_KW, i] = -new / efficiency if new > 0.0 else -new * efficiency
            if fact[f.U_FUELLED, i]:
                quantity[f.RATE_KW, i] = 0.0
        if new != 0.0:
            active += 1
    clock[f.ANCHOR_US] = now
    clock[f.ACTIVE] = active


@inner
def _level_bound(quantity: Array, clock: Array) -> int:
    """First tick at which stored energy in motion meets a bound, rounded down."""
    if clock[f.ACTIVE] == 0:
        return NEVER
    least_h = np.inf
    for i in range(clock[f.UNITS]):
        rate = quantity[f.RATE_KW, i]
        if rate != 0.0:
            end = quantity[f.U_CEILING_KWH, i] if rate > 0.0 else quantity[f.U_FLOOR_KWH, i]
            if limited_by_charge(i, quantity):
                end = next_level(i, rate, end, quantity)
            least_h = min(least_h, (end - quantity[f.ANCHOR_KWH, i]) / rate)
    time = max(least_h, 0.0) * TICKS_PER_H
    return clock[f.ANCHOR_US] + np.int64(time) if time < NEVER - clock[f.ANCHOR_US] else NEVER


@inner
def _bound(clock: Array, site: Array) -> int:
    """First tick at which a level in motion, stored energy or heat, meets a bound, rounded down."""
    bound = clock[f.LEVEL_US]
    rate = site[f.HEAT_RATE]
    if rate != 0.0:
        time = ((1.0 if rate > 0.0 else 0.0) - site[f.HEAT_ANCHOR]) / rate * TICKS_PER_H
        if time < bound - clock[f.HEAT_ANCHOR_US]:
            bound = clock[f.HEAT_ANCHOR_US] + np.int64(max(time, 0.0))
    return bound


@inner
def _totals(as_before: bool, rare: Any, quantity: Array, fact: Array, clock: Array, site: Array) -> None:
    """Site totals from feeds and units [kW]; what enters equals what leaves, column by column.

    `as_before`: no unit's power has changed, and none gives.
    """
    grid = genset = loss = auxiliary = charge = discharge = storage_loss = need = network = beside = fuelled = 0.0
    for j in range(clock[f.FEEDS]):
        if fact[f.F_STATE, j] == f.DEAD:
            continue
        need += quantity[f.F_NEED_KW, j]
        if fact[f.F_COUNT, j] > 0:
            auxiliary += auxiliaries_kw(j, fact, quantity)
        if fact[f.F_STATE, j] == f.ON_STORAGE:
            network += quantity[f.F_WAY_LOSS_KW, j]
        elif fact[f.F_STATE, j] == f.ON_SECTION:
            if not fact[f.F_BYPASS, j] and quantity[f.F_LOSS_FRACTION, j] > 0.0:
                share = quantity[f.F_LOSS_FRACTION, j]
                loss += quantity[f.F_DEMAND_KW, j] * share / (1.0 - share)
            if fact[f.F_ON_GENSET, j]:
                genset += quantity[f.F_INPUT_KW, j]
            elif not fact[f.F_ON_POINT, j]:
                grid += quantity[f.F_INPUT_KW, j]
    if as_before:
        charge, storage_loss = site[f.CHARGE_KW], site[f.STORAGE_LOSS_KW]
    elif clock[f.ACTIVE] > 0:
        for i in range(clock[f.UNITS]):
            power = quantity[f.POWER_KW, i]
            if power > 0.0:
                if fact[f.F_STATE, fact[f.U_FEED, i]] == f.ON_SECTION:
                    beside += power
                if fact[f.U_FUELLED, i]:
                    genset += power
                    fuelled += power
                    continue
                discharge += power
                storage_loss += power * (1.0 / quantity[f.U_EFFICIENCY, i] - 1.0)
            elif power < 0.0:
                charge -= power
                storage_loss -= power * (1.0 - quantity[f.U_EFFICIENCY, i])
    grid += charge - beside
    if rare is not None and clock[f.PV]:
        grid = import_besides_pv(grid, fact, quantity, clock, site)
    site[f.IMPORT_KW] = grid
    site[f.GENSET_KW] = genset
    site[f.LOSS_KW] = loss
    site[f.AUXILIARY_KW] = auxiliary
    site[f.CHARGE_KW] = charge
    site[f.DISCHARGE_KW] = discharge
    site[f.STORAGE_LOSS_KW] = storage_loss
    site[f.NETWORK_LOSS_KW] = network
    short = need - (discharge + fuelled - beside)
    site[f.CLAMPED_KW] = short if short > 1e-9 * need else 0.0


@inner
def _as_before(rare: Any, fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """Whether no more than a demand has moved since the powers were last set, and planned storage stays as it is."""
    if clock[f.MOVED] or clock[f.PLAN_SLOTS] == 0 or clock[f.POINTS] > 0 or site[f.RAMP_LIMIT_KW] > 0.0:
        return False
    if site[f.UNPLANNED_KW] > 0.0:
        return False
    fixed_kw = _fixed_kw(rare, fact, quantity, clock, site)
    if not stays(fixed_kw, clock, site):
        return False
    site[f.NET_KW] = all_net_kw(fixed_kw, fact, quantity, clock, site)
    return True


@scratch
def _units(
    rare: Any, fact: Array, quantity: Array, clock: Array, site: Array, price: float, tape_us: Array, tape: Array
) -> bool:
    """Set the inputs of the feeds and the power of every unit, and anchor the levels where a power has changed.

    Returns:
        Whether all units do as before: they rest, or charge by plan.
    """
    wanted = np.zeros(clock[f.UNITS])
    carrying = _inputs(wanted, rare, fact, quantity, clock, site)
    if rare is not None and not carrying and _as_before(rare, fact, quantity, clock, site):
        return True
    clock[f.MOVED] = 0
    wishing = _charge_wishes(wanted, rare, fact, quantity, clock, site, price)
    if rare is not None and site[f.RAMP_LIMIT_KW] > 0.0:
        wishing = True
        hold_ramp(wanted, fact, quantity, clock, site)
    clock[f.IDLE] = not (carrying or wishing)
    changed = False
    for i in range(wanted.size):
        if wanted[i] != quantity[f.POWER_KW, i]:
            changed = True
    if changed:
        _anchor(wanted, rare, fact, quantity, clock, tape_us, tape)
    clock[f.LEVEL_US] = _level_bound(quantity, clock)
    return False


@inner
def refresh(
    at_edge: bool,
    at_slot: bool,
    rare: Any,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    site: Array,
    edge: Array,
    tape_us: Array,
    tape: Array,
) -> int:
    """Set every power from the facts as they stand; returns the tick of the first bound (NEVER if none is in sight).

    `at_edge`: only a profile has moved since the last call, no fact; units that were idle are then left alone.
    `at_slot`: only the plan has; loads then ask for what they did, unless the hall heats up or cools down.
    `rare`: from `rare_parts`; with None the compiler leaves out what only few sites have.
    """
    site[f.PV_AVAILABLE_KW] = edge[f.E_PV_KW, clock[f.EDGE]]
    if not at_slot or site[f.HEAT_RATE] != 0.0:
        loads(fact, quantity, clock, site, edge)
        feed_demands(quantity, link, fact, clock, site)
    as_before = False
    if at_edge and clock[f.IDLE]:
        _inputs(quantity[f.POWER_KW], rare, fact, quantity, clock, site)
    else:
        as_before = _units(rare, fact, quantity, clock, site, edge[f.E_PRICE_PER_KWH, clock[f.EDGE]], tape_us, tape)
    clock[f.BOUND_US] = min(_bound(clock, site), clock[f.RAMP_EDGE_US])
    if rare is not None and site[f.FUEL_PER_KWH_L] > 0.0:
        burn(fact, quantity, clock, site)
        clock[f.BOUND_US] = min(clock[f.BOUND_US], empty_at(clock, site))
    _totals(as_before, rare, quantity, fact, clock, site)
    if rare is not None and clock[f.PLAN_SLOTS] > 0:
        clock[f.PLAN_QUIET_US] = quiet_until(clock, site)
    if rare is not None and site[f.RAMP_LIMIT_KW] > 0.0:
        judge_ramp(fact, quantity, link, clock, site, edge)
    if tape_us.size > 0:
        record(rare, quantity, clock, site, edge, tape_us, tape, fact, link)
    return clock[f.BOUND_US]
