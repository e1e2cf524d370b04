"""A case run through the twin's own plant: load, PV, price and battery as a scenario, its trace as means of steps.

The battery is one cabinet beside the grid. The twin's efficiency is the same both ways; a case of unlike ones is the
same battery measured in other kWh, which are scaled back. What the twin's storage does not know is an error here.
"""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from ems_case import Case, Trace, demand_terms
from ems_rule import policy_of

import twin
from twin.ems.storage import Storage
from twin.ems.view import View
from twin.parts import ems
from twin.simulator import Simulator

START = "2026-01-01"
UNLIMITED_KW = 1e9


def run(case: Case, policy: str) -> tuple[Trace, float]:
    """The trace of a policy on a case, and the CPU seconds that planning took (compiled beforehand)."""
    warm(policy)
    with tempfile.TemporaryDirectory() as folder:
        study = twin.load(scenario(case, policy, Path(folder)), allow_code=True)
        simulator = Simulator(study)
    spent = _timed(simulator)
    trace = simulator.run(0, "units")
    return means(case, trace), spent[0]


def warm(policy: str) -> None:
    """Compile what the policy needs."""
    rng = np.random.default_rng(0)
    history = 100.0 + rng.random(24 * 60)
    floor = np.full(48, 5.0)
    storage = Storage(90.0, 50.0, 50.0, 0.95, 0.95, 1.0, 0.0, 1.0)
    view = View(
        history, np.where(np.arange(240) % 24 < 8, 0.3, 1.0), floor, np.full(48, np.inf), np.full(48, np.nan), storage,
        50.0, 60.0, 40.0, UNLIMITED_KW, 240,
    )  # fmt: skip
    policy_of(policy).plan(view)


def _timed(simulator: Simulator) -> list[float]:
    """Count the CPU seconds in `plan` of the scenario's policy."""
    spent = [0.0]
    part = next(part for part in simulator.blueprint.parts[0] if isinstance(part, ems.Ems))
    policy = part.policy or ems.load_policy(part.spec.policy_file)

    class Timed:
        def plan(self, view: Any) -> Any:
            begun = time.process_time()
            plan = policy.plan(view)
            spent[0] += time.process_time() - begun
            return plan

    part.policy = Timed()
    return spent


def unknown(case: Case) -> list[str]:
    """What of a case the twin's cabinets cannot do."""
    asked = (
        ("self-discharge", case["self_dis_per_h"]),
        ("export", case["allow_export"]),
        ("a floor that varies", np.ptp(case.get("soc_floor_kwh", np.zeros(1)))),
        ("charging from PV alone", not case["allow_grid_charge"]),
    )
    return [what for what, there in asked if there]


def scenario(case: Case, policy: str, folder: Path) -> Path:
    """Write the case as a scenario with its records; returns the file."""
    step_min = round(60 * case["step_h"])
    columns = [case["load_kw"].tolist(), case["pv_kw"].tolist(), case["price"].tolist()]
    rows = ["load,pv,price", *(f"{load!r},{pv!r},{price!r}" for load, pv, price in zip(*columns, strict=True))]
    (folder / "site.csv").write_text("\n".join(rows) + "\n")
    scale = math.sqrt(case["eta_dis"] / case["eta_ch"])
    kwh = case["batt_kwh"] * scale
    least = max(case["soc_min"] * case["batt_kwh"], float(np.max(case.get("soc_floor_kwh", 0.0)))) / case["batt_kwh"]
    demand, free_kw = demand_terms(case)
    pv_kw = float(np.max(case["pv_kw"]))
    record = f"{{file: site.csv, column: pv, step_min: {step_min}}}"
    pv = f"    pv: {{peak_kw: {pv_kw!r}, profile: {record}}}\n" if pv_kw else ""
    text = f"""
name: case
horizon: {{start: "{START}", hours: {len(case["load_kw"]) * case["step_h"]}}}
sites:
  site:
    house_load_kw: {float(case["load_kw"].max())!r}
    house_load_profile: {{file: site.csv, column: load, step_min: {step_min}}}
{pv}    price_per_kwh: {{file: site.csv, column: price, step_min: {step_min}}}
    grid: {{feeders: {{A: {{}}}}, import_limit_kw: {float(case["grid_limit_kw"])!r}}}
    protection:
      cabinets:
        core: 1
        topology: grid_following
        rated_kw: {float(case["dis_kw"])!r}
        recharge_kw: {float(case["ch_kw"])!r}
        rated_kwh: {kwh!r}
        soc_min_fraction: {least!r}
        soc_max_fraction: {float(case["soc_max"])!r}
        soc_start_fraction: {float(case["soc_init"])!r}
        efficiency_one_way: {math.sqrt(case["eta_ch"] * case["eta_dis"])!r}
        auxiliary_kw: 0.0
        cabinet_mtbf_h: 1.0e+15
    ems:
      {"policy_file" if policy.endswith(".py") else "policy"}: {policy}
      demand_price_per_kw_month: {demand!r}
      free_demand_kw: {free_kw!r}
      wear_price_per_kwh: {float(case["deg_cost"])!r}
"""
    path = folder / "case.yaml"
    path.write_text(text)
    return path


def means(case: Case, trace: twin.Trace) -> Trace:
    """Means of every step, and what is stored at its end, from the trace's exact intervals."""
    series = trace.series["site"]
    step_us = round(case["step_h"] * 3.6e9)
    n = len(case["load_kw"])
    at_us = np.arange(n + 1) * step_us

    def mean(name: str) -> np.ndarray:
        start_us = series["time_us"]
        length_h = np.diff(np.append(start_us, n * step_us)) / 3.6e9
        until = np.concatenate([[0.0], np.cumsum(series[name] * length_h)])
        knots = np.append(start_us, n * step_us)
        return np.diff(np.interp(at_us, knots, until)) / case["step_h"]

    taken, given, grid = mean("charge_kw"), mean("discharge_kw"), mean("import_kw")
    efficiency = math.sqrt(case["eta_ch"] * case["eta_dis"])
    scale = math.sqrt(case["eta_dis"] / case["eta_ch"])
    start = case["soc_init"] * case["batt_kwh"]
    stored = start + np.cumsum((taken * efficiency - given / efficiency) * case["step_h"]) / scale
    unused = mean("curtailed_kw") if case["pv_kw"].any() else np.zeros(n)
    return {"grid_kw": grid, "soc_kwh": stored, "ch_kw": taken, "dis_kw": given, "x_kw": unused}
