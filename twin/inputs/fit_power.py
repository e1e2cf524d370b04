"""Fits the catalogue of servers to measured power records: `python -m twin.inputs.fit_power [FILE]`.

Reads the folders gpu_power_* and acme_llm_cluster_stats below ${TWIN_DATA} and writes twin/parts/servers.yaml anew (or
FILE). Under `server` stand keys of a scenario's `cluster.server` block, under `phases` the levels by phase
from which mean and percentiles of a run follow (`power_phases`). Of A100 servers no measured run is at hand: their
levels are the 5th and 95th percentile of a fleet, and they have no dips. Not fitted, and said so in each `source`:
ratings, the level while booting, and the exponent of the cap curve.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from twin.inputs.fitted_file import command, yaml_text
from twin.inputs.power_phases import QUANTILES, fit_phases, swings
from twin.inputs.power_runs import PHASES, STARTUP, TRAINING, PowerRun, read_runs
from twin.inputs.table import read_table

CATALOGUE = Path(__file__).parents[1] / "parts" / "servers.yaml"
CAP_EXPONENT = 1.6
"""Of power above idle to throughput: 600 W instead of 700 W on an H100 that idles at 100 W lengthens a step by 12 %
(factryze.ai, Power Capping, read 2026; 10 to 15 % there): log(500 / 600) / log(1 / 1.12) = 1.61."""
CAPPED_FRACTION = 0.8
"""Default cap, over the training level."""
EDGE_S = 2.0
"""By which clocks of sensors and log may differ."""
_FLEET = "acme_llm_cluster_stats/cdf.csv.gz"
_DROPS, _AT = "gpu_power_nlr_h100_stats/drop_summary.csv", 10.0
_CAP_SOURCE = "cap exponent: factryze.ai (600 of 700 W costs 12 % of step time; low confidence)"


class Kind(NamedTuple):
    """A server that runs were measured of."""

    folder: str
    workload: str | None
    rated_kw: float
    idle_kw: float | None
    """From elsewhere, where the record holds no idle servers."""
    what: str


KINDS = {
    "h100_gpt3": Kind(
        "gpu_power_mlperf_h100_gpt3", None, 10.2, 2.3,
        "MLPerf Training v4.0 power, 64 servers of 8 H100, immersion, GPT-3; idle: an H100 LoRA record, less fans;"
        " checkpoint dips: NLR data set, arXiv 2604.07345; rated: DGX H100 guide",
    ),
    "h100_llama2_lora": Kind(
        "gpu_power_mlperf_h100_llama2", None, 10.2, None,
        "MLPerf Training v4.1 power, 8 servers of 8 H100, air, Llama 2 70B LoRA; idle: lowest readings, an"
        " upper bound; checkpoint dips: NLR data set, arXiv 2604.07345; rated: DGX H100 guide",
    ),
    "b200_llama2_lora": Kind(
        "gpu_power_mlperf_b200", "llama2_70b_lora", 14.3, None,
        "MLPerf Training v5.0 power, one server of 8 B200, air, Llama 2 70B LoRA; idle: lowest readings, an"
        " upper bound; rated: from memory",
    ),
    "b200_bert": Kind(
        "gpu_power_mlperf_b200", "bert", 14.3, None,
        "MLPerf Training v5.0 power, one server of 8 B200, air, BERT; idle: lowest readings, an upper bound;"
        " rated: from memory",
    ),
    "b200_stable_diffusion": Kind(
        "gpu_power_mlperf_b200", "stable_diffusion", 14.3, 2.8,
        "MLPerf Training v5.0 power, one server of 8 B200, air, Stable Diffusion; idle: lowest of its other"
        " runs; rated: from memory",
    ),
}  # fmt: skip


def server(runs: Sequence[PowerRun], kind: Kind, checkpoint: dict[str, float]) -> dict[str, Any]:
    """The keys of a server block, from its runs, and dips while a checkpoint blocks, where such were measured."""
    profile = fit_phases(runs)
    training_kw = profile.mean_kw[TRAINING]
    has_dips = profile.evaluation_period_s > 0.0
    dip = 1.0 - profile.mean_kw[2] / training_kw if has_dips else 0.0
    idle_kw = kind.idle_kw or min(float(run.server_kw.min()) for run in runs)
    steady = [_steady(run, training_kw) for run in runs]
    minutes = [swings(times_s, kw, 60.0) for times_s, kw in steady]
    return {
        "source": f"fitted: {kind.what}; {_CAP_SOURCE}; boot level assumed",
        "rated_kw": kind.rated_kw,
        **_levels(training_kw, idle_kw),
        "evaluation_dip_fraction": round(max(dip, 0.0), 4),
        "evaluation_s": round(profile.evaluation_s, 2) if has_dips else 0.0,
        "evaluation_period_s": round(profile.evaluation_period_s, 2) if has_dips else 3600.0,
        "swing": {
            "dip_fraction": _dip_fraction(runs, training_kw),
            "dip_largest_fraction": round(1.0 - min(float(kw.min()) for _, kw in steady) / training_kw, 4),
            "peak_kw": round(max(float(run.mean_kw.max()) for run in runs), 3),
            "rise_kw_per_s": round(max(float(one.rise_kw_per_s.max()) for one in minutes), 3),
            "fall_kw_per_s": round(max(float(one.fall_kw_per_s.max()) for one in minutes), 3),
            "startup_rise_kw_per_s": round(max(_startup_rise(run) for run in runs), 3),
            **checkpoint,
        },
    }


def _dip_fraction(runs: Sequence[PowerRun], training_kw: float) -> float:
    """Median depth of an evaluation's lowest reading below the training level; without evaluations that of 1 %."""
    lowest = [
        float(run.mean_kw[(run.times_s >= start_s - EDGE_S) & (run.times_s <= stop_s + EDGE_S)].min())
        for run in runs
        for start_s, stop_s in run.evaluations_s.tolist()
    ]
    level = float(np.median(lowest)) if lowest else float(np.percentile(np.concatenate([r.mean_kw for r in runs]), 1))
    return round(max(1.0 - level / training_kw, 0.0), 4)


def _levels(training_kw: float, idle_kw: float) -> dict[str, float]:
    training_kw, idle_kw = round(training_kw, 3), round(idle_kw, 3)
    return {
        "training_kw": training_kw,
        "idle_kw": idle_kw,
        "boot_kw": round(1.3 * idle_kw, 3),
        "capped_kw": round(CAPPED_FRACTION * training_kw, 3),
        "cap_exponent": CAP_EXPONENT,
    }


def _steady(run: PowerRun, training_kw: float) -> tuple[np.ndarray, np.ndarray]:
    """Readings from the first at the training level, after start-up, on."""
    begin = int(np.argmax((run.phase != STARTUP) & (run.mean_kw >= training_kw)))
    return run.times_s[begin:], run.mean_kw[begin:]


def _startup_rise(run: PowerRun) -> float:
    """The steepest rise of the first minute of training and what comes before it [kW/s]."""
    begun = run.times_s[int(np.argmax(run.phase != STARTUP))]
    early = run.times_s <= begun + 60.0
    return float((np.diff(run.mean_kw[early]) / np.diff(run.times_s[early])).max())


def _fleet(folder: Path) -> dict[str, Any]:
    table = read_table(folder / _FLEET, ("cum_pct", "seren_gpu_server_power_w"))
    percent, watts = table.numbers("cum_pct"), table.numbers("seren_gpu_server_power_w")
    table.refuse()
    idle, training, most = (float(np.interp(at, percent, watts)) / 1e3 for at in (5.0, 95.0, 100.0))
    return {
        "source": "fitted: fleet of 8-GPU A100 servers (Seren, Acme, NSDI 2024, CC BY 4.0): idle is its 5th, training"
        f" its 95th percentile; no run was measured, so no dips; rated: its largest; {_CAP_SOURCE}; boot level assumed",
        "rated_kw": round(most, 3),
        **_levels(training, idle),
        "evaluation_dip_fraction": 0.0,
        "evaluation_s": 0.0,
        "evaluation_period_s": 3600.0,
    }


def checkpoint_dips(folder: Path) -> dict[str, float]:
    """Depth and length of H100 dips that look like blocking checkpoints: Stable Diffusion, 16 servers of 4 GPUs.

    GPU power alone was measured there, so a server's input falls by somewhat less.
    """
    table = read_table(folder / _DROPS, ("Workload", "Threshold_%", "Mean_duration_s", "Mean_drop_%"))
    percent, length_s, depth = (table.numbers(name) for name in ("Threshold_%", "Mean_duration_s", "Mean_drop_%"))
    table.refuse()
    row = next(k for k, name in enumerate(table.columns["Workload"]) if name == "StableDiff" and percent[k] == _AT)
    return {"checkpoint_dip_fraction": round(float(depth[row]) / 100.0, 4), "checkpoint_dip_s": float(length_s[row])}


def phases(runs: Sequence[PowerRun]) -> dict[str, Any]:
    """A profile by phase, as the catalogue keeps it."""
    profile = fit_phases(runs)
    return {
        "startup_s": round(profile.startup_s, 2),
        "mean_kw": {name: round(kw, 4) for name, kw in zip(PHASES, profile.mean_kw, strict=True) if math.isfinite(kw)},
        "evaluation_share": round(profile.evaluation_share, 5),
        "levels_kw": {
            name: [round(level, 3) for level in levels]
            for name, levels in zip(PHASES, profile.levels_kw, strict=True)
            if levels
        },
    }


def catalogue(folder: Path) -> dict[str, Any]:
    """All servers, fitted from the folder of records.

    Raises:
        InputError: a record is not there or malformed.
    """
    read = {name: read_runs(folder / kind.folder, kind.workload) for name, kind in KINDS.items()}
    dips = checkpoint_dips(folder)
    servers = {name: server(read[name], kind, dips if "h100" in name else {}) for name, kind in KINDS.items()}
    return {
        "server": {"a100_fleet": _fleet(folder), **servers},
        "quantiles": list(QUANTILES),
        "phases": {name: phases(runs) for name, runs in read.items()},
    }


def text(found: dict[str, Any]) -> str:
    """The catalogue's file."""
    head = "Power of GPU servers, fitted: python -m twin.inputs.fit_power makes this file from the measured records."
    return yaml_text(head, found)


def main(arguments: Sequence[str]) -> int:
    """Writes the catalogue; returns the exit code."""
    return command("twin.inputs.fit_power", CATALOGUE, lambda folder: text(catalogue(folder)), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
