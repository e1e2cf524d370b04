"""Metrics span by span: of a run whose spans weigh differently (`cycles`), what fell into each of them.

A count belongs to the span in which it began, with all that it cost; hours to the spans in which they passed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.metrics.causes import GROUPS, groups, loss_gpu_h
from twin.metrics.darkness import Dark, all_dark_starts, dark_spans
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
)
"""What adds up over spans and is rare: amounts here, the same names as metrics once divided by the years.

GPU-hours lost to power caps, which are not rare, are left out of the last.
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
    per_row = 1.0 / max(len(rows), 1)

    def sums(at_us: Int, worth: Float) -> Float:
        place = np.searchsorted(start_us, at_us, side="right") - 1
        return np.asarray(np.bincount(place, worth, count), np.float64)

    def ones(at_us: Int) -> Float:
        return sums(at_us, np.ones(len(at_us)))

    assert GROUPS[:2] == ("hardware", "planned")
    return np.stack([
        ones(all_dark_starts(trace, rows, dark)),
        _hours(trace, core_dark) / cores,
        _hours(trace, dark) * per_row,
        ones(dark.start_us) * per_row,
        ones(begun_us),
        sums(begun_us, loss_gpu_h(trace)[power]),
    ])  # fmt: skip


def _hours(trace: Trace, dark: Dark) -> Float:
    """Dark hours by span, of all items together."""
    edges = np.append(trace.cycles["start_us"], trace.meta["horizon_us"])
    total = np.zeros(len(edges))
    for at_us, sign in ((dark.start_us, -1.0), (dark.end_us, 1.0)):
        place = np.searchsorted(edges, at_us, side="right") - 1
        np.add.at(total, place, sign * (at_us - edges[place]) / TICKS_PER_H)
        whole = np.bincount(place, minlength=len(edges))
        total[:-1] += sign * np.diff(edges) / TICKS_PER_H * (whole.sum() - np.cumsum(whole))[:-1]
    return total[:-1]
