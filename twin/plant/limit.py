"""Import above its limit: which load points are shed, and which may come back.

The order is stated, not negotiated: first the house load, then rows, the last by name first; core and cooling stay.
What is shed comes back in reverse order once everything connected fits with all GPUs busy at the level of the hour.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.plant.feeds import share_of
from twin.plant.sharing import auxiliaries_kw

Array = Any


@inner
def grid_kw(i: int, kw: float, fact: Array, quantity: Array, link: Array) -> float:
    """What the grid gives now for `kw` of load i: its share over live feeds, with their losses; 0 off the grid."""
    live = 0
    for k in range(link.shape[1]):
        if link[f.LINK_LOAD, k] == i and fact[f.F_STATE, link[f.LINK_FEED, k]] != f.DEAD:
            live += 1
    total = 0.0
    for k in range(link.shape[1]):
        j = link[f.LINK_FEED, k]
        on = fact[f.F_STATE, j] == f.ON_SECTION and not fact[f.F_ON_GENSET, j] and not fact[f.F_ON_POINT, j]
        if link[f.LINK_LOAD, k] == i and on:
            loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
            total += kw * share_of(i, j, live, fact) / (1.0 - loss)
    return total


@inner
def _through_kw(i: int, kw: float, fact: Array, quantity: Array, link: Array) -> float:
    """What the grid will give for `kw` of load i once it is there: through all sound feeds that no genset feeds."""
    sound = 0
    for k in range(link.shape[1]):
        if link[f.LINK_LOAD, k] == i and fact[f.F_UP, link[f.LINK_FEED, k]]:
            sound += 1
    total = 0.0
    for k in range(link.shape[1]):
        j = link[f.LINK_FEED, k]
        if link[f.LINK_LOAD, k] == i and fact[f.F_UP, j] and not fact[f.F_ON_GENSET, j]:
            loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
            total += kw * share_of(i, j, sound, fact) / (1.0 - loss)
    return total


@inner
def _ready_kw(i: int, capped: bool, fact: Array, quantity: Array, clock: Array, edge: Array) -> float:
    """Load i with all its GPUs busy at the level of the hour, perhaps capped [kW]; chillers follow from the rest."""
    now = clock[f.EDGE]
    if fact[f.L_KIND, i] == f.HOUSE:
        return quantity[f.L_FIXED_KW, i] * edge[f.E_HOUSE_FRACTION, now]
    per_gpu = quantity[f.L_PER_GPU_KW, i] * edge[f.E_UTILISATION_FRACTION, now]
    if capped:
        per_gpu = min(per_gpu, quantity[f.L_PER_GPU_CAPPED_KW, i])
    return quantity[f.L_FIXED_KW, i] + quantity[f.L_FULL_GPUS, i] * per_gpu


@inner
def _full_import_kw(
    capped: bool, fact: Array, quantity: Array, link: Array, clock: Array, site: Array, edge: Array, extra: int
) -> float:
    """Import with every load point connected and all GPUs busy, load `extra` connected too (-1 for none) [kW]."""
    it_kw, total, chillers = 0.0, 0.0, -1
    for i in range(clock[f.LOADS]):
        if fact[f.L_SHED, i] and i != extra:
            continue
        kind = fact[f.L_KIND, i]
        if kind == f.CHILLERS:
            chillers = i
            continue
        ready = _ready_kw(i, capped, fact, quantity, clock, edge)
        if kind == f.ROW or kind == f.CORE:
            it_kw += ready
        total += _through_kw(i, ready, fact, quantity, link)
    if chillers >= 0:
        cooling = max(0.0, edge[f.E_COOLING_FRACTION, clock[f.EDGE]] * it_kw - site[f.CONTINUOUS_KW])
        total += _through_kw(chillers, cooling, fact, quantity, link)
    for j in range(clock[f.FEEDS]):
        on = fact[f.F_UP, j] and not fact[f.F_ON_GENSET, j] and not fact[f.F_ON_POINT, j]
        if on and fact[f.F_COUNT, j] > 0:
            total += auxiliaries_kw(j, fact, quantity)
    total += site[f.LOSS_FIXED_KW] + site[f.LOSS_PER_KW2] * total * total
    return total - edge[f.E_PV_KW, clock[f.EDGE]]


@borrowing
def full_import_kw(
    capped: bool, fact: Array, quantity: Array, link: Array, clock: Array, site: Array, edge: Array
) -> float:
    """Import of all that is not shed, all GPUs busy at the level of the hour [kW]."""
    return _full_import_kw(capped, fact, quantity, link, clock, site, edge, np.int64(-1))


@borrowing
def shed(excess_kw: float, fact: Array, quantity: Array, link: Array, clock: Array, edge: Array, out: Array) -> int:
    """Shed load points until `excess_kw` of import is gone; writes their indices to `out`, returns how many."""
    fraction = edge[f.E_COOLING_FRACTION, clock[f.EDGE]]
    count = 0
    for kind in (f.HOUSE, f.ROW):
        for i in range(clock[f.LOADS] - 1, -1, -1):
            if excess_kw <= 0.0:
                return count
            if fact[f.L_KIND, i] != kind or fact[f.L_SHED, i] or not fact[f.L_LIT, i]:
                continue
            kw = grid_kw(i, quantity[f.L_DEMAND_KW, i], fact, quantity, link)
            if kw <= 0.0:
                continue
            fact[f.L_SHED, i] = 1
            excess_kw -= kw + (fraction * quantity[f.L_DEMAND_KW, i] if kind == f.ROW else 0.0)
            out[count] = i
            count += 1
    return count


@borrowing
def reconnect(
    limit_kw: float,
    capped: bool,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    site: Array,
    edge: Array,
    out: Array,
) -> int:
    """Reconnect what fits under `limit_kw` with all GPUs busy; writes indices to `out`, returns how many."""
    count = 0
    for kind in (f.ROW, f.HOUSE):
        for i in range(clock[f.LOADS]):
            if fact[f.L_KIND, i] != kind or not fact[f.L_SHED, i]:
                continue
            if _full_import_kw(capped, fact, quantity, link, clock, site, edge, i) > limit_kw:
                return count
            fact[f.L_SHED, i] = 0
            out[count] = i
            count += 1
    return count
