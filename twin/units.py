"""Time and units: the only conversions between hours, as people write them, and ticks, as the clock counts them.

The clock counts int64 microseconds from the scenario's start, so that quarter-hour edges are exact and no interval has
zero length by rounding. Signs: injection to the bus is positive (discharge +, charge -); demand is stored positive.
"""

from __future__ import annotations

import math

from twin.errors import InputError

TICKS_PER_H = 3_600_000_000
TICKS_PER_S = 1_000_000
HOURS_PER_YEAR = 8760.0
HORIZON_MAX_YEARS = 100_000
NEVER = 2**62
"""A tick that no replication reaches: alarms set there are not scheduled."""

SUFFIXES = {
    "kw": "kW", "kwh": "kWh", "kva": "kVA", "kvar": "kvar", "kv": "kV", "a": "A", "ohm": "ohm", "km": "km", "m": "m",
    "h": "h", "min": "min", "s": "s", "ms": "ms", "us": "us", "c": "degC", "deg": "deg", "kg": "kg",
    "per_year": "1/year", "fraction": "1", "probability": "1",
}  # fmt: skip


def ticks(hours_: float) -> int:
    """Hours [h] as a whole number of microseconds, never past the horizon's limit (`NEVER` stands for later)."""
    value = hours_ * TICKS_PER_H
    if not value < NEVER:
        if math.isnan(value):
            raise InputError(f"a time of {hours_} h is not a number")
        return NEVER
    return round(value)


def hours(ticks_: int) -> float:
    """Ticks [us] as hours [h]."""
    return ticks_ / TICKS_PER_H


def unit_of(name: str) -> str:
    """The unit that a name's suffix says, e.g. `import_kwh` -> "kWh"; "" where the name has none."""
    parts = name.split("_")
    for size in (2, 1):
        suffix = "_".join(parts[-size:])
        if len(parts) > size and suffix in SUFFIXES:
            return SUFFIXES[suffix]
    return ""
