"""A replication of a rare-event campaign as one row of numbers: weighted sums over its spans.

For each metric: `NAME:amount`, weighted; and of the spans with some of it, `NAME:hits` their number, `NAME:weight`,
`NAME:weight_squared` and `NAME:weight_max` of their weights, `NAME:squares` the weighted sum of their squared amounts.
Besides: `weighted_h`, the weighted length of all spans [h]; `excursions`, their number, with the sums of their weights
and squared weights, each less what the wait for it had weighed, plus 1 (its mean is 1 wherever the horizon cuts); and
`log_weight` of the whole replication.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from twin.metrics import spans
from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]

PARTS = (":amount", ":hits", ":weight", ":weight_squared", ":weight_max", ":squares")


def columns_of(metrics: Sequence[str]) -> tuple[str, ...]:
    """Names of the columns for these metrics."""
    whole = ("weighted_h", "excursions", "excursion_weight", "excursion_weight_squared", "log_weight")
    return (*(name + part for name in metrics for part in PARTS), *whole)


COLUMNS = columns_of(spans.NAMES)


def rare_row(trace: Trace) -> Float:
    """The row of a trace, in the order of `COLUMNS`; a run without weights has one span that weighs 1."""
    return weighted_row(trace.cycles, spans.amounts(trace))


def weighted_row(cycles: Table, amount: Float) -> Float:
    """Weighted sums over spans.

    Args:
        cycles: the trace's table.
        amount: by metric and span, shape (metrics, spans).

    Returns:
        In the order of `columns_of(metrics)`.
    """
    weight = np.exp(cycles["log_weight"])
    hit = (amount > 0.0) * weight
    per_metric = np.stack(
        [
            amount @ weight,
            np.count_nonzero(hit, axis=1),
            hit.sum(axis=1),
            (hit * hit).sum(axis=1),
            hit.max(axis=1),
            (amount * amount) @ weight,
        ],
        axis=1,
    )
    hours = (cycles["end_us"] - cycles["start_us"]) / TICKS_PER_H
    own = weight[1::2]  # spans alternate, from one of a whole site on
    own = 1.0 + own - weight[::2][: len(own)]  # by what an excursion adds to the weight that it began with
    log_own = cycles["log_weight"][1::2].sum()
    open_end = cycles["log_weight"][-1] if len(weight) % 2 else 0.0  # an excursion weighs what led to it too
    rest = [weight @ hours, len(own), own.sum(), (own * own).sum(), log_own + open_end]
    return np.concatenate([per_metric.ravel(), rest])
