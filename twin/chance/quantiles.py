"""Laws as compiled quantile functions: one uniform in, one duration out, increasing in the uniform.

A law is (code, a, b, table). Durations come out in the unit of the law's own scale.

| code | a | b | table |
|---|---|---|---|
| FIXED | the value | - | - |
| EXPONENTIAL | mean | - | - |
| WEIBULL | scale | shape | - |
| LOGNORMAL | median | sigma, of the logarithm | - |
| GAMMA | scale | shape | - |
| UNIFORM | low | high | - |
| EMPIRICAL | - | - | observations, ascending: resampled |
| SCRIPTED | - | - | draw n is entry n; +inf after the last |
| PIECEWISE | - | - | ages from 0 on, the cumulative hazards there, the hazard rates from there on: a third each |
| SEASONAL | mean at factor 1 | - | twelve monthly factors on the rate; `twin.plant.clocks` alone draws it |
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.special import gamma_log_tail, gamma_quantile, normal_log_tail, normal_quantile
from twin.kernel import borrowing, kernel

FIXED = 0
EXPONENTIAL = 1
WEIBULL = 2
LOGNORMAL = 3
GAMMA = 4
UNIFORM = 5
EMPIRICAL = 6
SCRIPTED = 7
PIECEWISE = 8
SEASONAL = 9


@kernel
def _value(code: int, a: float, b: float, table: Any, u: float, e: float, n: int) -> float:
    """The quantile at u = 1 - exp(-e); each law reads whichever of the two is exact for it."""
    if code == EXPONENTIAL:
        return a * e
    if code == WEIBULL:
        return a * math.pow(e, 1.0 / b)
    if code == LOGNORMAL:
        return a * math.exp(b * normal_quantile(u, e))
    if code == GAMMA:
        return a * gamma_quantile(b, u, e)
    if code == UNIFORM:
        return a + (b - a) * u
    if code == EMPIRICAL:
        return float(table[min(max(math.ceil(u * len(table)) - 1, 0), len(table) - 1)])
    if code == SCRIPTED:
        return float(table[n]) if n < len(table) else math.inf
    if code == PIECEWISE:
        return _age_of(table, e)
    return a


@kernel
def _age_of(table: Any, e: float) -> float:
    """The age at which a piecewise constant hazard has added up to e."""
    count = len(table) // 3
    k = 0
    while k + 1 < count and table[count + k + 1] <= e:
        k += 1
    rate = table[2 * count + k]
    return float(table[k] + (e - table[count + k]) / rate) if rate > 0.0 else math.inf


@kernel
def cumulative_hazard(code: int, a: float, b: float, table: Any, x: float) -> float:
    """-log of the probability that a law exceeds x >= 0: the inverse of `hazard_quantile` for laws without atoms.

    Args:
        code, a, b, table: the law, as in this file's table; not FIXED, EMPIRICAL, SCRIPTED or SEASONAL.
        x: an age in the unit of the law's scale.

    Returns:
        The hazard used up by age x; NaN for the four laws that have none, or none without the clock.
    """
    if x <= 0.0:
        return 0.0
    if code == EXPONENTIAL:
        return x / a
    if code == WEIBULL:
        return math.pow(x / a, b)
    if code == LOGNORMAL:
        return -normal_log_tail(math.log(x / a) / b) if b > 0.0 else (0.0 if x < a else math.inf)
    if code == GAMMA:
        return -gamma_log_tail(b, x / a)
    if code == UNIFORM:
        if x >= b:
            return math.inf
        return -math.log((b - x) / (b - a)) if x > a else 0.0
    if code == PIECEWISE:
        count = len(table) // 3
        k = 0
        while k + 1 < count and table[k + 1] <= x:
            k += 1
        return float(table[count + k] + (x - table[k]) * table[2 * count + k])
    return math.nan


@kernel
def quantile(code: int, a: float, b: float, table: Any, u: float, n: int) -> float:
    """The duration that a law exceeds with probability 1 - u.

    Args:
        code, a, b, table: the law, as in this file's table; `table` is a float64 array, of length 0 where unused.
        u: strictly inside (0, 1).
        n: number of the draw; only a script reads it.

    Returns:
        A duration in the unit of the law's scale. EMPIRICAL gives the left-continuous inverse of the empirical
        distribution function, i.e. one of the observations.
    """
    return _value(code, a, b, table, u, -math.log1p(-u), n)


@kernel
def hazard_quantile(code: int, a: float, b: float, table: Any, e: float, n: int) -> float:
    """The life at which the cumulative hazard of a law reaches e > 0; equals `quantile` at u = 1 - exp(-e).

    Stays exact where u would round to 1 (e > 37). The laws with atoms (FIXED, EMPIRICAL, SCRIPTED) use up all hazard
    that is left at their last atom.

    Args:
        code, a, b, table, n: as in `quantile`.
        e: cumulative hazard, e.g. a unit exponential.
    """
    return _value(code, a, b, table, -math.expm1(-e), e, n)


@borrowing
def fill(
    code: int, a: float, b: float, table: Any, key: np.uint64, replication: np.uint64, first: int, out: Any
) -> None:
    """Draws first, first + 1 ... of a stream under a law, into the array `out`; each is what `draw` gives."""
    for k in range(out.size):
        out[k] = quantile(code, a, b, table, uniform(key, replication, first + k), first + k)


@borrowing
def draw(code: int, a: float, b: float, table: Any, key: np.uint64, replication: np.uint64, n: int) -> float:
    """Draw n of a stream (`twin.chance.philox`) under a law, in the unit of the law's scale."""
    return quantile(code, a, b, table, uniform(key, replication, n), n)
