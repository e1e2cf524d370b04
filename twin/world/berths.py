"""Hand-over: a truck's content becomes a berth's column on arrival, and the truck's again when it leaves.

The berth keeps its bus and its point's limit; content, ratings, health and throughput are the truck's. Both sides are
settled, the site's ledger books what came and what went.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.errors import InternalError
from twin.plant import fields as f
from twin.units import TICKS_PER_H
from twin.world import record as r
from twin.world.site import SUPPLY, UNITS, Site

CONTENT = (
    f.ENERGY_KWH, f.CHARGED_KWH, f.DISCHARGED_KWH, f.U_RATED_KW, f.U_RATED_KWH, f.U_MIN_KWH, f.U_MAX_KWH,
    f.U_EFFICIENCY, f.U_AUXILIARY_KW, f.U_RECHARGE_KW, f.U_RESERVE_KWH, f.U_LOW_PRICE, f.U_HIGH_PRICE,
)  # fmt: skip
"""Rows of a unit's column that travel."""
_ROWS = np.array(CONTENT)
_PLACE = {row: k for k, row in enumerate(CONTENT)}
_ENERGY, _CHARGED, _DISCHARGED = (_PLACE[row] for row in (f.ENERGY_KWH, f.CHARGED_KWH, f.DISCHARGED_KWH))


@dataclass
class Content:
    """What travels: a unit's column in the order of `CONTENT`, and its two facts."""

    column: NDArray[np.float64]
    fuelled: bool = False
    use: int = 0
    at: tuple[Site, int] | None = field(default=None, repr=False)
    """Site and unit of the berth that holds it now."""

    def __getitem__(self, row: int) -> float:
        return float(self.column[_PLACE[row]])

    def __setitem__(self, row: int, value: float) -> None:
        self.column[_PLACE[row]] = value

    @property
    def energy_kwh(self) -> float:
        """Stored energy now; the site that holds it is settled first."""
        if self.at is not None:
            site, i = self.at
            site.settle()
            return float(site.quantity[f.ENERGY_KWH, i])
        return float(self.column[_ENERGY])


def plug(site: Site, i: int, content: Content, item: int, cause: int = -1) -> int:
    """Unit i's berth takes over the content of truck `item`; returns the event's row."""
    if site.fact[f.U_UP, i]:
        raise InternalError(f"site {site.name}: berth {i} is taken")
    row = site.change(item, r.PLUGGED, 1, UNITS | SUPPLY, cause)
    site.settle()
    quantity, fact = site.quantity, site.fact
    p = fact[f.U_FEED, i]
    quantity[_ROWS, i] = content.column
    quantity[f.ANCHOR_KWH, i] = content.column[_ENERGY]
    quantity[[f.POWER_KW, f.RATE_KW], i] = 0.0
    empty = not content.fuelled and content.column[_ENERGY] <= content[f.U_MIN_KWH] + 1e-9
    fact[[f.U_UP, f.U_EMPTY, f.U_USE, f.U_FUELLED], i] = 1, empty, content.use, content.fuelled
    fact[f.F_VERSION, p] += 1
    if fact[f.F_STATE, p] == f.DEAD:
        fact[f.F_STATE, p] = f.ON_STORAGE
    _book(site, f.LEDGER_TRUCK_IN_KWH, content.column[_ENERGY])
    site.tape.hand_over(i, item)
    site.tape.mark(item, site.now_us, float(content.column[_ENERGY]))
    content.at = (site, i)
    return row


def unplug(content: Content, item: int, cause: int = -1) -> int:
    """The truck takes its content back, throughput to this instant included; returns the event's row."""
    if content.at is None:
        raise InternalError(f"truck {item} is not plugged")
    site, i = content.at
    row = site.change(item, r.PLUGGED, 0, UNITS | SUPPLY, cause)
    site.settle()
    refresh(content)
    p = site.fact[f.U_FEED, i]
    site.quantity[_ROWS, i] = 0.0
    site.quantity[f.U_EFFICIENCY, i] = 1.0
    site.quantity[[f.ANCHOR_KWH, f.POWER_KW, f.RATE_KW], i] = 0.0
    site.fact[[f.U_UP, f.U_EMPTY, f.U_USE, f.U_FUELLED], i] = 0
    site.fact[f.F_VERSION, p] += 1
    _book(site, f.LEDGER_TRUCK_OUT_KWH, content.column[_ENERGY])
    site.tape.hand_over(i, int(site.plan.unit_items[i]))
    site.tape.mark(item, site.now_us, float(content.column[_ENERGY]))
    content.at = None
    return row


def refresh(content: Content) -> None:
    """Copy what the berth holds at this instant, the site being settled, without taking it away."""
    if content.at is None:
        return
    site, i = content.at
    content.column[:] = site.quantity[_ROWS, i]
    power = float(site.quantity[f.POWER_KW, i])
    moved_kwh = power * ((int(site.clock[f.NOW_US]) - int(site.clock[f.ANCHOR_US])) / TICKS_PER_H)
    if moved_kwh > 0.0:
        content.column[_DISCHARGED] += moved_kwh
    else:
        content.column[_CHARGED] -= moved_kwh


def _book(site: Site, row: int, energy_kwh: float) -> None:
    month = int(site.plan.edge[f.E_MONTH, site.clock[f.EDGE]])
    site.ledger[row, month] += energy_kwh
