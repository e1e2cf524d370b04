"""Reads a site's own outage log: when supply was away or dipped, for how long, on which feeders.

Columns, in any order; others are passed over:

- `start`: ISO date and time in the site's local standard time, e.g. `2025-07-03 14:05:00`; or `at_h`: hours from the
  horizon's start.
- one of `duration_h`, `duration_min`, `duration_s`, `duration_ms`; or `end`, as `start`.
- `feeders` (may be missing): names separated by `;`, empty for all.
- `residual_voltage_fraction` (may be missing): of a sag, 0..1, empty for none left.
- `kind` (may be missing): sag, momentary, sustained, common or script, empty for script.
- `site` (may be missing): the site that the row is about, empty for all sites.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from twin.errors import InputError, Problem
from twin.inputs.table import Floats, Table, read_table

KINDS = ("script", "sag", "momentary", "sustained", "common")
_HOURS = {"duration_h": 1.0, "duration_min": 1.0 / 60.0, "duration_s": 1.0 / 3600.0, "duration_ms": 1.0 / 3.6e6}


@dataclass(frozen=True)
class LoggedOutage:
    """One event of a log; `feeders` empty: all, `site` empty: every site."""

    at_h: float
    duration_h: float
    feeders: tuple[str, ...]
    residual_voltage_fraction: float
    kind: str
    site: str


@dataclass(frozen=True)
class OutageLog:
    """Events within the horizon, in order of time, and how many rows lie outside it."""

    events: tuple[LoggedOutage, ...]
    outside: int


def read_outages(path: Path | str, start: str, hours: float, feeders: Mapping[str, Collection[str]]) -> OutageLog:
    """Reads a log for a horizon.

    Args:
        path: CSV, plain or gzipped.
        start: ISO date of the horizon's start.
        hours: length of the horizon [h].
        feeders: names of the feeders of every site that the log may be about.

    Raises:
        InputError: the file cannot be read (see `read_table`), columns are missing, rows are wrong (each with its
            line), or no row lies within the horizon.
    """
    table = read_table(path)
    at_h = _starts(table, datetime.fromisoformat(start))
    duration_h = _durations(table, at_h, datetime.fromisoformat(start))
    residual = _residuals(table)
    kinds = _texts(table, "kind")
    sites, struck = _texts(table, "site"), [_names(text) for text in _texts(table, "feeders")]
    for row, (kind, site, names) in enumerate(zip(kinds, sites, struck, strict=True)):
        if kind and kind not in KINDS:
            table.fault(row, "kind", f"{kind!r} is none of {', '.join(KINDS)}")
        if site and site not in feeders:
            table.fault(row, "site", f"{site!r} is none of the sites: {', '.join(sorted(feeders))}")
            continue
        there = [set(feeders[site])] if site else [set(known) for known in feeders.values()]
        unknown = [name for name in names if not any(name in known for known in there)]
        if unknown:
            table.fault(row, "feeders", f"there is no feeder {unknown[0]!r}")
    table.refuse()
    inside = (at_h >= 0.0) & (at_h < hours)
    if not inside.any():
        message = f"no row lies within the horizon, {hours:g} h from {start}"
        raise InputError(Problem(message, str(path), remedy="set horizon.start and horizon.hours to the log's years"))
    events = [
        LoggedOutage(
            float(at_h[k]), float(duration_h[k]), struck[k], float(residual[k]), kinds[k] or "script", sites[k]
        )
        for k in np.flatnonzero(inside).tolist()
    ]
    events.sort(key=lambda one: (one.at_h, one.site, one.feeders, one.duration_h))
    return OutageLog(tuple(events), int((~inside).sum()))


def _texts(table: Table, name: str) -> list[str]:
    """A column's cells, stripped; empty texts where there is no such column."""
    return [text.strip() for text in table.columns[name]] if name in table.columns else [""] * len(table)


def _names(text: str) -> tuple[str, ...]:
    return tuple(sorted({name.strip() for name in text.split(";") if name.strip()}))


def _starts(table: Table, begin: datetime) -> Floats:
    """Hours from the horizon's start to each row's."""
    given = [name for name in ("start", "at_h") if name in table.columns]
    if len(given) != 1:
        found = "both are there" if given else "neither is there"
        message = f"give the start once, as a column start or at_h: {found}"
        raise InputError(Problem(message, str(table.path), 1))
    return _hours_to(table, "start", begin) if given == ["start"] else table.numbers("at_h", minimum=0.0)


def _durations(table: Table, at_h: Floats, begin: datetime) -> Floats:
    """Each row's length [h]."""
    given = [name for name in (*_HOURS, "end") if name in table.columns]
    if len(given) != 1:
        found = ", ".join(given) if given else "none is there"
        message = f"give the length once, as one of the columns {', '.join(_HOURS)} or end: {found}"
        raise InputError(Problem(message, str(table.path), 1))
    if given == ["end"]:
        values = _hours_to(table, "end", begin) - at_h
        for row in np.flatnonzero(values <= 0.0).tolist():
            table.fault(row, "end", "is not after the start")
        return values
    return table.numbers(given[0], above=0.0) * _HOURS[given[0]]


def _hours_to(table: Table, name: str, begin: datetime) -> Floats:
    values = np.full(len(table), np.nan)
    for row, text in enumerate(table.columns[name]):
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            table.fault(row, name, f"{text.strip()!r} is no ISO date and time like 2025-07-03 14:05:00")
            continue
        if moment.tzinfo is not None:
            table.fault(row, name, f"{text.strip()!r} has a zone; write the site's local standard time")
            continue
        values[row] = (moment - begin) / timedelta(hours=1)
    return values


def _residuals(table: Table) -> Floats:
    name = "residual_voltage_fraction"
    if name not in table.columns:
        return np.zeros(len(table))
    values = table.numbers(name, minimum=0.0, blank_is_nan=True)
    for row in np.flatnonzero(values > 1.0).tolist():
        table.fault(row, name, f"{values[row]:g} must not be above 1")
    return np.nan_to_num(values)
