"""What a tape keeps of each dispatch: the site's powers and, with a network, what every load point draws from it."""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f
from twin.plant.feeds import share_of
from twin.plant.sharing import auxiliaries_kw

Array = Any


@inner
def _draws(out: Array, row: int, fact: Array, quantity: Array, link: Array, clock: Array) -> None:
    """What each load point draws from the network through each feed: its share, losses, own use, recharge [kW].

    Behind the links stand the connection points: what their trucks take, less what they give beside the grid.
    """
    links = link.shape[1]
    k = 0
    while k < links:
        i = link[f.LINK_LOAD, k]
        end, live = k, 0
        while end < links and link[f.LINK_LOAD, end] == i:
            if fact[f.F_STATE, link[f.LINK_FEED, end]] != f.DEAD:
                live += 1
            end += 1
        for m in range(k, end):
            j = link[f.LINK_FEED, m]
            kw = 0.0
            if fact[f.F_STATE, j] == f.ON_SECTION and not fact[f.F_ON_POINT, j]:
                loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
                kw = quantity[f.L_DEMAND_KW, i] * share_of(i, j, live, fact) / (1.0 - loss) + quantity[f.F_OWN_KW, j]
            out[row, f.R_DRAWS + 2 + m] = kw
        k = end
    for p in range(clock[f.FEEDS]):
        if fact[f.F_KIND, p] == f.POINT:
            kw = quantity[f.F_INPUT_KW, p]
            if fact[f.F_STATE, p] == f.ON_SECTION:
                first = fact[f.F_FIRST, p]
                for i in range(first, first + fact[f.F_COUNT, p]):
                    kw -= quantity[f.POWER_KW, i]
            out[row, f.R_DRAWS + 2 + k] = kw
            k += 1


@inner
def _own_draws(fact: Array, quantity: Array, clock: Array) -> None:
    """Own use and recharge of each feed's storage, less what it gives beside the grid, spread over its links [kW]."""
    for j in range(clock[f.FEEDS]):
        own = auxiliaries_kw(j, fact, quantity)
        if clock[f.ACTIVE] > 0:
            first = fact[f.F_FIRST, j]
            for i in range(first, first + fact[f.F_COUNT, j]):
                kw = quantity[f.POWER_KW, i]
                own -= kw if fact[f.F_STATE, j] == f.ON_SECTION else min(kw, 0.0)
        quantity[f.F_OWN_KW, j] = own / max(fact[f.F_LINKS, j], 1)


@inner
def record(
    rare: Any,
    quantity: Array,
    clock: Array,
    site: Array,
    edge: Array,
    tape_us: Array,
    tape: Array,
    fact: Array,
    link: Array,
) -> None:
    """One row of the record when a power, supply state, tariff period or link's draw differs from the last row's."""
    rows = clock[f.TAPE_ROWS]
    row = tape.shape[0] - 1 - rows
    for k in range(11):
        tape[row, 2 + k] = site[k]
    if rare is not None and clock[f.DRAWS] > 0:
        state = clock[f.SUPPLY_STATE]
        for j in range(clock[f.FEEDS]):
            if fact[f.F_ON_GENSET, j]:
                state |= f.GENSETS_FEED
        tape[row, 2 + f.R_NETWORK_LOSS] = site[f.NETWORK_LOSS_KW]
        tape[row, 2 + f.R_STATE] = state
        tape[row, 2 + f.R_PERIOD] = edge[f.E_PERIOD, clock[f.EDGE]]
        tape[row, 2 + f.R_PRICE] = edge[f.E_PRICE_PER_KWH, clock[f.EDGE]]
        _own_draws(fact, quantity, clock)
        _draws(tape, row, fact, quantity, link, clock)
        if clock[f.PV]:
            tape[row, 2 + f.R_DRAWS + clock[f.DRAWS]] = -site[f.PV_GRID_KW]
    tape[row, 2 + f.R_PV] = site[f.PV_KW]
    tape[row, 2 + f.R_CURTAILED] = site[f.CURTAILED_KW]
    tape[row, 2 + f.R_EXPORT] = site[f.EXPORT_KW]
    same = rows > 0
    for k in range(2, tape.shape[1]):
        if same and k != 13 and tape[row + 1, k] != tape[row, k]:
            same = False
    if same:
        return
    stored = 0.0
    for i in range(clock[f.UNITS]):
        stored += quantity[f.ENERGY_KWH, i]
    tape_us[row] = clock[f.NOW_US]
    tape[row, 13] = stored
    clock[f.TAPE_ROWS] = rows + 1
