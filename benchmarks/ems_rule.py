"""A case stepped by the compiled rule alone: the yardstick beside the plant, and for what the plant does not know."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from ems_case import Case, Trace, demand_terms, floor_kwh

from twin.ems.policies import POLICIES
from twin.ems.storage import Storage, act
from twin.ems.view import PLAN_H, Plan, Policy, View
from twin.kernel import kernel
from twin.parts.ems import load_policy

REPLAN_H = 6
SLOT_H = 1.0


@kernel
def carry_out(
    first: int, last: int, slot_steps: int, step_h: float, net_kw: Any, floor: Any, stored: float, up: Any, down: Any,
    cap: Any, peak: float, kept: float, storage: Storage, out: Any,
) -> tuple[float, float]:  # fmt: skip
    """Steps first to last - 1 of a plan whose first slot begins at `first`; rows of `out`: import, stored, in, out."""
    for t in range(first, last):
        k = (t - first) // slot_steps
        stored *= kept
        most = max(cap[k], peak)
        hours = (slot_steps - (t - first) % slot_steps) * step_h
        taken, given = act(net_kw[t], stored, up[k], down[k], most, floor[t], hours, storage)
        room_kw = (storage.top_kwh - stored) / storage.charge_efficiency / step_h
        have_kw = (stored - floor[t]) * storage.discharge_efficiency / step_h
        taken, given = min(taken, max(room_kw, 0.0)), min(given, max(have_kw, 0.0))
        if net_kw[t] - cap[k] > given:
            given = max(given, min(net_kw[t] - most, storage.discharge_kw, max(have_kw, 0.0)))
        after = stored + taken * storage.charge_efficiency * step_h - given / storage.discharge_efficiency * step_h
        if after < floor[t] and stored < floor[t] and storage.grid_charge > 0.0:  # a floor comes before the cap
            given = 0.0
            taken = min((floor[t] - stored) / storage.charge_efficiency / step_h, storage.charge_kw)
        stored += taken * storage.charge_efficiency * step_h - given / storage.discharge_efficiency * step_h
        out[0, t], out[1, t], out[2, t], out[3, t] = max(net_kw[t] + taken - given, 0.0), stored, taken, given
        peak = max(peak, out[0, t])
    return stored, peak


def policy_of(name: str) -> Policy:
    """A policy by its name, or from a file."""
    return POLICIES[name]() if name in POLICIES else load_policy(name)


def run(case: Case, name: str) -> tuple[Trace, float]:
    """The trace of a policy, and the CPU seconds of its plans."""
    policy = policy_of(name)
    steps = round(SLOT_H / case["step_h"])
    net_kw = case["load_kw"] - case["pv_kw"]
    floor = floor_kwh(case)
    hourly, price, month = (row.reshape(-1, steps).mean(axis=1) for row in (net_kw, case["price"], case["month"]))
    floors = floor.reshape(-1, steps).max(axis=1)
    storage = Storage(
        case["soc_max"] * case["batt_kwh"], float(case["ch_kw"]), float(case["dis_kw"]), case["eta_ch"],
        case["eta_dis"], 1.0 - case["self_dis_per_h"] * SLOT_H, float(case["deg_cost"]), SLOT_H,
        float(bool(case["allow_grid_charge"])),
    )  # fmt: skip
    kept = 1.0 - case["self_dis_per_h"] * case["step_h"]
    demand, free_kw = demand_terms(case)
    stored, peak, spent, cap = case["soc_init"] * case["batt_kwh"], free_kw, 0.0, np.nan
    out = np.zeros((4, net_kw.size))
    for hour in range(0, hourly.size, REPLAN_H):
        if hour and month[hour] != month[hour - 1]:
            peak = free_kw
        left = int(np.argmax(month[hour:] != month[hour])) or hourly.size - hour
        coming = _ahead(price, hour, max(left, PLAN_H))
        begun = time.process_time()
        plan: Plan = policy.plan(View(
            hourly[: max(hour, 1)], coming, _ahead(floors, hour, PLAN_H), np.full(PLAN_H, np.inf),
            np.full(PLAN_H, np.nan), storage, stored, peak, demand, float(case["grid_limit_kw"]), left,
            np.nan if hour % 24 == 0 else cap,
        ))  # fmt: skip
        spent += time.process_time() - begun
        cap = plan.cap_kw
        last = min((hour + REPLAN_H) * steps, net_kw.size)
        stored, peak = carry_out(
            hour * steps, last, steps, case["step_h"], net_kw, floor, stored, plan.up_kwh, plan.down_kwh,
            plan.import_cap_kw, peak, kept, storage, out,
        )  # fmt: skip
    unused = np.maximum(-(net_kw + out[2] - out[3]), 0.0)
    return {"grid_kw": out[0], "soc_kwh": out[1], "ch_kw": out[2], "dis_kw": out[3], "x_kw": unused}, spent


def _ahead(row: np.ndarray, hour: int, count: int) -> np.ndarray:
    """`count` values from `hour` on; beyond the end the last day again."""
    found = row[hour : hour + count]
    return np.concatenate([found, np.resize(row[-24:], count - found.size)])
