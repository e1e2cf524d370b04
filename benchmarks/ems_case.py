"""A site's year as one case: load, PV, price and a battery in arrays; its bill, and the check of a trace against it.

Cases and traces are npz files. Arrays of a case are `load_kw`, `pv_kw`, `price`, `month` and, at will,
`soc_floor_kwh`; all else are scalars. Arrays of a trace: `grid_kw`, `soc_kwh` (at each step's end), `ch_kw`, `dis_kw`,
`x_kw` (PV that is not used). All powers are means over the step at the grid side.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Case = dict[str, Any]
Trace = dict[str, np.ndarray]

SCALARS: Case = {
    "step_h": 1.0, "demand_charge": 0.0, "export_price": 0.0, "batt_kwh": 0.0, "ch_kw": 0.0, "dis_kw": 0.0,
    "eta_ch": 0.95, "eta_dis": 0.95, "self_dis_per_h": 0.0, "soc_min": 0.05, "soc_max": 0.95, "soc_init": 0.5,
    "grid_limit_kw": 1e9, "deg_cost": 0.0, "allow_export": 0, "allow_grid_charge": 1, "contract_kw": -1.0,
    "transformer_kva": 0.0, "capacity_price": 0.0, "demand_mode": "actual",
}  # fmt: skip
MEANS = ("load_kw", "pv_kw", "price")
TOLERANCE = 1e-6


def read(path: Path | str) -> Case:
    """The case of a file, with defaults for the scalars it leaves out."""
    case = dict(SCALARS)
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            case[name] = file[name] if file[name].ndim else file[name].item()
    return case


def write(path: Path | str, arrays: Case | Trace) -> None:
    """Write a case or a trace."""
    np.savez_compressed(path, **{name: np.asarray(value) for name, value in arrays.items()})


def resampled(case: Case, step_h: float) -> Case:
    """The case at another step: means of several steps, or each step repeated."""
    ratio = step_h / case["step_h"]
    out = dict(case, step_h=step_h)
    for name in (*MEANS, "month", "soc_floor_kwh"):
        if name not in case:
            continue
        if ratio < 1.0:
            out[name] = np.repeat(case[name], round(1.0 / ratio))
        else:
            parts = case[name].reshape(-1, round(ratio))
            out[name] = parts.mean(axis=1) if name in MEANS else parts.max(axis=1)
    return out


def floor_kwh(case: Case) -> np.ndarray:
    """Least stored energy at each step's end."""
    least = np.full(len(case["load_kw"]), case["soc_min"] * case["batt_kwh"])
    return np.maximum(least, case["soc_floor_kwh"]) if "soc_floor_kwh" in case else least


def contract(case: Case, peaks_kw: np.ndarray) -> float:
    """The contracted demand: as given, or the cheapest one for a year's peaks [kW]."""
    if case["contract_kw"] >= 0.0:
        return float(case["contract_kw"])
    least = 0.4 * case["transformer_kva"]
    choices = np.concatenate([[least], peaks_kw / 1.05, peaks_kw])
    choices = choices[choices >= least]
    return float(min(choices, key=lambda kw: kw * len(peaks_kw) + 2.0 * np.maximum(0.0, peaks_kw - 1.05 * kw).sum()))


def bill(
    case: Case, grid_kw: np.ndarray, given_kw: np.ndarray | float = 0.0, unused_kw: np.ndarray | float = 0.0
) -> float:
    """Energy, demand and wear of a year less income from export, in the case's currency."""
    dt = case["step_h"]
    peaks_kw = np.array([grid_kw[case["month"] == month].max() for month in np.unique(case["month"])])
    demand = case["demand_charge"] * peaks_kw.sum()
    if case["demand_mode"] == "capacity":
        demand = case["capacity_price"] * case["transformer_kva"] * len(peaks_kw)
    elif case["demand_mode"] == "contract":
        kw = contract(case, peaks_kw)
        demand = case["demand_charge"] * (kw * len(peaks_kw) + 2.0 * np.maximum(0.0, peaks_kw - 1.05 * kw).sum())
    income = case["export_price"] * np.sum(unused_kw) * dt if case["allow_export"] else 0.0
    return float(np.dot(case["price"], grid_kw) * dt + demand + case["deg_cost"] * np.sum(given_kw) * dt - income)


def demand_terms(case: Case) -> tuple[float, float]:
    """What a policy must know of how demand is billed: price of a kW more, and import that adds nothing [kW].

    Above the band of a contract the price is double. A contract that is still to be chosen is chosen after the year,
    so a kW costs its price alone, from the least contract on.
    """
    if case["demand_mode"] == "capacity":
        return 0.0, 0.0
    if case["demand_mode"] == "actual":
        return float(case["demand_charge"]), 0.0
    if case["contract_kw"] >= 0.0:
        return 2.0 * case["demand_charge"], 1.05 * case["contract_kw"]
    return float(case["demand_charge"]), 1.05 * 0.4 * case["transformer_kva"]


def baseline(case: Case) -> float:
    """The bill without the battery."""
    net = case["load_kw"] - case["pv_kw"]
    return bill(case, np.maximum(net, 0.0), 0.0, np.maximum(-net, 0.0))


def broken(case: Case, trace: Trace) -> list[str]:
    """Which laws a trace breaks by more than 1e-6 kW or kWh; empty when it is sound."""
    dt, grid, soc = case["step_h"], trace["grid_kw"], trace["soc_kwh"]
    taken, given, unused = trace["ch_kw"], trace["dis_kw"], trace["x_kw"]
    before = np.concatenate([[case["soc_init"] * case["batt_kwh"]], soc[:-1]])
    after = before * (1.0 - case["self_dis_per_h"] * dt) + taken * case["eta_ch"] * dt - given / case["eta_dis"] * dt
    most_unused = np.inf if case["allow_export"] else case["pv_kw"]
    most_given = np.inf if case["allow_export"] else case["load_kw"]
    most_taken = np.inf if case["allow_grid_charge"] else case["pv_kw"]
    excess = {
        "power balance": np.abs(case["load_kw"] - case["pv_kw"] + taken - given - grid + unused),
        "stored energy": np.abs(after - soc),
        "floor": floor_kwh(case) - soc,
        "top": soc - case["soc_max"] * case["batt_kwh"],
        "charging power": np.maximum(taken - case["ch_kw"], -taken),
        "discharging power": np.maximum(given - case["dis_kw"], -given),
        "no export": np.maximum(unused - most_unused, given - most_given),
        "no charging from the grid": taken - most_taken,
        "grid limit": np.maximum(grid - case["grid_limit_kw"], -grid),
        "unused below zero": -unused,
    }
    return [
        f"{law}: {amount.max():.3g} over at step {int(np.argmax(amount))}"
        for law, amount in excess.items()
        if not amount.max() <= TOLERANCE
    ]
