"""Protection at one instant: which feeds ride through, which are picked up by storage or gensets, which loads go dark.

A load survives the loss of its feed's input only if the break ends within its hold-up, or storage picks it up within
hold-up *and* has the kW for it at that instant (then its kWh count). Transfer time and failure to pick up are drawn
once per static switch and supply event, keyed by the switch's name: all designs meet the same luck.
"""

from __future__ import annotations

from typing import Any

from twin.chance.philox import uniform
from twin.chance.quantiles import quantile
from twin.kernel import kernel
from twin.plant import fields as f
from twin.plant.dispatch import auxiliaries_kw, feed_demands, storage_kw
from twin.units import TICKS_PER_H

Array = Any

# what happened, as the site logs it
PICKED_UP, FAILED_TO_PICK_UP, OVERLOADED, EMPTY, RESTORED, LIT, DARK = range(7)
ATTEMPTS = 64
"""Draws reserved for one switch and event: losses of genset supply during the same event count on."""


@kernel
def _note(out: Array, count: int, index: int, what: int) -> int:
    out[0, count] = index
    out[1, count] = what
    return count + 1


@kernel
def _grid_on(j: int, feed_fact: Array, section: Array) -> bool:
    for s in range(section.shape[1]):
        if feed_fact[f.F_SECTIONS, j] >> s & 1 and section[f.S_GRID, s]:
            return True
    return False


@kernel
def _full_kw(j: int, unit_fact: Array, unit: Array, feed_fact: Array, feed: Array, load: Array, link: Array) -> float:
    """Input of feed j with its loads at full level [kW]: what gensets must be able to carry before it connects."""
    total = 0.0
    for k in range(link.shape[1]):
        if link[f.LINK_FEED, k] == j:
            i = link[f.LINK_LOAD, k]
            cords = 0
            for m in range(link.shape[1]):
                if link[f.LINK_LOAD, m] == i and feed_fact[f.F_UP, link[f.LINK_FEED, m]]:
                    cords += 1
            total += load[f.L_FULL_KW, i] / max(cords, 1)
    loss = 0.0 if feed_fact[f.F_BYPASS, j] else feed[f.F_LOSS_FRACTION, j]
    return total / (1.0 - loss) + auxiliaries_kw(j, unit_fact, unit, feed_fact)


@kernel
def connect_gensets(
    unit_fact: Array,
    unit: Array,
    feed_fact: Array,
    feed: Array,
    load_fact: Array,
    load: Array,
    link: Array,
    section: Array,
    site: Array,
) -> float:
    """Connect the feeds that the gensets can carry, core and cooling first, then rows by name.

    Returns:
        kW of the sets on line that are left over; negative: kW that waiting feeds are short of.
    """
    left = site[f.GENSET_READY_KW]
    short = 0.0
    for rank in range(5):
        for j in range(feed.shape[1]):
            if not feed_fact[f.F_GENSET, j]:
                continue
            if _grid_on(j, feed_fact, section):
                feed_fact[f.F_ON_GENSET, j] = 0
                continue
            best = 5
            for k in range(link.shape[1]):
                if link[f.LINK_FEED, k] == j:
                    best = min(best, load_fact[f.L_KIND, link[f.LINK_LOAD, k]])
            if best != rank:
                continue
            need = _full_kw(j, unit_fact, unit, feed_fact, feed, load, link)
            if need <= left * (1.0 + 1e-12) and feed_fact[f.F_UP, j]:
                feed_fact[f.F_ON_GENSET, j] = 1
                left -= need
            else:
                feed_fact[f.F_ON_GENSET, j] = 0
                short += need
    return -short if short > 0.0 else left


@kernel
def _break_us(j: int, now_us: int, feed_fact: Array, section: Array) -> int:
    """How long feed j's input will be away, as far as its events say [us]."""
    shortest = 1 << 62
    for s in range(section.shape[1]):
        if feed_fact[f.F_SECTIONS, j] >> s & 1:
            shortest = min(shortest, section[f.S_BREAK_UNTIL_US, s] - now_us)
    return shortest


@kernel
def _event(j: int, feed_fact: Array, section: Array) -> int:
    event = 0
    for s in range(section.shape[1]):
        if feed_fact[f.F_SECTIONS, j] >> s & 1:
            event = max(event, section[f.S_EVENT, s])
    return event


@kernel
def _switch_works(
    j: int, key: Any, replication: Any, hold_up_us: float, feed_fact: Array, feed: Array, event: int
) -> bool:
    """Whether feed j's storage takes over in time: one draw of failure, one of transfer time, per switch and event."""
    n = event * ATTEMPTS + min(feed_fact[f.F_ATTEMPT, j], ATTEMPTS - 1)
    feed_fact[f.F_ATTEMPT, j] += 1
    kind = feed_fact[f.F_KIND, j]
    if kind == f.RAW or kind == f.FOLLOWING or feed_fact[f.F_BYPASS, j] or feed_fact[f.F_COUNT, j] == 0:
        return False
    if uniform(key[0, j], replication, n) < feed[f.F_FAIL_PROBABILITY, j]:
        return False
    if kind == f.IN_LINE:
        return True
    u = uniform(key[1, j], replication, n)
    law = int(feed[f.F_TRANSFER_LAW, j])
    empty = feed[f.F_TRANSFER_A]
    transfer_h = quantile(law, feed[f.F_TRANSFER_A, j], feed[f.F_TRANSFER_B, j], empty, u, n)
    return transfer_h * TICKS_PER_H <= hold_up_us


@kernel
def _lose_input(
    j: int,
    now_us: int,
    key: Any,
    replication: Any,
    unit_fact: Array,
    unit: Array,
    feed_fact: Array,
    feed: Array,
    load_fact: Array,
    load: Array,
    link: Array,
    section: Array,
) -> int:
    """New state of a feed whose input has just gone."""
    least, most = 1e18, 0.0
    sheddable = 0.0
    for k in range(link.shape[1]):
        i = link[f.LINK_LOAD, k]
        if link[f.LINK_FEED, k] == j and load_fact[f.L_LIT, i]:
            if load_fact[f.L_KIND, i] == f.CHILLERS:
                sheddable += load[f.L_DEMAND_KW, i]
            least = min(least, load[f.L_HOLD_UP_US, i])
            most = max(most, load[f.L_HOLD_UP_US, i])
    length = _break_us(j, now_us, feed_fact, section)
    if length <= least and least < 1e18:
        return f.ON_HOLD_UP
    works = _switch_works(j, key, replication, least, feed_fact, feed, _event(j, feed_fact, section))
    if works:
        able = storage_kw(j, unit_fact, unit, feed_fact, feed) * (1.0 + 1e-12)
        need = feed[f.F_DEMAND_KW, j] + auxiliaries_kw(j, unit_fact, unit, feed_fact)
        if need <= able:
            return f.ON_STORAGE
        if sheddable > 0.0 and need - sheddable <= able:
            for k in range(link.shape[1]):
                i = link[f.LINK_LOAD, k]
                if link[f.LINK_FEED, k] == j and load_fact[f.L_KIND, i] == f.CHILLERS:
                    load_fact[f.L_TRIPPED, i] = 1
            return f.ON_STORAGE
    return f.ON_HOLD_UP if length <= most else f.DEAD


@kernel
def _feeds(
    now_us: int,
    key: Any,
    replication: Any,
    unit_fact: Array,
    unit: Array,
    feed_fact: Array,
    feed: Array,
    load_fact: Array,
    load: Array,
    link: Array,
    section: Array,
    out: Array,
) -> int:
    count = 0
    for j in range(feed.shape[1]):
        old = feed_fact[f.F_STATE, j]
        fed = _grid_on(j, feed_fact, section) or feed_fact[f.F_ON_GENSET, j]
        new = old
        if not feed_fact[f.F_UP, j]:
            new = f.DEAD
        elif fed:
            new = f.ON_SECTION
            if _grid_on(j, feed_fact, section):
                feed_fact[f.F_ATTEMPT, j] = 0
        elif old == f.ON_SECTION or (old == f.ON_HOLD_UP and _break_us(j, now_us, feed_fact, section) > 0):
            new = _lose_input(
                j, now_us, key, replication, unit_fact, unit, feed_fact, feed, load_fact, load, link, section
            )
        if new != old:
            feed_fact[f.F_STATE, j] = new
            if new == f.ON_STORAGE:
                count = _note(out, count, j, PICKED_UP)
            elif new == f.DEAD:
                count = _note(out, count, j, FAILED_TO_PICK_UP)
            elif new == f.ON_SECTION and old != f.ON_HOLD_UP:
                count = _note(out, count, j, RESTORED)
    return count


@kernel
def _lights(
    now_us: int, feed_fact: Array, load_fact: Array, load: Array, link: Array, section: Array, out: Array, count: int
) -> int:
    k = 0
    links = link.shape[1]
    while k < links:
        i = link[f.LINK_LOAD, k]
        lit = 0
        while k < links and link[f.LINK_LOAD, k] == i:
            j = link[f.LINK_FEED, k]
            state = feed_fact[f.F_STATE, j]
            if state == f.ON_SECTION or state == f.ON_STORAGE:
                lit = 1
            elif state == f.ON_HOLD_UP and load_fact[f.L_LIT, i]:
                lit = max(lit, int(_break_us(j, now_us, feed_fact, section) <= load[f.L_HOLD_UP_US, i]))
            k += 1
        if load_fact[f.L_TRIPPED, i]:
            lit = 0
        if lit != load_fact[f.L_LIT, i]:
            load_fact[f.L_LIT, i] = lit
            if lit:
                load[f.L_DEMAND_KW, i] = load[f.L_POTENTIAL_KW, i]
                count = _note(out, count, i, LIT)
            else:
                load[f.L_BEFORE_KW, i] = load[f.L_DEMAND_KW, i]
                load[f.L_DEMAND_KW, i] = 0.0
                count = _note(out, count, i, DARK)
    return count


@kernel
def _overloads(unit_fact: Array, unit: Array, feed_fact: Array, feed: Array, out: Array, count: int) -> int:
    """Feeds on storage that cannot carry their demand trip: overloaded while units still hold energy, else empty."""
    for j in range(feed.shape[1]):
        if feed_fact[f.F_STATE, j] != f.ON_STORAGE:
            continue
        need = feed[f.F_DEMAND_KW, j] + auxiliaries_kw(j, unit_fact, unit, feed_fact)
        able = storage_kw(j, unit_fact, unit, feed_fact, feed)
        if need > able * (1.0 + 1e-9):
            feed_fact[f.F_STATE, j] = f.DEAD
            count = _note(out, count, j, OVERLOADED if able > 0.0 else EMPTY)
    return count


@kernel
def protect(
    now_us: int,
    key: Any,
    replication: Any,
    unit_fact: Array,
    unit: Array,
    feed_fact: Array,
    feed: Array,
    load_fact: Array,
    load: Array,
    link: Array,
    section: Array,
    out: Array,
) -> int:
    """Settle feeds and load points on the facts as they stand.

    Args:
        key: uint64 (2, feeds), draw keys of each feed's switch: failure to pick up, transfer time.
        out: int64 (2, 4 (feeds + loads)), filled with (index, what) in causal order.

    Returns:
        Rows written to `out`.
    """
    count = _feeds(
        now_us, key, replication, unit_fact, unit, feed_fact, feed, load_fact, load, link, section, out
    )  # fmt: skip
    while True:
        before = count
        count = _lights(now_us, feed_fact, load_fact, load, link, section, out, count)
        feed_demands(load, link, feed_fact, feed)
        count = _overloads(unit_fact, unit, feed_fact, feed, out, count)
        if count == before:
            return count
