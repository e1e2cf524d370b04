"""Metrics span by span: of a run whose spans weigh differently (`cycles`), what fell into each of them.

A count belongs to the span in which it began, with all that it cost; hours to the spans in which they passed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.metrics.causes import GROUPS, groups, loss_gpu_h
from twin.metrics.darkness import dark_spans, rows_to_lose, spans_together
from twin.trace import Trace
from twin.units import TICKS_PER_H

Int = NDArray[np.int64]
Float = NDArray[np.float64]

NAMES = (
    "all_rows_dark_per_year",
    "core_dark_h_per_year",
    "row_dark_h_per_year",
    "interruptions_per_row_year",
    "job_interruptions_power_per_year",
    "lost_gpu_h_power_per_year",
    "capacity_shortfall_per_year",
    "capacity_shortfall_h_per_year",
)
"""What adds up over spans and is rare: amounts here, the same names as metrics once divided by the years.

GPU-hours lost to power caps, which are not rare, are left out.
"""


def amounts(trace: Trace) -> Float:
    """By metric (`NAMES`) and span of `trace.cycles`: counts, hours or GPU-hours that fell into it.

    Returns:
        Shape (metrics, spans). Rows and cores count as means over them, as in `twin.metrics.row`.
    """
    start_us = trace.cycles["start_us"]
    count = len(start_us)
    every = dark_spans(trace)
    is_row, is_core = (np.array([kind == own for kind in trace.items["kind"]], bool) for own in ("row", "core"))
    rows, cores = np.flatnonzero(is_row), max(int(is_core.sum()), 1)
    dark, core_dark = every.of(is_row), every.of(is_core)
    group = groups(trace)
    power = group >= 2  # all but hardware and planned work
    begun_us = trace.interruptions["start_us"][power]
    short = spans_together(trace, rows, dark, rows_to_lose(trace))
    per_row = 1.0 / max(len(rows), 1)

    def sums(at_us: Int, worth: Float) -> Float:
        place = np.searchsorted(start_us, at_us, side="right") - 1
        return np.asarray(np.bincount(place, worth, count), np.float64)

    def ones(at_us: Int) -> Float:
        return sums(at_us, np.ones(len(at_us)))

    assert GROUPS[:2] == ("hardware", "planned")
    return np.stack([
        ones(spans_together(trace, rows, dark, {})[0]),
        hours_of(trace, core_dark.start_us, core_dark.end_us) / cores,
        hours_of(trace, dark.start_us, dark.end_us) * per_row,
        ones(dark.start_us) * per_row,
        ones(begun_us),
        sums(begun_us, loss_gpu_h(trace)[power]),
        ones(short[0]),
        hours_of(trace, *short),
    ])  # fmt: skip


def hours_of(trace: Trace, start_us: Int, end_us: Int) -> Float:
    """Hours by span of `cycles`, of all that lasted from `start_us` to `end_us` together."""
    edges = np.append(trace.cycles["start_us"], trace.meta["horizon_us"])
    total = np.zeros(len(edges))
    for at_us, sign in ((start_us, -1.0), (end_us, 1.0)):
        place = np.searchsorted(edges, at_us, side="right") - 1
        np.add.at(total, place, sign * (at_us - edges[place]) / TICKS_PER_H)
        whole = np.bincount(place, minlength=len(edges))
        total[:-1] += sign * np.diff(edges) / TICKS_PER_H * (whole.sum() - np.cumsum(whole))[:-1]
    return total[:-1]
