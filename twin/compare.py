"""Designs side by side on the same replications: estimates, paired differences to a reference, and the answer in words.

Pure functions. The sentences keep four promises: never "no difference" (these years do not resolve one), always the
worst resolved drawback, zero events as an upper bound, and no statement beyond a single simulated year.
"""

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
    years_to_resolve,
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
_THOUSANDS_FROM = 1000

DRAWBACKS: dict[str, str] = {
    "all_rows_dark_per_year": "has all rows of a site dark at once more often",
    "core_dark_h_per_year": "leaves the core dark longer",
    "job_interruptions_per_year": "interrupts jobs more often",
    "lost_gpu_h_planned_per_year": "loses more compute to planned work",
    "lost_gpu_h_protection_per_year": "loses more compute to failures of its own supply equipment",
    "lost_gpu_h_capacity_per_year": "loses more compute to its import limit",
    "lost_gpu_h_hardware_per_year": "loses more compute to hardware failures",
    "lost_gpu_h_capped_per_year": "loses more training time to capped power",
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

    Zero events read "none seen" with their upper bound, or with the years looked at where no bound exists.
    """
    if estimate.n == 0:
        return "\u2013", ""
    rounded = round_to_error(estimate, scale)
    if estimate.one_sided:
        return "none seen", f"at most {rounded.high}"
    if estimate.n > 1 and estimate.events == 0:
        seen = f"in {number(years, 0 if years >= 10 else 1)} y"
        return ("none seen", f"0 {seen}") if estimate.mean == 0 else (rounded.value, f"always the same {seen}")
    return rounded.value, rounded.interval


def answer(comparison: Comparison, metric: str = HEADLINE) -> str:
    """The answer in sentences: who loses fewer GPU-hours and by how much, the drawback, and power beside hardware.

    Compared are the best other design and the reference. The interval is that of this one pair: with many designs the
    best of them looks a little better than it is.
    """
    if len(comparison.designs) == 1:
        sentences = [_alone(comparison, metric)]
    else:
        means = {design: float(np.mean(comparison.column(design, metric))) for design in comparison.designs}
        best, other = _contenders(comparison, means)
        sentences = [_headline(comparison, metric, best, other)]
        sentences += _runner_up(comparison, metric, means, best, other)
        sentences.append(_drawback(comparison, best, other))
    sentences.append(_power_beside_hardware(comparison))
    if comparison.n == 1:
        sentences.append(f"This is {_one_span(comparison)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _contenders(comparison: Comparison, means: dict[str, float]) -> tuple[str, str]:
    """The design with the lower mean first: the reference and the best of the others."""
    reference = comparison.reference
    other = min((design for design in comparison.designs if design != reference), key=lambda design: means[design])
    return (other, reference) if means[other] < means[reference] else (reference, other)


def _span(comparison: Comparison, n: float | None = None) -> str:
    count = number(comparison.n if n is None else n, 0)
    if comparison.years_each == 1.0:
        return f"{count} years"
    return f"{count} replications of {comparison.years_each:.3g} years"


def _one_span(comparison: Comparison) -> str:
    if comparison.years_each == 1.0:
        return "one simulated year; no statement about other years"
    return f"one replication of {comparison.years_each:.3g} years; no statement about others"


def _amount(estimate: Estimate, sign: float = 1.0) -> tuple[str, str, str]:
    """Value, ends and unit of a number of GPU-hours, in thousands where large; `sign` -1 turns it round."""
    largest = max(abs(x) for x in (estimate.mean, estimate.low, estimate.high) if math.isfinite(x))
    scale, unit = (1e-3, "thousand GPU-hours") if largest >= _THOUSANDS_FROM else (1.0, "GPU-hours")
    if sign < 0:
        estimate = Estimate(
            -estimate.mean, estimate.standard_error, -estimate.high, -estimate.low, estimate.n, estimate.events
        )
    rounded = round_to_error(estimate, scale)
    return rounded.value, rounded.interval, unit


def _alone(comparison: Comparison, metric: str) -> str:
    estimate = comparison.row(metric).estimates[comparison.reference]
    if estimate.mean == 0:
        return _nothing_lost(comparison)
    value, interval, unit = _amount(estimate)
    ends = f" (95 % interval {interval})" if interval else ""
    return f"{comparison.reference} loses {value} {unit} a year{ends}."


def _nothing_lost(comparison: Comparison) -> str:
    if comparison.n == 1:
        return "No loss of GPU-hours was seen."
    years = comparison.n * comparison.years_each
    bound = round_to_error(count_interval(0, years)).high
    return (
        f"No loss of GPU-hours was seen in {_span(comparison)}:"
        f" losses begin at most {bound} times a year (95 %, one-sided)."
    )


def _headline(comparison: Comparison, metric: str, best: str, other: str) -> str:
    paired = comparison.paired(best, other, metric)
    estimate, mean = paired.estimate, float(np.mean(comparison.column(other, metric)))
    if mean == 0:
        return _nothing_lost(comparison)
    value, interval, unit = _amount(estimate, -1.0)
    share = f"{number(-100 * estimate.mean / mean, 0)} %"
    if comparison.n == 1:
        if estimate.mean == 0:
            return f"{best} and {other} lost the same compute."
        return f"{best} lost {share} less compute than {other}: {value} {unit} fewer."
    if paired.is_resolved:
        kind = "simulated years" if comparison.years_each == 1.0 else "replications"
        return (
            f"{best} loses {share} less compute than {other}: {value} {unit} a year fewer"
            f" (95 % interval {interval}; better in {paired.better} of {estimate.n} {kind})."
        )
    return f"{_unresolved(comparison, best, other, paired)}{_needed(comparison, estimate)}."


def _unresolved(comparison: Comparison, best: str, other: str, paired: PairedDifference) -> str:
    text = f"These {_span(comparison)} do not resolve a difference in lost GPU-hours between {best} and {other}"
    if paired.equal == paired.estimate.n:
        return f"{text}: they lost the same in every one"
    _, interval, unit = _amount(paired.estimate, -1.0)
    text += f" (95 % interval {interval} {unit} a year fewer with {best}"
    differ = paired.better + paired.worse
    return text + (f"; they differ in {differ} of {paired.estimate.n})" if paired.equal else ")")


def _needed(comparison: Comparison, estimate: Estimate) -> str:
    needed = years_to_resolve(estimate)
    if needed * comparison.years_each > YEARS_MAX:
        return "; not by simulation at this size"
    magnitude = 10 ** max(math.floor(math.log10(needed)) - 1, 0)
    return f"; about {_span(comparison, math.ceil(needed / magnitude) * magnitude)} would"


def _runner_up(comparison: Comparison, metric: str, means: dict[str, float], best: str, other: str) -> list[str]:
    """A sentence for every third design that is not resolved from the best: the best is then one of several."""
    rest = [design for design in comparison.designs if design not in (best, other)]
    close = [
        design
        for design in sorted(rest, key=lambda design: means[design])
        if comparison.n > 1 and not comparison.paired(best, design, metric).is_resolved
    ]
    if not close:
        return []
    return [f"These {_span(comparison)} do not resolve {best} from {' or '.join(close)}."]


def _drawback(comparison: Comparison, best: str, other: str) -> str:
    """The largest worsening of `best` against `other`, by its yardstick; resolved where n > 1."""
    worst, worst_share = "", 0.0
    for name in (name for name in DRAWBACKS if name in comparison.names):
        paired = comparison.paired(best, other, name)
        mean = paired.estimate.mean
        if not mean > 0 or (comparison.n > 1 and not paired.is_resolved):
            continue
        share = mean / _yardstick(comparison, best, other, name)
        if share > worst_share:
            worst, worst_share = name, share
    if not worst:
        seen = "is worse" if comparison.n == 1 else "is resolved to be worse"
        return f"No reported metric {seen}."
    estimate = comparison.paired(best, other, worst).estimate
    unit = _metric(worst).unit
    rounded = round_to_error(estimate)
    unit_text = "" if unit == "1" else " " + ("a year" if unit == "1/year" else unit.replace("/year", " a year"))
    ends = f" (95 % interval {rounded.interval})" if rounded.interval else ""
    return f"{best} {DRAWBACKS[worst]}: +{rounded.value}{unit_text}{ends}."


def _yardstick(comparison: Comparison, best: str, other: str, name: str) -> float:
    """What a worsening is large against: GPU-hours against all lost ones, energy against the bill's, else itself."""
    whole = {"gpu_h": "lost_gpu_h_per_year", "kwh": "import_kwh_per_year"}
    for unit, total in whole.items():
        if f"_{unit}_" in name and total in comparison.names:
            name = total
            break
    one, two = comparison.column(best, name), comparison.column(other, name)
    both = np.isfinite(one) & np.isfinite(two)
    return max(abs(float(one[both].mean())), abs(float(two[both].mean())), 1e-300)


def _power_beside_hardware(comparison: Comparison) -> str:
    if not {POWER, HARDWARE} <= set(comparison.names):
        return ""
    parts = []
    for design in comparison.designs:
        both = [_gpu_h_in_words(comparison.row(name).estimates[design]) for name in (POWER, HARDWARE)]
        parts.append(f"{design} {both[0]} and {both[1]}")
    return f"GPU-hours lost a year to power and to hardware: {'; '.join(parts)}."


def _gpu_h_in_words(estimate: Estimate) -> str:
    """GPU-hours for a sentence, rounded by their standard error: "6.6 thousand", "430", "none seen"."""
    if estimate.mean == 0:
        return "none seen"
    if estimate.mean < _THOUSANDS_FROM:
        return round_to_error(estimate).value
    return f"{round_to_error(estimate, 1e-3).value} thousand"
