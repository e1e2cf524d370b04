"""The kernels' scratch tape: turning points of the units from the front, rows of the site series from the back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.plant import fields as f

_ROOM = 1 << 14
_COLUMNS = len(f.SERIES_NAMES)


class Tape:
    """A buffer that kernels fill and `flush` empties; of length zero at level `ledger`, which kernels read as "off"."""

    def __init__(self, level: str, clock: NDArray[np.int64], unit_items: NDArray[np.int64]) -> None:
        self._items = unit_items.copy()
        self._units = int(clock[f.UNITS])
        room = 0 if level == "ledger" else max(_ROOM, 8 * self._units + 64)
        self.keep_units = level == "units"
        self.time_us = np.zeros(room, np.int64)
        self.values = np.zeros((2 + _COLUMNS, room))
        self._clock = clock
        self._points: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def flush(self) -> None:
        """Take what the kernels have written; the newest series row stays at the back, to compare the next with."""
        if not self.time_us.size:
            return
        points, rows = int(self._clock[f.TAPE_POINTS]), int(self._clock[f.TAPE_ROWS])
        if self.keep_units and points:
            self._points.append(
                (
                    self.time_us[:points].copy(),
                    self._items[self.values[0, :points].astype(np.int64)],
                    self.values[1, :points].copy(),
                )
            )
        if rows:
            back = slice(self.time_us.size - rows, None)
            newest_first = self.time_us[back][::-1].copy(), self.values[2:, back][:, ::-1].copy()
            self._rows.append(newest_first)
            self.time_us[-1] = self.time_us[-rows]
            self.values[2:, -1] = self.values[2:, -rows]
        self._clock[f.TAPE_POINTS] = 0
        self._clock[f.TAPE_ROWS] = 1 if rows else 0

    def hand_over(self, unit: int, item: int) -> None:
        """A berth's content changes hands: from now on the unit's points are `item`'s."""
        if self.keep_units:
            self.flush()
            self._items[unit] = item

    def mark(self, item: int, time_us: int, energy_kwh: float) -> None:
        """A turning point that no kernel wrote: a truck's, as it comes, goes or is on its way."""
        if self.keep_units:
            self._points.append((np.array([time_us]), np.array([item]), np.array([energy_kwh])))

    def series(self) -> dict[str, NDArray[np.int64] | NDArray[np.float64]]:
        """The change-only site series; of several rows at one tick the last one holds."""
        self.flush()
        if not self._rows:
            empty: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"time_us": np.zeros(0, np.int64)}
            return empty | {name: np.zeros(0) for name in f.SERIES_NAMES}
        time_us = np.concatenate([time for time, _ in self._rows])
        values = np.concatenate([block for _, block in self._rows], axis=1)
        last = np.append(time_us[1:] != time_us[:-1], True)
        out: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"time_us": time_us[last]}
        return out | {name: values[k, last] for k, name in enumerate(f.SERIES_NAMES)}

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Turning points of the units: tick, item, stored energy [kWh]."""
        self.flush()
        if not self._points:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        times, units, energies = zip(*self._points, strict=True)
        return np.concatenate(times), np.concatenate(units), np.concatenate(energies)
