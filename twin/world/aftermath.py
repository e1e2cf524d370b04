"""What protection did in an instant, logged with its causes: feeds first, then the loads that went dark with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plant import fields as f
from twin.plant import lights as li
from twin.plant import protect as p
from twin.world import record as r

if TYPE_CHECKING:
    from twin.world.site import Site

_OF_FEED = {
    p.PICKED_UP: r.PICKED_UP,
    p.FAILED_TO_PICK_UP: r.FAILED_TO_PICK_UP,
    p.OVERLOADED: r.OVERLOADED,
    p.EMPTY: r.EMPTY,
    p.RESTORED: r.RESTORED,
    p.STARTED_DARK: r.STARTED_DARK,
}
_OF_SWITCH = {li.TRANSFERRED: r.TRANSFERRED, li.FAILED_TO_TRANSFER: r.FAILED_TO_TRANSFER}


def tell(site: Site, out: list[list[int]]) -> None:
    """Log what the protection kernel noted.

    Args:
        out: feeds or loads by index, and what happened to each, in causal order.
    """
    first = site.record.count
    fresh = _fresh_sections(site)
    for index, what in zip(*out, strict=True):
        if what in _OF_FEED:
            cause = _cause_of_feed(site, index, fresh)
            site.feed_row[index] = site.log(site.plan.feed_items[index], _OF_FEED[what], 1, cause)
            if what == p.RESTORED:
                site.plan_due = True
                _refill(site, index)
            continue
        cause = max((site.feed_row[j] for j in site.plan.feeds_of[index]), default=-1)
        if cause < first or site.fact[f.L_TRIPPED, index] or site.fact[f.L_CUT, index]:
            cause = site.trigger
        if site.fact[f.L_SHED, index]:
            cause = site.shed_row[index]
        if what in _OF_SWITCH:
            site.load_row[index] = site.log(site.plan.load_items[index], _OF_SWITCH[what], 1, cause)
            continue
        if site.fact[f.L_STUCK, index]:
            cause = site.load_row[index]
        site.load_row[index] = site.log(site.plan.load_items[index], r.LIT, int(what == li.LIT), cause)


def _fresh_sections(site: Site) -> list[tuple[int, int]]:
    """(bit of the section, row) of sections whose own feeder has flipped in this instant."""
    now, time_of = site.now_us, site.record.time_of
    return [(1 << s, row) for s, row in enumerate(site.section_row) if row >= 0 and time_of(row) == now]


def _cause_of_feed(site: Site, j: int, fresh: list[tuple[int, int]]) -> int:
    """What flipped in this instant and concerns feed j: its own fault, its section's feeder, else what is answered."""
    if site.trigger < 0:
        return site.feed_row[j]
    row = site.faults.row[j]
    if row >= 0 and site.record.time_of(row) == site.now_us:
        return row
    if fresh and site.fact[f.F_UP, j]:
        sections = int(site.fact[f.F_SECTIONS, j])
        for bit, row in fresh:
            if sections & bit:
                return row
    return site.trigger


def _refill(site: Site, j: int) -> None:
    """Input is back: units found empty may carry load again once they hold energy, which recharging gives them."""
    first, count = site.fact[f.F_FIRST, j], site.fact[f.F_COUNT, j]
    if count:
        site.fact[f.U_EMPTY, first : first + count] = 0
        site.fact[f.F_VERSION, j] += 1
