"""What storage gives: units share their feed's need, trucks at a connection point that of the feeds on it."""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f
from twin.plant.unit_power import unit_kw

Array = Any


@inner
def storage_kw(j: int, fact: Array, quantity: Array) -> float:
    """The kW that feed j's sound, non-empty units can give, within the feed's own limit."""
    total = 0.0
    first = fact[f.F_FIRST, j]
    for i in range(first, first + fact[f.F_COUNT, j]):
        if fact[f.U_UP, i] and not fact[f.U_EMPTY, i]:
            total += unit_kw(i, quantity)
    return min(total, quantity[f.F_LIMIT_KW, j])


@inner
def auxiliaries_kw(j: int, fact: Array, quantity: Array) -> float:
    """Own consumption of feed j's sound units [kW]; summed anew when they have changed."""
    version = float(fact[f.F_VERSION, j])
    if quantity[f.F_AUXILIARY_VERSION, j] == version:
        return quantity[f.F_AUXILIARY_KW, j]
    total = 0.0
    first = fact[f.F_FIRST, j]
    for i in range(first, first + fact[f.F_COUNT, j]):
        if fact[f.U_UP, i]:
            total += quantity[f.U_AUXILIARY_KW, i]
    quantity[f.F_AUXILIARY_KW, j], quantity[f.F_AUXILIARY_VERSION, j] = total, version
    return total


@inner
def storage_need_kw(j: int, fact: Array, quantity: Array) -> float:
    """What feed j's storage must give: its loads, the way to them, and its own consumption [kW]."""
    return quantity[f.F_DEMAND_KW, j] + quantity[f.F_WAY_LOSS_KW, j] + auxiliaries_kw(j, fact, quantity)


@inner
def _share(j: int, need_kw: float, wanted: Array, fact: Array, quantity: Array) -> None:
    """Spread `need_kw` over feed j's units in proportion to energy above the floor, each within its kW."""
    first = fact[f.F_FIRST, j]
    end = first + fact[f.F_COUNT, j]
    for i in range(first, end):
        wanted[i] = 0.0
    left = need_kw
    for _ in range(end - first):
        weight = 0.0
        for i in range(first, end):
            if fact[f.U_UP, i] and not fact[f.U_EMPTY, i] and wanted[i] < unit_kw(i, quantity):
                weight += max(quantity[f.ENERGY_KWH, i] - quantity[f.U_MIN_KWH, i], 1e-12)
        if weight <= 0.0 or left <= 0.0:
            break
        rest = 0.0
        for i in range(first, end):
            if fact[f.U_UP, i] and not fact[f.U_EMPTY, i] and wanted[i] < unit_kw(i, quantity):
                share = left * max(quantity[f.ENERGY_KWH, i] - quantity[f.U_MIN_KWH, i], 1e-12) / weight
                given = min(share, unit_kw(i, quantity) - wanted[i])
                wanted[i] += given
                rest += share - given
        if rest <= 1e-12 * need_kw:
            break
        left = rest


@inner
def point_kw(p: int, fact: Array, quantity: Array, clock: Array) -> float:
    """What the feeds on connection point p draw from it [kW]."""
    total = 0.0
    for j in range(clock[f.FEEDS]):
        if fact[f.F_ON_POINT, j] == p + 1 and fact[f.F_STATE, j] == f.ON_SECTION:
            loss = 0.0 if fact[f.F_BYPASS, j] else quantity[f.F_LOSS_FRACTION, j]
            total += quantity[f.F_DEMAND_KW, j] / (1.0 - loss) + auxiliaries_kw(j, fact, quantity)
    return total


@inner
def from_storage(j: int, need: float, wanted: Array, fact: Array, quantity: Array) -> None:
    """Feed j's units give `need` [kW]; shares are reused until the need or the units change."""
    version = float(fact[f.F_VERSION, j])
    quantity[f.F_NEED_KW, j] = need
    if need != quantity[f.F_SHARED_KW, j] or version != quantity[f.F_SHARED_VERSION, j]:
        _share(j, need, wanted, fact, quantity)
        quantity[f.F_SHARED_KW, j] = need
        quantity[f.F_SHARED_VERSION, j] = version
    else:
        first = fact[f.F_FIRST, j]
        for i in range(first, first + fact[f.F_COUNT, j]):
            wanted[i] = quantity[f.POWER_KW, i]


@inner
def points(wanted: Array, fact: Array, quantity: Array, clock: Array) -> bool:
    """Connection points: on the grid they draw their trucks' own consumption, else the trucks give it and the rest."""
    carrying = False
    for p in range(clock[f.FEEDS]):
        if fact[f.F_KIND, p] != f.POINT:
            continue
        state = fact[f.F_STATE, p]
        own_kw = auxiliaries_kw(p, fact, quantity)
        quantity[f.F_INPUT_KW, p] = own_kw if state == f.ON_SECTION else 0.0
        quantity[f.F_NEED_KW, p] = 0.0
        if state == f.ON_STORAGE:
            carrying = True
            first = fact[f.F_FIRST, p]
            for i in range(first, first + fact[f.F_COUNT, p]):
                quantity[f.U_FLOOR_KWH, i] = quantity[f.U_MIN_KWH, i]
            from_storage(p, point_kw(p, fact, quantity, clock) + own_kw, wanted, fact, quantity)
        else:
            quantity[f.F_SHARED_KW, p] = -1.0
    return carrying
