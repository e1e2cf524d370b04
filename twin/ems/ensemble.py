"""One plan for many possible days, and the cap under which it is cheapest.

Every scenario is solved exactly; their marginal values are averaged, and the plan's thresholds are taken from the mean.
Uncertainty so holds back a reserve by itself. A cap is priced by carrying the plan out on every scenario, so that a cap
that will be broken costs what breaking it costs: the month's curve at the peak that comes out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.ems.recursion import BLOCKS_A_SLOT, backward, forward
from twin.ems.storage import Storage
from twin.kernel import inner, kernel

Array = Any

CELLS = 96
COARSE, FINE = 8, 5
"""Caps tried: at first over the whole range, then between the neighbours of the best."""
GOLDEN = 0.6180339887498949


@inner
def _threshold(value: float, least: float, most: float, steps: Array, count: int, top_kwh: float) -> float:
    """Where the mean marginal value falls to `value`; between the scenarios' own thresholds, exact if they agree."""
    width = top_kwh / steps.size
    mean, before = 0.0, 0.0
    for c in range(steps.size):
        mean += steps[c] / count
        s = (c + 0.5) * width
        if s > most:
            break
        if mean <= value and s >= least:
            inside = (before - value) / (before - mean) if before > value else 0.0
            return min(max(s - (1.0 - inside) * width, least), most)
        before = mean
    return most


@kernel
def ensemble_plan(
    scenarios: Array,
    price: Array,
    cap_kw: Array,
    floor_kwh: Array,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
) -> tuple[Array, Array]:
    """Thresholds `up_kwh` and `down_kwh` of every slot for (scenarios, slots) of net load; see `backward`."""
    count, slots = scenarios.shape
    values, lengths = np.zeros(BLOCKS_A_SLOT * slots + 2), np.zeros(BLOCKS_A_SLOT * slots + 2)
    ups, downs = np.zeros((count, slots)), np.zeros((count, slots))
    cells = np.zeros((slots, CELLS if count > 1 else 0))
    for k in range(count):
        backward(
            scenarios[k], price, cap_kw, floor_kwh, storage, end_value, excess_price, tie, ups[k], downs[k],
            cells, values, lengths,
        )  # fmt: skip
    if count == 1:
        return ups[0], downs[0]
    up, down = np.zeros(slots), np.zeros(slots)
    for t in range(slots):
        buy = (price[t] + tie * t) / storage.charge_efficiency
        sell = (price[t] - storage.wear_price) * storage.discharge_efficiency
        up[t] = _threshold(buy, ups[:, t].min(), ups[:, t].max(), cells[t], count, storage.top_kwh)
        down[t] = _threshold(sell, downs[:, t].min(), downs[:, t].max(), cells[t], count, storage.top_kwh)
    return up, down


@inner
def _price(
    cap: float,
    scenarios: Array,
    price: Array,
    connection_kw: float,
    call_kw: Array,
    floor_kwh: Array,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
    stored_kwh: float,
    peak_kw: float,
    billed: int,
    curve_kw: Array,
    curve_cost: Array,
) -> float:
    """Mean cost over the scenarios of a plan under `cap`, with the rest of the month."""
    caps = np.minimum(min(cap, connection_kw), call_kw)
    up, down = ensemble_plan(scenarios, price, caps, floor_kwh, storage, end_value, excess_price, tie)
    total = 0.0
    for k in range(scenarios.shape[0]):
        cost, left_kwh, peak = forward(
            scenarios[k], price, up, down, caps, call_kw, floor_kwh, storage, stored_kwh, peak_kw, billed
        )  # fmt: skip
        total += cost - end_value * left_kwh + np.interp(peak, curve_kw, curve_cost)
        if peak > curve_kw[-1]:
            slope = (curve_cost[-1] - curve_cost[-2]) / max(curve_kw[-1] - curve_kw[-2], 1e-9)
            total += slope * (peak - curve_kw[-1])
    return total / scenarios.shape[0]


@kernel
def best_cap(
    least_kw: float,
    most_kw: float,
    scenarios: Array,
    price: Array,
    connection_kw: float,
    call_kw: Array,
    floor_kwh: Array,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
    stored_kwh: float,
    peak_kw: float,
    billed: int,
    curve_kw: Array,
    curve_cost: Array,
) -> float:
    """The cap between `least_kw` and `most_kw` with the least mean cost: a grid, dense at its low end, then golden."""
    best, best_cost = least_kw, np.inf
    grid = least_kw + (most_kw - least_kw) * np.linspace(0.0, 1.0, COARSE) ** 2
    at = 0
    for i in range(COARSE):
        cost = _price(
            grid[i], scenarios, price, connection_kw, call_kw, floor_kwh, storage, end_value, excess_price,
            tie, stored_kwh, peak_kw, billed, curve_kw, curve_cost,
        )  # fmt: skip
        if cost < best_cost:
            best, best_cost, at = grid[i], cost, i
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, COARSE - 1)]
    below, above = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    cost_below, cost_above = np.nan, np.nan
    for _ in range(FINE):
        if np.isnan(cost_below):
            cost_below = _price(
                below, scenarios, price, connection_kw, call_kw, floor_kwh, storage, end_value,
                excess_price, tie, stored_kwh, peak_kw, billed, curve_kw, curve_cost,
            )  # fmt: skip
            if cost_below < best_cost:
                best, best_cost = below, cost_below
        if np.isnan(cost_above):
            cost_above = _price(
                above, scenarios, price, connection_kw, call_kw, floor_kwh, storage, end_value,
                excess_price, tie, stored_kwh, peak_kw, billed, curve_kw, curve_cost,
            )  # fmt: skip
            if cost_above < best_cost:
                best, best_cost = above, cost_above
        if cost_below <= cost_above:
            high, above, cost_above = above, below, cost_below
            below, cost_below = high - GOLDEN * (high - low), np.nan
        else:
            low, below, cost_below = below, above, cost_above
            above, cost_above = low + GOLDEN * (high - low), np.nan
    return best
