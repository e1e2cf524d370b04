"""What a unit can give and take at its state of charge: steps at a low and at a high level, met as bounds.

Beside a step the limit is decided within the tick's worth of energy to which crossings are rounded.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any


@inner
def limited_by_charge(i: int, quantity: Array) -> bool:
    """Whether unit i's power hangs on its charge at all: where it does not, nothing more need be looked at."""
    return quantity[f.U_HIGH_KWH, i] > 0.0 or quantity[f.U_LOW_KWH, i] > quantity[f.U_MIN_KWH, i]


@inner
def unit_kw(i: int, quantity: Array) -> float:
    """What unit i can give now [kW]."""
    rated, low = quantity[f.U_RATED_KW, i], quantity[f.U_LOW_KWH, i]
    if low > quantity[f.U_MIN_KWH, i]:
        touch = f.TOUCH * rated / quantity[f.U_EFFICIENCY, i] / TICKS_PER_H
        if quantity[f.ENERGY_KWH, i] <= low + touch:
            return rated * quantity[f.U_LOW_SHARE, i]
    return rated


@inner
def charging_kw(i: int, quantity: Array) -> float:
    """What unit i takes now [kW]."""
    high = quantity[f.U_HIGH_KWH, i]
    if high > 0.0 and quantity[f.ENERGY_KWH, i] >= high - f.TOUCH * quantity[f.U_RECHARGE_KW, i] / TICKS_PER_H:
        return quantity[f.U_RECHARGE_KW, i] * quantity[f.U_HIGH_SHARE, i]
    return quantity[f.U_RECHARGE_KW, i]


@inner
def next_level(i: int, rate: float, end: float, quantity: Array) -> float:
    """Where unit i's level is bound: at `end`, or before it where its power limit changes [kWh]."""
    low, high = quantity[f.U_LOW_KWH, i], quantity[f.U_HIGH_KWH, i]
    if rate < 0.0 and low > end and unit_kw(i, quantity) == quantity[f.U_RATED_KW, i]:
        return low
    if rate > 0.0 and 0.0 < high < end and charging_kw(i, quantity) == quantity[f.U_RECHARGE_KW, i]:
        return high
    return end
