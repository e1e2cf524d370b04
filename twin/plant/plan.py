"""A plan carried out beside the grid: units charge up to one threshold and discharge down to another, under a cap.

The plan is a feedback law of slots. Per slot it has two thresholds and a reserve, as shares of every unit's window, and
a cap on import; so it still makes sense when a unit fails, and units of unlike charge meet at the threshold. Surplus of
PV is stored first. Above the cap all units above their reserve discharge, whatever the price; nothing is exported.
What is to be sold in a slot is sold at a constant power, set as the slot begins, so that holding the cap counts towards
it; charging goes as fast as the cap allows. Energy that is too little to hold the cap is spread over the slot. What is
less than all could give or take is shared by the energy that each has above the reserve, or wants below the threshold,
as the slot began, within its kW: units empty and fill together; aged cells, whose window is smaller, do less. Powers
change at bounds and edges only: asked again, they are the same to the bit.

The cap is meant at the utility's meter, so the estimate of the network's losses is taken off it. A peak that the month
has seen when the slot begins is paid for and lifts the cap, but never that of a call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import borrowing, inner, kernel, scratch
from twin.plant import fields as f
from twin.plant.unit_power import charging_kw, unit_kw
from twin.units import NEVER, TICKS_PER_H

Array = Any

CHARGE, SELL, ABOVE_RESERVE, TAKES_SURPLUS = np.array([1, 2, 4, 8])
NOTHING = np.int64(0)


@kernel
def rounded(kw: float) -> float:
    """To the milliwatt: sums of energy differ in their last bits with how often somebody looked, and plans must not."""
    return np.rint(kw * 1e6) / 1e6


@inner
def entry(row: int, clock: Array, site: Array) -> float:
    """A row of the plan in the slot at hand."""
    return site[f.PLAN + row * f.PLAN_MOST + clock[f.PLAN_SLOT]]


@inner
def _touch_kwh(i: int, quantity: Array) -> float:
    """Unit i's stored energy is at a level when it is above it by less than this [kWh]."""
    return f.TOUCH / TICKS_PER_H * quantity[f.U_RATED_KW, i] / quantity[f.U_EFFICIENCY, i]


@inner
def sales(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """What each unit sells in the slot at hand, evenly over the time that is left of it [kW]."""
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    down = max(entry(f.P_DOWN, clock, site), entry(f.P_RESERVE, clock, site))
    for i in range(clock[f.UNITS]):
        level = quantity[f.U_MIN_KWH, i] + down * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
        above = quantity[f.ENERGY_KWH, i] - level
        sale_kw = 0.0
        if above > 0.0 and fact[f.U_USE, i] & f.FOLLOWS and above > _touch_kwh(i, quantity):
            sale_kw = min(above * quantity[f.U_EFFICIENCY, i] / hours, quantity[f.U_RATED_KW, i])
        quantity[f.U_SALE_KW, i] = sale_kw


@inner
def weigh(quantity: Array, clock: Array, site: Array) -> None:
    """By what units share from now on: an aged one, whose window is smaller, gives and takes less."""
    up, reserve = entry(f.P_UP, clock, site), entry(f.P_RESERVE, clock, site)
    for i in range(clock[f.UNITS]):
        least, stored = quantity[f.U_MIN_KWH, i], quantity[f.ENERGY_KWH, i]
        window = quantity[f.U_MAX_KWH, i] - least
        quantity[f.U_GIVES_KWH, i] = stored - least - reserve * window
        quantity[f.U_TAKES_KWH, i] = least + up * window - stored
        quantity[f.U_ROOM_KWH, i] = least + window - stored


@borrowing
def begin_slot(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """A plan is new: what is sold by it, and who shares in what, in the slot at hand."""
    sales(fact, quantity, clock, site)
    weigh(quantity, clock, site)


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
    sales(fact, quantity, clock, site)
    site[f.PAID_KW] = rounded(site[f.MONTH_PEAK_KW])


@inner
def _most_kw(clock: Array, site: Array) -> float:
    """Most import at the meter in the slot at hand [kW]."""
    cap = min(max(entry(f.P_CAP_KW, clock, site), site[f.PAID_KW]), entry(f.P_CALL_KW, clock, site))
    return min(cap, site[f.IMPORT_LIMIT_KW])


@inner
def _cap_kw(clock: Array, site: Array) -> float:
    """Most import before the network's losses: b with b + fixed + share b^2 = cap, and within the connection."""
    cap = _most_kw(clock, site) - site[f.LOSS_FIXED_KW]
    share = site[f.LOSS_PER_KW2]
    if share > 0.0 and cap > 0.0:
        return 2.0 * cap / (1.0 + np.sqrt(1.0 + 4.0 * share * cap))
    return cap


@inner
def _room_kw(cap_kw: float, site: Array) -> float:
    """What planned storage may take from the grid beside all else [kW]."""
    return min(cap_kw - site[f.BESIDE_KW], site[f.RECHARGE_LIMIT_KW])


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
        taken = touch * quantity[f.U_RECHARGE_KW, i]
        above = stored - (least + reserve * window)
        if above > 0.0 and above > _touch_kwh(i, quantity):
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
def _weight(i: int, wish: int, quantity: Array) -> float:
    """By what unit i shares in a wish that is granted in part: energy, so that units empty and fill together."""
    if wish == SELL:
        return quantity[f.U_SALE_KW, i]
    if wish == ABOVE_RESERVE:
        return max(quantity[f.U_GIVES_KWH, i], 1e-9)
    return max(quantity[f.U_TAKES_KWH if wish == CHARGE else f.U_ROOM_KWH, i], 1e-9)


@scratch
def _share_out(
    wish: int, but: int, limit_kw: float, bound: float, wishes: Array, wanted: Array, quantity: Array
) -> float:
    """Units with `wish` and not `but` give (SELL, ABOVE_RESERVE) or take up to `limit_kw` together, each within its kW.

    `bound` is the share of its window at which a unit stops. Returns what they give or take [kW].
    """
    total = 0.0
    sign = 1.0 if wish in (SELL, ABOVE_RESERVE) else -1.0
    able_kw = np.zeros(wishes.size)
    for i in range(wishes.size):
        if wishes[i] & wish and not wishes[i] & but:
            able_kw[i] = _able_kw(i, wish, quantity)
            total += able_kw[i]
    if total <= 0.0 or limit_kw <= 0.0:
        return 0.0
    row = f.U_FLOOR_KWH if sign > 0.0 else f.U_CEILING_KWH
    for i in range(wishes.size):
        if able_kw[i] > 0.0:
            quantity[row, i] = quantity[f.U_MIN_KWH, i] + bound * (quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i])
            wanted[i] = sign * able_kw[i] if limit_kw >= total else 0.0
    if limit_kw >= total:
        return total
    _share_by_weight(wish, sign, limit_kw, able_kw, wanted, quantity)
    return limit_kw


@inner
def _share_by_weight(wish: int, sign: float, limit_kw: float, able_kw: Array, wanted: Array, quantity: Array) -> None:
    """Share `limit_kw`, less than all are able to, by their weights; what one cannot take goes to the others."""
    left = limit_kw
    for _ in range(able_kw.size):
        if left <= 1e-12 * limit_kw:
            return
        weight = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                weight += _weight(i, wish, quantity)
        if weight <= 0.0:
            return
        rest = 0.0
        for i in range(able_kw.size):
            if abs(wanted[i]) < able_kw[i]:
                share = left * _weight(i, wish, quantity) / weight
                more = min(share, able_kw[i] - abs(wanted[i]))
                wanted[i] += sign * more
                rest += share - more
        left = rest


@inner
def _hold_cap(excess_kw: float, reserve: float, wishes: Array, wanted: Array, quantity: Array, clock: Array) -> float:
    """All units above their reserve give the excess [kW]; what falls short of it is spread evenly over the slot."""
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    total = 0.0
    for i in range(wishes.size):
        if wishes[i] & ABOVE_RESERVE:
            total += _lasting_kw(i, reserve, hours, quantity)
    if total >= excess_kw * (1.0 - 1e-9) or clock[f.PLAN_EDGE_US] == NEVER:
        return _share_out(ABOVE_RESERVE, NOTHING, excess_kw, reserve, wishes, wanted, quantity)
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


@scratch
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
    site[f.BESIDE_KW] = net_kw
    site[f.ROOM_KW] = room_kw = _room_kw(cap_kw, site)
    if net_kw < 0.0:
        taken = _share_out(CHARGE, NOTHING, room_kw, up, wishes, wanted, quantity)
        return taken + _share_out(TAKES_SURPLUS, CHARGE, -net_kw - taken, 1.0, wishes, wanted, quantity)
    if any_sale or net_kw > cap_kw:
        most_kw = max(net_kw - site[f.IMPORT_FLOOR_KW], 0.0)
        excess_kw = min(net_kw - cap_kw, most_kw)
        given = _share_out(SELL, NOTHING, most_kw, reserve, wishes, wanted, quantity)
        if given < excess_kw:
            given = _hold_cap(excess_kw, reserve, wishes, wanted, quantity, clock)
        return -given
    return _share_out(CHARGE, NOTHING, room_kw, up, wishes, wanted, quantity)


@inner
def stays(net_kw: float, quantity: Array, clock: Array, site: Array) -> bool:
    """Whether planned storage does as it did, within one slot and with no unit or bound touched, beside another load.

    It does where it rests or charges, and may take as much; what is sold, or given to hold the cap, follows the load.
    """
    cap_kw = _cap_kw(clock, site)
    if net_kw < 0.0 or site[f.BESIDE_KW] < 0.0 or net_kw > cap_kw:
        return False
    site[f.BESIDE_KW] = net_kw
    if _room_kw(cap_kw, site) != site[f.ROOM_KW]:
        return False
    for i in range(clock[f.UNITS]):
        if quantity[f.POWER_KW, i] > 0.0 or quantity[f.U_SALE_KW, i] > 0.0:
            return False
    return True


@inner
def goes_on(fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """Whether planned storage goes on as it does in the slot that begins: it rests, or charges at the same power."""
    cap_kw = _cap_kw(clock, site)
    net_kw = site[f.BESIDE_KW]
    if site[f.RAMP_LIMIT_KW] > 0.0 or net_kw < 0.0 or net_kw > cap_kw or _room_kw(cap_kw, site) != site[f.ROOM_KW]:
        return False
    up, touch, hours = entry(f.P_UP, clock, site), f.TOUCH / TICKS_PER_H, clock[f.PLAN_SLOT_US] / TICKS_PER_H
    for i in range(clock[f.UNITS]):
        if not fact[f.U_USE, i] & f.FOLLOWS or not fact[f.U_UP, i]:
            continue
        if quantity[f.U_SALE_KW, i] > 0.0 or quantity[f.POWER_KW, i] > 0.0:
            return False
        window = quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i]
        missing = quantity[f.U_MIN_KWH, i] + up * window - quantity[f.ENERGY_KWH, i]
        if quantity[f.POWER_KW, i] < 0.0:
            if quantity[f.RATE_KW, i] * hours > missing:
                return False
        elif missing > touch * quantity[f.U_RECHARGE_KW, i]:
            return False
    return True


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
