"""What each feed must give its loads, and what is lost on the way to them from the feed's storage."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner
from twin.plant import fields as f

Array = Any


@inner
def way_loss_kw(i: int, kw: float, quantity: Array, site: Array) -> float:
    """Loss of load i's busway at `kw`: the exact solution of two buses, the storage's at 1 p.u. [kW].

    u = |V|^2 at the load solves u^2 - (1 - 2 (r p + x q)) u + |z|^2 |s|^2 = 0; the loss is r |s|^2 / u.
    """
    r, x = quantity[f.L_WAY_R, i], quantity[f.L_WAY_X, i]
    if r <= 0.0 or kw <= 0.0:
        return 0.0
    q = kw * site[f.TAN_PHI]
    square = kw * kw + q * q
    half = 0.5 - (r * kw + x * q)
    u = half + np.sqrt(max(half * half - (r * r + x * x) * square, 0.0))
    return r * square / max(u, 0.25)


@inner
def share_of(i: int, j: int, live: int, fact: Array) -> float:
    """Feed j's share of load i: all or nothing behind a static transfer switch, else one of `live` equal ones."""
    if fact[f.L_SOURCE, i]:
        return 1.0 if fact[f.L_SOURCE, i] == j + 1 else 0.0
    return 1.0 / live


@inner
def feed_demands(quantity: Array, link: Array, fact: Array, clock: Array, site: Array) -> None:
    """Demand of every feed [kW]: its loads, a dual-corded one over its live feeds, or as its switch is."""
    for j in range(clock[f.FEEDS]):
        quantity[f.F_DEMAND_KW, j] = quantity[f.F_WAY_LOSS_KW, j] = 0.0
    k = 0
    links = link.shape[1]
    while k < links:
        i = link[f.LINK_LOAD, k]
        end = k
        live = 0
        while end < links and link[f.LINK_LOAD, end] == i:
            if fact[f.F_STATE, link[f.LINK_FEED, end]] != f.DEAD:
                live += 1
            end += 1
        quantity[f.L_FED_SHARE, i] = live / (end - k)
        if live > 0 and quantity[f.L_DEMAND_KW, i] > 0.0:
            for m in range(k, end):
                j = link[f.LINK_FEED, m]
                if fact[f.F_STATE, j] != f.DEAD:
                    share = quantity[f.L_DEMAND_KW, i] * share_of(i, j, live, fact)
                    quantity[f.F_DEMAND_KW, j] += share
                    quantity[f.F_WAY_LOSS_KW, j] += way_loss_kw(i, share, quantity, site)
        k = end
