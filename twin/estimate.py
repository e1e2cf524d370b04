"""Estimates from replications: means, counts and paired differences, each with its standard error and interval.

Intervals of means are Student's t; of counts exact Poisson (Garwood, Biometrika 28, 1936). A count of zero has only an
upper bound, -ln(0.05) = 3.00 over the observed years at 95 %: the rule of three. No estimate comes without n.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]

RARE_YEARS_NEEDED = 6
"""Fewer disagreeing replications, all in one direction, never reach 5 % in a two-sided sign test (2 / 2**5 > 0.05)."""


@dataclass(frozen=True)
class Estimate:
    """A value with its uncertainty.

    Attributes:
        mean: the estimate; nan if there is none.
        standard_error: nan for a single replication.
        low, high: ends of the interval; nan where there is no statement.
        n: replications used (nan left out).
        events: replications that differ from the most frequent value; of a count, the events seen.
        one_sided: only `high` is a statement (nothing was seen).
        method: "student t", "exact poisson" or "none".
    """

    mean: float
    standard_error: float
    low: float
    high: float
    n: int
    events: int
    one_sided: bool = False
    method: str = "student t"


@dataclass(frozen=True)
class PairedDifference:
    """A mean difference a - b on common random numbers.

    Attributes:
        estimate: of the differences; its `events` counts the replications in which the two differ.
        better, worse, equal: replications in which a is better than b, worse, the same.
        variance_ratio: variance of the difference had the two been independent, over its own; above 1 pairing helped
            (the unpaired interval is its square root times wider); nan where nothing varies.
        is_resolved: the interval excludes zero, and enough replications differ (`RARE_YEARS_NEEDED` where most are
            equal, since Student's t is not to be trusted on a handful of non-zero differences).
    """

    estimate: Estimate
    better: int
    worse: int
    equal: int
    variance_ratio: float
    is_resolved: bool


def _finite(x: ArrayLike) -> Float:
    values = np.asarray(x, np.float64).ravel()
    return values[np.isfinite(values)]


def mean_interval(
    x: ArrayLike, level: float = 0.95, *, floor: float = -math.inf, ceiling: float = math.inf
) -> Estimate:
    """Mean of independent replications with Student's t interval; values that are not finite are left out.

    One replication has no interval (nan); where all values are equal the interval is that value, with `events` = 0:
    such an estimate says "nothing else seen in n", never "certain". A mean that cannot lie outside
    [floor, ceiling] has no interval beyond them either.
    """
    values = _finite(x)
    n = len(values)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, math.nan, 0, 0, method="none")
    modal = int(np.unique(values, return_counts=True)[1].max())
    mean = float(values.mean())
    if n == 1:
        return Estimate(mean, math.nan, math.nan, math.nan, 1, 0, method="none")
    if modal == n:
        same = float(values[0])
        return Estimate(same, 0.0, same, same, n, 0, method="none")
    error = float(values.std(ddof=1)) / math.sqrt(n)
    reach = _student(level, n - 1) * error
    return Estimate(mean, error, max(mean - reach, floor), min(mean + reach, ceiling), n, n - modal)


def sum_interval(terms: Sequence[ArrayLike], level: float = 0.95) -> Estimate:
    """Sum of the means of independent samples, by Student's t with the freedom of Welch and Satterthwaite.

    Where no sample varies the interval is the sum itself, with `events` = 0, as in `mean_interval`.

    Args:
        terms: two values or more each.
        level: of the interval.
    """
    samples = [np.asarray(term, np.float64) for term in terms]
    parts = [float(one.var(ddof=1)) / len(one) for one in samples]
    mean, variance = math.fsum(float(one.mean()) for one in samples), math.fsum(parts)
    count = sum(len(one) for one in samples)
    events = sum(len(one) - int(np.unique(one, return_counts=True)[1].max()) for one in samples)
    if variance == 0.0:
        return Estimate(mean, 0.0, mean, mean, count, events, method="none")
    freedom = variance**2 / math.fsum(part**2 / (len(one) - 1) for part, one in zip(parts, samples, strict=True))
    error = math.sqrt(variance)
    reach = _student(level, freedom) * error
    return Estimate(mean, error, mean - reach, mean + reach, count, events)


def count_interval(count: int, years: float, level: float = 0.95, n: int = 1) -> Estimate:
    """Events a year from a count over `years` of n replications, with the exact Poisson (Garwood) interval.

    Zero events: low = 0 and a one-sided upper bound -ln(1 - level) / years, flagged `one_sided`. (As one rule for all
    counts this covers 93.8 % at worst, for 3.0 to 3.7 expected events; the two-sided bound for zero would be 3.69.)
    """
    if count == 0:
        bound = -math.log(1 - level) / years
        return Estimate(0.0, 0.0, 0.0, bound, n, 0, one_sided=True, method="exact poisson")
    from scipy.special import gammaincinv  # workers need no intervals, and no scipy

    tail = (1 - level) / 2
    low = float(gammaincinv(count, tail)) / years
    high = float(gammaincinv(count + 1, 1 - tail)) / years
    return Estimate(count / years, math.sqrt(count) / years, low, high, n, count, method="exact poisson")


def paired_difference(
    a: ArrayLike, b: ArrayLike, level: float = 0.95, *, lower_is_better: bool = True
) -> PairedDifference:
    """Mean of a - b over replications that share their random numbers; pairs with a value not finite are left out.

    Values that agree to nine digits are the same: their difference is the rounding of sums.
    """
    one, two = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    both = np.isfinite(one) & np.isfinite(two)
    one, two = one[both], two[both]
    difference = np.where(np.isclose(one, two, rtol=1e-9, atol=0), 0.0, one - two)
    n = len(difference)
    lower, higher = int(np.count_nonzero(difference < 0)), int(np.count_nonzero(difference > 0))
    better, worse = (lower, higher) if lower_is_better else (higher, lower)
    ratio = math.nan
    if n > 1:
        apart, together = float(one.var(ddof=1) + two.var(ddof=1)), float(difference.var(ddof=1))
        ratio = apart / together if together > 0 else (math.inf if apart > 0 else math.nan)
    estimate = _with_disagreements(mean_interval(difference, level), lower + higher)
    return PairedDifference(estimate, better, worse, n - lower - higher, ratio, _is_resolved(estimate))


def _with_disagreements(estimate: Estimate, events: int) -> Estimate:
    return Estimate(
        estimate.mean, estimate.standard_error, estimate.low, estimate.high, estimate.n, events, method=estimate.method
    )


def _is_resolved(estimate: Estimate) -> bool:
    if estimate.n < 2 or not (estimate.low > 0 or estimate.high < 0):
        return False
    return estimate.events > estimate.n / 2 or estimate.events >= RARE_YEARS_NEEDED


def years_to_resolve(estimate: Estimate, level: float = 0.95, power: float = 0.8) -> float:
    """Replications that would show a difference of this size, with its spread, in `power` of all campaigns.

    n (z_level + z_power)^2 (standard error / mean)^2 by the normal approximation; inf where the mean is zero.
    """
    if not estimate.mean or not estimate.standard_error > 0:
        return math.inf
    normal = NormalDist()
    z = normal.inv_cdf((1 + level) / 2) + normal.inv_cdf(power)
    needed = estimate.n * (z * estimate.standard_error / estimate.mean) ** 2
    return float(max(math.ceil(needed), estimate.n + 1))


def _student(level: float, freedom: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2))


@dataclass(frozen=True)
class Rounded:
    """An estimate as text: value and ends to the place that its standard error allows; ends are "" without one."""

    value: str
    low: str
    high: str

    @property
    def interval(self) -> str:
        """The ends as "a to b"; "" without an interval."""
        return f"{self.low} to {self.high}" if self.low else ""


def round_to_error(estimate: Estimate, scale: float = 1.0) -> Rounded:
    """An estimate times `scale`, rounded where its standard error has its first digit (its second after a 1).

    With a standard error of zero: six significant digits; without one: four; one-sided bounds: two. Real minus, thin
    spaces for thousands.
    """
    error = estimate.standard_error * scale
    # an error of a billionth is the rounding of sums: its place would show digits that mean nothing
    counts = math.isfinite(error) and error > 1e-9 * abs(estimate.mean * scale)
    place = _place(error) if counts else None
    if estimate.one_sided:
        return Rounded(number(0.0, 0), number(0.0, 0), _significant(estimate.high * scale, 2))
    if math.isnan(estimate.low):
        return Rounded(_significant(estimate.mean * scale, 4), "", "")
    value = _text(estimate.mean * scale, place)
    return Rounded(value, _text(estimate.low * scale, place), _text(estimate.high * scale, place))


def _place(error: float) -> int:
    """The power of ten of the last digit that a standard error leaves: 0.83 -> -1, 0.13 -> -2, 420 -> 2."""
    digits, exponent = f"{error:e}".split("e")
    return int(exponent) - digits.startswith("1")


def _text(value: float, place: int | None) -> str:
    if place is None:
        return _significant(value, 6)
    return number(value, -place)


def _significant(value: float, digits: int) -> str:
    if not math.isfinite(value) or value == 0:
        return number(value, 0)
    text = number(value, digits - 1 - math.floor(math.log10(abs(value))))
    return text.rstrip("0").rstrip(".") if "." in text else text


def number(value: float, decimals: int) -> str:
    """A number with a real minus and thin spaces for thousands; negative `decimals` round to tens, hundreds, ..."""
    if not math.isfinite(value):
        return "\u2013"
    rounded = round(value, decimals) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:,.{max(decimals, 0)}f}".replace(",", "\u2009").replace("-", "\u2212")
