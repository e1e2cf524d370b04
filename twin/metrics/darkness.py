"""Interruptions of load points: when each was dark, from its `lit` events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.trace import Trace

Int = NDArray[np.int64]


@dataclass(frozen=True)
class Dark:
    """Closed-open dark spans: item row, start and end [us], event row at the start; sorted by item and time."""

    item: Int
    start_us: Int
    end_us: Int
    row: Int

    def of(self, chosen: NDArray[np.bool_]) -> Dark:
        """The spans of some items alone; `chosen` has a flag for every item."""
        own = chosen[self.item]
        return Dark(self.item[own], self.start_us[own], self.end_us[own], self.row[own])


def dark_spans(trace: Trace) -> Dark:
    """Dark spans of all load points. Everything is lit at first; a span open at the horizon ends there."""
    events = trace.events
    rows = np.flatnonzero(events["what"] == trace.what("lit"))
    rows = rows[np.argsort(events["item"][rows], kind="stable")]
    item, lit = events["item"][rows], events["value"][rows]
    first = np.ones(len(rows), bool)
    first[1:] = item[1:] != item[:-1]
    before = np.ones(len(rows), np.int64)
    before[1:][~first[1:]] = lit[:-1][~first[1:]]
    turns = lit != before
    rows, item, lit, time_us = rows[turns], item[turns], lit[turns], events["time_us"][rows[turns]]
    start = np.flatnonzero(lit == 0)
    end_us = np.full(len(start), trace.meta["horizon_us"], np.int64)
    following = start + 1
    closed = following < len(item)
    closed[closed] = item[following[closed]] == item[start[closed]]
    end_us[closed] = time_us[following[closed]]
    lasting = end_us > time_us[start]  # closed-open: no time, no interruption
    return Dark(item[start][lasting], time_us[start][lasting], end_us[lasting], rows[start][lasting])


def dark_together(trace: Trace, rows: Int, dark: Dark, least: dict[int, int]) -> tuple[int, float]:
    """How often, and how long in sum [us], at least `least[site]` rows of a site are dark at once, over all sites.

    Args:
        rows: item rows of the load points in question.
        dark: spans of those rows.
        least: by site; a site that is not there asks for all of its rows.
    """
    start_us, end_us = spans_together(trace, rows, dark, least)
    return len(start_us), float((end_us - start_us).sum())


def spans_together(trace: Trace, rows: Int, dark: Dark, least: dict[int, int]) -> tuple[Int, Int]:
    """Start and end [us] of the spans in which so many rows are dark, site by site; arguments as in `dark_together`."""
    site_of, starts, ends = trace.items["site"], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for site in np.unique(site_of[rows]):
        here = site_of[dark.item] == site
        needed = least.get(int(site), int(np.count_nonzero(site_of[rows] == site)))
        # One sortable number a step: at one instant, ends (even) come before starts (odd).
        key = np.sort(np.concatenate((dark.start_us[here] * 2 + 1, dark.end_us[here] * 2)))
        is_start = key & 1
        together = np.cumsum(2 * is_start - 1)
        starts.append(key[(is_start == 1) & (together == needed)] >> 1)
        ends.append(key[(is_start == 0) & (together == needed - 1)] >> 1)
    return np.concatenate(starts), np.concatenate(ends)


def rows_to_lose(trace: Trace) -> dict[int, int]:
    """By site, how many dark rows leave some gang job too few: one more than the fewest spare rows that any job has.

    A job with spare rows says at the start how many it holds; all else has no spares, nor gains any by giving up rows.
    """
    events, kinds = trace.events, trace.items["kind"]
    at_start = (events["what"] == trace.what("rows_held")) & (events["time_us"] == 0) & (events["cause"] < 0)
    held = dict(zip(events["item"][at_start].tolist(), events["value"][at_start].tolist(), strict=True))
    is_row = np.array([kind == "row" for kind in kinds], bool)
    site_of = trace.items["site"]
    installed = {int(site): int(np.count_nonzero(is_row & (site_of == site))) for site in np.unique(site_of[is_row])}
    gangs = [item for item, kind in enumerate(kinds) if kind == "gang_job" and int(site_of[item]) in installed]
    least: dict[int, int] = {}
    for item in gangs:
        site = int(site_of[item])
        too_many = installed[site] - held.get(item, installed[site]) + 1
        least[site] = min(too_many, least.get(site, too_many))
    return dict.fromkeys(installed, 1) | least


def customers(trace: Trace) -> NDArray[np.float64]:
    """(items,) weight of each load point in the indices of IEEE 1366: its customers.

    Where a site says how many customers its load points have, only those count; elsewhere each row is one.
    """
    named: dict[str, int] = trace.meta.get("customers", {})
    own = np.array([float(named.get(name, 0)) for name in trace.items["name"]])
    has_them = np.isin(trace.items["site"], trace.items["site"][own > 0.0])
    is_row = np.array([kind == "row" for kind in trace.items["kind"]], bool)
    return np.where(is_row & ~has_them, 1.0, own)
