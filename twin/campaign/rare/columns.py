"""A replication of a rare-event campaign as one row of numbers: weighted sums over its spans.

For each metric: `NAME:amount`, weighted; and of the spans with some of it, `NAME:hits` their number, `NAME:weight`,
`NAME:weight_squared` and `NAME:weight_max` of their weights, and `NAME:season0` to
`NAME:season3`, the weighted amount by the season in which its span began (winter from December);
`NAME:squares:season0` ..., the weighted sums of the squared amounts.
Besides: `weighted_h`, the weighted length of all spans [h]; the same by season (`weighted_h:season0` ...), and how much
of the horizon lies in each (`season_h:season0` ...); `excursions`, their number, with the sums of their weights
and squared weights, each less what the wait for it had weighed, plus 1 (its mean is 1 wherever the horizon cuts); and
`log_weight` of the whole replication.

Amounts may be taken less *controls*, whose mean is 0 by what was known when a span met the target
(`twin.world.pending`):

    c1 = L - L_hit,    c2 = L Z - L_hit G,    c3 = L (N - H),

L being the span's final weight and L_hit its weight by then, Z the hours drawn until the first duration under way ends,
and G their expectation; and, of spans of a whole site, N the clocks that ran out and H the hazard that they used. With
factors (1, 0, 0) a hit counts L_hit; with (0, 1, 0) hours that last until then count L_hit G: conditional expectations,
without the noise of what was drawn but not yet used. With what an excursion brings on average as the last factor it
does not matter how many there were by chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from twin.metrics import spans
from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]

SCHEMA = 2
"""Of the rows: what they hold and mean. 1 had squares of all seasons together, and no controls."""
PARTS = (":amount", ":hits", ":weight", ":weight_squared", ":weight_max")
SEASONS = (":season0", ":season1", ":season2", ":season3")
SQUARES = tuple(":squares" + season for season in SEASONS)


def columns_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns for these metrics."""
    whole = ("weighted_h", "excursions", "excursion_weight", "excursion_weight_squared", "log_weight")
    hours = (name + season for name in ("weighted_h", "season_h") for season in SEASONS)
    return (*(name + part for name in metrics for part in PARTS + SEASONS + SQUARES), *whole, *hours)


COLUMNS = columns_of(spans.NAMES)


def rare_row(trace: Trace, at_hits: Float | None = None, factors: Mapping[str, Sequence[float]] | None = None) -> Float:
    """The row of a trace, in the order of `COLUMNS`; a run without weights has one span that weighs 1.

    Args:
        trace: of a run.
        at_hits: what was known by then, see `weighted_row`; None: no controls.
        factors: of the controls, by metric; 0 of those that are not named.
    """
    each = np.array([(factors or {}).get(name, (0.0, 0.0, 0.0)) for name in spans.NAMES])
    return weighted_row(trace.cycles, spans.amounts(trace), trace.meta["start"], at_hits, each)


def controls(weight: Float, at_hits: Float) -> Float:
    """The three controls of each span, shape (3, spans).

    Args:
        weight: final ones, by span.
        at_hits: shape (4, spans), as `twin.world.weights` has it: log weight when the target was met, hours expected
            and hours drawn, nan where it was not; clocks run out less hazard used.
    """
    log_weight, expected_h, drawn_h, surplus = at_hits
    by_then = np.exp(log_weight)
    hit = np.nan_to_num(np.stack([weight - by_then, weight * drawn_h - by_then * expected_h]))
    return np.vstack([hit, weight * surplus])


def weighted_row(
    cycles: Table, amount: Float, start: str, at_hits: Float | None = None, factors: Float | None = None
) -> Float:
    """Weighted sums over spans.

    Args:
        cycles: the trace's table.
        amount: by metric and span, shape (metrics, spans).
        start: date and time at which the horizon begins, as in the trace's `meta`.
        at_hits: as in `controls`.
        factors: of the controls, shape (metrics, 3).

    Returns:
        In the order of `columns_of(metrics)`.
    """
    weight = np.exp(cycles["log_weight"])
    worth = amount * weight
    hit = np.where(amount > 0.0, weight, 0.0)
    if at_hits is not None and factors is not None:
        worth = worth - factors @ controls(weight, at_hits)
        conditional = (amount > 0.0) & ~np.isnan(at_hits[0]) & (factors[:, :2] != 0.0).any(axis=1, keepdims=True)
        hit = np.where(conditional, np.exp(at_hits[0]), hit)
    edges_us, passed_h = _seasons(start, int(cycles["end_us"][-1]))
    months = np.searchsorted(edges_us, cycles["start_us"], side="right") - 1
    own_season = (months + _first_month(start) + 1) // 3 % 4 == np.arange(4)[:, None]
    span_h = np.stack(
        [np.interp(cycles["end_us"], edges_us, h) - np.interp(cycles["start_us"], edges_us, h) for h in passed_h]
    )
    per_metric = np.stack(
        [
            worth.sum(axis=1),
            np.count_nonzero(hit, axis=1),
            hit.sum(axis=1),
            (hit * hit).sum(axis=1),
            hit.max(axis=1),
            *(worth @ own_season.T).T,
            *(amount * amount * weight @ own_season.T).T,
        ],
        axis=1,
    )
    hours = (cycles["end_us"] - cycles["start_us"]) / TICKS_PER_H
    own = weight[1::2]  # spans alternate, from one of a whole site on
    own = 1.0 + own - weight[::2][: len(own)]  # by what an excursion adds to the weight that it began with
    log_own = cycles["log_weight"][1::2].sum()
    open_end = cycles["log_weight"][-1] if len(weight) % 2 else 0.0  # an excursion weighs what led to it too
    rest = [weight @ hours, len(own), own.sum(), (own * own).sum(), log_own + open_end]
    return np.concatenate([per_metric.ravel(), rest, span_h @ weight, span_h.sum(axis=1)])


def _first_month(start: str) -> int:
    """0 in January."""
    return int(np.datetime64(start, "M").astype(np.int64)) % 12


@lru_cache(maxsize=8)
def _seasons(start: str, horizon_us: int) -> tuple[NDArray[np.int64], Float]:
    """Edges of the calendar months from `start` to the horizon, and hours of each season passed at them."""
    first = np.datetime64(start, "us")
    last = (first + np.timedelta64(horizon_us, "us")).astype("datetime64[M]")
    months = np.arange(np.datetime64(start, "M"), last + np.timedelta64(2, "M"))
    edges_us = np.clip((months.astype("datetime64[us]") - first).astype(np.int64), 0, horizon_us)
    season = (np.arange(len(months) - 1) + _first_month(start) + 1) // 3 % 4
    hours = np.diff(edges_us) / TICKS_PER_H * (season == np.arange(4)[:, None])
    return edges_us, np.concatenate([np.zeros((4, 1)), np.cumsum(hours, axis=1)], axis=1)
