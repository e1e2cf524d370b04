"""What a job record holds, in figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.inputs.jobs.schema import STATES, Jobs, Reading
from twin.inputs.table import Floats

_SIZES_MAX = 16
"""Sizes listed one by one; a record with more has them by powers of two."""
_DAY_S = 86_400.0


def summary(reading: Reading) -> dict[str, Any]:
    """Counts, sizes, GPU-hours, times and states of a record's jobs, and rejected rows by reason."""
    jobs = reading.jobs
    gaps_s = np.diff(jobs.submit_s)
    found: dict[str, Any] = {
        "file": str(reading.path),
        "layout": reading.layout,
        "origin": jobs.origin,
        "rows": reading.rows,
        "jobs": len(jobs),
        "rejected_by_reason": reading.reasons(),
        "bad_rows": len(reading.bad),
        "notes": reading.notes,
        "gpu_h": float(jobs.gpu_h.sum()),
        "days": float((jobs.submit_s[-1] - jobs.submit_s[0]) / _DAY_S),
        "tenants": len(set(jobs.tenant) - {""}),
        "interarrival_mean_s": float(gaps_s.mean()) if gaps_s.size else float("nan"),
        "interarrival_cv": float(gaps_s.std() / gaps_s.mean()) if gaps_s.any() else float("nan"),
        "gpus_at_once_max": _at_once_max(jobs),
        "duration_s": _quantiles(jobs.duration_s),
        "by_gpus": _by_gpus(jobs),
        "by_state": {
            state: _count(jobs, np.array([one == state for one in jobs.state]))
            for state in STATES
            if state in jobs.state
        },
    }
    waits_s = (jobs.start_s - jobs.submit_s)[~np.isnan(jobs.start_s)]
    if waits_s.size:
        found["wait_s"] = _quantiles(waits_s)
    return found


def _quantiles(values: Floats) -> dict[str, float]:
    percents = (5, 25, 50, 75, 90, 95, 99)
    found = {f"p{p}": float(value) for p, value in zip(percents, np.percentile(values, percents), strict=True)}
    return {**found, "mean": float(values.mean()), "max": float(values.max())}


def _by_gpus(jobs: Jobs) -> dict[str, tuple[int, float]]:
    """Jobs and GPU-hours by size; by ranges of sizes where there are many."""
    sizes = np.unique(jobs.gpus)
    if sizes.size <= _SIZES_MAX:
        return {str(size): _count(jobs, jobs.gpus == size) for size in sizes.tolist()}
    power = np.ceil(np.log2(jobs.gpus)).astype(np.int64)
    return {
        str(1 << k) if k < 2 else f"{(1 << (k - 1)) + 1}-{1 << k}": _count(jobs, power == k)
        for k in np.unique(power).tolist()
    }


def _count(jobs: Jobs, chosen: np.ndarray) -> tuple[int, float]:
    return int(chosen.sum()), float(jobs.gpu_h[chosen].sum())


def _at_once_max(jobs: Jobs) -> int:
    """The most GPUs that jobs would hold at one time if each started when it was submitted."""
    times = np.concatenate([jobs.submit_s + jobs.duration_s, jobs.submit_s])
    steps = np.concatenate([-jobs.gpus, jobs.gpus])
    return int(np.cumsum(steps[np.argsort(times, kind="stable")]).max())
