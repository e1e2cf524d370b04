"""Reads a typical meteorological year: 8,760 hours of irradiance, air temperature and wind, in either of two layouts.

- *TMY3 columns*: `ghi`, `dni`, `dhi` [W/m2], `temp_c`, `wind_ms` [m/s], rows in local standard time from 1 January.
- *PVGIS columns*: `time(UTC)`, `G(h)`, `Gb(n)`, `Gd(h)` [W/m2], `T2m` [C], `WS10m` [m/s], rows in UTC.

Irradiance of a row is taken as the mean of the hour that begins with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.inputs.table import Table, read_table

Floats = npt.NDArray[np.float64]

HOURS = 8760
YEAR = 2025
"""Any year of 365 days: the sun's path and the zones' standard time differ little between years."""
IRRADIANCE_MAX_W_PER_M2 = 1600.0
"""More than any hour on Earth has, clouds' edges included."""
_TMY3 = ("ghi", "dni", "dhi", "temp_c", "wind_ms")
_PVGIS = ("G(h)", "Gb(n)", "Gd(h)", "T2m", "WS10m")
_UTC = "time(UTC)"


@dataclass(frozen=True)
class Weather:
    """Hours from 1 January 00:00 on, local standard time; each array is (8760,)."""

    ghi_w_per_m2: Floats
    dni_w_per_m2: Floats
    dhi_w_per_m2: Floats
    air_c: Floats
    wind_m_per_s: Floats


def read_weather(path: Path | str, utc_offset_h: float) -> Weather:
    """Reads a file of either layout; rows in UTC are moved round the year to local standard time.

    Args:
        path: CSV, plain or gzipped.
        utc_offset_h: local standard time less UTC; between whole hours, two rows are weighted.

    Raises:
        InputError: neither layout, not 8,760 rows, or cells that are no number or out of bounds.
    """
    table = read_table(path)
    in_utc = _UTC in table.columns
    columns = _columns(table, _PVGIS if in_utc else _TMY3)
    if len(table) != HOURS:
        remedy = "leave 29 February out" if len(table) == HOURS + 24 else None
        raise InputError(Problem(f"has {len(table)} rows, a year has {HOURS} hours", str(path), remedy=remedy))
    if in_utc:
        columns = [_moved(column, utc_offset_h) for column in columns]
    return Weather(*columns)


def standard_offset_h(zone: str) -> float:
    """Local standard time less UTC [h]: the lesser offset of January and July."""
    offsets = [datetime(YEAR, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 7)]
    return min(offset.total_seconds() / 3600.0 for offset in offsets if offset is not None)


def _columns(table: Table, names: tuple[str, ...]) -> list[Floats]:
    table.require(*names)
    radiation, temperature, wind = names[:3], names[3], names[4]
    found = [table.numbers(name, minimum=-0.5) for name in radiation]
    for name, values in zip(radiation, found, strict=True):
        for row in np.flatnonzero(values > IRRADIANCE_MAX_W_PER_M2).tolist():
            table.fault(row, name, f"{values[row]:g} W/m2 is more than the sun gives")
    found = [np.maximum(values, 0.0) for values in found]
    air_c = table.numbers(temperature, minimum=-90.0)
    for row in np.flatnonzero(air_c > 65.0).tolist():
        table.fault(row, temperature, f"{air_c[row]:g} C is hotter than any place on Earth")
    found += [air_c, table.numbers(wind, minimum=0.0)]
    table.refuse()
    return found


def _moved(values: Floats, offset_h: float) -> Floats:
    """Values by UTC hour as values by local hour."""
    whole = int(np.floor(offset_h))
    part = offset_h - whole
    return np.asarray((1.0 - part) * np.roll(values, whole) + part * np.roll(values, whole + 1))
