"""Trucks beside the grid: charge in valleys, discharge above the import target or at high prices, never export.

A feedback law of demand, price and stored energy alone, so that no process runs at a price's edge. A unit that buffers
gives what the site's demand exceeds its target (`min` of import limit and peak target); a unit that trades charges at
its low price, discharges at its high one, and otherwise keeps its reserve; any other unit charges until it is full.
Powers are shared in proportion to kW: the same demand, price and bounds give the same powers, however often asked.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any

STAND_BY, CHARGE, BUFFER, SELL = range(4)


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


@inner
def _rating(i: int, wish: int, quantity: Array) -> float:
    return quantity[f.U_RECHARGE_KW, i] if wish == CHARGE else quantity[f.U_RATED_KW, i]


@inner
def beside_the_grid(
    wanted: Array, fixed_kw: float, charging_kw: float, price: float, fact: Array, quantity: Array, clock: Array,
    site: Array,
) -> None:  # fmt: skip
    """Powers of the units at connection points that have grid, added to `wanted`.

    Args:
        fixed_kw: drawn from the grid by all feeds.
        charging_kw: drawn by the site's own storage, which charges first.
        price: of energy now, per kWh.
    """
    demand_kw = fixed_kw + charging_kw
    target_kw = min(site[f.IMPORT_LIMIT_KW], site[f.PEAK_TARGET_KW])
    over_kw = demand_kw - target_kw
    most = (
        0.0,
        max(0.0, min(site[f.RECHARGE_LIMIT_KW] - charging_kw, target_kw - demand_kw)),
        max(0.0, over_kw),
        max(0.0, demand_kw - site[f.IMPORT_FLOOR_KW]),
    )
    sold_kw = 0.0
    for wish in (SELL, BUFFER, CHARGE):
        limit_kw = most[wish]
        if wish == BUFFER:
            limit_kw = max(0.0, limit_kw - sold_kw)
        given_kw = _as_one(wish, limit_kw, over_kw, price, wanted, fact, quantity, clock)
        if wish == SELL:
            sold_kw = given_kw


@inner
def _as_one(
    wish: int, limit_kw: float, over_kw: float, price: float, wanted: Array, fact: Array, quantity: Array, clock: Array
) -> float:
    """All units of one wish share `limit_kw` in proportion to their kW, each point within its own limit."""
    total = 0.0
    for p in range(clock[f.FEEDS]):
        total += _of_point(p, wish, over_kw, price, fact, quantity)
    if total <= 0.0:
        return 0.0
    scale = min(1.0, limit_kw / total)
    sign = -1.0 if wish == CHARGE else 1.0
    for p in range(clock[f.FEEDS]):
        point = _of_point(p, wish, over_kw, price, fact, quantity)
        if point <= 0.0:
            continue
        first = fact[f.F_FIRST, p]
        rated = 0.0
        for i in range(first, first + fact[f.F_COUNT, p]):
            if _stands(i, fact) and _wish(i, over_kw, price, fact, quantity) == wish:
                rated += _rating(i, wish, quantity)
        for i in range(first, first + fact[f.F_COUNT, p]):
            if _stands(i, fact) and _wish(i, over_kw, price, fact, quantity) == wish:
                wanted[i] = sign * scale * point * (_rating(i, wish, quantity) / rated)
    return scale * total


@inner
def _stands(i: int, fact: Array) -> bool:
    return fact[f.U_UP, i] == 1 and fact[f.U_FUELLED, i] == 0


@inner
def _of_point(p: int, wish: int, over_kw: float, price: float, fact: Array, quantity: Array) -> float:
    """kW of point p's units with this wish, within the point's limit."""
    if fact[f.F_KIND, p] != f.POINT or fact[f.F_STATE, p] != f.ON_SECTION:
        return 0.0
    total = 0.0
    first = fact[f.F_FIRST, p]
    for i in range(first, first + fact[f.F_COUNT, p]):
        if _stands(i, fact) and _wish(i, over_kw, price, fact, quantity) == wish:
            total += _rating(i, wish, quantity)
    return min(total, quantity[f.F_LIMIT_KW, p])
