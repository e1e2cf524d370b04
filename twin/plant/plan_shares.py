"""Who gives and takes how much of what a plan asks of all: by energy, within each unit's kW, so that they end together.

What is less than all could give or take is shared by the energy that each has above the reserve, or wants below the
threshold, as the slot began. Energy that is too little to hold the cap is spread over the slot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, scratch
from twin.plant import fields as f
from twin.plant.unit_power import charging_kw, limited_by_charge, unit_kw
from twin.units import NEVER, TICKS_PER_H

Array = Any

CHARGE, SELL, ABOVE_RESERVE, TAKES_SURPLUS = np.array([1, 2, 4, 8])
"""What a unit may do in a slot, as bits of its wishes."""
NOTHING = np.int64(0)


@inner
def _weight_row(wish: int) -> int:
    """By what units share in a wish that is granted in part: energy, so that they empty and fill together."""
    if wish == SELL:
        return f.U_SALE_KW
    if wish == ABOVE_RESERVE:
        return f.U_GIVES_KWH
    return f.U_TAKES_KWH if wish == CHARGE else f.U_ROOM_KWH


@scratch
def share_out(
    wish: int, but: int, limit_kw: float, bound: float, wishes: Array, wanted: Array, quantity: Array
) -> float:
    """Units with `wish` and not `but` give (SELL, ABOVE_RESERVE) or take up to `limit_kw` together, each within its kW.

    `bound` is the share of its window at which a unit stops. Returns what they give or take [kW].
    """
    gives, sells = wish in (SELL, ABOVE_RESERVE), wish == SELL
    sign = 1.0 if gives else -1.0
    row = f.U_FLOOR_KWH if gives else f.U_CEILING_KWH
    rating, weigh = f.U_RATED_KW if gives else f.U_RECHARGE_KW, _weight_row(wish)
    total = weight = 0.0
    able_kw, weights = np.zeros(wishes.size), np.zeros(wishes.size)
    for i in range(wishes.size):
        if wishes[i] & wish and not wishes[i] & but:
            kw = quantity[rating, i]
            if limited_by_charge(i, quantity):
                kw = unit_kw(i, quantity) if gives else charging_kw(i, quantity)
            if sells:
                kw = min(quantity[f.U_SALE_KW, i], kw)
            able_kw[i] = kw
            weights[i] = max(quantity[weigh, i], 1e-9)
            total += kw
            weight += weights[i]
    if total <= 0.0 or limit_kw <= 0.0:
        return 0.0
    left, per_weight, limited = 0.0, limit_kw / weight, limit_kw < total
    for i in range(wishes.size):
        kw = able_kw[i]
        if kw > 0.0:
            quantity[row, i] = quantity[f.U_MIN_KWH, i] + bound * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
            if limited:
                share = per_weight * weights[i]
                kw = min(share, kw)
                left += share - kw
            wanted[i] = sign * kw
    if left > 1e-12 * limit_kw:
        _share_rest(sign, left, able_kw, weights, wanted)
    return min(limit_kw, total)


@inner
def _share_rest(sign: float, left_kw: float, able_kw: Array, weights: Array, wanted: Array) -> None:
    """Share by weight what some could not give or take among those that still can, until nothing is left."""
    most_kw = 1e-12 * left_kw
    for _ in range(able_kw.size):
        weight = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                weight += weights[i]
        if weight <= 0.0 or left_kw <= most_kw:
            return
        rest = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                share = left_kw * weights[i] / weight
                more = min(share, able_kw[i] - abs(wanted[i]))
                wanted[i] += sign * more
                rest += share - more
        left_kw = rest


@inner
def hold_cap(excess_kw: float, reserve: float, wishes: Array, wanted: Array, quantity: Array, clock: Array) -> float:
    """All units above their reserve give the excess [kW]; what falls short of it is spread evenly over the slot."""
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    total = 0.0
    for i in range(wishes.size):
        if wishes[i] & ABOVE_RESERVE:
            total += _lasting_kw(i, reserve, hours, quantity)
    if total >= excess_kw * (1.0 - 1e-9) or clock[f.PLAN_EDGE_US] == NEVER:
        return share_out(ABOVE_RESERVE, NOTHING, excess_kw, reserve, wishes, wanted, quantity)
    for i in range(wishes.size):
        if wishes[i] & ABOVE_RESERVE:
            kw, old = _lasting_kw(i, reserve, hours, quantity), quantity[f.POWER_KW, i]
            wanted[i] = old if abs(kw - old) <= 1e-6 * kw else kw  # asked again, it gives the same
            window = quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i]
            quantity[f.U_FLOOR_KWH, i] = quantity[f.U_MIN_KWH, i] + reserve * window
    return total


@inner
def _lasting_kw(i: int, reserve: float, hours: float, quantity: Array) -> float:
    """What unit i can give evenly for `hours` down to its reserve [kW]."""
    level = quantity[f.U_MIN_KWH, i] + reserve * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
    return min((quantity[f.ENERGY_KWH, i] - level) * quantity[f.U_EFFICIENCY, i] / hours, unit_kw(i, quantity))
