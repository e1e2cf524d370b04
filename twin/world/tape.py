"""The kernels' scratch tape: turning points of the units from the front, recorded rows of the site from the back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.plant import fields as f
from twin.units import TICKS_PER_H

if TYPE_CHECKING:
    from twin.world.flows import SiteFlows

_ROOM = 1 << 14
_ROOM_FOR_FLOWS = 1 << 11
_COLUMNS = len(f.SERIES_NAMES)


class Tape:
    """A buffer that kernels fill and `flush` empties.

    Of length zero where nothing is recorded (level `ledger`, no network), which kernels read as "off".
    """

    def __init__(
        self, level: str, clock: NDArray[np.int64], flows: SiteFlows | None, unit_items: NDArray[np.int64]
    ) -> None:
        self._items = unit_items.copy()
        self._units = int(clock[f.UNITS])
        keep_rows = level != "ledger"
        room = _ROOM if keep_rows else _ROOM_FOR_FLOWS if flows else 0
        if room:
            room = max(room, 8 * self._units + 64)
        self.keep_units = level == "units"
        self.time_us = np.zeros(room, np.int64)
        self.values = np.zeros(
            (room, 2 + _COLUMNS + (f.R_DRAWS - f.R_NETWORK_LOSS + int(clock[f.DRAWS] + clock[f.PV]) if flows else 0))
        )
        self._clock, self._keep_rows, self._flows = clock, keep_rows, flows
        self._points: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []

    def flush(self) -> None:
        """Take what the kernels have written; the newest row stays at the back, to compare the next with."""
        if not self.time_us.size:
            return
        points, rows = int(self._clock[f.TAPE_POINTS]), int(self._clock[f.TAPE_ROWS])
        if self.keep_units and points:
            self._points.append(
                (
                    self.time_us[:points].copy(),
                    self._items[self.values[:points, 0].astype(np.int64)],
                    self.values[:points, 1].copy(),
                )
            )
        if rows > 1:
            self._take(rows, int(self.time_us[-rows]), newest=False)
            self.time_us[-1] = self.time_us[-rows]
            self.values[-1] = self.values[-rows]
        self._clock[f.TAPE_POINTS] = 0
        self._clock[f.TAPE_ROWS] = min(rows, 1)

    def jump(self, now_us: int, before_kwh: NDArray[np.float64], after_kwh: NDArray[np.float64]) -> None:
        """Note units whose stored energy jumps (none of it flows): a point before, and one after at the same tick."""
        self.flush()
        moved = np.flatnonzero(before_kwh != after_kwh)
        if self.keep_units and moved.size:
            for energy_kwh in (before_kwh, after_kwh):
                self._points.append((np.full(moved.size, now_us), self._items[moved], energy_kwh[moved]))

    def finish(self, horizon_us: int) -> None:
        """Flush at the horizon: the newest row ends there."""
        self.flush()
        if int(self._clock[f.TAPE_ROWS]):
            self._take(1, horizon_us, newest=True)
            self._clock[f.TAPE_ROWS] = 0
        if self._flows is not None:
            self._flows.finish()

    def open_loss_kwh(self, now_us: int) -> float:
        """What the network has lost of the grid's energy since the newest row began; call `flush` first [kWh]."""
        if self._flows is None or not int(self._clock[f.TAPE_ROWS]):
            return 0.0
        return self._flows.grid_loss_kw(self.values[-1, 2:]) * (now_us - int(self.time_us[-1])) / TICKS_PER_H

    def _take(self, rows: int, end_us: int, *, newest: bool) -> None:
        """Rows in time order, all or all but the newest; of several at one tick the last one holds."""
        oldest = self.time_us.size
        first = oldest - rows if newest else oldest - rows + 1
        time_us = self.time_us[first:oldest][::-1]
        values = self.values[first:oldest, 2:][::-1]
        lasting = np.append(time_us[1:], end_us) > time_us
        time_us, values = time_us[lasting], values[lasting]
        if self._keep_rows:
            kept = f.R_NETWORK_LOSS + 1 if self._flows else _COLUMNS
            self._rows.append((time_us, values[:, :kept]))
        if self._flows is not None and time_us.size:
            self._flows.take(time_us, values, end_us)

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
        """The change-only site series, with what the power flow adds to it; call `finish` first."""
        time_us = np.concatenate([np.zeros(0, np.int64), *(time for time, _ in self._rows)])
        width = f.R_NETWORK_LOSS + 1 if self._flows else _COLUMNS
        values = np.concatenate([np.zeros((0, width)), *(block for _, block in self._rows)]).T.copy()
        out: dict[str, NDArray[np.int64] | NDArray[np.float64]] = {"time_us": time_us}
        out |= {name: values[k] for k, name in enumerate(f.SERIES_NAMES)}
        if self._flows is None:
            nothing = (np.zeros(time_us.size), np.full(time_us.size, np.nan), np.zeros(time_us.size))
            return out | dict(zip(f.FLOW_SERIES_NAMES, nothing, strict=True))
        grid_kw, genset_kw, least, over, kept_kw = np.concatenate([np.zeros((5, 0)), *self._flows.solved], axis=1)
        out["import_kw"] = values[f.IMPORT_KW] + grid_kw
        out["genset_kw"] = values[f.GENSET_KW] + genset_kw
        out["export_kw"] = values[f.R_EXPORT] - kept_kw
        found = (values[f.R_NETWORK_LOSS] + grid_kw + kept_kw + genset_kw, least, over)
        return out | dict(zip(f.FLOW_SERIES_NAMES, found, strict=True))

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Turning points of the units: tick, item, stored energy [kWh]."""
        if not self._points:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        times, units, energies = zip(*self._points, strict=True)
        return np.concatenate(times), np.concatenate(units), np.concatenate(energies)
