"""Which load points are lit: by the feeds that reach them, their cords, and static transfer switches between feeds.

A load with several cords needs `L_NEEDED` live feeds, by how many of its power supplies carry it. A load behind a
static transfer switch hangs on one feed at a time; when that one goes, the switch moves it to another that is live,
within hold-up or not, or fails to. One draw of failure and one of time per switch and event.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.quantiles import quantile
from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any

LIT, DARK, TRANSFERRED, FAILED_TO_TRANSFER = np.arange(5, 9)  # what happened to a load, after what happened to feeds
FREE, STUCK, DROPPED = range(3)  # L_STUCK: on its source until moved by hand; moved too late, and off for a moment
ATTEMPTS = 64
"""Draws reserved for one switch and event."""
OWN_EVENTS = 1 << 62
"""Draws of transfers that no supply event began are numbered from here on, by the switch's own count."""


@inner
def note(out: Array, count: int, index: int, what: int) -> int:
    """Append what happened to feed or load `index`."""
    out[0, count] = index
    out[1, count] = what
    return count + 1


@inner
def break_us(j: int, now_us: int, fact: Array, section: Array) -> int:
    """How long feed j's input will be away, as far as its events say [us]."""
    shortest = 1 << 62
    for s in range(section.shape[1]):
        if fact[f.F_SECTIONS, j] >> s & 1:
            shortest = min(shortest, section[f.S_BREAK_UNTIL_US, s] - now_us)
    return max(shortest, fact[f.F_AWAY_US, j] - now_us) if fact[f.F_AWAY_US, j] else shortest


@borrowing
def event_of(j: int, fact: Array, section: Array) -> int:
    """Number of the event that keeps supply from feed j."""
    event = fact[f.F_EVENT, j] if fact[f.F_AWAY_US, j] else 0
    for s in range(section.shape[1]):
        if fact[f.F_SECTIONS, j] >> s & 1:
            event = max(event, section[f.S_EVENT, s])
    return event


@inner
def _carried(i: int, j: int, now_us: int, fact: Array, quantity: Array, section: Array) -> bool:
    """Whether feed j carries load i: from the sections, from storage, or over a break within the load's hold-up."""
    state = fact[f.F_STATE, j]
    if state == f.ON_SECTION or state == f.ON_STORAGE:
        return True
    if state != f.ON_HOLD_UP or not fact[f.L_LIT, i]:
        return False
    length = now_us - fact[f.F_LOST_US, j] + break_us(j, now_us, fact, section)
    return length <= quantity[f.L_HOLD_UP_US, i]


@inner
def _move(
    i: int, to: int, key: Any, replication: Any, fact: Array, quantity: Array, clock: Array, section: Array
) -> int:
    """Load i's switch moves it to feed `to`: what became of it."""
    event = 0
    source = fact[f.L_SOURCE, i] - 1
    if fact[f.F_STATE, source] == f.DEAD and fact[f.F_UP, source]:
        event = event_of(source, fact, section)
    moves = fact[f.L_MOVES, i]
    fact[f.L_MOVES, i] = moves + 1
    n = event * ATTEMPTS + moves % ATTEMPTS if event > 0 else OWN_EVENTS + moves
    switch = clock[f.FEEDS] + i
    if uniform(key[0, switch], replication, n) < quantity[f.L_SWITCH_FAIL, i]:
        fact[f.L_STUCK, i] = STUCK
        return FAILED_TO_TRANSFER
    fact[f.L_SOURCE, i] = to + 1
    u = uniform(key[1, switch], replication, n)
    law, empty = int(quantity[f.L_SWITCH_LAW, i]), quantity[f.L_SWITCH_A]
    taken_us = quantile(law, quantity[f.L_SWITCH_A, i], quantity[f.L_SWITCH_B, i], empty, u, n) * TICKS_PER_H
    if taken_us > quantity[f.L_HOLD_UP_US, i]:
        fact[f.L_STUCK, i] = DROPPED
        return FAILED_TO_TRANSFER
    return TRANSFERRED


@inner
def _switched(
    i: int, first: int, end: int, now_us: int, key: Any, replication: Any, fact: Array, quantity: Array, link: Array,
    clock: Array, section: Array,
) -> int:  # fmt: skip
    """What load i's switch does now: LIT or DARK where it stays, else what became of the move."""
    if fact[f.L_STUCK, i] == DROPPED:
        return DARK
    if _carried(i, fact[f.L_SOURCE, i] - 1, now_us, fact, quantity, section):
        fact[f.L_STUCK, i] = FREE
        return LIT
    if fact[f.L_STUCK, i] == STUCK:
        return DARK
    for m in range(first, end):
        j = link[f.LINK_FEED, m]
        if fact[f.F_STATE, j] == f.ON_SECTION or fact[f.F_STATE, j] == f.ON_STORAGE:
            if fact[f.L_LIT, i]:
                return _move(i, j, key, replication, fact, quantity, clock, section)
            fact[f.L_SOURCE, i] = j + 1
            return LIT
    return DARK


@inner
def lights(
    now_us: int, key: Any, replication: Any, rare: Any, fact: Array, quantity: Array, link: Array, clock: Array,
    section: Array, out: Array, count: int,
) -> int:  # fmt: skip
    """Light or darken every load point by the feeds as they stand; notes what flips. Returns the rows in `out`."""
    k = np.int64(0)
    links = link.shape[1]
    while k < links:
        i = link[f.LINK_LOAD, k]
        first, live = k, 0
        while k < links and link[f.LINK_LOAD, k] == i:
            if _carried(i, link[f.LINK_FEED, k], now_us, fact, quantity, section):
                live += 1
            k += 1
        lit = int(live >= fact[f.L_NEEDED, i])
        if rare is not None and fact[f.L_SOURCE, i] and not fact[f.L_CUT, i]:
            what = _switched(i, first, k, now_us, key, replication, fact, quantity, link, clock, section)
            lit = int(what in (LIT, TRANSFERRED))
            if what in (TRANSFERRED, FAILED_TO_TRANSFER):
                count = note(out, count, i, what)
        if fact[f.L_TRIPPED, i] or fact[f.L_SHED, i] or fact[f.L_CUT, i]:
            lit = 0
        if lit != fact[f.L_LIT, i]:
            fact[f.L_LIT, i] = lit
            if lit:
                quantity[f.L_DEMAND_KW, i] = quantity[f.L_POTENTIAL_KW, i]
                count = note(out, count, i, LIT)
            else:
                quantity[f.L_BEFORE_KW, i] = quantity[f.L_DEMAND_KW, i]
                quantity[f.L_DEMAND_KW, i] = 0.0
                count = note(out, count, i, DARK)
    return count
