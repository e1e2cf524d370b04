"""A replication of a rare-event campaign as one row of numbers: weighted sums over its spans.

For each metric: `NAME:amount`, weighted; and of the spans with some of it, `NAME:hits` their number, `NAME:weight`,
`NAME:weight_squared` and `NAME:weight_max` of their weights, `NAME:squares` the weighted sum of their squared amounts.
Besides: `weighted_h`, the weighted length of all spans [h]; `excursions`, their number, with the sums of their weights
and squared weights; and `log_weight` of the whole replication.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.metrics import spans
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]

PARTS = (":amount", ":hits", ":weight", ":weight_squared", ":weight_max", ":squares")
COLUMNS: tuple[str, ...] = (
    *(name + part for name in spans.NAMES for part in PARTS),
    "weighted_h",
    "excursions",
    "excursion_weight",
    "excursion_weight_squared",
    "log_weight",
)


def rare_row(trace: Trace) -> Float:
    """The row of a trace, in the order of `COLUMNS`; a run without weights has one span that weighs 1."""
    amount = spans.amounts(trace)
    cycles = trace.cycles
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
    own = weight[1::2]  # spans alternate, from a natural one on
    rest = [weight @ hours, len(own), own.sum(), (own * own).sum(), cycles["log_weight"].sum()]
    return np.concatenate([per_metric.ravel(), rest])
