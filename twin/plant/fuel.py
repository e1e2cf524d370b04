"""The gensets' tank: a level that falls with what their sets burn, and a bound where it is empty.

Consumption is a straight line, no-load litres an hour of each running set plus litres a kWh, as makers state it between
a quarter and full load.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_H

Array = Any


@inner
def burn(fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """What the running sets burn now [l/h]: the feeds on them, with what the network takes on the way.

    An empty tank keeps its rate until the plant has stopped the sets: its bound is then due in this tick.
    """
    kw = 0.0
    for j in range(clock[f.FEEDS]):
        if fact[f.F_ON_GENSET, j] and fact[f.F_STATE, j] == f.ON_SECTION:
            kw += quantity[f.F_INPUT_KW, j]
    kw *= 1.0 + site[f.LOSS_PER_KW2] * kw
    rate = -(site[f.FUEL_PER_KWH_L] * kw + site[f.FUEL_NO_LOAD_L_PER_H])
    if rate != site[f.FUEL_RATE_L_PER_H]:
        site[f.FUEL_ANCHOR_L] = site[f.FUEL_L]
        clock[f.FUEL_ANCHOR_US] = clock[f.NOW_US]
        site[f.FUEL_RATE_L_PER_H] = rate


@inner
def empty_at(clock: Array, site: Array) -> int:
    """Tick at which the tank is empty, rounded down; NEVER while nothing burns."""
    rate = site[f.FUEL_RATE_L_PER_H]
    if rate >= 0.0:
        return NEVER
    time = -site[f.FUEL_ANCHOR_L] / rate * TICKS_PER_H
    if time >= NEVER - clock[f.FUEL_ANCHOR_US]:
        return NEVER
    return clock[f.FUEL_ANCHOR_US] + np.int64(max(time, 0.0))


@inner
def fuel_level(clock: Array, site: Array) -> None:
    """Litres in the tank at the clock's now."""
    if site[f.FUEL_RATE_L_PER_H] != 0.0:
        hours = (clock[f.NOW_US] - clock[f.FUEL_ANCHOR_US]) / TICKS_PER_H
        site[f.FUEL_L] = site[f.FUEL_ANCHOR_L] + site[f.FUEL_RATE_L_PER_H] * hours


@inner
def is_empty(site: Array) -> bool:
    """Whether the tank runs dry in this tick."""
    rate = site[f.FUEL_RATE_L_PER_H]
    return rate < 0.0 and site[f.FUEL_L] <= -rate * (f.TOUCH / TICKS_PER_H)
