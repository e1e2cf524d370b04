"""All metrics of one trace, as one row of numbers; numpy only, since campaign workers run it on every replication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.finance.bill import DEMAND, bill
from twin.finance.carbon import carbon
from twin.finance.terms import scenario_of
from twin.metrics import accounts, compute, trucks
from twin.metrics.causes import GROUPS, groups, loss_gpu_h, slowed_gpu_h
from twin.metrics.chains import outcome_values
from twin.metrics.darkness import customers, dark_spans, dark_together, rows_to_lose
from twin.metrics.names import NAMES
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR, TICKS_PER_H

if TYPE_CHECKING:
    import pandas

SUSTAINED_US = TICKS_PER_H // 12
"""IEEE 1366: an interruption is sustained when it lasts more than five minutes."""


def row(trace: Trace) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Every metric of a trace, in the order of `NAMES`; meanings and units in `twin.metrics.METRICS`.

    nan where a metric has no meaning: CAIDI without sustained interruptions, fractions over nothing. Where the scenario
    has a `finance:` block, its yearly accounts follow (`twin.metrics.accounts`).
    """
    group, lost_gpu_h, slowed = groups(trace), loss_gpu_h(trace), slowed_gpu_h(trace)
    values = _load_points(trace) | _interruptions(trace, group, lost_gpu_h, slowed) | _jobs(trace) | _energy(trace)
    values |= trucks.values(
        trace, np.where(group == GROUPS.index("hardware"), 0.0, lost_gpu_h), np.sum(list(slowed.values()), axis=0)
    )
    values |= outcome_values(trace, group, lost_gpu_h)
    values |= _money(trace) | _carbon(trace) | _storage(trace)
    values |= compute.values(trace, values, lost_gpu_h)
    values["net_cost_per_year"] = trucks.net_cost(values)
    found = np.array([values[name] for name in NAMES])
    extra = accounts.columns(scenario_of(trace))
    return (*NAMES, *extra), np.concatenate([found, accounts.row(trace)]) if extra else found


def measure(trace: Trace) -> pandas.Series[float]:
    """The same as `row`, as a pandas Series by name."""
    import pandas

    names, values = row(trace)
    return pandas.Series(values, index=list(names), name=trace.meta.get("design"))


def _ratio(over: float, under: float) -> float:
    return float(over) / float(under) if under else float("nan")


def _is_kind(trace: Trace, kind: str) -> NDArray[np.bool_]:
    return np.array([own == kind for own in trace.items["kind"]], bool)


def _count(flags: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(flags))


def _load_points(trace: Trace) -> dict[str, float]:
    years, every = trace.years, dark_spans(trace)
    is_row, is_core = _is_kind(trace, "row"), _is_kind(trace, "core")
    rows = np.flatnonzero(is_row)
    dark, core_dark = every.of(is_row), every.of(is_core)
    dark_h = (dark.end_us - dark.start_us) / TICKS_PER_H
    core_dark_h = (core_dark.end_us - core_dark.start_us).sum() / TICKS_PER_H
    weight_kw, weight = trace.items["weight_kw"], customers(trace)
    short, short_us = dark_together(trace, rows, dark, rows_to_lose(trace))
    row_years = len(rows) * years
    served = every.of(weight > 0.0)
    lasting_h = (served.end_us - served.start_us) / TICKS_PER_H
    sustained = served.end_us - served.start_us > SUSTAINED_US
    customer_years = float(weight.sum()) * years
    saifi = _ratio(weight[served.item[sustained]].sum(), customer_years)
    saidi_h = _ratio((weight[served.item] * lasting_h)[sustained].sum(), customer_years)
    horizon_kwh = float(weight_kw[rows].sum()) * years * HOURS_PER_YEAR
    return {
        "customers": sum(trace.meta.get("customers", {}).values()),
        "energised_fraction": 1.0 - _ratio((weight_kw[dark.item] * dark_h).sum(), horizon_kwh),
        "row_dark_h_per_year": _ratio(dark_h.sum(), row_years),
        "core_dark_h_per_year": _ratio(core_dark_h, _count(is_core) * years),
        "all_rows_dark_per_year": dark_together(trace, rows, dark, {})[0] / years,
        "capacity_shortfall_per_year": short / years,
        "capacity_shortfall_h_per_year": short_us / TICKS_PER_H / years,
        "interruptions_per_row_year": _ratio(len(dark_h), row_years),
        "saifi_per_year": saifi,
        "saidi_h_per_year": saidi_h,
        "caidi_h": _ratio(saidi_h, saifi),
        "asai_fraction": 1.0 - saidi_h / HOURS_PER_YEAR,
        "maifi_per_year": _ratio(weight[served.item[~sustained]].sum(), customer_years),
    }


def _interruptions(
    trace: Trace, group: NDArray[np.int64], lost_gpu_h: NDArray[np.float64], slowed: dict[str, NDArray[np.float64]]
) -> dict[str, float]:
    years = trace.years
    count = np.bincount(group, minlength=len(GROUPS)) / years
    lost = np.bincount(group, weights=lost_gpu_h, minlength=len(GROUPS)) / years
    values = {f"lost_gpu_h_{name}_per_year": lost[number] for number, name in enumerate(GROUPS)}
    by_reason = {f"lost_gpu_h_{name}_per_year": float(of_jobs.sum()) / years for name, of_jobs in slowed.items()}
    slowly = sum(by_reason.values())
    return (
        values
        | by_reason
        | {
            "job_interruptions_per_year": count.sum(),
            "job_interruptions_hardware_per_year": count[0],
            "job_interruptions_power_per_year": count[2:].sum(),
            "lost_gpu_h_per_year": lost.sum() + slowly,
            "lost_gpu_h_power_per_year": lost[2:].sum() + slowly,
        }
    )


def _jobs(trace: Trace) -> dict[str, float]:
    years, jobs = trace.years, trace.jobs
    is_gang = _is_kind(trace, "gang_job")[jobs["item"]]
    is_queue = _is_kind(trace, "queue")[jobs["item"]]
    started = jobs["start_us"] >= 0
    gang = is_gang & started
    end_us = np.where(jobs["end_us"] >= 0, jobs["end_us"], trace.meta["horizon_us"])
    held_us = end_us - jobs["start_us"]
    gpu_h = jobs["gpus"] / TICKS_PER_H
    useful_gpu_h = gpu_h * jobs["useful_us"]
    queued = is_queue & started
    waited = queued & compute.waits_known(trace)
    wait_us = (jobs["start_us"] - jobs["submit_us"])[waited].sum()
    return {
        "job_down_h_per_year": jobs["down_us"].sum() / TICKS_PER_H / years,
        "effective_training_time_fraction": _ratio(useful_gpu_h[gang].sum(), (gpu_h * held_us)[gang].sum()),
        "gpu_h_useful_per_year": useful_gpu_h[gang].sum() / years,
        "jobs_started": _count(queued),
        "jobs_completed": _count(is_queue & (jobs["end_us"] >= 0)),
        "mean_wait_h": _ratio(wait_us / TICKS_PER_H, _count(waited)),
        "queue_gpu_h_useful_per_year": useful_gpu_h[queued].sum() / years,
    }


def _energy(trace: Trace) -> dict[str, float]:
    years, ledgers = trace.years, list(trace.ledger.values())

    def total(column: str) -> float:
        return float(sum(np.add.reduce(ledger[column]) for ledger in ledgers))

    def per_year(column: str) -> float:
        return total(column) / years

    peaks_kw: Any = np.concatenate([ledger["peak_import_kw"] for ledger in ledgers]) if ledgers else np.empty(0)
    least_pu: Any = np.concatenate([ledger["min_voltage_pu"] for ledger in ledgers]) if ledgers else np.empty(0)
    least_pu = least_pu[np.isfinite(least_pu)]
    names = ("unserved", "import", "genset", "it", "loss", "network_loss", "auxiliary", "pv", "curtailed", "export")
    consumed_kwh = sum(total(column) for column in compute.CONSUMED)
    return {f"{name}_kwh_per_year": per_year(f"{name}_kwh") for name in names} | {
        "storage_discharge_kwh_per_year": per_year("discharge_kwh"),
        "pue": _ratio(consumed_kwh, total("it_kwh")),
        "renewable_fraction": _ratio(total("pv_kwh") - total("export_kwh"), consumed_kwh),
        "peak_import_kw": float(peaks_kw.max()) if len(peaks_kw) else float("nan"),
        "mean_monthly_peak_import_kw": _ratio(peaks_kw.sum(), len(peaks_kw)),
        "min_voltage_pu": float(least_pu.min()) if len(least_pu) else float("nan"),
        "undervoltage_h_per_year": per_year("undervoltage_h"),
        "overload_h_per_year": per_year("overload_h"),
        "unsolved_flow_h_per_year": per_year("unsolved_flow_h"),
        "ramp_exceeded_h_per_year": per_year("ramp_exceeded_h"),
        "ramp_storage_kwh_per_year": per_year("ramp_storage_kwh"),
        "swings_taken_fraction": 1.0 - _ratio(total("swing_exceeded_h"), total("swing_h")),
        "clamped_kwh": total("clamped_kwh"),
        "energy_cost_per_year": per_year("energy_cost"),
    }


def _money(trace: Trace) -> dict[str, float]:
    """Bills of the sites that have a tariff or a price; nan where none has."""
    bills = [one for site in trace.ledger if (one := bill(trace, site)) is not None]
    if not bills:
        return dict.fromkeys(("bill_per_year", "demand_cost_per_year", "energy_cost_per_kwh"), float("nan"))
    total = sum(one.total for one in bills)
    used_kwh = sum(float(np.add.reduce(trace.ledger[one.site][column])) for one in bills for column in compute.CONSUMED)
    return {
        "bill_per_year": total / trace.years,
        "demand_cost_per_year": sum(one.total_of(*DEMAND) for one in bills) / trace.years,
        "energy_cost_per_kwh": _ratio(total, used_kwh),
    }


def _carbon(trace: Trace) -> dict[str, float]:
    """CO2 of the sites that have factors [t a year]; nan where none has."""
    found = [one for site in trace.ledger if (one := carbon(trace, site)) is not None]
    names = ("location_t", "market_t", "genset_t")
    return {
        f"carbon_{name}_per_year": sum(getattr(one, name) for one in found) / trace.years if found else float("nan")
        for name in names
    }


def _storage(trace: Trace) -> dict[str, float]:
    """Cells at the horizon: its rows of the health tables come last and name every unit that ages."""
    tables = [table for table in trace.health.values() if len(table["time_us"])]
    last = [table["time_us"] == trace.meta["horizon_us"] for table in tables]

    def at_horizon(column: str) -> Any:
        return np.concatenate([np.empty(0), *(t[column][end] for t, end in zip(tables, last, strict=True))])

    health, cycles = at_horizon("state_of_health_fraction"), at_horizon("full_cycles")
    return {
        "mean_state_of_health_fraction": _ratio(health.sum(), len(health)),
        "full_cycles_per_year": _ratio(cycles.sum(), len(cycles) * trace.years),
        "storage_replacements_per_year": float(at_horizon("replacements").sum()) / trace.years,
        "plans_fallen_back_per_year": _count(trace.events["what"] == trace.what("fell_back")) / trace.years,
    }
