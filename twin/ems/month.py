"""What the rest of the month will cost with the peak as it stands: the reason why a cap is kept, or broken.

The last weeks are planned again under a range of caps, at the coming days' prices. A cap may rise later in the month,
but never fall: the cost at P is the least over all caps from P up (recourse). Without it, noise would ratchet it up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.ems.recursion import BLOCKS_A_SLOT, backward, forward
from twin.ems.storage import Storage
from twin.kernel import inner, kernel

Array = Any

LEVELS, INNER, ROUNDS = 10, 5, 2
"""Caps priced: over the whole range, then around the cheapest, so many times."""


@inner
def _window_cost(
    cap: float,
    net_kw: Array,
    price: Array,
    floor_kwh: Array,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
    work: Array,
) -> tuple[float, float]:
    """Energy cost and peak of one window under a cap, known beforehand; begins and ends at half charge."""
    slots = net_kw.size
    caps = np.full(slots, cap)
    backward(
        net_kw, price, caps, floor_kwh, storage, end_value, excess_price, tie, work[0, :slots],
        work[1, :slots], np.zeros((slots, 0)), work[2], work[3],
    )  # fmt: skip
    start = max(0.5 * storage.top_kwh, floor_kwh[0])
    cost, left, peak = forward(
        net_kw, price, work[0, :slots], work[1, :slots], caps, np.full(slots, np.inf), floor_kwh, storage,
        start, cap, slots,
    )  # fmt: skip
    return cost - end_value * (left - start), peak


@kernel
def month_curve(
    windows: Array,
    price: Array,
    least_kw: float,
    most_kw: float,
    floor_kwh: float,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
    demand_price: float,
    repeats: float,
) -> tuple[Array, Array]:
    """Mean cost of the rest of the month over the windows, by the peak that stands now.

    Args:
        windows: (windows, slots) of past net load [kW].
        price: (slots,) of the coming days.
        least_kw, most_kw: peaks of interest.
        floor_kwh: least stored energy in every slot.
        storage, end_value, excess_price, tie: as in `backward`.
        demand_price: per kW of the month's peak.
        repeats: how many windows the rest of the month is worth.

    Returns:
        Peaks [kW] and costs, both ascending.
    """
    count, slots = windows.shape
    size = LEVELS + ROUNDS * INNER
    caps, cost = np.zeros(size), np.full((count, size), np.inf)
    work = np.zeros((4, BLOCKS_A_SLOT * slots + 2))
    floors = np.full(slots, floor_kwh)
    step = np.linspace(0.0, 1.0, LEVELS)
    caps[:LEVELS] = least_kw + (most_kw - least_kw) * step**2
    done, known = 0, LEVELS
    for round_ in range(ROUNDS + 1):
        for i in range(done, known):
            for s in range(count):
                energy, peak = _window_cost(
                    caps[i], windows[s], price, floors, storage, end_value, excess_price, tie, work
                )  # fmt: skip
                cost[s, i] = repeats * energy + demand_price * peak
        done = known
        if round_ < ROUNDS:
            order = np.argsort(caps[:known])
            mean = np.zeros(known)
            for i in range(known):
                for s in range(count):
                    mean[i] += cost[s, order[i]]
            at = int(np.argmin(mean))
            low, high = caps[order[max(at - 1, 0)]], caps[order[min(at + 1, known - 1)]]
            for i in range(INNER):
                caps[known + i] = low + (high - low) * (i + 1) / (INNER + 1)
            known += INNER
    return _recourse(caps, cost)


@inner
def _recourse(caps: Array, cost: Array) -> tuple[Array, Array]:
    """Mean over windows of the least cost at this cap or any higher one."""
    order = np.argsort(caps)
    out = np.zeros(caps.size)
    for s in range(cost.shape[0]):
        least = np.inf
        for i in range(caps.size - 1, -1, -1):
            least = min(least, cost[s, order[i]])
            out[i] += least / cost.shape[0]
    return caps[order], out
