"""Checkpoints and restarts of a gang job: how long an hour of useful training takes (Young, Daly)."""

from __future__ import annotations

import math

from twin.trace import Trace
from twin.units import HOURS_PER_YEAR
from twin.validate.case import Case
from twin.validate.worlds import hall, in_world

MEAN_H = 5.0
WRITE_H = 2.0 / 60.0
RESTART_H = 0.25


def _daly(name: str, interval_h: float) -> Case:
    """Hardware alone interrupts; a restart is not interrupted, so it adds to each failure."""
    expected = (MEAN_H + RESTART_H) * math.expm1((interval_h + WRITE_H) / MEAN_H) / interval_h
    data = hall(1.0, {"feeders": {"A": {}}})
    data["jobs"] = {
        "training": {
            "kind": "gang", "gpus": 80, "detection_min": 5.0, "warm_restart_min": 60.0 * RESTART_H - 5.0,
            "checkpoint": {"interval_min": 60.0 * interval_h, "stall_s": 3600.0 * WRITE_H, "mode": "blocking"},
            "hardware": {"per_1000_server_days": 24_000.0 / (10.0 * MEAN_H)},
        }
    }  # fmt: skip

    def read(trace: Trace) -> list[float]:
        return [trace.years * HOURS_PER_YEAR / (float(trace.jobs["useful_us"][0]) / 3.6e9)]

    return Case(
        f"completion time, {name}",
        f"a failure every {MEAN_H:g} h, checkpoints of 2 min every {60 * interval_h:.0f} min, restart 15 min",
        "(M + D)(exp((tau + delta)/M) - 1)/tau; Daly 2006, failures also hit checkpoints",
        {"hours_per_useful_h": expected},
        30,
        in_world(data, read),
    )


def _daly_interval(delta: float, mean: float) -> float:
    """Daly's higher-order optimum (Future Generation Computer Systems 22, 2006)."""
    e = math.sqrt(delta / (2.0 * mean))
    return math.sqrt(2.0 * delta * mean) * (1.0 + e / 3.0 + e * e / 9.0) - delta


CASES = (
    _daly("Young's interval", math.sqrt(2.0 * WRITE_H * MEAN_H)),
    _daly("Daly's interval", _daly_interval(WRITE_H, MEAN_H)),
    _daly("three hours", 3.0),
)
