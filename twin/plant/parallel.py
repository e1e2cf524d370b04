"""Trucks beside the grid: charge in valleys, discharge above the import target or at high prices, never export.

A feedback law of demand, price and stored energy alone, so that no process runs at a price's edge. A unit that buffers
gives what the site's demand exceeds its target (`min` of import limit and peak target); a unit that trades charges at
its low price, discharges at its high one, and otherwise keeps its reserve; any other unit charges until it is full.
Powers are shared in proportion to kW: the same demand, price and bounds give the same powers, however often asked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, scratch
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any

STAND_BY, CHARGE, BUFFER, SELL = np.arange(4)
UNLIMITED_KW = 1e11
"""No limit of any site is as large."""


@inner
def _wish(i: int, over_kw: float, price: float, fact: Array, quantity: Array) -> int:
    """What unit i would do now; sets the bounds that hold while it does."""
    reserve = max(quantity[f.U_MIN_KWH, i], quantity[f.U_RESERVE_KWH, i])
    quantity[f.U_FLOOR_KWH, i] = reserve
    quantity[f.U_CEILING_KWH, i] = quantity[f.U_MAX_KWH, i]
    stored = quantity[f.ENERGY_KWH, i]
    touch = f.TOUCH / TICKS_PER_H
    gives = stored - reserve > touch * quantity[f.U_RATED_KW, i] / quantity[f.U_EFFICIENCY, i]
    trades = fact[f.U_USE, i] & f.TRADES
    if trades and price >= quantity[f.U_HIGH_PRICE, i] and gives:
        return SELL
    if over_kw > 0.0:
        return BUFFER if gives and fact[f.U_USE, i] & f.BUFFERS else STAND_BY
    if trades and price > quantity[f.U_LOW_PRICE, i]:
        quantity[f.U_CEILING_KWH, i] = reserve
    room = quantity[f.U_CEILING_KWH, i] - stored
    return CHARGE if room > touch * quantity[f.U_RECHARGE_KW, i] else STAND_BY


@scratch
def beside_the_grid(
    wanted: Array, fixed_kw: float, charging_kw: float, price: float, fact: Array, quantity: Array, clock: Array,
    site: Array,
) -> bool:  # fmt: skip
    """Powers of the units at connection points that have grid, added to `wanted`.

    Args:
        fixed_kw: drawn from the grid by all feeds.
        charging_kw: drawn by the site's own storage, which charges first.
        price: of energy now, per kWh.

    Returns:
        Whether any unit acts, or may act when demand or price changes.
    """
    demand_kw = fixed_kw + charging_kw
    target_kw = min(site[f.IMPORT_LIMIT_KW], site[f.PEAK_TARGET_KW])
    over_kw = demand_kw - target_kw
    wishes = np.zeros(wanted.size, np.int64)
    asked = _ask(wishes, wanted, over_kw, target_kw < UNLIMITED_KW, price, fact, quantity, clock)
    if asked == 0:
        return False
    sold_kw = 0.0
    if asked & 1 << SELL:
        sold_kw = _share_out(SELL, max(0.0, demand_kw - site[f.IMPORT_FLOOR_KW]), wishes, wanted)
    if asked & 1 << BUFFER:
        _share_out(BUFFER, max(0.0, over_kw - sold_kw), wishes, wanted)
    if asked & 1 << CHARGE:
        most_kw = max(0.0, min(site[f.RECHARGE_LIMIT_KW] - charging_kw, target_kw - demand_kw))
        _share_out(CHARGE, most_kw, wishes, wanted)
    return True


@inner
def _ask(
    wishes: Array,
    wanted: Array,
    over_kw: float,
    limited: bool,
    price: float,
    fact: Array,
    quantity: Array,
    clock: Array,
) -> int:
    """Every unit's wish, and its kW as `wanted`, each point within its own limit; returns which wishes there are."""
    asked = np.int64(0)
    for p in range(clock[f.FEEDS]):
        if fact[f.F_KIND, p] != f.POINT or fact[f.F_STATE, p] != f.ON_SECTION:
            continue
        first = fact[f.F_FIRST, p]
        end = first + fact[f.F_COUNT, p]
        given = taken = 0.0
        for i in range(first, end):
            if not fact[f.U_UP, i] or fact[f.U_FUELLED, i]:
                continue
            wish = _wish(i, over_kw, price, fact, quantity)
            wishes[i] = wish
            if fact[f.U_USE, i] & f.TRADES or (fact[f.U_USE, i] & f.BUFFERS and limited):
                asked |= 1 << STAND_BY
            if wish == CHARGE:
                wanted[i] = -quantity[f.U_RECHARGE_KW, i]
                taken -= wanted[i]
            elif wish != STAND_BY:
                wanted[i] = quantity[f.U_RATED_KW, i]
                given += wanted[i]
            if wish != STAND_BY:
                asked |= 1 << wish
        limit = quantity[f.F_LIMIT_KW, p]
        if given > limit or taken > limit:
            for i in range(first, end):
                if wanted[i] > 0.0 and given > limit:
                    wanted[i] *= limit / given
                elif wanted[i] < 0.0 and taken > limit:
                    wanted[i] *= limit / taken
    return asked


@inner
def _share_out(wish: int, limit_kw: float, wishes: Array, wanted: Array) -> float:
    """Scale all units of one wish down to `limit_kw` together; returns what they give or take [kW]."""
    total = 0.0
    for i in range(wishes.size):
        if wishes[i] == wish:
            total += abs(wanted[i])
    if total > limit_kw:
        for i in range(wishes.size):
            if wishes[i] == wish:
                wanted[i] *= limit_kw / total
        return limit_kw
    return total
