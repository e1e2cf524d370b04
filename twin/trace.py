"""The trace: everything that a replication leaves behind, as plain tables of numpy arrays."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import InputError
from twin.schema_trace import SITE_TABLES, Table
from twin.units import HOURS_PER_YEAR, TICKS_PER_H

Int = NDArray[np.int64]
Float = NDArray[np.float64]


@dataclass(eq=False)
class Trace:
    """One replication under one design. Columns, types and meanings: `twin/schema_trace.py`.

    `series`, `units`, `ledger` and `health` hold one table a site, by the site's name; at the levels "ledger" and
    "series" the tables not asked for may be left out, and `health` where no storage ages.
    """

    meta: dict[str, Any]
    items: Table
    events: Table
    jobs: Table
    interruptions: Table
    trips: Table
    stays: Table
    series: dict[str, Table]
    units: dict[str, Table]
    ledger: dict[str, Table]
    cycles: Table
    health: dict[str, Table] = field(default_factory=dict)

    @property
    def years(self) -> float:
        """Length of the horizon in years of 8760 h."""
        return float(self.meta["horizon_us"] / TICKS_PER_H / HOURS_PER_YEAR)

    def what(self, name: str) -> int:
        """The number of a fact in `events["what"]`; -1, which no event has, where the trace knows no such fact."""
        whats: list[str] = self.meta["whats"]
        return whats.index(name) if name in whats else -1

    def time_h(self, table: str, site: str | None = None, column: str = "time_us") -> Float:
        """A table's times [h] since the scenario's start, e.g. `time_h("events")`, `time_h("series", "campus")`."""
        owner = getattr(self, table)
        if site is not None:
            owner = owner[site]
        return np.asarray(owner[column] / TICKS_PER_H)

    def root_cause(self) -> Int:
        """Of every event the row of the event at the start of its cause chain (itself where it has no cause)."""
        cause = self.events["cause"]
        root: Int = np.where(cause < 0, np.arange(len(cause)), cause)
        while True:  # each pass doubles the distance looked back
            further = root[root]
            if np.array_equal(further, root):
                return root
            root = further

    def stored_kwh(self, site: str | None, item: int | str, time_h: ArrayLike) -> Float:
        """Energy stored by a unit [kWh] at some times [h]: exact, linear between its turning points.

        Where two points share an instant the later one holds from it; nan before the first point, and after the last
        one its value. A truck has points at every site where it has been, and its way lies between them: name no site.

        Raises:
            InputError: the trace holds no turning points of that item.
        """
        names: list[str] = self.items["name"]
        row = item if isinstance(item, int) else (names.index(item) if item in names else -1)
        tables = [table for name, table in self.units.items() if site in {None, name}]
        own = [table["item"] == row for table in tables]
        if not any(rows.any() for rows in own):
            place = "any site" if site is None else f"site '{site}'"
            raise InputError(f"no stored energy of '{item}' at {place} in this trace (recorded at level 'units')")
        at_us = np.concatenate([table["time_us"][rows] for table, rows in zip(tables, own, strict=True)])
        energy_kwh = np.concatenate([table["energy_kwh"][rows] for table, rows in zip(tables, own, strict=True)])
        order = np.argsort(at_us, kind="stable")
        at_us, energy_kwh = at_us[order], energy_kwh[order]
        wanted_us = np.asarray(time_h, np.float64) * TICKS_PER_H
        last = np.searchsorted(at_us, wanted_us, side="right") - 1
        following = np.minimum(last + 1, len(at_us) - 1)
        span_us = at_us[following] - at_us[last]
        share = np.where(span_us > 0, (wanted_us - at_us[last]) / np.maximum(span_us, 1), 0.0)
        value = energy_kwh[last] + share * (energy_kwh[following] - energy_kwh[last])
        return np.asarray(np.where(last < 0, np.nan, value))

    def equals(self, other: Trace) -> bool:
        """Whether all tables and `meta` are the same, floating-point numbers to the last bit."""
        return all(_same(getattr(self, own.name), getattr(other, own.name)) for own in fields(self))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trace to an HDF5 file, whole or not at all (see `twin.store`)."""
        from twin import store

        tables: dict[str, Table] = {}
        for name in (own.name for own in fields(self)):
            if name in SITE_TABLES:
                for site, table in getattr(self, name).items():
                    tables[store.table_name(name, site)] = table
            elif name != "meta":
                tables[name] = getattr(self, name)
        store.save(path, self.meta, tables)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace back; `InputError` for anything that is not one (see `twin.store`)."""
        from twin import store

        meta, tables = store.load(path)
        own: dict[str, Any] = {name: table for name, table in tables.items() if "/" not in name}
        for name in SITE_TABLES:
            in_file = {site: store.table_name(name, site) for site in meta["sites"]}
            own[name] = {site: tables[place] for site, place in in_file.items() if place in tables}
        return cls(meta=meta, **own)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return type(one) is type(other) and bool(one == other)
