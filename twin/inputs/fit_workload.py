"""Fits the workload model to published statistics of the Acme clusters: `python -m twin.inputs.fit_workload [FILE]`.

Reads ${TWIN_DATA}/acme_llm_cluster_stats and writes twin/parts/workloads.yaml anew (or FILE). The published figures of
each cluster are met exactly: mean size, median and mean run time, mean GPU time of a job, shares of jobs by end, and of
GPU time by end. Not published, and assumed: the share of jobs on one GPU (the median of one says at least a half).
Measured besides, and not fitted: the share of GPU time in jobs of 256 GPUs and more.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from twin.errors import InputError, Problem
from twin.inputs.fitted_file import command, yaml_text
from twin.inputs.jobs.read import read_jobs
from twin.inputs.workload import Floats, Workload

STATS = "acme_llm_cluster_stats/cluster_summary.csv"
PHILLY = "jobs_philly_2017/jobs.csv.gz"
CATALOGUE = Path(__file__).parents[1] / "parts" / "workloads.yaml"
SINGLE_GPU_FRACTION = 0.6
PHILLY_START_S = 10 * 3600 + 30 * 60 + 41
"""Philly's record begins at 10:30:41."""
DAYS = {"Seren": 184.0, "Kalos": 107.0}
"""Days of the record: March to August 2023, and 17 May to August."""
CLUSTER_GPUS = {"Seren": 2288, "Kalos": 2416}
INTERARRIVAL_CV = {"Seren": 14.7, "Kalos": 11.3}
"""A third-party analysis of the raw traces (FACTS 1.17)."""
_ROUNDS, _CLOSE = 60, 1e-11


def fit(figures: dict[str, float]) -> Workload:
    """The model that meets the figures of one cluster.

    Args:
        figures: of a row of the summary: avg_gpu_num, med_run_time_gpu, avg_run_time_gpu, max_run_time_gpu, max_gpu,
            gpu_job_num, and complete, cancel and fail as *_rate_gpu and *_gpu_time.

    Raises:
        InputError: no numbers of the model meet them.
    """
    ends = tuple(figures[f"{end}_rate_gpu"] for end in ("complete", "cancel", "fail"))
    times = np.array([figures[f"{end}_gpu_time"] for end in ("complete", "cancel", "fail")])
    shares = times / times.sum()
    start = Workload(
        SINGLE_GPU_FRACTION, 0.6, int(figures["max_gpu"]), figures["med_run_time_gpu"], 1.5, 0.4,
        figures["max_run_time_gpu"], (ends[0], ends[1], ends[2]), (1.0, 20.0, 0.5),
    )  # fmt: skip
    start = replace(start, size_ratio=_root(lambda ratio: _sized(start, ratio) - figures["avg_gpu_num"], 0.01, 3.0))

    def misses(x: Floats) -> Floats:
        model = _made(start, x)
        by_end = model.gpu_time_s.sum(axis=0)
        return np.array([
            4.0 * (model.shorter_than(figures["med_run_time_gpu"]) - 0.5),
            math.log(model.mean_run_time_s / figures["avg_run_time_gpu"]),
            math.log(model.mean_gpu_s * figures["gpu_job_num"] / times.sum()),
            math.log(by_end[1] / by_end.sum() / shares[1]),
            math.log(by_end[2] / by_end.sum() / shares[2]),
        ])  # fmt: skip

    first = np.array([math.log(figures["med_run_time_gpu"]), 1.5, 0.4, 3.0, -0.5])
    return _made(start, _solved(misses, first))


def _sized(model: Workload, ratio: float) -> float:
    return replace(model, size_ratio=ratio).mean_gpus


def _made(start: Workload, x: Floats) -> Workload:
    return replace(
        start,
        run_time_median_s=math.exp(x[0]),
        run_time_sigma=float(x[1]),
        run_time_size_exponent=float(x[2]),
        end_run_time_factor=(1.0, math.exp(x[3]), math.exp(x[4])),
    )


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a rising function by bisection."""
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if function(middle) > 0.0 else (middle, high)
    return 0.5 * (low + high)


def _solved(function: Callable[[Floats], Floats], x: Floats) -> Floats:
    """Newton's method with differences for slopes; a step that does not help is halved.

    Raises:
        InputError: it does not converge.
    """
    value = function(x)
    for _ in range(_ROUNDS):
        if np.abs(value).max() < _CLOSE:
            return x
        slopes = np.array([(function(x + step) - value) / 1e-6 for step in 1e-6 * np.eye(x.size)]).T
        step = np.linalg.solve(slopes, -value)
        share = 1.0
        while share > 1e-4 and not np.abs(function(x + share * step)).sum() < np.abs(value).sum():
            share /= 2.0
        x = x + share * step
        value = function(x)
    raise InputError(Problem("no numbers of the workload model meet these statistics"))


def by_hour(folder: Path) -> list[float]:
    """Submissions by hour of the day in the Philly record: the median over its days, mean 1."""
    hours = ((read_jobs(folder / PHILLY).submit_s + PHILLY_START_S) // 3600.0).astype(np.int64)
    counts = np.zeros((int(hours.max()) // 24 + 1, 24))
    np.add.at(counts, (hours // 24, hours % 24), 1.0)
    median = np.median(counts, axis=0)
    return [round(float(value), 2) for value in median / median.mean()]


def catalogue(folder: Path) -> dict[str, Any]:
    """All presets, fitted from the folder of records."""
    path = folder / STATS
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = {row["id"]: row for row in csv.DictReader(stream)}
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror}", str(path), remedy="set TWIN_DATA")) from error
    hours = by_hour(folder)
    return {"workload": {f"acme_{name.lower()}": _preset(name, rows[name], hours) for name in DAYS}}


def _preset(name: str, row: dict[str, str], hours: list[float]) -> dict[str, Any]:
    figures = {key: float(value) for key, value in row.items() if key != "id" and value}
    model = fit(figures)
    rounded = {
        "run_time_median_s": model.run_time_median_s, "run_time_sigma": model.run_time_sigma,
        "run_time_size_exponent": model.run_time_size_exponent,
    }  # fmt: skip
    return {
        "source": f"fitted to {name} in Acme's cluster_summary.csv (Hu et al., NSDI 2024, CC BY 4.0); share on one GPU"
        " assumed; bursts: third-party analysis of the raw trace; hours: Philly (USENIX ATC 2019), its own clock",
        "single_gpu_fraction": SINGLE_GPU_FRACTION,
        "size_ratio": round(model.size_ratio, 5),
        "gpus_max": model.gpus_max,
        **{key: round(value, 5) for key, value in rounded.items()},
        "run_time_max_s": model.run_time_max_s,
        "end_probability": list(model.end_probability),
        "end_run_time_factor": [round(value, 5) for value in model.end_run_time_factor],
        "jobs_per_day": round(figures["gpu_job_num"] / DAYS[name], 1),
        "interarrival_cv": INTERARRIVAL_CV[name],
        "interarrival_cv_jobs_per_day": round(figures["gpu_job_num"] / DAYS[name], 1),
        "submit_by_hour": list(hours),
    }


def text(found: dict[str, Any]) -> str:
    """The catalogue's file."""
    head = "Workloads of LLM clusters, fitted: python -m twin.inputs.fit_workload makes this file from the records."
    return yaml_text(head, found)


def main(arguments: Sequence[str]) -> int:
    """Writes the catalogue; returns the exit code."""
    return command("twin.inputs.fit_workload", CATALOGUE, lambda folder: text(catalogue(folder)), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
