"""What a trace says about its sites' terms, and its billing months."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from twin.trace import Trace
from twin.units import TICKS_PER_H

Data = dict[str, Any]


@dataclass(frozen=True)
class Month:
    """A billing month; `share` is how much of it the horizon covers."""

    year: int
    month: int
    share: float

    @property
    def name(self) -> str:
        """As 2026-01."""
        return f"{self.year}-{self.month:02d}"


def site_terms(trace: Trace, site: str) -> Data:
    """The site's block of the resolved scenario; empty where the trace carries none. Not to be changed."""
    found: Data = scenario_of(trace).get("sites", {}).get(site, {})
    return found


def scenario_of(trace: Trace) -> Data:
    """The resolved scenario that a trace carries. Not to be changed."""
    return _scenario(trace.meta.get("scenario_text") or "{}")


@lru_cache(maxsize=64)
def _scenario(text: str) -> Data:
    found: Data = json.loads(text)
    return found


def months(trace: Trace, site: str) -> list[Month]:
    """The billing months of the site's ledger."""
    ledger = trace.ledger[site]
    return list(_months(trace.meta["start"], tuple(ledger["start_us"].tolist()), tuple(ledger["end_us"].tolist())))


def at(data: Any, path: str) -> Any:
    """What stands at a key path of plain data, as `sites.campus.pv.peak_kw`; None where the data lack it."""
    return _follow(data, _parts(path))


def put(data: Any, path: str, value: float) -> None:
    """Set a number at a key path of plain data, see `at`; a path that the data lack is left out.

    A whole number stays one where the data have one.
    """
    *way, last = _parts(path)
    data = _follow(data, way)
    if data is None:
        return
    key: Any = int(last) if isinstance(data, list) else last
    if isinstance(data, list) or key in data:
        data[key] = round(value) if isinstance(data[key], int) else value


def _parts(path: str) -> list[str]:
    return re.findall(r"[^.\[\]]+", path)


def _follow(data: Any, way: list[str]) -> Any:
    for part in way:
        data = data[int(part)] if isinstance(data, list) else data.get(part) if isinstance(data, dict) else None
    return data


@lru_cache(maxsize=64)
def _months(start: str, start_us: tuple[int, ...], end_us: tuple[int, ...]) -> tuple[Month, ...]:
    found = []
    for begin, end in zip(start_us, end_us, strict=True):
        day = date.fromisoformat(start) + timedelta(hours=begin // TICKS_PER_H)
        first = day.replace(day=1)
        following = (first + timedelta(days=31)).replace(day=1)
        found.append(Month(day.year, day.month, (end - begin) / TICKS_PER_H / 24 / (following - first).days))
    return tuple(found)
