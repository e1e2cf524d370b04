"""Indices of single load points: failure rate, hours, mean duration and energy not served (IEEE 1366, IEEE 493)."""

from __future__ import annotations

import numpy as np

from twin.metrics.darkness import customers, dark_spans
from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR, TICKS_PER_H


def load_point_indices(trace: Trace) -> Table:
    """Every load point that has customers (rows count as one each).

    Returns:
        Columns `name`, `customers`, `weight_kw` (rated), `interruptions_per_year`, `dark_h_per_year`,
        `mean_interruption_h` (nan without any), `availability`, and `unserved_kwh_per_year`, dark hours at rated kW.
    """
    weight = customers(trace)
    items = np.flatnonzero(weight > 0.0)
    spans = dark_spans(trace)
    count = np.bincount(spans.item, minlength=len(weight))[items]
    hours = np.bincount(spans.item, (spans.end_us - spans.start_us) / TICKS_PER_H, len(weight))[items]
    kw = trace.items["weight_kw"][items]
    with np.errstate(invalid="ignore"):
        mean_h = np.where(count > 0, hours / np.maximum(count, 1), np.nan)
    return {
        "name": [trace.items["name"][item] for item in items.tolist()],
        "customers": weight[items],
        "weight_kw": kw,
        "interruptions_per_year": count / trace.years,
        "dark_h_per_year": hours / trace.years,
        "mean_interruption_h": mean_h,
        "availability": 1.0 - hours / trace.years / HOURS_PER_YEAR,
        "unserved_kwh_per_year": kw * hours / trace.years,
    }
