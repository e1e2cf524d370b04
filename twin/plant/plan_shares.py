"""Who gives and takes how much of what a plan asks of all: by energy, within each unit's kW, so that they end together.

What is less than all could give or take is shared by the energy that each has above the reserve, or wants below the
threshold, as the slot began. Energy that is too little to hold the cap is spread over the slot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, scratch
from twin.plant import fields as f
from twin.plant.unit_power import charging_kw, unit_kw
from twin.units import NEVER, TICKS_PER_H

Array = Any

CHARGE, SELL, ABOVE_RESERVE, TAKES_SURPLUS = np.array([1, 2, 4, 8])
"""What a unit may do in a slot, as bits of its wishes."""
NOTHING = np.int64(0)


@inner
def _able_kw(i: int, wish: int, quantity: Array) -> float:
    """What unit i may give or take for a wish [kW]."""
    if wish == SELL:
        return min(quantity[f.U_SALE_KW, i], unit_kw(i, quantity))
    return unit_kw(i, quantity) if wish == ABOVE_RESERVE else charging_kw(i, quantity)


@inner
def _weight(i: int, wish: int, quantity: Array) -> float:
    """By what unit i shares in a wish that is granted in part: energy, so that units empty and fill together."""
    if wish == SELL:
        return quantity[f.U_SALE_KW, i]
    if wish == ABOVE_RESERVE:
        return max(quantity[f.U_GIVES_KWH, i], 1e-9)
    return max(quantity[f.U_TAKES_KWH if wish == CHARGE else f.U_ROOM_KWH, i], 1e-9)


@scratch
def share_out(
    wish: int, but: int, limit_kw: float, bound: float, wishes: Array, wanted: Array, quantity: Array
) -> float:
    """Units with `wish` and not `but` give (SELL, ABOVE_RESERVE) or take up to `limit_kw` together, each within its kW.

    `bound` is the share of its window at which a unit stops. Returns what they give or take [kW].
    """
    total = weight = 0.0
    able_kw = np.zeros(wishes.size)
    for i in range(wishes.size):
        if wishes[i] & wish and not wishes[i] & but:
            able_kw[i] = _able_kw(i, wish, quantity)
            total += able_kw[i]
            weight += _weight(i, wish, quantity)
    if total <= 0.0 or limit_kw <= 0.0:
        return 0.0
    sign = 1.0 if wish in (SELL, ABOVE_RESERVE) else -1.0
    row = f.U_FLOOR_KWH if sign > 0.0 else f.U_CEILING_KWH
    left, per_weight = 0.0, limit_kw / weight
    for i in range(wishes.size):
        if able_kw[i] > 0.0:
            quantity[row, i] = quantity[f.U_MIN_KWH, i] + bound * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
            kw = able_kw[i]
            if limit_kw < total:
                share = per_weight * _weight(i, wish, quantity)
                kw = min(share, kw)
                left += share - kw
            wanted[i] = sign * kw
    if left > 1e-12 * limit_kw:
        _share_rest(wish, sign, left, able_kw, wanted, quantity)
    return min(limit_kw, total)


@inner
def _share_rest(wish: int, sign: float, left_kw: float, able_kw: Array, wanted: Array, quantity: Array) -> None:
    """Share by weight what some could not give or take among those that still can, until nothing is left."""
    most_kw = 1e-12 * left_kw
    for _ in range(able_kw.size):
        weight = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                weight += _weight(i, wish, quantity)
        if weight <= 0.0 or left_kw <= most_kw:
            return
        rest = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                share = left_kw * _weight(i, wish, quantity) / weight
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
