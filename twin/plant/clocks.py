"""The clocks of one family: like items that alternate between up and down, each on streams of its own.

A life uses up a unit-exponential hazard: member i fails when the integral of theta x rate x h(age) reaches a draw E,
where h is the law's hazard rate. What is left of E, and the age, are kept, so that rate and theta may change at any
time (`settle`, write, `arm`). Draws alternate, life first, so life k of a member is draw k of its failure stream and
restoration k is draw k of its restoration stream, whatever the other members do. A member that is struck while it is up
(`strike`) gives up the rest of its life.

| block | row | what |
|---|---|---|
| clock (int64) | DUE_US | tick of the next flip; NEVER where somebody else ends the sojourn |
| | UP | 1 or 0 |
| | ORDINAL | completed draws |
| | SINCE_US | tick at which AGE_H, LEFT and USED hold |
| | FIRED | lives that ended of themselves, not by `strike` |
| hazard (float64) | AGE_H | virtual age: 0 as new, real time added while up with a rate above 0 |
| | LEFT | unit-exponential hazard that is left of this life |
| | RATE | physical factor on the law's hazard rate: what is not shared with common causes, exposure |
| | THETA | clock speed; 1 is the physical model |
| | USED | hazard used up so far at THETA = 1, all lives together |

Who may write: RATE the part that owns the item, through `Family.set_rate`; THETA nobody but rare-event sampling,
through `Family.set_theta`; all other rows only the kernels here. A law is a tuple (code, a, b, table) as in
`twin.chance.quantiles`, in hours: `CompiledLaw.columns`. Where a restoration's code is MANAGED, `mend` ends it.

Imperfect repair is Kijima's second model (Kijima, "Some results for repairable systems with general repair", J. Appl.
Prob. 26, 1989): after a repair the age is `kept` times the age at failure; 0 as new, 1 as old (minimal repair).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.quantiles import SEASONAL, cumulative_hazard, draw, hazard_quantile
from twin.kernel import borrowing, inner, kernel
from twin.units import HOURS_PER_YEAR, NEVER, TICKS_PER_H

FAILURE = 0
RESTORATION = 1

DUE_US, UP, ORDINAL, SINCE_US, FIRED = range(5)
CLOCK_ROWS = 5
AGE_H, LEFT, RATE, THETA, USED = range(5)
HAZARD_ROWS = 5

MANAGED = -1
"""Code of a restoration that is not drawn here: crews, spares or detection decide when it is over."""
MONTH_H = HOURS_PER_YEAR / 12.0


@kernel
def _after(now_us: int, duration_h: float) -> int:
    """The tick `duration_h` after `now_us`: at least one tick later, NEVER where it is beyond every horizon."""
    duration_us = duration_h * TICKS_PER_H
    if not duration_us < NEVER:
        return NEVER
    return min(now_us + max(int(np.rint(duration_us)), 1), NEVER)


@inner
def _season_h(now_us: int, mean_h: float, factors: Any, e: float) -> float:
    """Hours from now until a rate of factor/mean, one factor a month of the horizon's first year and on, uses up e.

    Months are twelfths of 8,760 hours, as for supply events.
    """
    year = 0.0
    for k in range(12):
        year += factors[k] * MONTH_H / mean_h
    if not year > 0.0:
        return math.inf
    start_h = now_us / TICKS_PER_H
    whole = max(math.floor(e / year) - 1.0, 0.0)
    left = e - whole * year
    at = start_h + whole * HOURS_PER_YEAR
    month = int(at // MONTH_H)
    while True:
        rate = factors[month % 12] / mean_h
        span = (month + 1) * MONTH_H - at
        if rate * span > left:
            return at + left / rate - start_h
        left -= rate * span
        month += 1
        at = month * MONTH_H


@inner
def _season_used(from_us: int, to_us: int, mean_h: float, factors: Any) -> float:
    """Hazard of a seasonal rate between two ticks."""
    at, end = from_us / TICKS_PER_H, to_us / TICKS_PER_H
    month = int(at // MONTH_H)
    used = 0.0
    while at < end:
        edge = min((month + 1) * MONTH_H, end)
        used += factors[month % 12] / mean_h * (edge - at)
        month += 1
        at = edge
    return used


@inner
def _arm(i: int, now_us: int, clock: Any, hazard: Any, life: Any) -> None:
    """Set the tick at which member i fails, from the hazard that is left now, at its age, rate and speed."""
    code, a, b, table = life
    speed = hazard[RATE, i] * hazard[THETA, i]
    clock[SINCE_US, i] = now_us
    if not speed > 0.0:
        clock[DUE_US, i] = NEVER
        return
    e = hazard[LEFT, i] / speed
    age = hazard[AGE_H, i]
    if code == SEASONAL:
        life_h = _season_h(now_us, a, table, e)
    elif age > 0.0:
        life_h = hazard_quantile(code, a, b, table, e + cumulative_hazard(code, a, b, table, age), np.int64(0)) - age
    else:
        life_h = hazard_quantile(code, a, b, table, e, clock[ORDINAL, i] >> 1)
    clock[DUE_US, i] = _after(now_us, life_h)


@inner
def _settle(i: int, now_us: int, clock: Any, hazard: Any, life: Any) -> None:
    """Bring age and hazard left of a member that is up to now."""
    code, a, b, table = life
    since = clock[SINCE_US, i]
    if since == now_us:
        return
    speed = hazard[RATE, i] * hazard[THETA, i]
    clock[SINCE_US, i] = now_us
    if not hazard[RATE, i] > 0.0:
        return
    age = hazard[AGE_H, i]
    later = age + (now_us - since) / TICKS_PER_H
    if code == SEASONAL:
        used = _season_used(since, now_us, a, table)
    else:
        used = cumulative_hazard(code, a, b, table, later) - cumulative_hazard(code, a, b, table, age)
    if math.isnan(used):  # a law with atoms: no hazard rate, no speed, and its life runs to its end
        used = 0.0
    hazard[AGE_H, i] = later
    hazard[LEFT, i] = max(hazard[LEFT, i] - used * speed, 0.0)
    hazard[USED, i] += hazard[RATE, i] * used


@inner
def _live(i: int, now_us: int, clock: Any, hazard: Any, keys: Any, replication: np.uint64, life: Any) -> None:
    """Member i begins its next life."""
    clock[UP, i] = 1
    u = uniform(keys[FAILURE, i], replication, clock[ORDINAL, i] >> 1)
    hazard[LEFT, i] = -math.log1p(-u)
    _arm(i, now_us, clock, hazard, life)
    clock[ORDINAL, i] += 1


@inner
def _fall(
    i: int, now_us: int, clock: Any, keys: Any, replication: np.uint64, hazard: Any, restoration: Any, kept: float
) -> None:
    """Member i is down from now on; its age is what imperfect repair will leave of it."""
    code, a, b, table = restoration
    clock[UP, i] = 0
    hazard[AGE_H, i] = hazard[AGE_H, i] * kept
    if code == MANAGED:
        clock[DUE_US, i] = NEVER
    else:
        n = clock[ORDINAL, i] >> 1
        clock[DUE_US, i] = _after(now_us, draw(code, a, b, table, keys[RESTORATION, i], replication, n))
    clock[ORDINAL, i] += 1


@borrowing
def first(clock: Any, hazard: Any, keys: Any, replication: np.uint64, life: Any) -> None:
    """Start the family at tick 0 with every member up and its first life drawn.

    Args:
        clock, hazard: int64 [CLOCK_ROWS, n] and float64 [HAZARD_ROWS, n]; RATE and THETA are read, the rest written.
        keys: uint64 array [2, n]: rows FAILURE and RESTORATION.
        replication: second key word.
        life: law of lives [h].
    """
    for i in range(clock.shape[1]):
        clock[ORDINAL, i] = 0
        hazard[AGE_H, i] = 0.0
        hazard[USED, i] = 0.0
        clock[FIRED, i] = 0
        _live(i, np.int64(0), clock, hazard, keys, replication, life)


@borrowing
def step(
    now_us: int,
    clock: Any,
    hazard: Any,
    keys: Any,
    replication: np.uint64,
    life: Any,
    restoration: Any,
    kept: float,
    flipped: Any,
) -> int:
    """Flip every member that is due at `now_us`, once, and begin its next sojourn.

    Args:
        now_us: the tick now, less than NEVER.
        clock, hazard, keys, replication, life: as in `first`, written.
        restoration: law of down times [h], or (MANAGED, 0.0, 0.0, empty).
        kept: share of the age at failure that a repair leaves, 0 to 1.
        flipped: int64 array of length n; gets the indices of the flipped members, ascending.

    Returns:
        How many entries of `flipped` hold.
    """
    count = 0
    for i in range(clock.shape[1]):
        if clock[DUE_US, i] != now_us:
            continue
        if clock[UP, i] == 1:
            hazard[USED, i] += hazard[LEFT, i] / hazard[THETA, i]
            clock[FIRED, i] += 1
            hazard[AGE_H, i] += (now_us - clock[SINCE_US, i]) / TICKS_PER_H
            _fall(i, now_us, clock, keys, replication, hazard, restoration, kept)
        else:
            _live(i, now_us, clock, hazard, keys, replication, life)
        flipped[count] = i
        count += 1
    return count


@borrowing
def strike(
    i: int,
    now_us: int,
    clock: Any,
    hazard: Any,
    keys: Any,
    replication: np.uint64,
    life: Any,
    restoration: Any,
    kept: float,
) -> bool:
    """Bring member i down from outside, if it is up; arguments as in `step`. Returns whether it was up."""
    if clock[UP, i] == 0:
        return False
    _settle(i, now_us, clock, hazard, life)
    _fall(i, now_us, clock, keys, replication, hazard, restoration, kept)
    return True


@borrowing
def mend(i: int, now_us: int, clock: Any, hazard: Any, keys: Any, replication: np.uint64, life: Any) -> None:
    """A managed restoration of member i is over: it begins its next life."""
    _live(i, now_us, clock, hazard, keys, replication, life)


@borrowing
def settle(now_us: int, clock: Any, hazard: Any, life: Any) -> None:
    """Bring age, hazard left and hazard used of all members that are up to now, before RATE or THETA is written."""
    for i in range(clock.shape[1]):
        if clock[UP, i] == 1:
            _settle(i, now_us, clock, hazard, life)


@borrowing
def arm(now_us: int, clock: Any, hazard: Any, life: Any) -> None:
    """Set anew when members that are up fail, after RATE or THETA was written; call right after `settle`."""
    for i in range(clock.shape[1]):
        if clock[UP, i] == 1:
            _arm(i, now_us, clock, hazard, life)


@borrowing
def earliest(clock: Any) -> int:
    """The tick of the family's next flip; NEVER if there is none."""
    tick = NEVER
    for i in range(clock.shape[1]):
        tick = min(tick, clock[DUE_US, i])
    return tick
