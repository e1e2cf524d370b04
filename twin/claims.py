"""Claims beside what the twin finds: each statement judged for each set of assumptions, and the verdict in words.

A statement is met where the whole 95 % interval keeps its bound, not met where the whole interval breaks it, and not
resolved between. The verdict is "reproduced" where the claim as described (the first set) meets it, "reproduced only
if" another set does, else "not reproduced". Pure functions of metric rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.estimate import Estimate, mean_interval
from twin.finance.equipment import equipment

Float = NDArray[np.float64]
Data = dict[str, Any]

DERIVED = ("payback_years", "lost_gpu_h_by_limit_per_year")
"""Figures that are no metric: static payback of the extra capital; GPU-hours capped or shed by an import limit."""


@dataclass(frozen=True)
class Finding:
    """A statement in one set: the estimate, that of the other design where the claim names a start, and the outcome.

    `starts` says whether the other design stands where the claim starts: else nothing is met. `met` is None where the
    interval does not say. An estimate that never exists (a payback that never comes) has n = 0.
    """

    name: str
    assumes: str
    estimate: Estimate
    before: Estimate | None
    starts: bool
    met: bool | None


@dataclass(frozen=True)
class Verdict:
    """A statement with its findings, the claim as described first."""

    name: str
    says: str
    judged: str
    bound: tuple[str, float]
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> str:
        """The verdict: reproduced, reproduced only if, not resolved (more years would say), or not reproduced."""
        if self.findings[0].met:
            return "reproduced"
        if any(one.met for one in self.findings):
            return "reproduced only if"
        return "not resolved" if any(one.met is None for one in self.findings) else "not reproduced"

    @property
    def nearest(self) -> Finding:
        """The finding nearest to the bound, of those that start where the claim does if there are any."""
        side, bound = self.bound
        sign = 1.0 if side == "at_most" else -1.0
        fit = [one for one in self.findings if one.starts] or self.findings
        return min(fit, key=lambda one: sign * (one.estimate.mean - bound) if one.estimate.n else np.inf)


@dataclass(frozen=True)
class Runs:
    """Replications of all designs of a claims scenario: values (replications, metrics), and resolved scenarios."""

    values: Mapping[str, Float]
    names: Sequence[str]
    scenarios: Mapping[str, Data]

    def metric(self, design: str, name: str) -> Float:
        """A figure of a design in every replication."""
        if name == "lost_gpu_h_by_limit_per_year":
            return self.metric(design, "lost_gpu_h_capped_per_year") + self.metric(
                design, "lost_gpu_h_capacity_per_year"
            )
        return self.values[design][:, list(self.names).index(name)]

    def payback_years(self, design: str, against: str, *, counts_lost_gpu_h: bool) -> Float:
        """Extra capital over the year's benefit: bill, lending, roads and crews; nan where there is no benefit."""
        capital = [sum(piece.capital for piece in equipment(self.scenarios[name])) for name in (design, against)]
        costs = ["bill_per_year", "truck_cost_per_year", *(["lost_value_per_year"] if counts_lost_gpu_h else [])]
        benefit = self.metric(design, "lending_income_per_year") - self.metric(against, "lending_income_per_year")
        for name in costs:
            benefit = benefit + self.metric(against, name) - self.metric(design, name)
        return np.where(benefit > 0.0, (capital[0] - capital[1]) / np.where(benefit > 0.0, benefit, 1.0), np.nan)


def judge(claims: Data, runs: Runs) -> list[Verdict]:
    """All statements of a `claims:` block.

    Raises:
        InputError: a payback is asked for, and equipment has no capital cost.
    """
    return [_verdict(one, claims["sets"], runs) for one in claims["statements"]]


def meets(estimate: Estimate, bound: tuple[str, float]) -> bool | None:
    """Whether the whole interval keeps the bound; None where it lies on both sides."""
    side, limit = bound
    if not estimate.n:
        return False
    low, high = (estimate.low, estimate.high) if np.isfinite(estimate.low) else (estimate.mean, estimate.mean)
    worst, best = (high, low) if side == "at_most" else (-low, -high)
    limit = limit if side == "at_most" else -limit
    return True if worst <= limit else False if best > limit else None


def starts_there(before: Estimate, claimed: float, within_fraction: float) -> bool:
    """Whether a claim's start lies within a share of itself from the interval that was found."""
    low, high = (before.low, before.high) if np.isfinite(before.low) else (before.mean, before.mean)
    reach = within_fraction * abs(claimed)
    return bool(low - reach <= claimed <= high + reach)


def _verdict(statement: Data, sets: Data, runs: Runs) -> Verdict:
    bound = (
        ("at_most", statement["at_most"]) if statement["at_most"] is not None else ("at_least", statement["at_least"])
    )
    findings = []
    for own in statement["sets"]:
        one = sets[own]
        estimate = _estimate(_figure(statement, one, runs))
        before = None
        if statement["before"] is not None:
            before = _estimate(runs.metric(one["against"], statement["figure"]) / statement["divided_by"])
        starts = before is None or starts_there(before, statement["before"], statement["start_within_fraction"])
        findings.append(Finding(own, one["assumes"], estimate, before, starts, starts and meets(estimate, bound)))
    return Verdict(statement["name"], statement["says"], statement["judged"], bound, tuple(findings))


def _estimate(values: Float) -> Estimate:
    """The mean with its interval; none at all unless every replication has the figure."""
    if not np.isfinite(values).all():
        return mean_interval(np.empty(0))
    ceiling = 1.0 if (values <= 1.0).all() and (values > 0.5).all() else np.inf
    return mean_interval(values, floor=0.0 if (values >= 0.0).all() else -np.inf, ceiling=ceiling)


def _figure(statement: Data, one: Data, runs: Runs) -> Float:
    figure, reading = statement["figure"], statement["reading"]
    if figure == "payback_years":
        lost = statement["counts_lost_gpu_h"]
        own = runs.payback_years(one["design"], one["against"], counts_lost_gpu_h=lost)
        if reading == "value":
            return own
        return 1.0 - own / runs.payback_years(one["prior"], one["against"], counts_lost_gpu_h=lost)
    own = runs.metric(one["design"], figure) / statement["divided_by"]
    if reading == "value":
        return np.asarray(own)
    other = runs.metric(one["prior"] if reading == "shorter_fraction" else one["against"], figure)
    other = other / statement["divided_by"]
    whole = other + statement["other_costs_per_gpu_year"] * _gpus(runs.scenarios[one["design"]])
    if not np.mean(whole) > 0.0:
        return np.full(len(own), np.nan)
    return np.asarray((other - own) / (whole if statement["figure"] == "bill_per_year" else np.mean(whole)))


def _gpus(scenario: Data) -> float:
    clusters = [site["cluster"] for site in scenario["sites"].values()]
    return float(sum(one["rows"] * one["servers_per_row"] * one["gpus_per_server"] for one in clusters))
