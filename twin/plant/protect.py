"""Protection at one instant: which feeds ride through, which are picked up by storage or gensets, which loads go dark.

A load survives the loss of its feed's input only if the break ends within its hold-up, or storage picks it up within
hold-up *and* has the kW for it at that instant (then its kWh count). Transfer time and failure to pick up are drawn
once per static switch and supply event, keyed by the switch's name: all designs meet the same luck.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.chance.philox import uniform
from twin.chance.quantiles import quantile
from twin.kernel import borrowing, inner
from twin.plant import fields as f
from twin.plant.feeds import feed_demands, share_of
from twin.plant.lights import ATTEMPTS, break_us, event_of, lights, note
from twin.plant.sharing import auxiliaries_kw, point_kw, storage_kw, storage_need_kw
from twin.units import TICKS_PER_H

Array = Any

# what happened to a feed, as the site logs it; `lights` goes on with what happened to a load
PICKED_UP, FAILED_TO_PICK_UP, OVERLOADED, EMPTY, RESTORED = np.arange(5)
STARTED_DARK = np.int64(9)  # storage lights a dark load again


@inner
def grid_on(j: int, fact: Array, section: Array) -> bool:
    """Whether feed j has section supply."""
    if fact[f.F_AWAY_US, j]:
        return False
    for s in range(section.shape[1]):
        if fact[f.F_SECTIONS, j] >> s & 1 and section[f.S_GRID, s]:
            return True
    return False


@inner
def full_kw(j: int, fact: Array, quantity: Array, link: Array) -> float:
    """Input of feed j with its loads at full level [kW]: what gensets must be able to carry before it connects."""
    total = 0.0
    for k in range(link.shape[1]):
        if link[f.LINK_FEED, k] == j:
            i = link[f.LINK_LOAD, k]
            cords = 0
            for m in range(link.shape[1]):
                if link[f.LINK_LOAD, m] == i and fact[f.F_UP, link[f.LINK_FEED, m]]:
                    cords += 1
            total += quantity[f.L_FULL_KW, i] * share_of(i, j, max(cords, 1), fact)
    loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
    return total / (1.0 - loss) + auxiliaries_kw(j, fact, quantity)


@inner
def rank_of(j: int, fact: Array, link: Array) -> int:
    """The most important kind of load on feed j: the order in which short supply is shared out."""
    best = 5
    for k in range(link.shape[1]):
        if link[f.LINK_FEED, k] == j:
            best = min(best, fact[f.L_KIND, link[f.LINK_LOAD, k]])
    return best


@borrowing
def connect_gensets(fact: Array, quantity: Array, link: Array, clock: Array, section: Array, site: Array) -> float:
    """Connect the feeds that the gensets can carry, core and cooling first, then rows by name.

    Returns:
        kW of the sets on line that are left over; negative: kW that waiting feeds are short of.
    """
    left = site[f.GENSET_READY_KW]
    network = 1.0 + site[f.LOSS_PER_KW2] * left  # the share that the way to the loads takes at full output
    short = 0.0
    for rank in range(5):
        for j in range(clock[f.FEEDS]):
            if not fact[f.F_GENSET, j]:
                continue
            if grid_on(j, fact, section) or fact[f.F_AWAY_US, j]:
                fact[f.F_ON_GENSET, j] = 0
                continue
            if rank_of(j, fact, link) != rank:
                continue
            need = full_kw(j, fact, quantity, link) * network
            if left > 0.0 and need <= left * (1.0 + 1e-12) and fact[f.F_UP, j]:
                fact[f.F_ON_GENSET, j] = 1
                left -= need
            else:
                fact[f.F_ON_GENSET, j] = 0
                if not fact[f.F_ON_POINT, j]:
                    short += need
    return -short if short > 0.0 else left


@inner
def _switch_works(
    j: int, key: Any, replication: Any, hold_up_us: float, fact: Array, quantity: Array, event: int
) -> bool:
    """Whether feed j's storage takes over in time: one draw of failure, one of transfer time, per switch and event."""
    n = event * ATTEMPTS + min(fact[f.F_ATTEMPT, j], ATTEMPTS - 1)
    fact[f.F_ATTEMPT, j] += 1
    kind = fact[f.F_KIND, j]
    if kind == f.RAW or kind == f.FOLLOWING or fact[f.F_BYPASS, j] or fact[f.F_COUNT, j] == 0:
        return False
    if not fact[f.F_SWITCH, j] or uniform(key[0, j], replication, n) < quantity[f.F_FAIL_PROBABILITY, j]:
        return False
    if quantity[f.F_FAIL_COMMON, j] > 0.0 and uniform(key[2, j], replication, n) < quantity[f.F_FAIL_COMMON, j]:
        return False
    if kind == f.IN_LINE:
        return True
    u = uniform(key[1, j], replication, n)
    law = int(quantity[f.F_TRANSFER_LAW, j])
    empty = quantity[f.F_TRANSFER_A]
    transfer_h = quantile(law, quantity[f.F_TRANSFER_A, j], quantity[f.F_TRANSFER_B, j], empty, u, n)
    return transfer_h * TICKS_PER_H <= hold_up_us


@inner
def _lose_input(
    j: int, now_us: int, key: Any, replication: Any, fact: Array, quantity: Array, link: Array, section: Array
) -> int:
    """New state of a feed whose input has just gone."""
    least, most = 1e18, 0.0
    sheddable = 0.0
    for k in range(link.shape[1]):
        i = link[f.LINK_LOAD, k]
        if link[f.LINK_FEED, k] == j and fact[f.L_LIT, i]:
            if fact[f.L_KIND, i] == f.CHILLERS:
                sheddable += quantity[f.L_DEMAND_KW, i]
            least = min(least, quantity[f.L_HOLD_UP_US, i])
            most = max(most, quantity[f.L_HOLD_UP_US, i])
    gone = now_us - fact[f.F_LOST_US, j]
    length = gone + break_us(j, now_us, fact, section)
    if length <= least and least < 1e18:
        return f.ON_HOLD_UP
    works = _switch_works(j, key, replication, least - gone, fact, quantity, event_of(j, fact, section))
    if works:
        able = storage_kw(j, fact, quantity) * (1.0 + 1e-12)
        need = storage_need_kw(j, fact, quantity)
        if need <= able:
            return f.ON_STORAGE
        if sheddable > 0.0 and need - sheddable <= able:
            for k in range(link.shape[1]):
                i = link[f.LINK_LOAD, k]
                if link[f.LINK_FEED, k] == j and fact[f.L_KIND, i] == f.CHILLERS:
                    fact[f.L_TRIPPED, i] = 1
            return f.ON_STORAGE
    return f.ON_HOLD_UP if length <= most else f.DEAD


@inner
def _can_start(j: int, fact: Array, quantity: Array, link: Array) -> bool:
    """Whether feed j's storage has the kW for all that its loads will ask for once they are lit."""
    kind = fact[f.F_KIND, j]
    if (kind != f.PARALLEL and kind != f.IN_LINE) or not fact[f.F_SWITCH, j]:
        return False
    need = auxiliaries_kw(j, fact, quantity)
    for k in range(link.shape[1]):
        if link[f.LINK_FEED, k] == j:
            i = link[f.LINK_LOAD, k]
            if not (fact[f.L_TRIPPED, i] or fact[f.L_SHED, i] or fact[f.L_CUT, i]):
                need += quantity[f.L_POTENTIAL_KW, i]
    able = storage_kw(j, fact, quantity)
    return able > 0.0 and need <= able * (1.0 + 1e-12)


@inner
def _point(p: int, fact: Array, clock: Array, section: Array) -> None:
    """A connection point follows the grid unless its trucks carry somebody; tripped, it waits until nobody asks."""
    carries = cut_off = False
    for j in range(clock[f.FEEDS]):
        if fact[f.F_POINT, j] == p + 1:
            carries |= fact[f.F_ON_POINT, j] != 0
            cut_off |= fact[f.F_AWAY_US, j] != 0
    old = fact[f.F_STATE, p]
    new = old
    if grid_on(p, fact, section) and not carries:
        if old == f.ON_STORAGE or not cut_off:
            new = f.ON_SECTION
    elif old == f.ON_SECTION:
        new = f.ON_STORAGE
    first = fact[f.F_FIRST, p]
    if new == f.ON_SECTION and not cut_off:
        for i in range(first, first + fact[f.F_COUNT, p]):
            fact[f.U_EMPTY, i] = 0
    if new != old:
        fact[f.F_STATE, p] = new
        fact[f.F_VERSION, p] += 1


@inner
def _feeds(
    now_us: int,
    key: Any,
    replication: Any,
    rare: Any,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    section: Array,
    out: Array,
) -> int:
    count = np.int64(0)
    for j in range(clock[f.FEEDS]):
        old = fact[f.F_STATE, j]
        if rare is not None and fact[f.F_KIND, j] == f.POINT:
            _point(j, fact, clock, section)
            continue
        fed = grid_on(j, fact, section) or fact[f.F_ON_GENSET, j] or fact[f.F_ON_POINT, j]
        new = old
        if not fact[f.F_UP, j]:
            new = f.DEAD
        elif fed:
            new = f.ON_SECTION
            if grid_on(j, fact, section):
                fact[f.F_ATTEMPT, j] = 0
        elif old == f.ON_SECTION or (old == f.ON_HOLD_UP and break_us(j, now_us, fact, section) > 0):
            if old == f.ON_SECTION:
                fact[f.F_LOST_US, j] = now_us
            new = _lose_input(j, now_us, key, replication, fact, quantity, link, section)
        elif old == f.DEAD and 0 < fact[f.F_START_US, j] <= now_us and _can_start(j, fact, quantity, link):
            new = f.ON_STORAGE
        if new != old:
            fact[f.F_STATE, j] = new
            if new == f.ON_STORAGE:
                count = note(out, count, j, STARTED_DARK if old == f.DEAD else PICKED_UP)
            elif new == f.DEAD:
                count = note(out, count, j, FAILED_TO_PICK_UP)
            elif new == f.ON_SECTION and old != f.ON_HOLD_UP:
                count = note(out, count, j, RESTORED)
    return count


@inner
def _overloads(rare: Any, fact: Array, quantity: Array, clock: Array, out: Array, count: int) -> int:
    """Feeds on storage that cannot carry their demand trip: overloaded while units still hold energy, else empty."""
    for j in range(clock[f.FEEDS]):
        if fact[f.F_STATE, j] != f.ON_STORAGE:
            continue
        need = storage_need_kw(j, fact, quantity)
        if rare is not None and fact[f.F_KIND, j] == f.POINT:
            need += point_kw(j, fact, quantity, clock)
        able = storage_kw(j, fact, quantity)
        if need > able * (1.0 + 1e-9):
            fact[f.F_STATE, j] = f.DEAD
            count = note(out, count, j, OVERLOADED if able > 0.0 else EMPTY)
    return count


@borrowing
def protect(
    now_us: int,
    key: Any,
    replication: Any,
    rare: Any,
    fact: Array,
    quantity: Array,
    link: Array,
    clock: Array,
    section: Array,
    site: Array,
    out: Array,
) -> int:
    """Settle feeds and load points on the facts as they stand.

    Args:
        key: uint64 (3, feeds + loads), draw keys of each feed's switch, then of each load's: failure to pick up or to
            transfer, transfer time, common failure (feeds alone).
        rare: from `twin.plant.advance.rare_parts`.
        out: int64 (2, 4 (feeds + loads)), filled with (index, what) in causal order.

    Returns:
        Rows written to `out`.
    """
    count = _feeds(now_us, key, replication, rare, fact, quantity, link, clock, section, out)
    while True:
        before = count
        count = lights(now_us, key, replication, rare, fact, quantity, link, clock, section, out, count)
        feed_demands(quantity, link, fact, clock, site)
        count = _overloads(rare, fact, quantity, clock, out, count)
        if count == before:
            return count
