"""Which metrics tables show, under which names, and figures as JSON with unit, estimate, low, high and n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twin.compare import Comparison, MetricRow, cell
from twin.estimate import Estimate, PairedDifference, round_to_error
from twin.metrics.names import METRICS

_ONE, _PERCENT, _THOUSAND, _MILLION = 1.0, 100.0, 1e-3, 1e-6

SHOWN: dict[str, tuple[str, str, float]] = {
    "lost_gpu_h_power_per_year": ("lost to power", "1000 GPU-h a year", _THOUSAND),
    "lost_gpu_h_planned_per_year": ("lost to planned work", "1000 GPU-h a year", _THOUSAND),
    "lost_gpu_h_hardware_per_year": ("lost to hardware", "1000 GPU-h a year", _THOUSAND),
    "job_interruptions_power_per_year": ("job stops by power", "a year", _ONE),
    "job_interruptions_hardware_per_year": ("job stops by hardware", "a year", _ONE),
    "effective_training_time_fraction": ("effective training", "% of time", _PERCENT),
    "jobs_completed": ("queued jobs completed", "jobs", _ONE),
    "mean_wait_h": ("wait in the queue", "h, mean", _ONE),
    "mean_slowdown": ("slowdown of queued jobs", "times, mean", _ONE),
    "queue_use_fraction": ("queue's use of the cluster", "% of GPU-h", _PERCENT),
    "record_use_fraction": ("the record's own use", "% of GPU-h", _PERCENT),
    "lost_gpu_h_stopped_per_year": ("lost in stops on purpose", "1000 GPU-h a year", _THOUSAND),
    "row_dark_h_per_year": ("dark time of a row", "h a year", _ONE),
    "interruptions_per_row_year": ("a row goes dark", "times a year", _ONE),
    "core_dark_h_per_year": ("dark time of the core", "h a year", _ONE),
    "all_rows_dark_per_year": ("all rows dark at once", "times a year", _ONE),
    "capacity_shortfall_per_year": ("too few rows lit", "times a year", _ONE),
    "saifi_per_year": ("SAIFI", "a year and customer", _ONE),
    "saidi_h_per_year": ("SAIDI", "h a year and customer", _ONE),
    "caidi_h": ("CAIDI", "h", _ONE),
    "asai_fraction": ("ASAI", "% of time", _PERCENT),
    "maifi_per_year": ("MAIFI, up to 5 min", "a year and customer", _ONE),
    "customers": ("customers", "", _ONE),
    "unserved_kwh_per_year": ("unserved energy", "MWh a year", _THOUSAND),
    "genset_kwh_per_year": ("energy from gensets", "MWh a year", _THOUSAND),
    "loss_kwh_per_year": ("conversion losses", "GWh a year", _MILLION),
    "auxiliary_kwh_per_year": ("equipment's own use", "GWh a year", _MILLION),
    "pue": ("PUE", "all over IT energy", _ONE),
    "peak_import_kw": ("peak import", "MW", _THOUSAND),
    "truck_trips_per_year": ("trips of trucks", "a year", _ONE),
    "truck_in_time_per_year": ("trucks in time", "a year", _ONE),
    "truck_too_late_per_year": ("trucks too late", "a year", _ONE),
    "truck_cost_per_year": ("roads, crews, fuel", "1000 a year", _THOUSAND),
    "lending_income_per_year": ("income of lending", "1000 a year", _THOUSAND),
    "energy_cost_per_year": ("energy at its price", "1000 a year", _THOUSAND),
    "lost_value_per_year": ("value of lost GPU-h", "1000 a year", _THOUSAND),
    "net_cost_per_year": ("all of these", "1000 a year", _THOUSAND),
    "bill_per_year": ("electricity bill", "million a year", _MILLION),
    "demand_cost_per_year": ("of it, by kW or kVA", "million a year", _MILLION),
    "energy_cost_per_kwh": ("price of energy used", "per kWh", _ONE),
    "useful_gpu_h_per_kwh": ("compute per watt", "GPU-h per kWh", _ONE),
    "useful_gpu_h_per_money": ("output per unit of money", "GPU-h per unit", _ONE),
    "carbon_location_t_per_year": ("CO2 by place", "1000 t a year", _THOUSAND),
    "carbon_market_t_per_year": ("CO2 by market", "1000 t a year", _THOUSAND),
    "carbon_genset_t_per_year": ("CO2 of gensets", "t a year", _ONE),
}
"""Metrics of the tables, in order: name, unit and scale. All others are in the JSON."""
IN_DEMO = (
    "lost_gpu_h_power_per_year",
    "lost_gpu_h_planned_per_year",
    "lost_gpu_h_hardware_per_year",
    "job_interruptions_power_per_year",
    "job_interruptions_hardware_per_year",
    "effective_training_time_fraction",
    "row_dark_h_per_year",
    "all_rows_dark_per_year",
    "loss_kwh_per_year",
)
_OF_QUEUES = (
    "jobs_completed",
    "mean_wait_h",
    "mean_slowdown",
    "queue_use_fraction",
    "record_use_fraction",
    "lost_gpu_h_stopped_per_year",
)
_OF_TRUCKS = (
    *(name for name in SHOWN if name.startswith("truck_")),
    "lending_income_per_year",
    "energy_cost_per_year",
    "lost_value_per_year",
    "net_cost_per_year",
)
_OF_GANGS = ("effective_training_time_fraction", "job_interruptions_hardware_per_year", "lost_gpu_h_hardware_per_year")
_OF_CUSTOMERS = ("customers", "saifi_per_year", "saidi_h_per_year", "caidi_h", "asai_fraction", "maifi_per_year")


def shown_metrics(rows: Sequence[Sequence[MetricRow]]) -> list[str]:
    """The metrics that say something here: those of jobs, trucks or customers that it has not are left out.

    Where customers are served, so is all that is zero everywhere.
    """
    found = {name: [row for one in rows for row in one if row.metric == name] for name in SHOWN}
    means = {
        name: [estimate.mean for row in several for estimate in row.estimates.values() if estimate.n]
        for name, several in found.items()
    }
    moving, serving = any(means["truck_trips_per_year"]), any(means["customers"])
    present = []
    for name, several in means.items():
        is_of_some = name in (*_OF_QUEUES, *_OF_GANGS, *_OF_TRUCKS)
        if name in _OF_CUSTOMERS and not serving:
            continue
        if several and not ((is_of_some or serving) and not any(several)) and (moving or name not in _OF_TRUCKS):
            present.append(name)
    return present


def labels(metrics: Sequence[str]) -> list[tuple[str, str]]:
    """Name and unit of each metric."""
    return [SHOWN[name][:2] for name in metrics]


def estimate_cells(
    metrics: Sequence[str], rows: dict[str, MetricRow], column: str, years: float
) -> list[tuple[str, str]]:
    """Value and interval of each metric in one column of estimates."""
    return [cell(rows[name].estimates[column], years, SHOWN[name][2]) for name in metrics]


def difference_cells(metrics: Sequence[str], rows: dict[str, MetricRow], column: str) -> list[tuple[str, str]]:
    """Difference and interval of each metric in one column; where the interval holds zero it says so first."""
    cells = []
    for name in metrics:
        paired = rows[name].differences[column]
        if not paired.estimate.n:
            cells.append(("\u2013", ""))
            continue
        rounded = round_to_error(paired.estimate, SHOWN[name][2])
        if paired.equal == paired.estimate.n:
            cells.append(("always equal", ""))
        elif paired.is_resolved or paired.estimate.n == 1:
            sign = "+" if paired.estimate.mean > 0 else ""
            cells.append((sign + rounded.value, rounded.interval))
        else:
            cells.append(("not resolved", rounded.interval))
    return cells


def figure(metric: str, estimate: Estimate) -> dict[str, Any]:
    """An estimate for JSON."""
    return {
        "metric": metric,
        "unit": METRICS[metric].unit,
        "estimate": estimate.mean,
        "low": estimate.low,
        "high": estimate.high,
        "n": estimate.n,
        "standard_error": estimate.standard_error,
        "one_sided": estimate.one_sided,
        "method": estimate.method,
    }


def difference_figure(metric: str, paired: PairedDifference) -> dict[str, Any]:
    """A paired difference for JSON."""
    return figure(metric, paired.estimate) | {
        "better": paired.better,
        "worse": paired.worse,
        "equal": paired.equal,
        "is_resolved": paired.is_resolved,
    }


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """All estimates and differences of a comparison."""
    estimates = [
        {"design": design, **figure(row.metric, one)}
        for row in comparison.rows
        for design, one in row.estimates.items()
    ]
    differences = [
        {"design": design, "reference": comparison.reference, **difference_figure(row.metric, one)}
        for row in comparison.rows
        for design, one in row.differences.items()
    ]
    return {
        "designs": list(comparison.designs),
        "reference": comparison.reference,
        "replications": comparison.n,
        "years_each": comparison.years_each,
        "confidence": 0.95,
        "estimates": estimates,
        "differences": differences,
    }
