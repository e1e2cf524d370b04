"""Ageing of a unit's LFP cells, as its power changes: calendar fade along every span, cycle fade by streaming rainflow.

Capacity lost is sqrt(calendar^2 + cycle^2): both bind lithium in one film, which grows the slower the thicker it is.

- calendar^2 = integral of (k_T k_SoC)^2 dt, k_SoC = 2.8575 (SoC - 0.5)^3 + 0.60225, k_T = 1.2571e-5 / sqrt(s) at 25 C.
- cycle^2 = sum over cycles of (k_C k_D / 100)^2 D n, k_C = 0.0630 C + 0.0971, k_D = 4.0253 (D - 0.6)^3 + 1.0923; one of
  depth D counts n = 1, a half cycle 0.5; C is its own mean rate over the hours in which power flowed.
- resistance grows linearly: by 3.4194e-10 / s (1.5604 - 3.3903 (SoC - 0.5)^2) at 25 C, and by
  (0.0021 - 0.0020 C) (6.8477 (D - 0.5)^3 + 0.9182) / 100 for each full cycle.

Coefficients: Naumann et al., J. Energy Storage 17 (2018) 153 and J. Power Sources 451 (2020) 227666 (Sony 26650).
They add the two losses; over ten years that counts the film twice: two cycles of 80 % a day leave 75 %, 83 % here.

All sums are additive over spans and cycles, so how often somebody looks changes nothing. Rests make no turning point.
Left out: temperature of cycling, the knee below 70 %, growth of losses with resistance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any

GAUSS_PLACE = (0.06943184420297371, 0.33000947820757187, 0.6699905217924281, 0.9305681557970262)
GAUSS_WEIGHT = (0.17392742256872692, 0.32607257743127307, 0.32607257743127307, 0.17392742256872692)
"""Four points integrate polynomials up to degree 7 exactly; (k_SoC)^2 has degree 6 along a span of constant power."""


@inner
def _cycle(i: int, range_kwh: float, hours: float, count: float, quantity: Array) -> None:
    """Book a cycle (count 1) or half cycle (0.5) of unit i that took `hours` of flowing power."""
    full_kwh = quantity[f.U_NEW_KWH, i] * quantity[f.U_HEALTH, i]
    depth = min(range_kwh / full_kwh, 1.0)
    rate = 2.0 * count * range_kwh / hours / full_kwh if hours > 0.0 else 0.0
    fade = (0.0630 * rate + 0.0971) * (4.0253 * (depth - 0.6) ** 3 + 1.0923) / 100.0
    quantity[f.U_CYCLE_SQUARE, i] += fade * fade * depth * count
    growth = max(0.0021 - 0.0020 * rate, 0.0) * (6.8477 * (depth - 0.5) ** 3 + 0.9182) / 100.0
    quantity[f.U_RESISTANCE, i] += growth * depth * count


@inner
def _drop_first(i: int, quantity: Array) -> tuple[float, float]:
    """Take the oldest turning point off; returns range [kWh] and hours of the leg that began there."""
    levels, legs = f.U_TURN_KWH, f.U_TURN_H
    turns = int(quantity[f.U_TURNS, i])
    leg_kwh, hours = abs(quantity[levels + 1, i] - quantity[levels, i]), quantity[legs + 1, i]
    for k in range(1, turns):
        quantity[levels + k - 1, i], quantity[legs + k - 1, i] = quantity[levels + k, i], quantity[legs + k, i]
    quantity[f.U_TURNS, i] = turns - 1
    return leg_kwh, hours


@inner
def next_cycle(i: int, quantity: Array) -> tuple[float, float, float]:
    """Take a closed cycle off unit i's turning points (ASTM E1049, three points).

    Returns:
        Range [kWh], hours of flowing power, count: 1, 0.5 where it holds the first point, 0 where none is closed.
    """
    n = int(quantity[f.U_TURNS, i])
    if n < 3:
        return 0.0, 0.0, 0.0
    levels, legs = f.U_TURN_KWH + n, f.U_TURN_H + n
    newest = abs(quantity[levels - 1, i] - quantity[levels - 2, i])
    before = abs(quantity[levels - 2, i] - quantity[levels - 3, i])
    if newest < before:
        return 0.0, 0.0, 0.0
    if n == 3:
        range_kwh, hours = _drop_first(i, quantity)
        return range_kwh, hours, 0.5
    way_back = quantity[legs - 1, i] * (before / newest if newest > 0.0 else 1.0)
    hours = quantity[legs - 2, i] + way_back
    quantity[levels - 3, i] = quantity[levels - 1, i]
    quantity[legs - 3, i] += quantity[legs - 1, i] - way_back
    quantity[f.U_TURNS, i] = n - 2
    return before, hours, 1.0


@inner
def add_turn(i: int, level_kwh: float, hours: float, quantity: Array) -> None:
    """Note a turning point that unit i reached after `hours` of flowing power; `next_cycle` then gives what it closes.

    Of more than the most points kept, which takes ever smaller swings, the oldest leg counts as a half cycle.
    """
    if quantity[f.U_TURNS, i] >= f.TURNS_MAX:
        range_kwh, leg_h = _drop_first(i, quantity)
        _cycle(i, range_kwh, leg_h, 0.5, quantity)
    n = int(quantity[f.U_TURNS, i])
    quantity[f.U_TURN_KWH + n, i], quantity[f.U_TURN_H + n, i] = level_kwh, hours
    quantity[f.U_TURNS, i] = n + 1


@inner
def _turn(i: int, quantity: Array) -> None:
    """Unit i stands at a turning point."""
    add_turn(i, quantity[f.ENERGY_KWH, i], quantity[f.U_LEG_H, i], quantity)
    quantity[f.U_LEG_H, i] = 0.0
    range_kwh, hours, count = next_cycle(i, quantity)
    while count > 0.0:
        _cycle(i, range_kwh, hours, count, quantity)
        range_kwh, hours, count = next_cycle(i, quantity)


@inner
def span(i: int, dt_h: float, quantity: Array) -> None:
    """Age unit i over the `dt_h` hours since its anchor, at the power that it had."""
    new_kwh = quantity[f.U_NEW_KWH, i]
    if new_kwh <= 0.0 or dt_h <= 0.0:
        return
    full_kwh = new_kwh * quantity[f.U_HEALTH, i]
    begin, end = quantity[f.ANCHOR_KWH, i] / full_kwh, quantity[f.ENERGY_KWH, i] / full_kwh
    square = growth = 0.0
    for k in range(4):
        about = begin + (end - begin) * GAUSS_PLACE[k] - 0.5
        shape = 2.8575 * about**3 + 0.60225
        square += GAUSS_WEIGHT[k] * shape * shape
        growth += GAUSS_WEIGHT[k] * (1.5604 - 3.3903 * about * about)
    quantity[f.U_CALENDAR_SQUARE, i] += quantity[f.U_FADE_PER_H, i] * square * dt_h
    quantity[f.U_RESISTANCE, i] += quantity[f.U_GROWTH_PER_H, i] * growth * dt_h
    if quantity[f.RATE_KW, i] != 0.0:
        quantity[f.U_LEG_H, i] += dt_h
        quantity[f.U_FULL_CYCLES, i] += abs(end - begin) * full_kwh / (2.0 * new_kwh)


@inner
def steer(i: int, power_kw: float, quantity: Array) -> None:
    """Unit i takes a new power: a turning point where its level now moves the other way."""
    if quantity[f.U_NEW_KWH, i] <= 0.0 or power_kw == 0.0:
        return
    direction = -1.0 if power_kw > 0.0 else 1.0
    if direction != quantity[f.U_DIRECTION, i]:
        _turn(i, quantity)
        quantity[f.U_DIRECTION, i] = direction


@inner
def _assess(i: int, quantity: Array) -> None:
    lost = np.sqrt(quantity[f.U_CALENDAR_SQUARE, i] + quantity[f.U_CYCLE_SQUARE, i])
    quantity[f.U_HEALTH, i] = max(1.0 - lost, 0.01)


@inner
def _renew(i: int, quantity: Array) -> None:
    """New cells in unit i, at the energy of the old ones."""
    for field in (f.U_CALENDAR_SQUARE, f.U_CYCLE_SQUARE, f.U_RESISTANCE, f.U_TURNS, f.U_LEG_H):
        quantity[field, i] = 0.0
    quantity[f.U_HEALTH, i] = 1.0
    quantity[f.U_REPLACEMENTS, i] += 1.0
    if quantity[f.U_DIRECTION, i] != 0.0:
        add_turn(i, quantity[f.ENERGY_KWH, i], 0.0, quantity)


@inner
def _rate(i: int, quantity: Array) -> float:
    """Set unit i's usable energy and power from its health; returns the kWh above its new upper end, which are gone."""
    full_kwh = quantity[f.U_NEW_KWH, i] * quantity[f.U_HEALTH, i]
    shrunk = quantity[f.U_SOC_MAX, i] * full_kwh / quantity[f.U_MAX_KWH, i]
    quantity[f.U_LOW_KWH, i] *= shrunk
    quantity[f.U_HIGH_KWH, i] *= shrunk
    quantity[f.U_MIN_KWH, i] = quantity[f.U_SOC_MIN, i] * full_kwh
    quantity[f.U_MAX_KWH, i] = quantity[f.U_SOC_MAX, i] * full_kwh
    quantity[f.U_FLOOR_KWH, i], quantity[f.U_CEILING_KWH, i] = quantity[f.U_MIN_KWH, i], quantity[f.U_MAX_KWH, i]
    able_kw = quantity[f.U_CELLS_KW, i] / (1.0 + quantity[f.U_RESISTANCE, i])
    quantity[f.U_RATED_KW, i] = min(quantity[f.U_NEW_KW, i], able_kw)
    quantity[f.U_RECHARGE_KW, i] = min(quantity[f.U_NEW_RECHARGE_KW, i], able_kw)
    over_kwh = quantity[f.ENERGY_KWH, i] - quantity[f.U_MAX_KWH, i]
    if over_kwh <= 0.0:
        return 0.0
    quantity[f.ENERGY_KWH, i] = quantity[f.ANCHOR_KWH, i] = quantity[f.U_MAX_KWH, i]
    return over_kwh


@borrowing
def age(quantity: Array, clock: Array) -> None:
    """Bring the health of all units to the clock's now and anchor their levels there; the plant is settled."""
    dt_h = (clock[f.NOW_US] - clock[f.ANCHOR_US]) / TICKS_PER_H
    for i in range(clock[f.UNITS]):
        flowed_kwh = quantity[f.POWER_KW, i] * dt_h
        quantity[f.DISCHARGED_KWH, i] += max(flowed_kwh, 0.0)
        quantity[f.CHARGED_KWH, i] -= min(flowed_kwh, 0.0)
        span(i, dt_h, quantity)
        quantity[f.ANCHOR_KWH, i] = quantity[f.ENERGY_KWH, i]
        if quantity[f.U_NEW_KWH, i] > 0.0:
            _assess(i, quantity)
    clock[f.ANCHOR_US] = clock[f.NOW_US]


@borrowing
def rate(renewed: Array, fact: Array, quantity: Array, clock: Array, ledger: Array, edge: Array) -> None:
    """After `age`: usable energy and power from health. Energy above a window that has shrunk is lost inside storage.

    `renewed`: int64 [units], 1 for a unit that gets new cells first; they hold the energy of the old ones.
    """
    lost_kwh = 0.0
    for i in range(clock[f.UNITS]):
        if quantity[f.U_NEW_KWH, i] > 0.0:
            if renewed[i]:
                _renew(i, quantity)
            lost_kwh += _rate(i, quantity)
    for j in range(clock[f.FEEDS]):
        fact[f.F_VERSION, j] += 1
    ledger[f.STORAGE_LOSS_KW, int(edge[f.E_MONTH, clock[f.EDGE]])] += lost_kwh


@borrowing
def conclude(quantity: Array, clock: Array) -> None:
    """Health at the clock's now with what is still open counted as half cycles; for a copy, whose powers stay."""
    dt_h = (clock[f.NOW_US] - clock[f.ANCHOR_US]) / TICKS_PER_H
    for i in range(clock[f.UNITS]):
        span(i, dt_h, quantity)
        if quantity[f.U_NEW_KWH, i] <= 0.0:
            continue
        if quantity[f.U_DIRECTION, i] != 0.0:
            _turn(i, quantity)
        while quantity[f.U_TURNS, i] >= 2.0:
            range_kwh, hours = _drop_first(i, quantity)
            _cycle(i, range_kwh, hours, 0.5, quantity)
        _assess(i, quantity)


@borrowing
def count_cycles(level: Array, quantity: Array, out: Array) -> int:
    """Rainflow of a whole series of turning points, in unit 0 of an empty block; half cycles of the rest at the end.

    Args:
        level: [n] turning points.
        out: (2, n) gets range and count of each cycle, in the order in which they close.

    Returns:
        Cycles written.
    """
    found = 0
    for k in range(level.size):
        add_turn(0, level[k], 1.0, quantity)
        range_, _, count = next_cycle(0, quantity)
        while count > 0.0:
            out[0, found], out[1, found] = range_, count
            found += 1
            range_, _, count = next_cycle(0, quantity)
    while quantity[f.U_TURNS, 0] >= 2.0:
        range_, _ = _drop_first(0, quantity)
        out[0, found], out[1, found] = range_, 0.5
        found += 1
    return found
