"""Losses by chain of causes over replications: yearly means with intervals, and shares of the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.compare import Comparison
from twin.estimate import Estimate, mean_interval
from twin.metrics.chains import SLOWED_CHAINS, losses_by_chain
from twin.metrics.names import CHAIN_ROOTS, OUTCOMES, chain_metric
from twin.trace import Trace


@dataclass(frozen=True)
class ChainEstimate:
    """One chain of causes, per year.

    Attributes:
        chain: its steps, root cause first.
        lost_gpu_h, job_interruptions: of jobs.
        dark_h, supply_interruptions: of load points, customer-weighted (a row is one customer).
        lost_share, dark_share: of the mean of all chains; nan where nothing is lost.
    """

    chain: tuple[str, ...]
    lost_gpu_h: Estimate
    job_interruptions: Estimate
    dark_h: Estimate
    supply_interruptions: Estimate
    lost_share: float
    dark_share: float


_COLUMNS = ("lost_gpu_h", "job_interruptions", "dark_h", "supply_interruptions")


def estimate_chains(traces: Sequence[Trace]) -> list[ChainEstimate]:
    """All chains that were seen in replications of one design, largest loss first."""
    tables = [losses_by_chain(trace) for trace in traces]
    chains = sorted({chain for table in tables for chain in table["chain"]})
    place = {chain: k for k, chain in enumerate(chains)}
    values = np.zeros((len(traces), len(chains), len(_COLUMNS)))
    for k, (trace, table) in enumerate(zip(traces, tables, strict=True)):
        rows = [place[chain] for chain in table["chain"]]
        values[k, rows] = np.stack([table[column] for column in _COLUMNS], axis=1) / trace.years
    means = values.mean(axis=0) if len(traces) else values.sum(axis=0)
    whole = means.sum(axis=0)
    found = [
        ChainEstimate(
            tuple(chain.split(" > ")),
            **{name: mean_interval(values[:, k, column], floor=0.0) for column, name in enumerate(_COLUMNS)},
            lost_share=_share(means[k, 0], whole[0]),
            dark_share=_share(means[k, 2], whole[2]),
        )
        for k, chain in enumerate(chains)
    ]
    return sorted(found, key=lambda one: (-one.lost_gpu_h.mean, -one.dark_h.mean, one.chain))


def loss_outcomes(comparison: Comparison, design: str) -> list[tuple[str, str, Estimate, float]]:
    """Of a campaign or comparison: (root cause, what came last, GPU-hours lost a year, share of all), largest first."""
    whole = comparison.row("lost_gpu_h_per_year").estimates[design].mean
    pairs = [
        ("hardware", "", "lost_gpu_h_hardware_per_year"),
        *((chain[0], "", f"lost_gpu_h_{reason}_per_year") for reason, chain in SLOWED_CHAINS.items()),
    ]
    pairs += [(began, ended, chain_metric(root, outcome)) for root, began in CHAIN_ROOTS.items()
              for outcome, ended in OUTCOMES.items()]  # fmt: skip
    known = set(comparison.names)
    found = [(a, b, comparison.row(name).estimates[design]) for a, b, name in pairs if name in known]
    rows = [(a, b, one, _share(one.mean, whole)) for a, b, one in found if one.n and one.mean > 0.0]
    return sorted(rows, key=lambda row: -row[2].mean)


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan
