"""Where PV's power goes: to feeds that storage carries, to what the grid would give, then into export, or nowhere.

With the grid there, PV lowers import and then exports up to its limit; the rest is curtailed. Without it, inverters
trip. Only PV that is wired to cabinets goes on (`islanding`): each unit that can form an island has an equal share of
the strings, and gives to its feed up to what the loads take. Storage must still be able to carry its loads alone, and
what is over neither charges it nor reaches another feed. PV never runs beside gensets.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.plant import fields as f

Array = Any
_ANY_SECTION = (1 << 2 * f.SECTION_BITS) - 1


@inner
def grid_is_there(clock: Array) -> bool:
    """Whether any section has grid."""
    return clock[f.SUPPLY_STATE] & _ANY_SECTION != 0


@inner
def string_kw(j: int, fact: Array, site: Array) -> float:
    """What the strings wired to each unit of feed j could give [kW]; 0 where it cannot form an island."""
    if fact[f.F_KIND, j] == f.IN_LINE or fact[f.F_KIND, j] == f.PARALLEL:
        return site[f.PV_AVAILABLE_KW] * site[f.PV_UNIT_SHARE]
    return 0.0


@inner
def strings_kw(j: int, fact: Array, site: Array) -> float:
    """What the strings wired to feed j's sound units could give [kW]."""
    sound = 0
    first = fact[f.F_FIRST, j]
    for i in range(first, first + fact[f.F_COUNT, j]):
        sound += fact[f.U_UP, i]
    return sound * string_kw(j, fact, site)


@inner
def left_for_grid_kw(fact: Array, clock: Array, site: Array) -> float:
    """What PV could give to the sections: all but the strings of feeds that storage carries now [kW]."""
    left = site[f.PV_AVAILABLE_KW]
    if left <= 0.0 or not grid_is_there(clock):
        return 0.0
    if site[f.PV_UNIT_SHARE] > 0.0:
        for j in range(clock[f.FEEDS]):
            if fact[f.F_STATE, j] == f.ON_STORAGE:
                left -= string_kw(j, fact, site) * fact[f.F_COUNT, j]
    return max(left, 0.0)


@inner
def import_besides_pv(drawn_kw: float, fact: Array, quantity: Array, clock: Array, site: Array) -> float:
    """Share out PV; returns what is left for the grid to give of `drawn_kw` [kW]."""
    available = site[f.PV_AVAILABLE_KW]
    island = 0.0
    for j in range(clock[f.FEEDS]):
        if fact[f.F_STATE, j] == f.ON_STORAGE:
            island += quantity[f.F_PV_KW, j]
    left = left_for_grid_kw(fact, clock, site)
    used, export_limit_kw = min(left, drawn_kw), site[f.EXPORT_LIMIT_KW]
    if site[f.RAMP_LIMIT_KW] > 0.0:
        most_kw = drawn_kw - site[f.RAMP_LEAST_KW]
        used = max(min(used, most_kw), 0.0)
        export_limit_kw = min(export_limit_kw, max(most_kw - used, 0.0))
    export = min(left - used, export_limit_kw)
    site[f.PV_GRID_KW] = used + export
    site[f.PV_KW] = island + used + export
    site[f.CURTAILED_KW] = max(available - site[f.PV_KW], 0.0)
    site[f.EXPORT_KW] = export
    return drawn_kw - used
