"""Connection points: plugged trucks carry feeds whose section supply is away, core first, kW before kWh.

A synchronised point takes over within its transfer time, which is compared with the loads' hold-up as for a static
switch, and gives back without a break. Any other point has an interlock: the feed is dark for `changeover` on the way
to the trucks, and again on the way back, unless storage of its own bridges it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.quantiles import quantile
from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.plant.lights import ATTEMPTS, event_of
from twin.plant.protect import full_kw, grid_on, rank_of
from twin.plant.sharing import auxiliaries_kw, storage_kw
from twin.units import NEVER, TICKS_PER_H

Array = Any


@inner
def _hold_up_us(j: int, fact: Array, quantity: Array, link: Array) -> float:
    """The shortest hold-up of feed j's lit loads [us]."""
    least = 1e18
    for k in range(link.shape[1]):
        i = link[f.LINK_LOAD, k]
        if link[f.LINK_FEED, k] == j and fact[f.L_LIT, i]:
            least = min(least, quantity[f.L_HOLD_UP_US, i])
    return least


@inner
def _delay_us(
    j: int, p: int, key: Any, replication: Any, fact: Array, quantity: Array, link: Array, section: Array
) -> int:
    """From the loss of feed j's supply until point p may carry it; 0: within hold-up, nothing is dark [us]."""
    if not fact[f.F_SYNCHRONISED, p]:
        return fact[f.F_CHANGEOVER_US, p]
    if 0 < fact[f.F_AWAY_US, j] < NEVER:
        return 0  # planned: taken over in parallel; a fault in the network has no known end
    n = event_of(j, fact, section) * ATTEMPTS
    u = uniform(key[1, p], replication, n)
    law = int(quantity[f.F_TRANSFER_LAW, p])
    empty = quantity[f.F_TRANSFER_A]
    us = quantile(law, quantity[f.F_TRANSFER_A, p], quantity[f.F_TRANSFER_B, p], empty, u, n) * TICKS_PER_H
    return 0 if us <= _hold_up_us(j, fact, quantity, link) else np.int64(np.rint(us))


@inner
def _give_back(j: int, p: int, now_us: int, fact: Array) -> None:
    """Feed j has other supply again."""
    fact[f.F_READY_US, j] = 0
    if fact[f.F_ON_POINT, j]:
        fact[f.F_ON_POINT, j] = 0
        if not fact[f.F_SYNCHRONISED, p] and not fact[f.F_ON_GENSET, j] and fact[f.F_CHANGEOVER_US, p] > 0:
            fact[f.F_AWAY_US, j] = now_us + fact[f.F_CHANGEOVER_US, p]


@inner
def _next_us(now_us: int, fact: Array, clock: Array) -> int:
    """When a changeover or a cut-off ends."""
    again = np.int64(NEVER)
    for j in range(clock[f.FEEDS]):
        if fact[f.F_AWAY_US, j]:
            again = min(again, fact[f.F_AWAY_US, j])
        if fact[f.F_READY_US, j] > now_us and not fact[f.F_ON_POINT, j]:
            again = min(again, fact[f.F_READY_US, j])
    return again


@borrowing
def connect_points(
    now_us: int,
    key: Any,
    replication: Any,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    section: Array,
) -> int:
    """Connect the feeds that plugged trucks can carry; let go of those that have supply again.

    Returns:
        The tick at which to ask again, because a changeover or a cut-off ends; NEVER if none is under way.
    """
    for j in range(clock[f.FEEDS]):
        if fact[f.F_AWAY_US, j] and fact[f.F_AWAY_US, j] <= now_us:
            fact[f.F_AWAY_US, j] = 0
    if clock[f.POINTS] == 0:
        return _next_us(now_us, fact, clock)
    for p in range(clock[f.FEEDS]):
        if fact[f.F_KIND, p] != f.POINT:
            continue
        left = 0.0
        if fact[f.F_STATE, p] != f.DEAD:
            left = storage_kw(p, fact, quantity) - auxiliaries_kw(p, fact, quantity)
        for rank in range(5):
            for j in range(clock[f.FEEDS]):
                if fact[f.F_POINT, j] == p + 1 and rank_of(j, fact, link) == rank:
                    left -= _connect(j, p, left, now_us, key, replication, fact, quantity, link, section)
    return _next_us(now_us, fact, clock)


@inner
def _connect(
    j: int, p: int, left_kw: float, now_us: int, key: Any, replication: Any, fact: Array, quantity: Array, link: Array,
    section: Array,
) -> float:  # fmt: skip
    """Feed j takes to point p, waits for its changeover, or stays off; returns the kW that it takes or waits for."""
    if grid_on(j, fact, section) or fact[f.F_ON_GENSET, j]:
        _give_back(j, p, now_us, fact)
        return 0.0
    if fact[f.F_READY_US, j] == 0:
        delay = _delay_us(j, p, key, replication, fact, quantity, link, section)
        fact[f.F_READY_US, j] = max(now_us + delay, 1)
    need = full_kw(j, fact, quantity, link)
    if left_kw <= 0.0 or need > left_kw * (1.0 + 1e-12) or not fact[f.F_UP, j]:
        fact[f.F_ON_POINT, j] = 0
        return 0.0
    if fact[f.F_READY_US, j] <= now_us:
        fact[f.F_ON_POINT, j] = p + 1
    return need
