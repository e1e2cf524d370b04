"""The storage problem under given import caps, solved exactly: marginal values by merging sorted slopes.

With the cap given, the stored energy s is the only state, and the cost to come is convex and piecewise linear in it.
Its marginal value l(s) = -dV/ds is a list of (value, kWh), highest first, that begins at the floor. A slot adds what
it can charge and discharge as blocks of such a list (the infimal convolution of convex functions merges their slopes),
then the ends outside floor and top are cut off. No grid, no solver; the work is one insertion a block.

What a plan keeps of a slot are two thresholds: up to `up` the value at the slot's end exceeds the cost of charging, and
above `down` it falls short of what discharging earns. They are optimal for any stored energy and load met in the slot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.ems.storage import Storage, act
from twin.kernel import inner, kernel

Array = Any

UNMET = 1e6
"""Value of a kWh that is missing below a floor, per kWh: larger than every price."""
BLOCKS_A_SLOT = 5
BISECTIONS = 12


@inner
def _insert(value: float, kwh: float, values: Array, lengths: Array, count: int) -> int:
    """Add a block at its place, after its equals; returns the new count."""
    if kwh <= 0.0:
        return count
    at = count
    while at > 0 and values[at - 1] < value:
        values[at], lengths[at] = values[at - 1], lengths[at - 1]
        at -= 1
    values[at], lengths[at] = value, kwh
    return count + 1


@inner
def _cut_low(kwh: float, values: Array, lengths: Array, count: int) -> int:
    """Cut `kwh` off the low end of stored energy, or, negative, lengthen it by energy that cannot be met."""
    if kwh < 0.0:
        return _insert(UNMET, -kwh, values, lengths, count)
    gone = 0
    while gone < count and lengths[gone] <= kwh:
        kwh -= lengths[gone]
        gone += 1
    if gone:
        for k in range(gone, count):
            values[k - gone], lengths[k - gone] = values[k], lengths[k]
    count -= gone
    if count:
        lengths[0] -= kwh
    return count


@inner
def _cut_high(kwh: float, lengths: Array, count: int) -> int:
    """Cut `kwh` off the high end of stored energy."""
    while count > 0 and lengths[count - 1] <= kwh:
        kwh -= lengths[count - 1]
        count -= 1
    if count:
        lengths[count - 1] -= kwh
    return count


@inner
def _above(value: float, values: Array, lengths: Array, count: int) -> float:
    """Energy from the floor up to where the marginal value falls to `value` [kWh]."""
    total = 0.0
    for k in range(count):
        if values[k] <= value:
            break
        total += lengths[k]
    return total


@kernel
def backward(
    net_kw: Array,
    price: Array,
    cap_kw: Array,
    floor_kwh: Array,
    storage: Storage,
    end_value: float,
    excess_price: float,
    tie: float,
    up_kwh: Array,
    down_kwh: Array,
    cells: Array,
    values: Array,
    lengths: Array,
) -> int:
    """Solve from the last slot to the first; writes the thresholds of every slot.

    Args:
        net_kw, price, cap_kw, floor_kwh: (slots,) load less PV, price per kWh, cap on import, least stored energy at
            the slot's end.
        storage: the aggregate.
        end_value: of energy left at the end, per kWh.
        excess_price: of import above the cap, per kWh.
        tie: equal prices are told apart by this much a slot, so that charging comes early.
        up_kwh, down_kwh: (slots,), written.
        cells: (slots, cells), steps of the marginal value from cell to cell between 0 and top are added; (slots, 0)
            for none.
        values, lengths: work, at least `BLOCKS_A_SLOT` blocks a slot; the list of the first slot on return.

    Returns:
        How many entries of the list hold.
    """
    slots = net_kw.size
    eta_in, eta_out, dt = storage.charge_efficiency, storage.discharge_efficiency, storage.slot_h
    values[0], lengths[0] = end_value, max(storage.top_kwh - floor_kwh[slots - 1], 0.0)
    count = 1
    for t in range(slots - 1, -1, -1):
        buy = (price[t] + tie * t) / eta_in
        sell = (price[t] - storage.wear_price) * eta_out
        up_kwh[t] = floor_kwh[t] + _above(buy, values, lengths, count)
        down_kwh[t] = floor_kwh[t] + _above(sell, values, lengths, count)
        if cells.shape[1] > 0:
            _sample(floor_kwh[t], storage.top_kwh, values, lengths, count, cells[t])
        net, cap = net_kw[t], cap_kw[t]
        surplus = max(0.0, min(-net, storage.charge_kw))
        grid = storage.grid_charge * max(0.0, min(storage.charge_kw - surplus, cap - max(net, 0.0)))
        given = max(0.0, min(storage.discharge_kw, net - storage.import_floor_kw))
        excess = max(0.0, min(net - cap, given))
        count = _insert(0.0, surplus * eta_in * dt, values, lengths, count)
        count = _insert(buy, grid * eta_in * dt, values, lengths, count)
        count = _insert(sell + excess_price * eta_out, excess * dt / eta_out, values, lengths, count)
        count = _insert(sell, (given - excess) * dt / eta_out, values, lengths, count)
        taken_kwh, given_kwh = (surplus + grid) * eta_in * dt, given * dt / eta_out
        kept = storage.kept_fraction
        if kept != 1.0:
            for k in range(count):
                values[k] *= kept
                lengths[k] /= kept
        floor_before = floor_kwh[t - 1] if t > 0 else floor_kwh[0]
        count = _cut_low(floor_before - (floor_kwh[t] - taken_kwh) / kept, values, lengths, count)
        count = _cut_high((storage.top_kwh + given_kwh) / kept - storage.top_kwh, lengths, count)
    return count


@inner
def _sample(floor_kwh: float, top_kwh: float, values: Array, lengths: Array, count: int, steps: Array) -> None:
    """Add where the marginal value steps, at the first middle behind it of equal cells between 0 and top."""
    per_kwh = steps.size / top_kwh
    at, before = floor_kwh, 0.0
    for k in range(count):
        cell = max(0, int(np.ceil(at * per_kwh - 0.5)))
        if cell >= steps.size:
            break
        steps[cell] += values[k] - before
        before = values[k]
        at += lengths[k]


@kernel
def forward(
    net_kw: Array,
    price: Array,
    up_kwh: Array,
    down_kwh: Array,
    cap_kw: Array,
    call_kw: Array,
    floor_kwh: Array,
    storage: Storage,
    stored_kwh: float,
    peak_kw: float,
    billed: int,
) -> tuple[float, float, float]:
    """Carry a plan out on a load: what it costs, what is left, and the month's peak after it.

    A peak once reached is paid for, and the cap rises to it; caps of calls (`call_kw`) never do.

    Args:
        net_kw, price, up_kwh, down_kwh, cap_kw, call_kw, floor_kwh: (slots,).
        storage: the aggregate.
        stored_kwh: at the start.
        peak_kw: of the month so far.
        billed: slots that belong to this month.

    Returns:
        Energy and wear cost, stored energy at the end [kWh], largest import of the month [kW].
    """
    cost = 0.0
    s = stored_kwh
    for t in range(net_kw.size):
        s *= storage.kept_fraction
        cap = min(max(cap_kw[t], peak_kw), call_kw[t])
        taken, given = act(
            net_kw[t], s, up_kwh[t], down_kwh[t], cap, floor_kwh[t], storage.slot_h, storage
        )  # fmt: skip
        s += taken * storage.charge_efficiency * storage.slot_h - given * storage.slot_h / storage.discharge_efficiency
        grid_kw = max(net_kw[t] + taken - given, 0.0)
        cost += (price[t] * grid_kw + storage.wear_price * given) * storage.slot_h
        if t < billed and grid_kw > peak_kw:
            peak_kw = grid_kw
    return cost, s, peak_kw


@kernel
def least_cap(nets_kw: Array, stored_kwh: float, floor_kwh: float, storage: Storage) -> float:
    """The lowest cap that storage can hold in at least one of (cases, slots) of net load, known beforehand [kW].

    Charging as much as the cap allows is best for holding it, so whether it can be held is seen in one pass.
    """
    least = np.inf
    for k in range(nets_kw.shape[0]):
        high = min(least, nets_kw[k].max())
        low = high - storage.discharge_kw
        for _ in range(BISECTIONS):
            cap = 0.5 * (low + high)
            if _held(cap, nets_kw[k], stored_kwh, floor_kwh, storage):
                high = cap
            else:
                low = cap
        least = min(least, high)
    return max(least, 0.0)


@inner
def _held(cap: float, net_kw: Array, stored_kwh: float, floor_kwh: float, storage: Storage) -> bool:
    s = max(stored_kwh, floor_kwh)
    for t in range(net_kw.size):
        s *= storage.kept_fraction
        spare = cap - net_kw[t]
        if spare >= 0.0:
            if storage.grid_charge == 0.0:
                spare = max(-net_kw[t], 0.0)
            taken = min(spare, storage.charge_kw)
            s = min(s + taken * storage.charge_efficiency * storage.slot_h, storage.top_kwh)
        else:
            if -spare > min(storage.discharge_kw, net_kw[t] - storage.import_floor_kw):
                return False
            s += spare * storage.slot_h / storage.discharge_efficiency
            if s < floor_kwh:
                return False
    return True


def workspace(slots: int) -> tuple[Array, Array]:
    """Room for the lists of `backward`."""
    size = BLOCKS_A_SLOT * slots + 2
    return np.zeros(size), np.zeros(size)
