"""Estimates of a rare-event campaign: weighted amounts over weighted years, with what they may be trusted by.

The estimate of a metric is the weighted amount A over the weighted length B, both summed over replications, season by
season, each season's rate r counted by its part of the horizon: where first faults are pushed, cycles are shorter and
more in the season that brings more of them, and one ratio of all would count that season too often. The standard error
is the delta method's on A - r B. It is refused where the weights of the hits are too unequal: an effective sample
(sum L)**2 / sum L**2 of at most 5 % of the hits, or one weight of more than 5 % of their sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.campaign.rare.columns import PARTS, SEASONS
from twin.estimate import Estimate, mean_interval
from twin.units import HOURS_PER_YEAR

Float = NDArray[np.float64]

_H = "weighted_h"
EFFECTIVE_LEAST = 0.05
"""Of the hits: least effective sample."""
WEIGHT_MOST = 0.05
"""Of the hits' weight: the largest single one."""


@dataclass(frozen=True)
class RareEstimate:
    """A rate with its error, and whether it may be reported.

    Attributes:
        estimate: mean and interval per year, `events` the hits; nan where refused.
        hits: spans that met the target.
        effective_hits: (sum L)**2 / sum L**2 over them.
        weight_share_max: largest weight of a hit over their sum.
        crude_variance: of one replication without weights, per year**2: excursions come at random times, so that what
            they bring is a compound Poisson sum, whose variance is their number times their second moment.
        variance: of one replication of this campaign, per year**2.
        refused: why no figure is given; "" where it is.
    """

    estimate: Estimate
    hits: int
    effective_hits: float
    weight_share_max: float
    crude_variance: float
    variance: float
    refused: str

    @property
    def gain(self) -> float:
        """Crude replications that say as much as one of these; nan where refused."""
        return self.crude_variance / self.variance if self.variance > 0.0 and not self.refused else math.nan


def rate(values: Float, columns: Sequence[str], metric: str) -> RareEstimate:
    """The estimate of a metric.

    Args:
        values: (replications, columns) of one design.
        columns: their names, as in `twin.campaign.rare.columns`.
        metric: its name.
    """
    place = list(columns).index(metric + PARTS[0])
    _, hits, weight, squared, largest = values[:, place : place + len(PARTS)].T
    n, count, total = len(values), int(hits.sum()), float(weight.sum())
    effective = total**2 / float(squared.sum()) if count else 0.0
    share = float(largest.max()) / total if count else math.nan
    residual, mean = residuals(values, columns, metric)
    refused = _refusal(n, count, effective, share)
    horizon_h, parts = _seasons(values, columns)
    crude = 0.0
    for season, part in parts.items():
        squares, hours = (values[:, list(columns).index(name)] for name in (metric + ":squares" + season, _H + season))
        crude += part * float(squares.sum() / hours.sum()) / horizon_h * HOURS_PER_YEAR**2
    found = mean_interval(mean + residual, floor=0.0)
    if refused:
        found = Estimate(math.nan, math.nan, math.nan, math.nan, n, count, method="none")
    else:
        found = Estimate(mean, found.standard_error, found.low, found.high, n, count, method="ratio, student t")
    variance = float(residual.var(ddof=1)) if n > 1 else math.nan
    return RareEstimate(found, count, effective, share, crude, variance, refused)


def residuals(values: Float, columns: Sequence[str], metric: str) -> tuple[Float, float]:
    """Of each replication its share in the error of the rate, and the rate, per year.

    Sums of f (A - r B) / mean(B) and of f r over the seasons, f being each season's part of the horizon.
    """
    names = list(columns)
    residual, mean = np.zeros(len(values)), 0.0
    for season, part in _seasons(values, columns)[1].items():
        amount, hours = (values[:, names.index(name + season)] for name in (metric, _H))
        own = float(amount.sum() / hours.sum())
        residual += part * (amount - own * hours) / float(hours.mean())
        mean += part * own
    return residual * HOURS_PER_YEAR, mean * HOURS_PER_YEAR


def _seasons(values: Float, columns: Sequence[str]) -> tuple[float, dict[str, float]]:
    """Hours of a replication's horizon, and the part of each season that it holds."""
    names = list(columns)
    hours = {season: float(values[:, names.index("season_h" + season)].mean()) for season in SEASONS}
    total_h = sum(hours.values())
    return total_h, {season: own / total_h for season, own in hours.items() if own}


def relative_width(values: Float, columns: Sequence[str], metric: str) -> float:
    """Half-width of the interval over the mean; inf where the figure is refused."""
    one = rate(values, columns, metric)
    if one.refused or not one.estimate.mean > 0.0:
        return math.inf
    return (one.estimate.high - one.estimate.low) / 2.0 / one.estimate.mean


def mean_weight(values: Float, columns: Sequence[str]) -> tuple[float, float]:
    """Mean weight of an excursion, which should be 1, and its standard error."""
    names = list(columns)
    count, total, squared = (
        float(values[:, names.index(name)].sum())
        for name in ("excursions", "excursion_weight", "excursion_weight_squared")
    )
    if not count:
        return math.nan, math.nan
    mean = total / count
    return mean, math.sqrt(max(squared / count - mean**2, 0.0) / count)


def _refusal(n: int, hits: int, effective: float, share: float) -> str:
    if not hits:
        return "not hit once"
    if n < 2:
        return "one replication has no error"
    if share >= WEIGHT_MOST:
        return f"one hit carries {share:.0%} of the weight of all {hits}: more replications are needed"
    if effective <= EFFECTIVE_LEAST * hits:
        return f"{hits} hits weigh as much as {effective:.3g}: more replications are needed"
    return ""
