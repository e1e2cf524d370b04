"""What electricity has made: useful GPU-hours per kWh and per unit of money; slowdown, use of the cluster, tenants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR, TICKS_PER_H, TICKS_PER_S

CONSUMED = ("it_kwh", "cooling_kwh", "house_kwh", "loss_kwh", "auxiliary_kwh", "storage_loss_kwh", "network_loss_kwh")
"""Columns of the ledger that make up what a site consumes."""
SHORTEST_US = 10 * TICKS_PER_S
"""Shorter jobs count as so long in the bounded slowdown (Feitelson 2001)."""


def values(trace: Trace, found: dict[str, float], lost_gpu_h: NDArray[np.float64]) -> dict[str, float]:
    """The metrics of this file.

    Args:
        trace: the trace.
        found: other metrics of it: useful GPU-hours, energy cost and bill.
        lost_gpu_h: by interruption.
    """
    jobs, years = trace.jobs, trace.years
    kinds = trace.items["kind"]
    is_queue = np.array([kind == "queue" for kind in kinds], bool)
    useful = found["gpu_h_useful_per_year"] + found["queue_gpu_h_useful_per_year"]
    consumed_kwh = sum(float(np.add.reduce(ledger[name])) for ledger in trace.ledger.values() for name in CONSUMED)
    paid = found["bill_per_year"] if math.isfinite(found["bill_per_year"]) else found["energy_cost_per_year"]
    queue_gpu_h = float(trace.items["gpus"][is_queue].sum()) * years * HOURS_PER_YEAR
    completed = is_queue[jobs["item"]] & (jobs["end_us"] >= 0) & waits_known(trace)
    by_decision = _by_decision(trace)
    return {
        "useful_gpu_h_per_kwh": useful * years / consumed_kwh if consumed_kwh else math.nan,
        "useful_gpu_h_per_money": useful / paid if paid else math.nan,
        "mean_slowdown": float(slowdown(jobs)[completed].mean()) if completed.any() else math.nan,
        "queue_use_fraction": (found["queue_gpu_h_useful_per_year"] * years / queue_gpu_h if queue_gpu_h else math.nan),
        "record_use_fraction": _record_use(trace),
        "jobs_stopped_per_year": np.count_nonzero(by_decision) / years,
        "lost_gpu_h_stopped_per_year": float(lost_gpu_h[by_decision].sum()) / years,
    }


def waits_known(trace: Trace) -> NDArray[np.bool_]:
    """By job, whether its wait says anything: not in the replay of a record whose own cluster's size nobody knows."""
    unknown = set(trace.meta.get("waits_unknown", ()))
    known = np.array([name not in unknown for name in trace.items["name"]], bool)
    return np.asarray(known[trace.jobs["item"]], bool)


def _record_use(trace: Trace) -> float:
    """GPU-hours that the records say were used, over the same span and the same GPUs as the replay's use."""
    used = trace.meta.get("record_gpu_h", {})
    names, gpus = trace.items["name"], trace.items["gpus"]
    held_gpu_h = sum(int(gpus[names.index(name)]) for name in used) * trace.years * HOURS_PER_YEAR
    return sum(used.values()) / held_gpu_h if held_gpu_h else math.nan


def slowdown(jobs: dict[str, Any]) -> NDArray[np.float64]:
    """Bounded slowdown of each job that has ended: time from submission to end over its run time, at least one."""
    run_us = np.maximum(jobs["useful_us"], SHORTEST_US)
    return np.asarray(np.maximum(1.0, (jobs["end_us"] - jobs["submit_us"]) / run_us), np.float64)


def _by_decision(trace: Trace) -> NDArray[np.bool_]:
    """Whether each interruption was a stop that the application layer decided."""
    cause = trace.interruptions["cause"]
    known = cause >= 0
    decided = np.zeros(len(cause), bool)
    decided[known] = trace.events["what"][cause[known]] == trace.what("application")
    return decided


def by_tenant(trace: Trace) -> Table:
    """Queued jobs by whose they are, most useful GPU-hours first.

    Returns:
        Columns `tenant`, `jobs` (submitted), `completed`, `mean_wait_h` (of those that started), `mean_slowdown` (of
        those that ended), `useful_gpu_h` and `lost_gpu_h`, over the whole horizon; nan where there are none, and for
        waits and slowdown where they say nothing (see `waits_known`).
    """
    jobs, names = trace.jobs, trace.items["name"]
    gpu_h = jobs["gpus"] / TICKS_PER_H
    useful = gpu_h * jobs["useful_us"]
    lost = gpu_h * (jobs["rollback_us"] + jobs["down_us"])
    started, ended = jobs["start_us"] >= 0, jobs["end_us"] >= 0
    wait_h = (jobs["start_us"] - jobs["submit_us"]) / TICKS_PER_H
    slow, known = slowdown(jobs), waits_known(trace)
    rows = []
    for item in np.unique(jobs["tenant"][jobs["tenant"] >= 0]).tolist():
        own = jobs["tenant"] == item
        rows.append(
            (
                names[item].rsplit("/", 1)[-1], int(own.sum()), int((own & ended).sum()),
                _mean(wait_h[own & started & known]), _mean(slow[own & ended & known]),
                float(useful[own].sum()), float(lost[own].sum()),
            )
        )  # fmt: skip
    rows.sort(key=lambda one: (-one[5], one[0]))
    columns = ("tenant", "jobs", "completed", "mean_wait_h", "mean_slowdown", "useful_gpu_h", "lost_gpu_h")
    table: Table = {name: [one[k] for one in rows] for k, name in enumerate(columns)}
    return {name: cells if name == "tenant" else np.array(cells) for name, cells in table.items()}


def _mean(values_: NDArray[np.float64]) -> float:
    return float(values_.mean()) if len(values_) else math.nan
