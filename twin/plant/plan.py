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
from twin.plant.plan_shares import ABOVE_RESERVE, CHARGE, NOTHING, SELL, TAKES_SURPLUS, hold_cap, share_out
from twin.units import NEVER, TICKS_PER_H

Array = Any

SAME = 1e-12
"""Shares that differ by less are the same: a division for each unit is what a dispatch costs most."""
SAME_KW = 1e-5
"""A cap that leaves this much less than storage may take leaves as much: it is a rounded sum of the two."""


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
def on_grid(j: int, fact: Array) -> bool:
    """Whether feed j takes from the grid: its storage may trade."""
    return fact[f.F_STATE, j] == f.ON_SECTION and not fact[f.F_ON_GENSET, j] and not fact[f.F_ON_POINT, j]


@borrowing
def begin_slot(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """What each unit sells in the slot at hand, evenly over the time that is left of it, and by what it shares [kW].

    By energy: an aged unit, whose window is smaller, gives and takes less.
    """
    hours = (clock[f.PLAN_EDGE_US] - clock[f.NOW_US]) / TICKS_PER_H
    up, reserve = entry(f.P_UP, clock, site), entry(f.P_RESERVE, clock, site)
    down = max(entry(f.P_DOWN, clock, site), reserve)
    total_kw = 0.0
    for i in range(clock[f.UNITS]):
        least, stored = quantity[f.U_MIN_KWH, i], quantity[f.ENERGY_KWH, i]
        window = quantity[f.U_MAX_KWH, i] - least
        quantity[f.U_GIVES_KWH, i] = stored - least - reserve * window
        quantity[f.U_TAKES_KWH, i] = least + up * window - stored
        quantity[f.U_ROOM_KWH, i] = least + window - stored
        above = stored - (least + down * window)
        sale_kw = 0.0
        if above > 0.0 and fact[f.U_USE, i] & f.FOLLOWS and above > _touch_kwh(i, quantity):
            sale_kw = min(above * quantity[f.U_EFFICIENCY, i] / hours, quantity[f.U_RATED_KW, i])
            total_kw += sale_kw
        quantity[f.U_SALE_KW, i] = sale_kw
    site[f.SALES_KW] = total_kw


@borrowing
def sound_storage(fact: Array, quantity: Array, clock: Array) -> tuple[float, float, float]:
    """Stored energy, most of it, and window of all planned units that are up [kWh]."""
    stored = most = window = 0.0
    for i in range(clock[f.UNITS]):
        if fact[f.U_USE, i] & f.FOLLOWS and fact[f.U_UP, i]:
            stored += quantity[f.ENERGY_KWH, i]
            most += quantity[f.U_MAX_KWH, i]
            window += quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i]
    return stored, most, window


@inner
def next_slot(clock: Array, site: Array) -> bool:
    """The slot at hand is over: keep its mean net load, go on to the next; the last one holds on without end.

    Returns:
        Whether the next is quiet: no power changes with it.
    """
    quiet = clock[f.PLAN_EDGE_US] < clock[f.PLAN_QUIET_US]
    slot_h = clock[f.PLAN_SLOT_US] / TICKS_PER_H
    site[f.PLAN + f.P_SEEN_KW * f.PLAN_MOST + clock[f.PLAN_SLOT]] = rounded(site[f.SLOT_NET_KWH] / slot_h)
    site[f.SLOT_NET_KWH] = 0.0
    if clock[f.PLAN_SLOT] + 1 < clock[f.PLAN_SLOTS]:
        clock[f.PLAN_SLOT] += 1
        clock[f.PLAN_EDGE_US] += clock[f.PLAN_SLOT_US]
    else:
        clock[f.PLAN_EDGE_US] = NEVER
    paid_kw = rounded(site[f.MONTH_PEAK_KW])
    if paid_kw != site[f.PAID_KW]:
        site[f.PAID_KW] = paid_kw
        return False
    return quiet


@inner
def _cap_kw(slot: int, site: Array) -> float:
    """Most import in a slot before the network's losses: b with b + fixed + share b^2 = cap, within the connection."""
    cap = max(site[f.PLAN + f.P_CAP_KW * f.PLAN_MOST + slot], site[f.PAID_KW])
    cap = min(cap, site[f.PLAN + f.P_CALL_KW * f.PLAN_MOST + slot], site[f.IMPORT_LIMIT_KW]) - site[f.LOSS_FIXED_KW]
    share = site[f.LOSS_PER_KW2]
    if share > 0.0 and cap > 0.0:
        return 2.0 * cap / (1.0 + np.sqrt(1.0 + 4.0 * share * cap))
    return cap


@inner
def _room_kw(cap_kw: float, site: Array) -> float:
    """What planned storage may take from the grid beside all else [kW]."""
    room_kw, limit_kw = cap_kw - site[f.BESIDE_KW], site[f.RECHARGE_LIMIT_KW]
    return room_kw if room_kw < limit_kw - SAME_KW else limit_kw


@inner
def wishes_of(wishes: Array, fact: Array, quantity: Array, clock: Array, site: Array) -> bool:
    """What each planned unit on the grid may do; returns whether any unit has something to sell."""
    up, reserve = entry(f.P_UP, clock, site), entry(f.P_RESERVE, clock, site)
    touch = f.TOUCH / TICKS_PER_H
    any_sale = any_charge = False
    least_share, most_share = 1.0, 0.0
    for j in range(clock[f.FEEDS]):
        able = on_grid(j, fact)
        first = fact[f.F_FIRST, j]
        for i in range(first, first + fact[f.F_COUNT, j]):
            if not fact[f.U_USE, i] & f.FOLLOWS:
                continue
            least = quantity[f.U_MIN_KWH, i]
            held, window = quantity[f.ENERGY_KWH, i] - least, quantity[f.U_MAX_KWH, i] - least
            if held > most_share * window * (1.0 + SAME):
                most_share = held / window
            if not (able and fact[f.U_UP, i]):
                continue
            if held < least_share * window * (1.0 - SAME):
                least_share = held / window
            wish = 0
            if (held - reserve * window) * quantity[f.U_EFFICIENCY, i] > touch * quantity[f.U_RATED_KW, i]:
                wish = ABOVE_RESERVE
                if quantity[f.U_SALE_KW, i] > 0.0:
                    wish |= SELL
                    any_sale = True
            taken = touch * quantity[f.U_RECHARGE_KW, i]
            if window - held > taken:
                wish |= TAKES_SURPLUS
                if up * window - held > taken:
                    wish |= CHARGE
                    any_charge = True
            wishes[i] = wish
    site[f.UP_SET], site[f.ANY_CHARGE] = up, any_charge
    site[f.LEAST_SHARE], site[f.MOST_SHARE] = least_share, most_share
    return any_sale


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
    cap_kw = _cap_kw(clock[f.PLAN_SLOT], site)
    site[f.BESIDE_KW] = net_kw
    site[f.ROOM_KW] = room_kw = _room_kw(cap_kw, site)
    if net_kw < 0.0:
        taken = share_out(CHARGE, NOTHING, room_kw, up, wishes, wanted, quantity)
        return taken + share_out(TAKES_SURPLUS, CHARGE, -net_kw - taken, 1.0, wishes, wanted, quantity)
    if any_sale or net_kw > cap_kw:
        most_kw = max(net_kw - site[f.IMPORT_FLOOR_KW], 0.0)
        excess_kw = min(net_kw - cap_kw, most_kw)
        given = share_out(SELL, NOTHING, most_kw, reserve, wishes, wanted, quantity)
        if given < excess_kw:
            given = hold_cap(excess_kw, reserve, wishes, wanted, quantity, clock)
        return -given
    return share_out(CHARGE, NOTHING, room_kw, up, wishes, wanted, quantity)


@inner
def stays(net_kw: float, clock: Array, site: Array) -> bool:
    """Whether planned storage does as it did, with no unit or bound touched, beside another load.

    It does where it rests or charges, and may take as much; what is sold, or given to hold the cap, follows the load.
    """
    cap_kw = _cap_kw(clock[f.PLAN_SLOT], site)
    if net_kw < 0.0 or site[f.BESIDE_KW] < 0.0 or net_kw > cap_kw:
        return False
    if site[f.SALES_KW] > 0.0 or site[f.DISCHARGE_KW] > 0.0:
        return False
    site[f.BESIDE_KW] = net_kw
    return site[f.ANY_CHARGE] == 0.0 or _room_kw(cap_kw, site) == site[f.ROOM_KW]


@inner
def _is_paid(clock: Array, site: Array) -> bool:
    """Whether the month's peak, as the slot began, stays the month's peak at the import of now."""
    left_us = f.QUARTER_US - clock[f.NOW_US] % f.QUARTER_US
    quarter_kw = (site[f.QUARTER_KWH] + site[f.IMPORT_KW] * (left_us / TICKS_PER_H)) * (TICKS_PER_H / f.QUARTER_US)
    return rounded(max(site[f.MONTH_PEAK_KW], quarter_kw, site[f.IMPORT_KW])) == site[f.PAID_KW]


@inner
def quiet_until(clock: Array, site: Array) -> int:
    """The first slot, of those that begin before the next bound, in which planned storage may do otherwise than now.

    It goes on where it rests and no coming threshold stirs it, or charges to the same level at the same power.
    """
    us = clock[f.PLAN_EDGE_US]
    net_kw = site[f.BESIDE_KW]
    if site[f.RAMP_LIMIT_KW] > 0.0 or clock[f.DRAWS] > 0 or net_kw < 0.0:
        return us
    if site[f.SALES_KW] > 0.0 or site[f.DISCHARGE_KW] > 0.0 or not _is_paid(clock, site):
        return us
    up_set, most = site[f.UP_SET], site[f.MOST_SHARE]
    if site[f.ANY_CHARGE]:
        most = max(most, up_set)
    rests_to = max(up_set, site[f.LEAST_SHARE])
    slot = clock[f.PLAN_SLOT] + 1
    while slot < clock[f.PLAN_SLOTS] and us < clock[f.BOUND_US]:
        at = f.PLAN + slot
        up = site[at + f.P_UP * f.PLAN_MOST]
        down = max(site[at + f.P_DOWN * f.PLAN_MOST], site[at + f.P_RESERVE * f.PLAN_MOST])
        cap_kw = _cap_kw(slot, site)
        if down < most or net_kw > cap_kw:
            break
        if site[f.ANY_CHARGE]:
            if up != up_set or _room_kw(cap_kw, site) != site[f.ROOM_KW]:
                break
        elif up > rests_to:
            break
        slot += 1
        us += clock[f.PLAN_SLOT_US]
    return us


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
