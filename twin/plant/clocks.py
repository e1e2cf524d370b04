"""The clocks of one family: like items that alternate between up and down, each on streams of its own.

Per member i: `due_us` [us] the tick of its next flip, `up` 1 or 0, `ordinal` its completed draws. Draws alternate, life
first, so life k of a member is draw k of its failure stream and restoration k is draw k of its restoration stream,
whatever the other members do. A life uses up a unit exponential of hazard at speed theta; theta = 1 is real time.

A law is a tuple (code, a, b, table) as in `twin.chance.quantiles`, in hours: `CompiledLaw.columns`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.quantiles import draw, hazard_quantile
from twin.kernel import kernel
from twin.units import NEVER, TICKS_PER_H

FAILURE = 0
RESTORATION = 1


@kernel
def _after(now_us: int, duration_h: float) -> int:
    """The tick `duration_h` after `now_us`: at least one tick later, NEVER where it is beyond every horizon."""
    duration_us = duration_h * TICKS_PER_H
    if not duration_us < NEVER:
        return NEVER
    return min(now_us + max(int(np.rint(duration_us)), 1), NEVER)


@kernel
def _life_h(i: int, n: int, keys: Any, replication: np.uint64, theta: Any, life: Any) -> float:
    """Life n of member i [h], always by way of its hazard, so that speed 1 is no special case."""
    code, a, b, table = life
    hazard = -math.log1p(-uniform(keys[FAILURE, i], replication, n))
    return hazard_quantile(code, a, b, table, hazard / theta[i], n)


@kernel
def first(due_us: Any, up: Any, ordinal: Any, keys: Any, replication: np.uint64, theta: Any, life: Any) -> None:
    """Start the family at tick 0 with every member up and its first life drawn.

    Args:
        due_us, up, ordinal: int64 arrays of length n, written.
        keys: uint64 array [2, n]: rows FAILURE and RESTORATION.
        replication: second key word.
        theta: float64 array of length n, clock speeds > 0.
        life: law of lives [h].
    """
    for i in range(len(due_us)):
        up[i] = 1
        ordinal[i] = 0  # a literal would compile the draw's whole chain once more
        due_us[i] = _after(ordinal[i], _life_h(i, ordinal[i], keys, replication, theta, life))
        ordinal[i] = 1


@kernel
def step(
    now_us: int,
    due_us: Any,
    up: Any,
    ordinal: Any,
    keys: Any,
    replication: np.uint64,
    theta: Any,
    life: Any,
    restoration: Any,
    flipped: Any,
) -> int:
    """Flip every member that is due at `now_us`, once, and draw its next sojourn.

    Args:
        now_us: the tick now, less than NEVER.
        due_us, up, ordinal: as in `first`, written.
        keys, replication, theta, life: as in `first`.
        restoration: law of down times [h].
        flipped: int64 array of length n; gets the indices of the flipped members, ascending.

    Returns:
        How many entries of `flipped` hold.
    """
    code, a, b, table = restoration
    count = 0
    for i in range(len(due_us)):
        if due_us[i] != now_us:
            continue
        n = ordinal[i] >> 1
        if up[i] == 1:
            up[i] = 0
            due_us[i] = _after(now_us, draw(code, a, b, table, keys[RESTORATION, i], replication, n))
        else:
            up[i] = 1
            due_us[i] = _after(now_us, _life_h(i, n, keys, replication, theta, life))
        ordinal[i] += 1
        flipped[count] = i
        count += 1
    return count


@kernel
def earliest(due_us: Any) -> int:
    """The tick of the family's next flip; NEVER if there is none."""
    tick = NEVER
    for i in range(len(due_us)):
        tick = min(tick, due_us[i])
    return tick
