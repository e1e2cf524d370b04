"""What the replay shows in lanes, as spans of hours: supply, load points, gensets, UPS, jobs, trucks; its events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.metrics.causes import GROUPS, groups, interruption_chain, loss_gpu_h
from twin.plot.operation import away_spans_h
from twin.trace import Trace
from twin.units import TICKS_PER_H

Int = NDArray[np.int64]
Span = tuple[float, float, str]
"""Begin [h], end [h], and the state in a word that the page has a colour for."""

EVENTS_MAX = 400
JOB_LANES_MAX = 12


@dataclass(frozen=True)
class Lane:
    """A named row of spans."""

    name: str
    spans: list[Span]


@dataclass(frozen=True)
class Event:
    """Something to jump to: when [h], what, what it cost [GPU-h], and the facts that led to it."""

    time_h: float
    text: str
    lost_gpu_h: float
    chain: tuple[str, ...]


def lanes(trace: Trace, site: str) -> list[Lane]:
    """The lanes of a site that have anything to show, supply first."""
    place = trace.meta["sites"].index(site)
    found = [Lane(name, spans) for name, spans in _feeders(trace, place)]
    for kind, name in (("row", "rows"), ("core", "core"), ("cooling", "cooling")):
        found.append(Lane(name, _any_dark(trace, place, kind)))
    found.append(Lane("gensets", _above_zero(trace, place, "genset_plant", "online", "running")))
    found.append(Lane("UPS", _ups(trace, place)))
    found += _trucks(trace, place)
    found += _jobs(trace, place)
    return [lane for lane in found if lane.spans]


def events(trace: Trace, site: str) -> tuple[list[Event], int]:
    """Supply interruptions and the interruptions of jobs that hardware did not begin, in time order; and how many.

    Above `EVENTS_MAX` only those that cost most are kept.
    """
    place = trace.meta["sites"].index(site)
    name = f"{site}: supply away" if len(trace.meta["sites"]) > 1 else "supply away"
    found = [Event(begin, f"{name} for {_duration(end - begin)}", 0.0, ()) for begin, end in away_spans_h(trace, site)]
    lost, group = loss_gpu_h(trace), groups(trace)
    table = trace.interruptions
    own = np.flatnonzero((group > 0) & (trace.items["site"][table["item"]] == place))
    kept = own[np.argsort(-lost[own], kind="stable")][:EVENTS_MAX]
    for row in kept.tolist():
        chain = tuple(interruption_chain(trace, row))
        time_h = float(table["start_us"][row]) / TICKS_PER_H
        found.append(Event(time_h, f"{chain[-1]} ({GROUPS[group[row]]})", float(lost[row]), chain))
    count = len(found) - len(kept) + len(own)
    found.sort(key=lambda one: -one.lost_gpu_h)
    return sorted(found[:EVENTS_MAX], key=lambda one: one.time_h), count


def worst_outage_h(trace: Trace, site: str) -> tuple[float, float]:
    """Begin and end [h] of the supply interruption of a site with most lost GPU-hours begun in it, else the longest.

    Where no supply was interrupted, that of the costliest event; the beginning of the year where there is none.
    """
    found, _ = events(trace, site)
    spans = away_spans_h(trace, site)
    if not spans:
        worst = max(found, key=lambda one: one.lost_gpu_h, default=None)
        at = worst.time_h if worst else 0.0
        return at, at
    cost = [sum(one.lost_gpu_h for one in found if begin <= one.time_h <= end + 1.0) for begin, end in spans]
    best = max(range(len(spans)), key=lambda k: (cost[k], spans[k][1] - spans[k][0]))
    return spans[best]


def _duration(hours: float) -> str:
    if hours < 1 / 60:
        return f"{hours * 3600:.3g} s"
    return f"{hours * 60:.3g} min" if hours < 1 else f"{hours:.3g} h"


def _changes(trace: Trace, items: list[int], what: str) -> tuple[Int, Int, Int]:
    """Times, items and values of a fact of some items."""
    table = trace.events
    own = (table["what"] == trace.what(what)) & np.isin(table["item"], items)
    return table["time_us"][own], table["item"][own], table["value"][own]


def _items(trace: Trace, place: int, kind: str) -> list[int]:
    return [k for k, one in enumerate(trace.items["kind"]) if one == kind and trace.items["site"][k] == place]


def _spans_while(trace: Trace, times: Int, holds: list[bool], state: str) -> list[Span]:
    """Spans from each time that `holds` until the next that does not."""
    found: list[Span] = []
    since: int | None = None
    for time_us, now in zip([*times.tolist(), trace.meta["horizon_us"]], [*holds, False], strict=True):
        if now and since is None:
            since = time_us
        elif not now and since is not None:
            if time_us > since:
                found.append((since / TICKS_PER_H, time_us / TICKS_PER_H, state))
            since = None
    return found


def _feeders(trace: Trace, place: int) -> list[tuple[str, list[Span]]]:
    found = []
    for item in _items(trace, place, "feeder"):
        times, _, values = _changes(trace, [item], "energised")
        name = trace.items["name"][item].rpartition("/")[2]
        found.append((name, _spans_while(trace, times, [v == 0 for v in values.tolist()], "away")))
    return found


def _any_dark(trace: Trace, place: int, kind: str) -> list[Span]:
    """Spans in which any load point of a kind is dark."""
    times, items, values = _changes(trace, _items(trace, place, kind), "lit")
    dark: set[int] = set()
    holds = []
    for item, value in zip(items.tolist(), values.tolist(), strict=True):
        (dark.discard if value else dark.add)(item)
        holds.append(bool(dark))
    return _spans_while(trace, times, holds, "dark")


def _above_zero(trace: Trace, place: int, kind: str, what: str, state: str) -> list[Span]:
    times, items, values = _changes(trace, _items(trace, place, kind), what)
    level: dict[int, int] = {}
    holds = []
    for item, value in zip(items.tolist(), values.tolist(), strict=True):
        level[item] = value
        holds.append(any(one > 0 for one in level.values()))
    return _spans_while(trace, times, holds, state)


def _ups(trace: Trace, place: int) -> list[Span]:
    """Spans on battery of any block: from picking up until supply is restored."""
    blocks = _items(trace, place, "ups_block")
    table = trace.events
    own = np.isin(table["item"], blocks) & np.isin(table["what"], [trace.what("picked_up"), trace.what("restored")])
    carrying: set[int] = set()
    holds = []
    begins = trace.what("picked_up")
    for item, what in zip(table["item"][own].tolist(), table["what"][own].tolist(), strict=True):
        (carrying.add if what == begins else carrying.discard)(item)
        holds.append(bool(carrying))
    return _spans_while(trace, table["time_us"][own], holds, "battery")


def _trucks(trace: Trace, place: int) -> list[Lane]:
    """Where each truck is, seen from a site: here, on the road, elsewhere left blank."""
    found = []
    for item in np.unique(np.concatenate([trace.stays["item"], trace.trips["item"]])).tolist():
        table = trace.stays
        here = np.flatnonzero((table["item"] == item) & (table["site"] == place))
        spans: list[Span] = [
            (table["start_us"][row] / TICKS_PER_H, table["end_us"][row] / TICKS_PER_H, "here") for row in here.tolist()
        ]
        table = trace.trips
        for row in np.flatnonzero((table["item"] == item) & (table["destination"] == place)).tolist():
            begin, end = int(table["depart_us"][row]), int(table["plugged_us"][row])
            if begin >= 0:
                last = trace.meta["horizon_us"] if end < 0 else end
                spans.append((begin / TICKS_PER_H, last / TICKS_PER_H, "coming"))
        found.append(Lane(trace.items["name"][item], sorted(spans)))
    return found


def _jobs(trace: Trace, place: int) -> list[Lane]:
    """Interruptions of the jobs with most of them, by what began them."""
    table, group = trace.interruptions, groups(trace)
    own = trace.items["site"][table["item"]] == place
    items, counts = np.unique(table["item"][own], return_counts=True)
    found = []
    for item in items[np.argsort(-counts, kind="stable")][:JOB_LANES_MAX].tolist():
        spans = [
            (
                table["start_us"][row] / TICKS_PER_H,
                table["end_us"][row] / TICKS_PER_H,
                {0: "hardware", 1: "planned"}.get(int(group[row]), "power"),
            )
            for row in np.flatnonzero(table["item"] == item).tolist()
        ]
        found.append(Lane(trace.items["name"][item].rpartition("/")[2], spans))
    return found
