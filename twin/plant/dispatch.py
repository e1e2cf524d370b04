"""Who carries which load now, at which power: loads -> feeds -> storage -> site totals -> first bound.

`refresh` is idempotent: called again with nothing changed it gives the same powers to the last bit and moves no anchor.
A feed on storage shares its demand over its sound units in proportion to their stored energy (so that they empty
together), within each unit's kW; the shares are reused until demand or units change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import kernel
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_H

Array = Any

POWERS = f.POWERS


@kernel
def loads(load_fact: Array, load: Array, clock: Array, site: Array, edge: Array) -> None:
    """Demand of every load point from its facts: servers first, then the cooling that their heat asks for [kW]."""
    it_kw = 0.0
    full_it_kw = site[f.IT_FULL_KW]
    unserved = 0.0
    fraction = edge[f.E_COOLING_FRACTION, clock[f.EDGE]]
    pumps_kw = 0.0
    cooling = 0.0
    house = 0.0
    for i in range(load.shape[1]):
        kind = load_fact[f.L_KIND, i]
        if kind == f.ROW or kind == f.CORE:
            per_gpu = load[f.L_PER_GPU_CAPPED_KW, i] if load_fact[f.L_CAPPED, i] else load[f.L_PER_GPU_KW, i]
            potential = load[f.L_FIXED_KW, i] + load_fact[f.L_BUSY_GPUS, i] * per_gpu
            potential += load_fact[f.L_BOOTING, i] * load[f.L_PER_BOOT_KW, i]
            full = load[f.L_FIXED_KW, i] + load[f.L_FULL_GPUS, i] * per_gpu
            load[f.L_POTENTIAL_KW, i] = potential
            load[f.L_FULL_KW, i] = max(full, potential)
            hold_up = load[f.L_RATED_HOLD_UP_US, i] * (full / potential if potential > 0.0 else 1.0)
            load[f.L_HOLD_UP_US, i] = min(hold_up, load[f.L_MAX_HOLD_UP_US, i])
            if load_fact[f.L_LIT, i]:
                it_kw += potential
    for i in range(load.shape[1]):
        kind = load_fact[f.L_KIND, i]
        if kind == f.PUMPS:
            load[f.L_POTENTIAL_KW, i] = load[f.L_FIXED_KW, i]
            load[f.L_FULL_KW, i] = load[f.L_FIXED_KW, i]
            if load_fact[f.L_LIT, i]:
                pumps_kw = load[f.L_FIXED_KW, i]
        elif kind == f.CHILLERS:
            full = max(0.0, fraction * full_it_kw - site[f.CONTINUOUS_KW])
            load[f.L_FULL_KW, i] = full
            potential = max(0.0, fraction * it_kw - site[f.CONTINUOUS_KW]) if load_fact[f.L_RUNNING, i] else 0.0
            load[f.L_POTENTIAL_KW, i] = potential
        elif kind == f.HOUSE:
            load[f.L_POTENTIAL_KW, i] = load[f.L_FIXED_KW, i]
            load[f.L_FULL_KW, i] = load[f.L_FIXED_KW, i]
        if load_fact[f.L_LIT, i]:
            load[f.L_DEMAND_KW, i] = load[f.L_POTENTIAL_KW, i]
            if kind == f.PUMPS or kind == f.CHILLERS:
                cooling += load[f.L_DEMAND_KW, i]
            elif kind == f.HOUSE:
                house += load[f.L_DEMAND_KW, i]
        else:
            load[f.L_DEMAND_KW, i] = 0.0
            unserved += load[f.L_BEFORE_KW, i]
    site[f.IT_KW] = it_kw
    site[f.COOLING_KW] = cooling
    site[f.HOUSE_KW] = house
    site[f.UNSERVED_KW] = unserved
    _heat(load_fact, clock, site, it_kw, pumps_kw)


@kernel
def _heat(load_fact: Array, clock: Array, site: Array, it_kw: float, pumps_kw: float) -> None:
    """Rate of the heat level: 1 is reached after the ride-through without pumps, after the tank without chillers."""
    cold = True
    rows_lit = False
    for i in range(load_fact.shape[1]):
        if load_fact[f.L_KIND, i] == f.CHILLERS and not (load_fact[f.L_RUNNING, i] and load_fact[f.L_LIT, i]):
            cold = False
        if load_fact[f.L_KIND, i] == f.ROW and load_fact[f.L_LIT, i]:
            rows_lit = True
    share = it_kw / site[f.IT_FULL_KW]
    if pumps_kw <= 0.0 and site[f.CONTINUOUS_KW] > 0.0:
        rate = share / site[f.RIDE_THROUGH_H]
    elif not cold:
        rate = share / site[f.TANK_H]
    else:
        rate = -1.0 / site[f.TANK_H]
    touch = f.TOUCH * abs(rate) / TICKS_PER_H
    if rate > 0.0 and not rows_lit and site[f.HEAT] >= 1.0 - touch:
        rate = 0.0  # the rows have tripped; what heat is left stays in the hall
    if rate < 0.0 and site[f.HEAT] <= touch:
        rate = 0.0
    if rate != site[f.HEAT_RATE]:
        site[f.HEAT_ANCHOR] = site[f.HEAT]
        clock[f.HEAT_ANCHOR_US] = clock[f.NOW_US]
        site[f.HEAT_RATE] = rate


@kernel
def feed_demands(load: Array, link: Array, feed_fact: Array, feed: Array) -> None:
    """Demand of every feed [kW]: its loads, a dual-corded one shared equally over its live feeds."""
    for j in range(feed.shape[1]):
        feed[f.F_DEMAND_KW, j] = 0.0
    k = 0
    links = link.shape[1]
    while k < links:
        i = link[f.LINK_LOAD, k]
        end = k
        live = 0
        while end < links and link[f.LINK_LOAD, end] == i:
            if feed_fact[f.F_STATE, link[f.LINK_FEED, end]] != f.DEAD:
                live += 1
            end += 1
        if live > 0 and load[f.L_DEMAND_KW, i] > 0.0:
            for m in range(k, end):
                j = link[f.LINK_FEED, m]
                if feed_fact[f.F_STATE, j] != f.DEAD:
                    feed[f.F_DEMAND_KW, j] += load[f.L_DEMAND_KW, i] / live
        k = end


@kernel
def storage_kw(j: int, unit_fact: Array, unit: Array, feed_fact: Array, feed: Array) -> float:
    """The kW that feed j's sound, non-empty units can give, within the feed's own limit."""
    total = 0.0
    first = feed_fact[f.F_FIRST, j]
    for i in range(first, first + feed_fact[f.F_COUNT, j]):
        if unit_fact[f.U_UP, i] and not unit_fact[f.U_EMPTY, i]:
            total += unit[f.U_RATED_KW, i]
    return min(total, feed[f.F_LIMIT_KW, j])


@kernel
def auxiliaries_kw(j: int, unit_fact: Array, unit: Array, feed_fact: Array) -> float:
    """Own consumption of feed j's sound units [kW]."""
    total = 0.0
    first = feed_fact[f.F_FIRST, j]
    for i in range(first, first + feed_fact[f.F_COUNT, j]):
        if unit_fact[f.U_UP, i]:
            total += unit[f.U_AUXILIARY_KW, i]
    return total


@kernel
def _share(j: int, need_kw: float, wanted: Array, unit_fact: Array, unit: Array, feed_fact: Array) -> None:
    """Spread `need_kw` over feed j's units in proportion to energy above the floor, each within its kW."""
    first = feed_fact[f.F_FIRST, j]
    end = first + feed_fact[f.F_COUNT, j]
    for i in range(first, end):
        wanted[i] = 0.0
    left = need_kw
    for _ in range(end - first):
        weight = 0.0
        for i in range(first, end):
            if unit_fact[f.U_UP, i] and not unit_fact[f.U_EMPTY, i] and wanted[i] < unit[f.U_RATED_KW, i]:
                weight += max(unit[f.ENERGY_KWH, i] - unit[f.U_MIN_KWH, i], 1e-12)
        if weight <= 0.0 or left <= 0.0:
            break
        rest = 0.0
        for i in range(first, end):
            if unit_fact[f.U_UP, i] and not unit_fact[f.U_EMPTY, i] and wanted[i] < unit[f.U_RATED_KW, i]:
                share = left * max(unit[f.ENERGY_KWH, i] - unit[f.U_MIN_KWH, i], 1e-12) / weight
                given = min(share, unit[f.U_RATED_KW, i] - wanted[i])
                wanted[i] += given
                rest += share - given
        if rest <= 1e-12 * need_kw:
            break
        left = rest


@kernel
def _charge_wishes(wanted: Array, unit_fact: Array, unit: Array, feed_fact: Array, feed: Array, site: Array) -> None:
    """Recharge on the grid: each unit at its own rate, all within the site's recharge and import limits."""
    wish = 0.0
    fixed = 0.0
    for j in range(feed.shape[1]):
        if feed_fact[f.F_STATE, j] != f.ON_SECTION or feed_fact[f.F_ON_GENSET, j]:
            continue
        fixed += feed[f.F_INPUT_KW, j]
        first = feed_fact[f.F_FIRST, j]
        for i in range(first, first + feed_fact[f.F_COUNT, j]):
            room = unit[f.U_MAX_KWH, i] - unit[f.ENERGY_KWH, i]
            if unit_fact[f.U_UP, i] and room > f.TOUCH * unit[f.U_RECHARGE_KW, i] / TICKS_PER_H:
                wanted[i] = -unit[f.U_RECHARGE_KW, i]
                wish += unit[f.U_RECHARGE_KW, i]
    if wish <= 0.0:
        return
    limit = min(site[f.RECHARGE_LIMIT_KW], max(0.0, site[f.IMPORT_LIMIT_KW] - fixed))
    if wish > limit:
        scale = limit / wish
        for i in range(wanted.size):
            if wanted[i] < 0.0:
                wanted[i] *= scale


@kernel
def _powers(wanted: Array, unit_fact: Array, unit: Array, feed_fact: Array, feed: Array, site: Array) -> None:
    """Wanted power of every unit and the input of every feed [kW]."""
    hold_up = 0.0
    for j in range(feed.shape[1]):
        state = feed_fact[f.F_STATE, j]
        demand = feed[f.F_DEMAND_KW, j]
        count = feed_fact[f.F_COUNT, j]
        auxiliary = auxiliaries_kw(j, unit_fact, unit, feed_fact) if count > 0 and state != f.DEAD else 0.0
        feed[f.F_INPUT_KW, j] = 0.0
        feed[f.F_NEED_KW, j] = 0.0
        if state == f.ON_SECTION:
            loss = 0.0 if feed_fact[f.F_BYPASS, j] else feed[f.F_LOSS_FRACTION, j]
            feed[f.F_INPUT_KW, j] = demand / (1.0 - loss) + auxiliary
        elif state == f.ON_HOLD_UP:
            hold_up += demand + auxiliary
        elif state == f.ON_STORAGE:
            need = demand + auxiliary
            version = float(feed_fact[f.F_VERSION, j])
            feed[f.F_NEED_KW, j] = need
            if need != feed[f.F_SHARED_KW, j] or version != feed[f.F_SHARED_VERSION, j]:
                _share(j, need, wanted, unit_fact, unit, feed_fact)
                feed[f.F_SHARED_KW, j] = need
                feed[f.F_SHARED_VERSION, j] = version
            else:
                first = feed_fact[f.F_FIRST, j]
                for i in range(first, first + count):
                    wanted[i] = unit[f.POWER_KW, i]
        if state != f.ON_STORAGE:
            feed[f.F_SHARED_KW, j] = -1.0
    site[f.HOLD_UP_KW] = hold_up
    _charge_wishes(wanted, unit_fact, unit, feed_fact, feed, site)


@kernel
def _anchor(wanted: Array, unit: Array, clock: Array, tape_us: Array, tape: Array) -> None:
    """Give the units their new powers; every level in motion is anchored at now."""
    now = clock[f.NOW_US]
    dt_h = (now - clock[f.ANCHOR_US]) / TICKS_PER_H
    active = 0
    for i in range(wanted.size):
        old, new = unit[f.POWER_KW, i], wanted[i]
        if unit[f.RATE_KW, i] != 0.0:
            if old > 0.0:
                unit[f.DISCHARGED_KWH, i] += old * dt_h
            else:
                unit[f.CHARGED_KWH, i] -= old * dt_h
        unit[f.ANCHOR_KWH, i] = unit[f.ENERGY_KWH, i]
        if new != old:
            if tape_us.size > 0:
                n = clock[f.TAPE_POINTS]
                tape_us[n] = now
                tape[0, n] = i
                tape[1, n] = unit[f.ENERGY_KWH, i]
                clock[f.TAPE_POINTS] = n + 1
            unit[f.POWER_KW, i] = new
            efficiency = unit[f.U_EFFICIENCY, i]
            unit[f.RATE_KW, i] = -new / efficiency if new > 0.0 else -new * efficiency
        if new != 0.0:
            active += 1
    clock[f.ANCHOR_US] = now
    clock[f.ACTIVE] = active


@kernel
def _bound(unit: Array, clock: Array, site: Array) -> int:
    """First tick at which a level in motion meets a bound, rounded down."""
    bound = np.int64(NEVER)
    if clock[f.ACTIVE] > 0:
        for i in range(unit.shape[1]):
            rate = unit[f.RATE_KW, i]
            if rate != 0.0:
                end = unit[f.U_MAX_KWH, i] if rate > 0.0 else unit[f.U_MIN_KWH, i]
                time = (end - unit[f.ANCHOR_KWH, i]) / rate * TICKS_PER_H
                if time < bound - clock[f.ANCHOR_US]:
                    bound = clock[f.ANCHOR_US] + np.int64(max(time, 0.0))
    rate = site[f.HEAT_RATE]
    if rate != 0.0:
        time = ((1.0 if rate > 0.0 else 0.0) - site[f.HEAT_ANCHOR]) / rate * TICKS_PER_H
        if time < bound - clock[f.HEAT_ANCHOR_US]:
            bound = clock[f.HEAT_ANCHOR_US] + np.int64(max(time, 0.0))
    return bound


@kernel
def _totals(unit: Array, feed_fact: Array, feed: Array, clock: Array, site: Array, unit_fact: Array) -> None:
    """Site totals from feeds and units [kW]; what enters equals what leaves, column by column."""
    grid = genset = loss = auxiliary = charge = discharge = storage_loss = need = 0.0
    for j in range(feed.shape[1]):
        if feed_fact[f.F_STATE, j] == f.DEAD:
            continue
        need += feed[f.F_NEED_KW, j]
        if feed_fact[f.F_COUNT, j] > 0:
            auxiliary += auxiliaries_kw(j, unit_fact, unit, feed_fact)
        if feed_fact[f.F_STATE, j] == f.ON_SECTION:
            if not feed_fact[f.F_BYPASS, j] and feed[f.F_LOSS_FRACTION, j] > 0.0:
                share = feed[f.F_LOSS_FRACTION, j]
                loss += feed[f.F_DEMAND_KW, j] * share / (1.0 - share)
            if feed_fact[f.F_ON_GENSET, j]:
                genset += feed[f.F_INPUT_KW, j]
            else:
                grid += feed[f.F_INPUT_KW, j]
    if clock[f.ACTIVE] > 0:
        for i in range(unit.shape[1]):
            power = unit[f.POWER_KW, i]
            if power > 0.0:
                discharge += power
                storage_loss += power * (1.0 / unit[f.U_EFFICIENCY, i] - 1.0)
            elif power < 0.0:
                charge -= power
                storage_loss -= power * (1.0 - unit[f.U_EFFICIENCY, i])
    site[f.IMPORT_KW] = grid + charge
    site[f.GENSET_KW] = genset
    site[f.LOSS_KW] = loss
    site[f.AUXILIARY_KW] = auxiliary
    site[f.CHARGE_KW] = charge
    site[f.DISCHARGE_KW] = discharge
    site[f.STORAGE_LOSS_KW] = storage_loss
    short = need - discharge
    site[f.CLAMPED_KW] = short if short > 1e-9 * need else 0.0


@kernel
def _record(unit: Array, clock: Array, site: Array, tape_us: Array, tape: Array) -> None:
    """One row of the site series when a power differs from the last row's."""
    rows = clock[f.TAPE_ROWS]
    capacity = tape.shape[1]
    column = capacity - 1 - rows
    same = rows > 0
    for k in range(11):
        if same and tape[2 + k, column + 1] != site[k]:
            same = False
    if same:
        return
    stored = 0.0
    for i in range(unit.shape[1]):
        stored += unit[f.ENERGY_KWH, i]
    tape_us[column] = clock[f.NOW_US]
    for k in range(11):
        tape[2 + k, column] = site[k]
    tape[13, column] = stored
    clock[f.TAPE_ROWS] = rows + 1


@kernel
def refresh(
    unit_fact: Array,
    unit: Array,
    feed_fact: Array,
    feed: Array,
    load_fact: Array,
    load: Array,
    link: Array,
    clock: Array,
    site: Array,
    edge: Array,
    tape_us: Array,
    tape: Array,
) -> int:
    """Set every power from the facts as they stand; returns the tick of the first bound (NEVER if none is in sight)."""
    loads(load_fact, load, clock, site, edge)
    feed_demands(load, link, feed_fact, feed)
    wanted = np.zeros(unit.shape[1])
    _powers(wanted, unit_fact, unit, feed_fact, feed, site)
    changed = False
    for i in range(wanted.size):
        if wanted[i] != unit[f.POWER_KW, i]:
            changed = True
    if changed:
        _anchor(wanted, unit, clock, tape_us, tape)
    clock[f.BOUND_US] = _bound(unit, clock, site)
    _totals(unit, feed_fact, feed, clock, site, unit_fact)
    if tape_us.size > 0:
        _record(unit, clock, site, tape_us, tape)
    return clock[f.BOUND_US]
