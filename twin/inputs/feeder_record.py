"""Reads a distribution test system: feeders of main sections with laterals, load points, failure and repair data.

The layout is that of the record `rbts_bus2` (JSON): `feeders`, each a list of main sections in order from the source;
`load_points` by number; `data` with rates and times; `units` says the units, which are fixed.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.errors import InputError, Problem
from twin.files import read_bytes

UNITS = {"length": "km", "line_failure_rate": "1/(yr km)", "transformer_failure_rate": "1/yr", "times": "h",
         "average_load": "MW"}  # fmt: skip
RATES = ("line_failure_rate", "line_repair_h", "transformer_failure_rate", "transformer_repair_h",
         "transformer_replace_h", "switching_h")  # fmt: skip


@dataclass(frozen=True)
class Lateral:
    """A line from a main section to one load point, with a transformer at its end or without."""

    length_km: float
    load_point: int
    transformer: bool


@dataclass(frozen=True)
class Section:
    """A main section and the laterals that leave at its far end."""

    length_km: float
    laterals: tuple[Lateral, ...]


@dataclass(frozen=True)
class FeederRecord:
    """A distribution system.

    Attributes:
        feeders: main sections of each, in order from the source.
        load_points: by number, average load [kW] and customers.
        rates: failures a year (and km), hours; keys as in `RATES`.
    """

    feeders: tuple[tuple[Section, ...], ...]
    load_points: dict[int, tuple[float, int]]
    rates: dict[str, float]


def read_feeders(path: Path | str) -> FeederRecord:
    """Read a record.

    Raises:
        InputError: it cannot be read, or it does not hold what the layout asks for.
    """
    try:
        raw = json.loads(read_bytes(path).decode("utf-8"))
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror}", str(path))) from error
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is no JSON: {error}", str(path))) from error
    try:
        return _record(raw)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        what = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        remedy = "its layout is that of rbts_bus2.json: feeders, load_points, data, units"
        raise InputError(Problem(what, str(path), remedy=remedy)) from error


def _record(raw: dict[str, Any]) -> FeederRecord:
    units = raw["units"]
    wrong = [f"{key} in {units.get(key)}" for key, unit in UNITS.items() if units.get(key) != unit]
    if wrong:
        raise ValueError(f"has {wrong[0]}, not what this layout says")
    feeders = tuple(tuple(_section(section) for section in feeder) for feeder in raw["feeders"])
    points = {
        int(number): (1000.0 * _number("average_load_mw", point), int(_number("customers", point)))
        for number, point in raw["load_points"].items()
    }
    fed = [lateral.load_point for feeder in feeders for section in feeder for lateral in section.laterals]
    if not feeders or not all(feeders) or sorted(fed) != sorted(points):
        raise ValueError("every load point must hang on one lateral, every feeder must have a section")
    return FeederRecord(feeders, points, {key: _number(key, raw["data"]) for key in RATES})


def _section(raw: dict[str, Any]) -> Section:
    laterals = tuple(
        Lateral(_number("km", one), int(one["load_point"]), bool(one["transformer"])) for one in raw["laterals"]
    )
    return Section(_number("main_km", raw), laterals)


def _number(key: str, block: dict[str, Any]) -> float:
    value = float(block[key])
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{key} must be above zero, is {block[key]}")
    return value
