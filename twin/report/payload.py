"""A year of a trace packed for the page: times and powers as integers, charge as whole percent, all deflated.

The trace file stays the exact record. What the page loses: powers are rounded to a 4095th of their range, times to a
second, and of state of charge it has the least of each hour.
"""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import InputError
from twin.plot.operation import away_spans_h, charge_by_hour, powers_mw
from twin.report.lanes import events, lanes, worst_outage_h
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]

LEVELS = 4095
OUT_OF_SERVICE = 255
CELLS_MAX = 4_000_000
"""Cells of the charge map; above it neighbouring units share a row, which shows their least."""
_S = TICKS_PER_H / 3600


def replay(trace: Trace) -> dict[str, Any]:
    """All that the replay draws, ready for JSON.

    Args:
        trace: recorded at level "series" or "units".

    Returns:
        `start` (ISO text), `horizon_s`, `sites` (list) and `trucks` (None where there are none).

    Raises:
        InputError: the trace has no powers.
    """
    if not trace.series:
        raise InputError("this trace has no powers to replay (recorded at levels 'series' and 'units')")
    return {
        "start": f"{trace.meta['start']}T00:00:00",
        "horizon_s": round(trace.meta["horizon_us"] / _S),
        "sites": [_site(trace, name) for name in trace.meta["sites"]],
        "trucks": _trucks(trace),
    }


def _site(trace: Trace, name: str) -> dict[str, Any]:
    series = trace.series[name]
    time_s = np.round(series["time_us"] / _S).astype(np.int64)
    last = np.append(time_s[1:] != time_s[:-1], True)  # of several changes within a second the last one holds
    found, _ = events(trace, name)
    begin, end = worst_outage_h(trace, name)
    return {
        "name": name,
        "time": packed(np.diff(time_s[last], prepend=0), "<u4"),
        "lines": [{"key": key, **_line(mw[last])} for key, mw in powers_mw(series).items()],
        "charge": _charge(trace, name),
        "away": [[round(a * 3600), round(b * 3600)] for a, b in away_spans_h(trace, name)],
        "lanes": [
            {"name": lane.name, "spans": [[round(a * 3600), round(b * 3600), state] for a, b, state in lane.spans]}
            for lane in lanes(trace, name)
        ],
        "events": [[round(one.time_h * 3600), one.text] for one in found],
        "worst": [round(begin * 3600), round(end * 3600)],
    }


def _line(mw: Float) -> dict[str, Any]:
    low, high = float(mw.min()), float(mw.max())
    steps = np.round((mw - low) / max(high - low, 1e-12) * LEVELS).astype(np.int64)
    change = np.diff(steps, prepend=0)
    split = np.concatenate([change & 0xFF, (change >> 8) & 0xFF])  # high bytes are nearly all alike
    return {"low": low, "high": high, "data": packed(split, "u1")}


def resolution_kw(trace: Trace) -> float:
    """The largest rounding of a power in the page [kW]."""
    ranges = [np.ptp(mw) for series in trace.series.values() for mw in powers_mw(series).values()]
    return float(max(ranges, default=0.0)) * 1000 / LEVELS


def _charge(trace: Trace, site: str) -> dict[str, Any] | None:
    try:
        names, least = charge_by_hour(trace, site)
    except InputError:
        return None
    percent = np.where(np.isnan(least), OUT_OF_SERVICE, np.round(100 * np.nan_to_num(least))).astype(np.int64)
    _mark_out_of_service(trace, names, percent)
    together = -(-percent.size // CELLS_MAX)
    if together > 1:
        padded = np.pad(percent, ((0, -len(percent) % together), (0, 0)), mode="edge")
        percent = padded.reshape(-1, together, percent.shape[1]).min(axis=1)
    change = np.diff(percent, axis=1, prepend=0) & 0xFF
    return {
        "rows": len(percent), "units": len(names), "hours": percent.shape[1], "first": names[0], "last": names[-1],
        "data": packed(change, "u1"),
    }  # fmt: skip


def _mark_out_of_service(trace: Trace, names: list[str], percent: NDArray[np.int64]) -> None:
    """Hours through which a unit was down from beginning to end."""
    table = trace.events
    down = table["what"] == trace.what("up")
    place = {name: k for k, name in enumerate(names)}
    since: dict[int, int] = {}
    horizon_us = int(trace.meta["horizon_us"])
    spans: list[tuple[int, int, int]] = []
    for time_us, item, value in zip(
        table["time_us"][down].tolist(), table["item"][down].tolist(), table["value"][down].tolist(), strict=True
    ):
        if value == 0:
            since.setdefault(item, time_us)
        elif item in since:
            spans.append((item, since.pop(item), time_us))
    spans += [(item, time_us, horizon_us) for item, time_us in since.items()]
    for item, begin, end in spans:
        row = place.get(trace.items["name"][item])
        if row is not None:
            first, last = -(-begin // TICKS_PER_H), end // TICKS_PER_H
            percent[row, int(first) : int(last)] = OUT_OF_SERVICE


def packed(values: ArrayLike, kind: str) -> str:
    """Whole numbers as bytes of a numpy type, deflated, in base64."""
    return base64.b64encode(zlib.compress(np.asarray(values).astype(kind).tobytes(), 9)).decode("ascii")


def _trucks(trace: Trace) -> dict[str, Any] | None:
    """Sites on a plane, and of every truck its legs: [begin, end, from, to], seconds and numbers of sites."""
    items = np.unique(np.concatenate([trace.stays["item"], trace.trips["item"]])).tolist()
    if not items:
        return None
    legs = {}
    for item in items:
        own: list[list[int]] = []
        table = trace.stays
        for row in np.flatnonzero((table["item"] == item) & (table["site"] >= 0)).tolist():
            site = int(table["site"][row])
            own.append([round(table["start_us"][row] / _S), round(table["end_us"][row] / _S), site, site])
        table = trace.trips
        rows = (table["item"] == item) & (table["destination"] >= 0) & (table["depart_us"] >= 0)
        for row in np.flatnonzero(rows).tolist():
            arrive = int(table["arrive_us"][row])
            end = int(trace.meta["horizon_us"]) if arrive < 0 else arrive
            ends = int(table["origin"][row]), int(table["destination"][row])
            own.append([round(table["depart_us"][row] / _S), round(end / _S), *ends])
        legs[trace.items["name"][item]] = sorted(own)
    return {"legs": legs, "places": _places(trace)}


def _places(trace: Trace) -> list[list[float]]:
    """Sites on a plane between 0 and 1, as far apart as the roads between them (classical scaling; Torgerson 1952)."""
    km = _roads_km(trace)
    count = len(km)
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centre @ km**2 @ centre)
    plane = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 0.0))
    plane = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    size = max(float(np.ptp(plane, axis=0).max()), 1e-9)
    found: list[list[float]] = np.round((plane - plane.min(axis=0)) / size, 3).tolist()
    return found


def _roads_km(trace: Trace) -> Float:
    """Shortest ways between sites by the scenario's roads; pairs without any are as far apart as the farthest."""
    sites: list[str] = trace.meta["sites"]
    km = np.full((len(sites), len(sites)), np.inf)
    np.fill_diagonal(km, 0.0)
    given = json.loads(trace.meta["scenario_text"]).get("roads", {}).get("distances_km", {})
    for one, others in given.items():
        for other, length in others.items():
            if one in sites and other in sites:
                a, b = sites.index(one), sites.index(other)
                km[a, b] = km[b, a] = length
    for middle in range(len(sites)):
        km = np.minimum(km, km[:, middle, None] + km[None, middle])
    known = km[np.isfinite(km)]
    return np.where(np.isfinite(km), km, max(float(known.max()), 1.0))
