"""Batteries and trucks against outages: fixed autonomy under four repair laws, finite recharge, late arrival."""

from __future__ import annotations

import math
from typing import Any

from scipy.special import gammaincc, ndtr

from twin.trace import Trace
from twin.units import HOURS_PER_YEAR
from twin.validate.case import Case
from twin.validate.worlds import (
    RELIABLE_H,
    ROW_KW,
    dark,
    exponential,
    feeder,
    hall,
    in_world,
    per_year,
    server,
    spans_h,
)

MEAN_H = 2.0
AUTONOMY_H = 1.5


def _cabinets(autonomy_h: float, recharge_kw: float) -> dict[str, Any]:
    """One in-line cabinet, lossless, that carries the row for so long."""
    return {
        "per_row": 1, "rated_kw": 2.0 * ROW_KW, "rated_kwh": ROW_KW * autonomy_h, "soc_min_fraction": 0.0,
        "soc_max_fraction": 1.0, "efficiency_one_way": 1.0, "auxiliary_kw": 0.0, "topology": "in_line",
        "transfer_failure_probability": 0.0, "cabinet_mtbf_h": RELIABLE_H, "recharge_kw": recharge_kw,
    }  # fmt: skip


def _exponential() -> tuple[dict[str, Any], float, float]:
    left = math.exp(-AUTONOMY_H / MEAN_H)
    return exponential(MEAN_H), left, MEAN_H * left


def _lognormal() -> tuple[dict[str, Any], float, float]:
    sigma = 1.0
    d = (math.log(MEAN_H) - sigma**2 / 2 - math.log(AUTONOMY_H)) / sigma
    law = {"law": "lognormal", "sigma": sigma, "mean": MEAN_H}
    return law, float(ndtr(d)), MEAN_H * float(ndtr(d + sigma)) - AUTONOMY_H * float(ndtr(d))


def _weibull() -> tuple[dict[str, Any], float, float]:
    shape = 0.7
    scale = MEAN_H / math.gamma(1.0 + 1.0 / shape)
    x = (AUTONOMY_H / scale) ** shape
    excess = MEAN_H * float(gammaincc(1.0 + 1.0 / shape, x)) - AUTONOMY_H * math.exp(-x)
    return {"law": "weibull", "shape": shape, "mean": MEAN_H}, math.exp(-x), excess


def _gamma() -> tuple[dict[str, Any], float, float]:
    shape = 2.0
    x = AUTONOMY_H * shape / MEAN_H
    left = float(gammaincc(shape, x))
    law = {"law": "gamma", "shape": shape, "mean": MEAN_H}
    return law, left, MEAN_H * float(gammaincc(shape + 1.0, x)) - AUTONOMY_H * left


def _autonomy(law: dict[str, Any], left: float, excess_h: float, replications: int) -> Case:
    """A battery of fixed autonomy, full again before the next outage."""
    up_h = 40.0
    nu = 1.0 / (up_h + MEAN_H)
    data = hall(
        1.0, {"feeders": {"A": feeder(HOURS_PER_YEAR / up_h, law)}}, {"cabinets": _cabinets(AUTONOMY_H, 1e9)}
    )  # fmt: skip
    return Case(
        f"grid and battery, {law['law']} outages",
        f"outages of {MEAN_H:g} h in the mean, autonomy {AUTONOMY_H:g} h, recharge as good as instantaneous",
        "f = nu P(D > T), h = nu E(D - T)+, nu = 1 / (MTTF + MTTR)",
        per_year(nu * left, nu * excess_h),
        replications,
        in_world(data, dark()),
    )


def _recharge() -> Case:
    """A battery that needs twice its autonomy to be full again: repeat outages find it half full."""
    up_h, down_h, speed = 12.0, 2.0, 0.5
    fails, returns = 1.0 / up_h, 1.0 / down_h
    theta = returns - fails / speed
    grows = math.exp(theta * AUTONOMY_H)
    c = 1.0 / (grows / fails + 1.0 / returns + (1.0 + 1.0 / speed) * (grows - 1.0) / theta)
    grid = {"feeders": {"A": feeder(HOURS_PER_YEAR * fails, exponential(down_h))}}
    data = hall(1.0, grid, {"cabinets": _cabinets(AUTONOMY_H, speed * ROW_KW)})
    return Case(
        "grid and battery, finite recharge",
        f"outages every {up_h:g} h, autonomy {AUTONOMY_H:g} h, an hour of autonomy takes {1 / speed:g} h to recharge",
        "f = c, U = c / mu, 1/c = exp(theta T)/lambda + 1/mu + (1 + 1/rho)(exp(theta T) - 1)/theta",
        per_year(c, c / returns),
        30,
        in_world(data, dark(100.0)),
    )


def _truck() -> Case:
    """A UPS for half an hour, then nothing until a truck has come; it carries the row for two and a half hours more."""
    mean_h, days = 1.5, 100
    first_h, late_h, carried_h = 0.5, 1.5, 2.5
    point = {"limit_kw": 1000.0, "berths": 1, "connect_min": 30.0, "disconnect_min": 10.0}
    data = hall(
        days * 24.0 / HOURS_PER_YEAR,
        {
            "feeders": {"A": {}},
            "script": [{"at_h": 24.0 * day + 6.0, "duration_h": exponential(mean_h)} for day in range(days)],
        },
        {
            "ups": {
                "modules": {"n": 1, "rated_kw": ROW_KW, "mtbf_h": RELIABLE_H}, "serves": ["rows"], "loss_fraction": 0.0,
                "autonomy_min": 60.0 * first_h, "recharge_multiple": 1.0, "fail_on_demand_probability": 0.0,
                "block_mtbf_h": RELIABLE_H,
            }
        },
        connection_points={"plug": {**point, "synchronised": True, "serves": ["rows"]}},
    )  # fmt: skip
    depot = {"rows": 1, "servers_per_row": 1, "server": server(1.0)}
    data["sites"]["depot"] = {"cluster": depot, "grid": {"feeders": {"A": {}}}, "connection_points": {"yard": point}}
    data["trucks"] = {
        "one": {
            "home": "depot", "rated_kw": 500.0, "rated_kwh": ROW_KW * carried_h, "soc_min_fraction": 0.0,
            "soc_max_fraction": 1.0, "efficiency_one_way": 1.0, "auxiliary_kw": 0.0, "breakdowns_per_1000_km": 0.0,
        }
    }  # fmt: skip
    way_h = late_h - (point["disconnect_min"] + point["connect_min"]) / 60.0
    data["roads"] = {"distances_km": {"depot": {"hall": 40.0 * way_h}}, "speed_kmh": 40.0}
    data["fleet"] = {
        "policy": "nearest_first", "detection_min": 0.0, "crew": {"response_min": 0.0, "night_response_min": 0.0},
    }  # fmt: skip

    def read(trace: Trace) -> list[float]:
        spans = spans_h(trace, "hall/row-001", "lit", 0)
        return [float((spans[:, 1] - spans[:, 0]).sum()) / days]

    left = [math.exp(-t / mean_h) for t in (first_h, late_h, late_h + carried_h)]
    return Case(
        "truck after a fixed delay, fixed energy",
        f"UPS {first_h:g} h, truck after {late_h:g} h with energy for {carried_h:g} h, mean outage {mean_h:g} h",
        "h = m (exp(-T/m) - exp(-V/m) + exp(-(V + X)/m)) an outage",
        {"dark_h_per_outage": mean_h * (left[0] - left[1] + left[2])},
        60,
        in_world(data, read),
    )


CASES = (
    _autonomy(*_exponential(), 60),
    _autonomy(*_lognormal(), 100),
    _autonomy(*_weibull(), 100),
    _autonomy(*_gamma(), 50),
    _recharge(),
    _truck(),
)
