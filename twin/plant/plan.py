"""A plan carried out beside the grid: units charge up to one threshold and discharge down to another, under a cap.

The plan is a feedback law of slots. Per slot it has two thresholds and a reserve, as shares of every unit's window, and
a cap on import; so it still makes sense when a unit fails, and units of unlike charge meet at the threshold. Surplus of
PV is stored first. Above the cap all units above their reserve discharge, whatever the price; nothing is exported.
What is to be sold in a slot is sold at a constant power, set as the slot begins, so that holding the cap counts towards
it; charging goes as fast as the cap allows. Energy that is too little to hold the cap is spread over the slot. Powers
are shared in proportion to kW and change at bounds and edges only: asked again, they are the same to the bit.

The cap is meant at the utility's meter, so the estimate of the network's losses is taken off it. A peak that the month
has seen when the slot begins is paid for and lifts the cap, but never that of a call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel
from twin.plant import fields as f
from twin.plant.unit_power import charging_kw, unit_kw
from twin.units import NEVER, TICKS_PER_H

Array = Any

CHARGE, SELL, ABOVE_RESERVE, TAKES_SURPLUS = 1, 2, 4, 8


@kernel
def rounded(kw: float) -> float:
    """To the milliwatt: sums of energy differ in their last bits with how often somebody looked, and plans must not."""
    return np.rint(kw * 1e6) / 1e6


@inner
def entry(row: int, clock: Array, site: Array) -> float:
    """A row of the plan in the slot at hand."""
    return site[f.PLAN + row * f.PLAN_MOST + clock[f.PLAN_SLOT]]


@kernel
def begin_slot(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """What each unit sells in the slot at hand, evenly over the time that is left of it [kW]."""
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    down = max(entry(f.P_DOWN, clock, site), entry(f.P_RESERVE, clock, site))
    for i in range(clock[f.UNITS]):
        level = quantity[f.U_MIN_KWH, i] + down * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
        kw = max(quantity[f.ENERGY_KWH, i] - level, 0.0) * quantity[f.U_EFFICIENCY, i] / hours
        quantity[f.U_SALE_KW, i] = min(kw, quantity[f.U_RATED_KW, i]) if fact[f.U_USE, i] & f.FOLLOWS else 0.0


@inner
def next_slot(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """The slot at hand is over: keep its mean net load, go on to the next; the last one holds on without end."""
    slot_h = clock[f.PLAN_SLOT_US] / TICKS_PER_H
    site[f.PLAN + f.P_SEEN_KW * f.PLAN_MOST + clock[f.PLAN_SLOT]] = rounded(site[f.SLOT_NET_KWH] / slot_h)
    site[f.SLOT_NET_KWH] = 0.0
    if clock[f.PLAN_SLOT] + 1 < clock[f.PLAN_SLOTS]:
        clock[f.PLAN_SLOT] += 1
        clock[f.PLAN_EDGE_US] += clock[f.PLAN_SLOT_US]
    else:
        clock[f.PLAN_EDGE_US] = NEVER
    begin_slot(fact, quantity, clock, site)
    site[f.PAID_KW] = rounded(site[f.MONTH_PEAK_KW])


@inner
def _cap_kw(clock: Array, site: Array) -> float:
    """Most import before the network's losses: b with b + fixed + share b^2 = cap, and within the connection."""
    cap = min(max(entry(f.P_CAP_KW, clock, site), site[f.PAID_KW]), entry(f.P_CALL_KW, clock, site))
    cap = min(cap, site[f.IMPORT_LIMIT_KW]) - site[f.LOSS_FIXED_KW]
    share = site[f.LOSS_PER_KW2]
    if share > 0.0 and cap > 0.0:
        return 2.0 * cap / (1.0 + np.sqrt(1.0 + 4.0 * share * cap))
    return cap


@inner
def wishes_of(wishes: Array, fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """What each planned unit on the grid may do; returns whether any unit has something to sell."""
    up, reserve = entry(f.P_UP, clock, site), entry(f.P_RESERVE, clock, site)
    touch = f.TOUCH / TICKS_PER_H
    any_sale = False
    for i in range(clock[f.UNITS]):
        j = fact[f.U_FEED, i]
        if not (fact[f.U_USE, i] & f.FOLLOWS and fact[f.U_UP, i]) or fact[f.F_STATE, j] != f.ON_SECTION:
            continue
        if fact[f.F_ON_GENSET, j] or fact[f.F_ON_POINT, j]:
            continue
        least, most, stored = quantity[f.U_MIN_KWH, i], quantity[f.U_MAX_KWH, i], quantity[f.ENERGY_KWH, i]
        window = most - least
        drawn = touch * quantity[f.U_RATED_KW, i] / quantity[f.U_EFFICIENCY, i]
        taken = touch * quantity[f.U_RECHARGE_KW, i]
        if stored - (least + reserve * window) > drawn:
            wishes[i] |= ABOVE_RESERVE
            if quantity[f.U_SALE_KW, i] > 0.0:
                wishes[i] |= SELL
                any_sale = True
        if most - stored > taken:
            wishes[i] |= TAKES_SURPLUS
            if least + up * window - stored > taken:
                wishes[i] |= CHARGE
    return any_sale


@inner
def _able_kw(i: int, wish: int, quantity: Array) -> float:
    """What unit i may give or take for a wish [kW]."""
    if wish == SELL:
        return min(quantity[f.U_SALE_KW, i], unit_kw(i, quantity))
    return unit_kw(i, quantity) if wish == ABOVE_RESERVE else charging_kw(i, quantity)


@inner
def _share_out(
    wish: int, but: int, limit_kw: float, bound: float, wishes: Array, wanted: Array, quantity: Array
) -> float:
    """Units with `wish` and not `but` give (SELL, ABOVE_RESERVE) or take up to `limit_kw` together, by their kW.

    `bound` is the share of its window at which a unit stops. Returns what they give or take [kW].
    """
    total = 0.0
    giving = wish != CHARGE and wish != TAKES_SURPLUS
    for i in range(wishes.size):
        if wishes[i] & wish and not wishes[i] & but:
            total += _able_kw(i, wish, quantity)
    if total <= 0.0 or limit_kw <= 0.0:
        return 0.0
    scale = min(1.0, limit_kw / total)
    for i in range(wishes.size):
        if not (wishes[i] & wish and not wishes[i] & but):
            continue
        level = quantity[f.U_MIN_KWH, i] + bound * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
        if giving:
            wanted[i] = _able_kw(i, wish, quantity) * scale
            quantity[f.U_FLOOR_KWH, i] = level
        else:
            wanted[i] = -_able_kw(i, wish, quantity) * scale
            quantity[f.U_CEILING_KWH, i] = level
    return total * scale


@inner
def _hold_cap(excess_kw: float, reserve: float, wishes: Array, wanted: Array, quantity: Array, clock: Array) -> float:
    """All units above their reserve give the excess [kW]; what falls short of it is spread evenly over the slot."""
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    total = 0.0
    for i in range(wishes.size):
        if wishes[i] & ABOVE_RESERVE:
            total += _lasting_kw(i, reserve, hours, quantity)
    if total >= excess_kw * (1.0 - 1e-9) or clock[f.PLAN_EDGE_US] == NEVER:
        return _share_out(ABOVE_RESERVE, 0, excess_kw, reserve, wishes, wanted, quantity)
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


@inner
def follow_plan(net_kw: float, wanted: Array, fact: Array, quantity: Array, clock: Array, site: Array) -> float:
    """Powers of the planned units, written to `wanted`.

    Args:
        net_kw: drawn from the grid by all else, less PV.

    Returns:
        What they take together, less what they give [kW].
    """
    wishes = np.zeros(wanted.size, np.int64)
    any_sale = wishes_of(wishes, fact, quantity, clock, site)
    up, reserve = entry(f.P_UP, clock, site), entry(f.P_RESERVE, clock, site)
    cap_kw = _cap_kw(clock, site)
    room_kw = min(cap_kw - net_kw, site[f.RECHARGE_LIMIT_KW])
    if net_kw < 0.0:
        taken = _share_out(CHARGE, 0, room_kw, up, wishes, wanted, quantity)
        return taken + _share_out(TAKES_SURPLUS, CHARGE, -net_kw - taken, 1.0, wishes, wanted, quantity)
    if any_sale or net_kw > cap_kw:
        most_kw = max(net_kw - site[f.IMPORT_FLOOR_KW], 0.0)
        excess_kw = min(net_kw - cap_kw, most_kw)
        given = _share_out(SELL, 0, most_kw, reserve, wishes, wanted, quantity)
        if given < excess_kw:
            given = _hold_cap(excess_kw, reserve, wishes, wanted, quantity, clock)
        return -given
    return _share_out(CHARGE, 0, room_kw, up, wishes, wanted, quantity)


@inner
def all_net_kw(fixed_kw: float, fact: Array, quantity: Array, clock: Array, site: Array) -> float:
    """What the site asks for without its planned storage, whoever carries it; at the meter [kW]."""
    total = fixed_kw
    for j in range(clock[f.FEEDS]):
        if fact[f.F_STATE, j] == f.ON_STORAGE:
            total += quantity[f.F_NEED_KW, j]
        elif fact[f.F_STATE, j] == f.ON_SECTION and (fact[f.F_ON_GENSET, j] or fact[f.F_ON_POINT, j]):
            total += quantity[f.F_INPUT_KW, j]
    return total + site[f.LOSS_FIXED_KW] + site[f.LOSS_PER_KW2] * max(total, 0.0) ** 2
