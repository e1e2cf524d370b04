"""What every load point asks for now: servers from their jobs, cooling from their heat; how fast the hall heats up."""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any


@inner
def loads(fact: Array, quantity: Array, clock: Array, site: Array, edge: Array) -> None:
    """Demand of every load point from its facts: servers first, then the cooling that their heat asks for [kW]."""
    it_kw = 0.0
    full_it_kw = site[f.IT_FULL_KW]
    unserved = 0.0
    now = clock[f.EDGE]
    fraction, utilisation = edge[f.E_COOLING_FRACTION, now], edge[f.E_UTILISATION_FRACTION, now]
    pumps_kw = 0.0
    cooling = 0.0
    house = 0.0
    for i in range(clock[f.LOADS]):
        kind = fact[f.L_KIND, i]
        if kind == f.ROW or kind == f.CORE:
            per_gpu = quantity[f.L_PER_GPU_CAPPED_KW, i] if fact[f.L_CAPPED, i] else quantity[f.L_PER_GPU_KW, i]
            level = utilisation * quantity[f.L_PER_GPU_KW, i]
            # A replayed swing may exceed the mean level, a cap is never exceeded.
            drawn = min(per_gpu, level) if fact[f.L_CAPPED, i] else level
            potential = quantity[f.L_FIXED_KW, i] + fact[f.L_BUSY_GPUS, i] * drawn
            potential += fact[f.L_BOOTING, i] * quantity[f.L_PER_BOOT_KW, i]
            full = quantity[f.L_FIXED_KW, i] + quantity[f.L_FULL_GPUS, i] * per_gpu
            quantity[f.L_POTENTIAL_KW, i] = potential
            quantity[f.L_FULL_KW, i] = max(full, potential)
            hold_up = quantity[f.L_RATED_HOLD_UP_US, i] * (full / potential if potential > 0.0 else 1.0)
            if kind == f.ROW and not fact[f.L_SOURCE, i]:
                hold_up *= quantity[f.L_FED_SHARE, i]  # supplies on a live cord carry those of a dead one, too
            quantity[f.L_HOLD_UP_US, i] = min(hold_up, quantity[f.L_MAX_HOLD_UP_US, i])
            if fact[f.L_LIT, i]:
                it_kw += potential
    for i in range(clock[f.LOADS]):
        kind = fact[f.L_KIND, i]
        if kind == f.PUMPS:
            quantity[f.L_POTENTIAL_KW, i] = quantity[f.L_FIXED_KW, i]
            quantity[f.L_FULL_KW, i] = quantity[f.L_FIXED_KW, i]
            if fact[f.L_LIT, i]:
                pumps_kw = quantity[f.L_FIXED_KW, i]
        elif kind == f.CHILLERS:
            full = max(0.0, fraction * full_it_kw - site[f.CONTINUOUS_KW])
            quantity[f.L_FULL_KW, i] = full
            potential = max(0.0, fraction * it_kw - site[f.CONTINUOUS_KW]) if fact[f.L_RUNNING, i] else 0.0
            quantity[f.L_POTENTIAL_KW, i] = potential
        elif kind == f.HOUSE:
            quantity[f.L_POTENTIAL_KW, i] = quantity[f.L_FIXED_KW, i] * edge[f.E_HOUSE_FRACTION, now]
            quantity[f.L_FULL_KW, i] = quantity[f.L_FIXED_KW, i]
        if fact[f.L_LIT, i]:
            quantity[f.L_DEMAND_KW, i] = quantity[f.L_POTENTIAL_KW, i]
            if kind == f.PUMPS or kind == f.CHILLERS:
                cooling += quantity[f.L_DEMAND_KW, i]
            elif kind == f.HOUSE:
                house += quantity[f.L_DEMAND_KW, i]
        else:
            quantity[f.L_DEMAND_KW, i] = 0.0
            unserved += quantity[f.L_BEFORE_KW, i]
    site[f.IT_KW] = it_kw
    site[f.COOLING_KW] = cooling
    site[f.HOUSE_KW] = house
    site[f.UNSERVED_KW] = unserved
    _heat(fact, clock, site, it_kw, pumps_kw)


@inner
def _heat(fact: Array, clock: Array, site: Array, it_kw: float, pumps_kw: float) -> None:
    """Rate of the heat level: 1 is reached after the ride-through without pumps, after the tank without chillers."""
    cold = True
    rows_lit = False
    for i in range(clock[f.LOADS]):
        if fact[f.L_KIND, i] == f.CHILLERS and not (fact[f.L_RUNNING, i] and fact[f.L_LIT, i]):
            cold = False
        if fact[f.L_KIND, i] == f.ROW and fact[f.L_LIT, i]:
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
