"""Designs side by side on the same replications: estimates, and paired differences to a reference. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.estimate import (
    Estimate,
    PairedDifference,
    count_interval,
    mean_interval,
    number,
    paired_difference,
    round_to_error,
)
from twin.metrics.accounts import is_account
from twin.metrics.names import METRICS, Metric

Float = NDArray[np.float64]

HEADLINE = "lost_gpu_h_per_year"
POWER, HARDWARE = "lost_gpu_h_power_per_year", "lost_gpu_h_hardware_per_year"
YEARS_MAX = 100_000
"""Beyond this many years a difference is not for simulation at this size."""
FEW_EVENTS = 10
"""A count below this gets its exact Poisson interval."""

DRAWBACKS: dict[str, str] = {
    "all_rows_dark_per_year": "has all rows of a site dark at once more often",
    "core_dark_h_per_year": "leaves the core dark longer",
    "job_interruptions_per_year": "interrupts jobs more often",
    "lost_gpu_h_planned_per_year": "loses more compute to planned work",
    "lost_gpu_h_protection_per_year": "loses more compute to failures of its own supply equipment",
    "lost_gpu_h_capacity_per_year": "loses more compute to its import limit",
    "lost_gpu_h_hardware_per_year": "loses more compute to hardware failures",
    "lost_gpu_h_capped_per_year": "loses more training time to capped power",
    "lost_gpu_h_fewer_rows_per_year": "loses more training time to rows given up",
    "lost_gpu_h_paused_per_year": "loses more training time in pauses",
    "interruptions_per_row_year": "interrupts rows more often",
    "saidi_h_per_year": "leaves rows without supply longer in interruptions over 5 minutes",
    "row_dark_h_per_year": "leaves rows dark longer",
    "unserved_kwh_per_year": "leaves more energy unserved",
    "genset_kwh_per_year": "runs its gensets more",
    "loss_kwh_per_year": "loses more energy in conversion",
    "network_loss_kwh_per_year": "loses more energy in cables and transformers",
    "undervoltage_h_per_year": "has buses under voltage longer",
    "overload_h_per_year": "has cables or transformers above their rating longer",
    "auxiliary_kwh_per_year": "uses more energy for its own equipment",
    "import_kwh_per_year": "draws more energy from the grid",
    "bill_per_year": "pays more for electricity",
    "pue": "has a higher PUE",
    "peak_import_kw": "has a higher peak import",
    "mean_wait_h": "makes jobs wait longer",
}
"""Metrics, all better when lower, that the drawback sentence looks through, and its words."""


@dataclass(frozen=True)
class MetricRow:
    """One metric of all designs: estimates by design, and differences design - reference by every other design."""

    metric: str
    unit: str
    estimates: dict[str, Estimate]
    differences: dict[str, PairedDifference]


@dataclass(frozen=True)
class Comparison:
    """Designs on the same replications; `values[design]` is (replications, metrics)."""

    designs: tuple[str, ...]
    reference: str
    names: tuple[str, ...]
    values: dict[str, Float]
    years_each: float
    rows: tuple[MetricRow, ...]

    @property
    def n(self) -> int:
        """Replications of each design."""
        return len(self.values[self.reference])

    def row(self, metric: str) -> MetricRow:
        """The row of a metric."""
        return self.rows[self.names.index(metric)]

    def column(self, design: str, metric: str) -> Float:
        """A metric of a design in every replication."""
        return self.values[design][:, self.names.index(metric)]

    def paired(self, design: str, other: str, metric: str) -> PairedDifference:
        """The paired difference design - other of a metric."""
        return _paired(self.column(design, metric), self.column(other, metric), metric)


def compare_designs(
    values: Mapping[str, Float], names: Sequence[str], reference: str | None = None, years_each: float = 1.0
) -> Comparison:
    """Compare designs by paired differences on common random numbers.

    Args:
        values: (replications, metrics) by design; row k of every design is replication k.
        names: of the metrics.
        reference: the design that differences are taken to; the first if None.
        years_each: years of one replication [years of 8760 h].
    """
    matrices = {design: np.atleast_2d(np.asarray(matrix, np.float64)) for design, matrix in values.items()}
    chosen = reference if reference is not None else next(iter(matrices))
    rows = []
    for place, name in enumerate(names):
        if is_account(name):  # yearly accounts, last in the row, are money's
            break
        columns = {design: matrix[:, place] for design, matrix in matrices.items()}
        estimates = {design: _estimate(column, name, years_each) for design, column in columns.items()}
        differences = {d: _paired(column, columns[chosen], name) for d, column in columns.items() if d != chosen}
        rows.append(MetricRow(name, _metric(name).unit, estimates, differences))
    return Comparison(tuple(matrices), chosen, tuple(names), matrices, years_each, tuple(rows))


def _metric(name: str) -> Metric:
    return METRICS.get(name, Metric("", name))


def _paired(one: Float, two: Float, name: str) -> PairedDifference:
    return paired_difference(one, two, lower_is_better=_metric(name).better != "higher")


def _estimate(column: Float, name: str, years_each: float) -> Estimate:
    if _metric(name).is_count and np.isfinite(column).all():
        years = len(column) * years_each
        events = round(float(column.sum()) * years_each)
        if events < FEW_EVENTS and len(column) > 1:
            return count_interval(events, years, n=len(column))
    seen = column[np.isfinite(column)]
    ceiling = 1.0 if name.endswith("_fraction") and (seen <= 1).all() else math.inf
    return mean_interval(column, floor=0.0 if (seen >= 0).all() else -math.inf, ceiling=ceiling)


def cell(estimate: Estimate, years: float, scale: float = 1.0) -> tuple[str, str]:
    """An estimate for a table: the value, and below it the interval or what else can be said.

    Zero events read "none seen" with their upper bound; what is zero without one, "none" with the years looked at.
    """
    if estimate.n == 0:
        return "\u2013", ""
    rounded = round_to_error(estimate, scale)
    if estimate.one_sided:
        return "none seen", f"at most {rounded.high}"
    if estimate.n > 1 and estimate.events == 0:
        seen = f"in {number(years, 0 if years >= 10 else 1)} y"
        return ("none", seen) if estimate.mean == 0 else (rounded.value, f"always the same {seen}")
    return rounded.value, rounded.interval
