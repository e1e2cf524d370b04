"""Reads a record of failures or outages into durations, some of them censored: they had not ended when last seen.

Three layouts: a column of durations; begin and end of each down time; or the times between failures of each item, from
its restoration (or from its failure, where no end is given) to its next failure, the last cut off by the record's end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.inputs.durations_csv import matching
from twin.inputs.table import Floats, Table, read_table
from twin.units import HORIZON_MAX_YEARS, HOURS_PER_YEAR, TICKS_PER_H

HOURS_OF = {"ms": 1 / 3.6e6, "s": 1 / 3600, "min": 1 / 60, "h": 1.0, "day": 24.0}
LONGEST_H, TICK_H = HORIZON_MAX_YEARS * HOURS_PER_YEAR, 1.0 / TICKS_PER_H
TRUE, FALSE = ("1", "true", "yes"), ("0", "false", "no", "")


@dataclass(frozen=True)
class Lifetimes:
    """Durations [h], ascending, and what was left out.

    Attributes:
        hours: float64 [n], above 0.
        observed: bool [n]; false where the duration was still going on (right-censored).
        empty_rows: rows without a duration.
        cut_rows: rows whose duration is not above 0: begin and end in one minute, failures of an item that is down.
        items: how many items the times between failures are of; 0 for down times.
    """

    hours: Floats
    observed: npt.NDArray[np.bool_]
    empty_rows: int
    cut_rows: int
    items: int = 0


@dataclass(frozen=True)
class Layout:
    """Which columns hold what.

    Attributes:
        column: durations, in `unit`; else `start`, with or without `end`, as ISO times.
        unit: of `column`: ms, s, min, h or day.
        censored: a column that says 1, true or yes where a duration had not ended.
        start, end: when each down time began and ended.
        between: the times between failures instead of the down times.
        by: columns that tell items apart, for `between`; none: the file is of one item.
        where: keep rows with these values.
    """

    column: str | None = None
    unit: str = "h"
    censored: str | None = None
    start: str | None = None
    end: str | None = None
    between: bool = False
    by: Sequence[str] = ()
    where: Mapping[str, str] | None = None

    def check(self) -> None:
        """Refuse what does not go together.

        Raises:
            InputError: with a remedy.
        """
        if (self.column is None) == (self.start is None):
            raise InputError(
                Problem("give either a column of durations or a column of start times", key="column, start")
            )
        if self.between and self.start is None:
            raise InputError(Problem("times between failures need a column of start times", key="start"))
        if self.start is not None and not self.between and self.end is None:
            raise InputError(Problem("down times need a column of end times", key="end", remedy="or ask for between"))
        if self.by and not self.between:
            raise InputError(
                Problem("items matter only for times between failures", key="by", remedy="ask for between")
            )
        if self.censored is not None and self.column is None:
            raise InputError(Problem("goes with a column of durations; an empty end is censored", key="censored"))


def read_lifetimes(path: Path | str, layout: Layout) -> Lifetimes:
    """Read a record.

    Args:
        path: CSV file with a header, plain or gzipped.
        layout: which columns hold what.

    Raises:
        InputError: the file cannot be read, a column is missing, cells are wrong, or no duration is left.
    """
    layout.check()
    names = [layout.column, layout.censored, layout.start, layout.end, *layout.by, *(layout.where or {})]
    table = read_table(path, [name for name in dict.fromkeys(names) if name is not None])
    last_h = _last_h(table, layout)
    for name, value in (layout.where or {}).items():
        table = matching(table, name, value)
    if layout.column is not None:
        found = _column(table, layout)
    elif layout.between:
        found = _between(table, layout, last_h)
    else:
        found = _down(table, layout, last_h)
    table.refuse()
    if not found.observed.any():
        message = (
            f"no duration is left that has ended: {len(table)} rows, {found.empty_rows} empty, {found.cut_rows} cut"
        )
        raise InputError(Problem(message, str(path)))
    order = np.argsort(found.hours, kind="stable")
    return Lifetimes(found.hours[order], found.observed[order], found.empty_rows, found.cut_rows, found.items)


def _kept(hours: Floats, observed: npt.NDArray[np.bool_], items: int = 0) -> Lifetimes:
    empty = np.isnan(hours)
    cut = ~empty & (hours <= 0.0)
    keep = ~empty & ~cut
    return Lifetimes(hours[keep], observed[keep], int(empty.sum()), int(cut.sum()), items)


def _column(table: Table, layout: Layout) -> Lifetimes:
    assert layout.column is not None, "the layout was checked"
    hours = table.numbers(layout.column, blank_is_nan=True) * HOURS_OF[layout.unit]
    for row in np.flatnonzero((hours > LONGEST_H) | ((hours > 0.0) & (hours < TICK_H))).tolist():
        table.fault(row, layout.column, f"{hours[row]:g} h is longer than any horizon or shorter than a microsecond")
    observed = np.ones(len(table), np.bool_)
    if layout.censored is not None:
        for row, text in enumerate(table.columns[layout.censored]):
            word = text.strip().lower()
            if word not in TRUE + FALSE:
                table.fault(row, layout.censored, f"{text!r} is neither {', '.join(TRUE)} nor {', '.join(FALSE[:-1])}")
            observed[row] = word not in TRUE
    return _kept(hours, observed)


def _times_h(table: Table, name: str) -> Floats:
    """A column of ISO times as hours since 1970; NaN where a cell is empty."""
    hours = np.full(len(table), np.nan)
    for row, text in enumerate(table.columns[name]):
        if not text.strip():
            continue
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError:
            table.fault(row, name, f"{text!r} is not a time like 2026-01-31 08:00")
            continue
        local = moment.replace(tzinfo=None) - datetime(1970, 1, 1)  # noqa: DTZ001 - its offset follows
        hours[row] = (local - (moment.utcoffset() or timedelta(0))).total_seconds() / 3600.0
    return hours


def _last_h(table: Table, layout: Layout) -> float:
    """The latest time in the whole record, where what has not ended is cut off."""
    if layout.start is None:
        return 0.0
    columns = [_times_h(table, name) for name in (layout.start, layout.end) if name is not None]
    table.refuse()
    return float(np.nanmax(np.concatenate([*columns, [-np.inf]])))


def _down(table: Table, layout: Layout, last_h: float) -> Lifetimes:
    assert layout.start is not None, "the layout was checked"
    assert layout.end is not None, "the layout was checked"
    start, end = _times_h(table, layout.start), _times_h(table, layout.end)
    observed = ~np.isnan(end)
    return _kept(np.where(observed, end, last_h) - start, observed)


def _between(table: Table, layout: Layout, last_h: float) -> Lifetimes:
    assert layout.start is not None, "the layout was checked"
    start = _times_h(table, layout.start)
    end = start if layout.end is None else _times_h(table, layout.end)
    names = [tuple(table.columns[name][row] for name in layout.by) for row in range(len(table))]
    of_item: dict[tuple[str, ...], list[int]] = {}
    for row in np.flatnonzero(~np.isnan(start)).tolist():
        of_item.setdefault(names[row], []).append(row)
    spans = [span for rows in of_item.values() for span in _lives(rows, start, end, last_h)]
    hours, observed = (np.array(column) for column in zip(*spans, strict=True)) if spans else (np.zeros(0), np.zeros(0))
    found = _kept(hours, observed.astype(np.bool_), len(of_item))
    empty = int(np.isnan(start).sum())
    return Lifetimes(found.hours, found.observed, empty, found.cut_rows, found.items)


def _lives(rows: list[int], start: Floats, end: Floats, last_h: float) -> Iterator[tuple[float, bool]]:
    """Times between failures of one item: whether each ended by a failure; an item without an end is down for good."""
    up_h = np.nan
    for row in sorted(rows, key=start.__getitem__):
        if not np.isnan(up_h):
            yield float(start[row] - up_h), True
        if np.isnan(end[row]):
            return
        up_h = np.fmax(up_h, end[row])
    yield float(last_h - up_h), False
