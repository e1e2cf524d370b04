"""A limit on how fast a site's exchange with the grid may change, kept by storage that follows a plan.

The permitted exchange goes at most at the limit towards what the site would exchange by itself (import positive). Every
power stays constant between edges: the ramp is walked in slots of one minute, each at the ramp's mean over it, so that
a step of X kW against Y kW/min takes exactly X^2 / (2 Y) kW min from storage, and no minute differs from the one before
by more than Y. There are slots only while a ramp is under way.

Storage gives what import may not yet be (it stops charging first, then discharges down to its reserve, and never
exports), and takes what import must still be (it stops discharging first, then charges); what it cannot take, PV gives
up. What is missing then leaves the ramp, which goes on as it was. A ramp has no meaning without supply: in the instant
of its return exchange is free. Exchange is meant before the network's losses.

Swings of training (evaluation dips, seconds long) are no edges of the plant. They are judged: a dip deeper than the
limit's minute is taken if cabinets can charge by that much more than they do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, scratch
from twin.plant import fields as f
from twin.plant.limit import grid_kw
from twin.plant.plan import entry, wishes_of
from twin.plant.plan_shares import ABOVE_RESERVE, CHARGE, TAKES_SURPLUS
from twin.plant.solar import grid_is_there, left_for_grid_kw
from twin.plant.unit_power import charging_kw, unit_kw
from twin.units import NEVER

Array = Any

MINUTE_US = 60_000_000
SAME = 1e-6
"""Exchange that differs by this share is the same."""


@inner
def _near(one: float, other: float) -> bool:
    return abs(one - other) <= SAME * max(abs(one), 1.0)


@inner
def _drawn_kw(wanted: Array, fact: Array, quantity: Array, clock: Array) -> float:
    """What the site would draw from the sections with these powers of its units, PV apart [kW]."""
    total = 0.0
    for j in range(clock[f.FEEDS]):
        if fact[f.F_STATE, j] == f.ON_SECTION and not fact[f.F_ON_GENSET, j] and not fact[f.F_ON_POINT, j]:
            total += quantity[f.F_INPUT_KW, j]
    for i in range(clock[f.UNITS]):
        if wanted[i] < 0.0 or fact[f.F_STATE, fact[f.U_FEED, i]] == f.ON_SECTION:
            total -= wanted[i]
    return total


@inner
def _permitted_kw(free_kw: float, clock: Array, site: Array) -> float:
    """Mean of the ramp over the slot at hand; begins a new slot where the last is over or `free_kw` has changed."""
    now, limit = clock[f.NOW_US], site[f.RAMP_LIMIT_KW]
    if np.isnan(site[f.RAMP_END_KW]):
        clock[f.RAMP_FREE_US] = now
    if clock[f.RAMP_FREE_US] == now:
        site[f.RAMP_KW] = site[f.RAMP_END_KW] = free_kw
        clock[f.RAMP_US], clock[f.RAMP_EDGE_US] = now, NEVER
        return free_kw
    if now < clock[f.RAMP_EDGE_US] and _near(site[f.RAMP_END_KW], free_kw):
        return free_kw if clock[f.RAMP_EDGE_US] == NEVER else site[f.RAMP_MEAN_KW]
    gap, gone = site[f.RAMP_END_KW] - site[f.RAMP_KW], limit * (now - clock[f.RAMP_US]) / MINUTE_US
    site[f.RAMP_KW] += min(max(gap, -gone), gone)
    site[f.RAMP_END_KW], clock[f.RAMP_US] = free_kw, now
    if _near(site[f.RAMP_KW], free_kw):
        site[f.RAMP_KW], clock[f.RAMP_EDGE_US] = free_kw, NEVER
        return free_kw
    clock[f.RAMP_EDGE_US] = now + MINUTE_US
    gap = free_kw - site[f.RAMP_KW]
    if abs(gap) >= limit:
        site[f.RAMP_MEAN_KW] = site[f.RAMP_KW] + np.copysign(0.5 * limit, gap)
    else:
        site[f.RAMP_MEAN_KW] = free_kw - 0.5 * gap * abs(gap) / limit
    return site[f.RAMP_MEAN_KW]


@inner
def _less(kw: float, sign: float, wanted: Array, wishes: Array) -> float:
    """Planned units whose power has this sign give or take up to `kw` less together; returns how much [kW]."""
    total = 0.0
    for i in range(wanted.size):
        if wishes[i] and sign * wanted[i] > 0.0:
            total += sign * wanted[i]
    if total <= 0.0:
        return 0.0
    less = min(kw, total)
    for i in range(wanted.size):
        if wishes[i] and sign * wanted[i] > 0.0:
            wanted[i] *= 1.0 - less / total
    return less


@inner
def _room_kw(i: int, sign: float, wanted: Array, wishes: Array, quantity: Array) -> float:
    """How much more unit i can give (sign 1) or take (-1) [kW]."""
    if sign > 0.0:
        return max(unit_kw(i, quantity) - wanted[i], 0.0) if wishes[i] & ABOVE_RESERVE else 0.0
    return max(charging_kw(i, quantity) + wanted[i], 0.0) if wishes[i] & TAKES_SURPLUS else 0.0


@inner
def _more(kw: float, sign: float, reserve: float, wanted: Array, wishes: Array, quantity: Array) -> float:
    """Planned units give (sign 1) or take (-1) up to `kw` more together, by what is left of their kW; returns it."""
    total = 0.0
    for i in range(wanted.size):
        total += _room_kw(i, sign, wanted, wishes, quantity)
    if total <= 0.0 or kw <= 0.0:
        return 0.0
    share = min(1.0, kw / total)
    for i in range(wanted.size):
        room = _room_kw(i, sign, wanted, wishes, quantity)
        if room <= 0.0:
            continue
        if sign > 0.0:
            window = quantity[f.U_MAX_KWH, i] - quantity[f.U_MIN_KWH, i]
            quantity[f.U_FLOOR_KWH, i] = quantity[f.U_MIN_KWH, i] + reserve * window
        elif not (wishes[i] & CHARGE and wanted[i] < 0.0):
            quantity[f.U_CEILING_KWH, i] = quantity[f.U_MAX_KWH, i]
        wanted[i] += sign * share * room
    return total * share


@scratch
def hold_ramp(wanted: Array, fact: Array, quantity: Array, clock: Array, site: Array) -> None:
    """Change the powers of planned units so that exchange with the grid stays on its ramp; PV is told what to leave."""
    site[f.RAMP_LEAST_KW], site[f.RAMP_STORAGE_KW] = -np.inf, 0.0
    if not grid_is_there(clock):
        site[f.RAMP_END_KW], clock[f.RAMP_EDGE_US] = np.nan, NEVER
        return
    free_kw = _drawn_kw(wanted, fact, quantity, clock) - left_for_grid_kw(fact, clock, site)
    free_kw = max(free_kw, -site[f.EXPORT_LIMIT_KW])
    site[f.RAMP_MEAN_KW] = permitted_kw = _permitted_kw(free_kw, clock, site)
    gap = permitted_kw - free_kw
    if gap == 0.0:
        return
    if gap > 0.0:
        site[f.RAMP_LEAST_KW] = permitted_kw
    if clock[f.PLAN_SLOTS] == 0:
        return
    wishes = np.zeros(wanted.size, np.int64)
    wishes_of(wishes, fact, quantity, clock, site)
    sign = -np.sign(gap)
    done_kw = _less(abs(gap), -sign, wanted, wishes)
    left_kw = abs(gap) - done_kw
    if sign > 0.0:
        left_kw = min(left_kw, free_kw - done_kw - site[f.IMPORT_FLOOR_KW])
    done_kw += _more(left_kw, sign, entry(f.P_RESERVE, clock, site), wanted, wishes, quantity)
    site[f.RAMP_STORAGE_KW] = done_kw


@inner
def judge_ramp(fact: Array, quantity: Array, link: Array, clock: Array, site: Array, edge: Array) -> None:
    """Whether exchange is on its ramp, and whether cabinets can take the swings of training."""
    site[f.RAMP_EXCEEDED] = site[f.SWINGS] = site[f.SWINGS_EXCEEDED] = 0.0
    if not grid_is_there(clock):
        return
    site[f.RAMP_EXCEEDED] = not _near(site[f.RAMP_MEAN_KW], site[f.IMPORT_KW] - site[f.EXPORT_KW])
    swing_kw = 0.0
    for i in range(clock[f.LOADS]):
        if fact[f.L_KIND, i] == f.ROW and fact[f.L_LIT, i]:
            kw = fact[f.L_BUSY_GPUS, i] * quantity[f.L_PER_GPU_SWING_KW, i]
            swing_kw += grid_kw(i, kw * edge[f.E_UTILISATION_FRACTION, clock[f.EDGE]], fact, quantity, link)
    over_kw = swing_kw - site[f.RAMP_LIMIT_KW]
    if over_kw <= 0.0:
        return
    able_kw = 0.0
    for i in range(clock[f.UNITS]):
        j = fact[f.U_FEED, i]
        on_grid = fact[f.F_STATE, j] == f.ON_SECTION and not fact[f.F_ON_GENSET, j] and not fact[f.F_ON_POINT, j]
        if fact[f.U_USE, i] & f.FOLLOWS and fact[f.U_UP, i] and on_grid:
            able_kw += max(charging_kw(i, quantity) + quantity[f.POWER_KW, i], 0.0)
    site[f.SWINGS] = 1.0
    site[f.SWINGS_EXCEEDED] = able_kw < over_kw
