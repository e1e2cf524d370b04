"""Trucks in figures: where they were, what they did, whether they came in time, what that cost and earned."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from twin.metrics.causes import TRUCK_KINDS
from twin.schema_trace import TRIP_REASONS, TRUCK_PHASES, Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]
_NAMES = (
    "truck_trips_per_year", "truck_km_per_year", "truck_on_the_way_h_per_year", "truck_in_time_per_year",
    "truck_too_late_per_year", "truck_discharge_kwh_per_year", "truck_cost_per_year", "lending_income_per_year",
    "lost_gpu_h_while_lent_per_year",
)  # fmt: skip
_CREWED = tuple(TRUCK_PHASES.index(name) for name in ("unplugging", "travelling", "connecting"))


def phase_h(trace: Trace) -> Table:
    """Hours of every truck in every phase.

    Returns:
        Columns `truck` (item names) and one for each phase, in hours over the whole horizon.
    """
    events, kinds = trace.events, trace.items["kind"]
    trucks = [item for item, kind in enumerate(kinds) if kind in TRUCK_KINDS]
    hours = np.zeros((len(trucks), len(TRUCK_PHASES)))
    of_phase = events["what"] == trace.what("phase")
    for k, item in enumerate(trucks):
        own = of_phase & (events["item"] == item)
        at_us = np.concatenate([[0], events["time_us"][own], [trace.meta["horizon_us"]]])
        phase = np.concatenate([[0], events["value"][own]]).astype(np.int64)
        np.add.at(hours[k], phase, np.diff(at_us) / TICKS_PER_H)
    columns = {name: hours[:, k].copy() for k, name in enumerate(TRUCK_PHASES)}
    return {"truck": [trace.items["name"][item] for item in trucks], **columns}


def values(trace: Trace, lost_gpu_h: Float, slowed_gpu_h: Float) -> dict[str, float]:
    """The truck metrics of `metrics.row`; all zero where there are no trucks, but for the value of what is lost.

    Args:
        lost_gpu_h: by each interruption, to power and planned work (0 where hardware began it).
        slowed_gpu_h: by each job, to power caps, pauses and fewer rows.
    """
    years, trips, stays = trace.years, trace.trips, trace.stays
    found = dict.fromkeys(_NAMES, 0.0) | {"lost_value_per_year": _lost_value(trace, lost_gpu_h, slowed_gpu_h) / years}
    if not len(stays["item"]):
        return found
    phases = phase_h(trace)
    return found | {
        "truck_trips_per_year": float(np.count_nonzero(trips["depart_us"] >= 0)) / years,
        "truck_km_per_year": float(trips["km"].sum()) / years,
        "truck_on_the_way_h_per_year": float(sum(phases[TRUCK_PHASES[k]].sum() for k in _CREWED)) / years,
        "truck_in_time_per_year": float(np.count_nonzero(trips["in_time"] == 1)) / years,
        "truck_too_late_per_year": float(np.count_nonzero(trips["in_time"] == 0)) / years,
        "truck_discharge_kwh_per_year": float(stays["discharged_kwh"].sum()) / years,
        "truck_cost_per_year": float(trips["cost"].sum() + stays["cost"].sum()) / years,
        "lending_income_per_year": float(stays["income"].sum()) / years,
        "lost_gpu_h_while_lent_per_year": _lost_while_lent(trace, lost_gpu_h) / years,
    }


def net_cost(found: dict[str, float]) -> float:
    """Energy, trucks and lost value together, less what lending earns [currency/year]; demand charges are not in it."""
    spent = found["energy_cost_per_year"] + found["truck_cost_per_year"] + found["lost_value_per_year"]
    return spent - found["lending_income_per_year"]


def trips_by_reason(trace: Trace) -> Table:
    """Trips, kilometres and arrivals in time, by the reason of the order, over the whole horizon."""
    trips = trace.trips
    own = [trips["reason"] == k for k in range(len(TRIP_REASONS))]
    return {
        "reason": list(TRIP_REASONS),
        "trips": np.array([np.count_nonzero(rows) for rows in own], np.int64),
        "km": np.array([trips["km"][rows].sum() for rows in own]),
        "in_time": np.array([np.count_nonzero(trips["in_time"][rows] == 1) for rows in own], np.int64),
        "too_late": np.array([np.count_nonzero(trips["in_time"][rows] == 0) for rows in own], np.int64),
    }


def _lost_while_lent(trace: Trace, lost_gpu_h: Float) -> float:
    """Lost in interruptions that began while a truck was lent out [GPU-h]: what lending may have cost at most."""
    at_us, stays = trace.interruptions["start_us"], trace.stays
    away = np.zeros(len(at_us), bool)
    for k in np.flatnonzero(stays["site"] < 0):
        away |= (at_us >= stays["start_us"][k]) & (at_us < stays["end_us"][k])
    return float(lost_gpu_h[away].sum())


def _lost_value(trace: Trace, lost_gpu_h: Float, slowed_gpu_h: Float) -> float:
    """What was lost to power, planned work and slow training, priced by each site's value of a GPU-hour."""
    price = trace.meta.get("value_per_gpu_h")
    if price is None:
        return float("nan")
    of_site = np.asarray(price, np.float64)[trace.items["site"]]
    lost = lost_gpu_h * of_site[trace.interruptions["item"]]
    return float(lost.sum() + (slowed_gpu_h * of_site[trace.jobs["item"]]).sum())
