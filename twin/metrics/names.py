"""The metrics by name: unit, meaning, and which way is better. Fixed by the schema, the same for every trace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """What a metric says. `is_count`: events counted over the horizon, so that few of them have exact intervals."""

    unit: str
    meaning: str
    better: Literal["lower", "higher", "neither"] = "lower"
    is_count: bool = False


CHAIN_ROOTS = {
    "planned": "planned work", "sag": "a sag", "momentary": "a momentary interruption",
    "sustained": "a sustained interruption", "common": "an event on several feeders or sites", "script": "the script",
    "capacity": "the import limit", "protection": "supply equipment", "other": "something else",
    "network": "a fault in the network",
    "application": "the application layer",
}  # fmt: skip
"""What may begin a loss, hardware apart; in the words of `OUTCOMES` it goes on to a dark load point."""
OUTCOMES = {
    "direct": "nothing stood in between", "not_picked_up": "storage did not pick up",
    "overloaded": "storage was overloaded", "empty": "storage ran empty", "genset": "then a genset failed",
    "heat": "rows tripped on heat", "switching": "a transfer or switching operation failed",
}  # fmt: skip
"""What came last on the way from a root cause to a dark load point."""


def chain_metric(root: str, outcome: str) -> str:
    """Name of the metric of one pair of root and outcome."""
    return f"lost_gpu_h_{root}_{outcome}_per_year"


METRICS: dict[str, Metric] = {
    "energised_fraction": Metric("1", "time that rows are energised, weighted by their rated kW", "higher"),
    "row_dark_h_per_year": Metric("h/year", "dark time of a row, mean over rows"),
    "core_dark_h_per_year": Metric("h/year", "dark time of a core, mean over cores"),
    "all_rows_dark_per_year": Metric("1/year", "times that all rows of a site are dark together", is_count=True),
    "interruptions_per_row_year": Metric("1/year", "interruptions of a row's supply, of any length"),
    "saifi_per_year": Metric("1/year", "interruptions over 5 min of a customer (IEEE 1366; each row is one)"),
    "saidi_h_per_year": Metric("h/year", "duration of interruptions over 5 min of a customer (IEEE 1366)"),
    "caidi_h": Metric("h", "mean duration of an interruption over 5 min, SAIDI / SAIFI (IEEE 1366)"),
    "asai_fraction": Metric("1", "1 - SAIDI / 8760 h (IEEE 1366)", "higher"),
    "maifi_per_year": Metric("1/year", "interruptions up to 5 min of a customer (IEEE 1366)"),
    "job_interruptions_per_year": Metric("1/year", "interruptions of jobs, all causes", is_count=True),
    "job_interruptions_hardware_per_year": Metric("1/year", "of these, by hardware", is_count=True),
    "job_interruptions_power_per_year": Metric("1/year", "of these, neither hardware nor planned", is_count=True),
    "job_down_h_per_year": Metric("h/year", "detection, waiting for power and restart, summed over jobs"),
    "effective_training_time_fraction": Metric("1", "gang jobs: useful time over time held, GPU-weighted", "higher"),
    "gpu_h_useful_per_year": Metric("GPU-h/year", "gang jobs: training kept", "higher"),
    "lost_gpu_h_per_year": Metric("GPU-h/year", "lost by interruptions, GPUs x (rollback + down), and by power caps"),
    "lost_gpu_h_hardware_per_year": Metric("GPU-h/year", "of these, by hardware"),
    "lost_gpu_h_planned_per_year": Metric("GPU-h/year", "of these, by planned work"),
    "lost_gpu_h_power_per_year": Metric("GPU-h/year", "of these, neither hardware nor planned"),
    "lost_gpu_h_sag_per_year": Metric("GPU-h/year", "of the power losses, begun by a sag"),
    "lost_gpu_h_momentary_per_year": Metric("GPU-h/year", "begun by a momentary interruption"),
    "lost_gpu_h_sustained_per_year": Metric("GPU-h/year", "begun by a sustained interruption"),
    "lost_gpu_h_common_per_year": Metric("GPU-h/year", "begun by an event on both feeders, or a regional one"),
    "lost_gpu_h_script_per_year": Metric("GPU-h/year", "begun by a scripted event"),
    "lost_gpu_h_capacity_per_year": Metric("GPU-h/year", "begun by shedding load above the import limit"),
    "lost_gpu_h_protection_per_year": Metric(
        "GPU-h/year", "begun by supply equipment: UPS, cabinet, genset, tie, truck"
    ),
    "lost_gpu_h_other_per_year": Metric("GPU-h/year", "the rest of the power losses"),
    "lost_gpu_h_application_per_year": Metric(
        "GPU-h/year", "begun by the application layer for price or a call, not by an outage"
    ),
    "lost_gpu_h_capped_per_year": Metric("GPU-h/year", "of the power losses, by power caps"),
    "lost_gpu_h_fewer_rows_per_year": Metric("GPU-h/year", "of the power losses, by rows given up (gang jobs)"),
    "lost_gpu_h_paused_per_year": Metric("GPU-h/year", "of the power losses, in pauses (gang jobs)"),
    "unserved_kwh_per_year": Metric("kWh/year", "not served, against the level just before the event"),
    "import_kwh_per_year": Metric("kWh/year", "drawn from the grid"),
    "genset_kwh_per_year": Metric("kWh/year", "delivered by gensets"),
    "it_kwh_per_year": Metric("kWh/year", "taken by servers, storage and fabric", "neither"),
    "loss_kwh_per_year": Metric("kWh/year", "lost in conversion"),
    "network_loss_kwh_per_year": Metric("kWh/year", "lost in the site's cables and transformers"),
    "auxiliary_kwh_per_year": Metric("kWh/year", "taken by the supply equipment itself"),
    "storage_discharge_kwh_per_year": Metric("kWh/year", "given by storage", "neither"),
    "pue": Metric("1", "everything consumed, storage losses too, over IT energy"),
    "peak_import_kw": Metric("kW", "largest 15-minute mean of a site's import"),
    "mean_monthly_peak_import_kw": Metric("kW", "largest 15-minute mean of a month, mean over months and sites"),
    "min_voltage_pu": Metric("p.u.", "least voltage of a fed bus", "higher"),
    "undervoltage_h_per_year": Metric("h/year", "time with a bus below min_voltage_pu, summed over sites"),
    "overload_h_per_year": Metric("h/year", "time with a branch above its rating, summed over sites"),
    "unsolved_flow_h_per_year": Metric("h/year", "time whose power flow has no solution", "neither"),
    "pv_kwh_per_year": Metric("kWh/year", "given by PV, exported or not", "higher"),
    "curtailed_kwh_per_year": Metric("kWh/year", "what PV could have given besides"),
    "export_kwh_per_year": Metric("kWh/year", "given to the grid", "neither"),
    "renewable_fraction": Metric("1", "PV used on site over everything consumed", "higher"),
    "ramp_exceeded_h_per_year": Metric("h/year", "time off the permitted ramp of exchange, summed over sites"),
    "ramp_storage_kwh_per_year": Metric("kWh/year", "moved by storage to keep exchange on its ramp", "neither"),
    "swings_taken_fraction": Metric("1", "training's swings above the ramp limit that cabinets can take", "higher"),
    "mean_state_of_health_fraction": Metric("1", "capacity over nameplate of cells that age, at the horizon", "higher"),
    "full_cycles_per_year": Metric("1/year", "equivalent full cycles of a unit whose cells age, mean", "neither"),
    "storage_replacements_per_year": Metric("1/year", "cells of a unit replaced at their end of life", is_count=True),
    "plans_fallen_back_per_year": Metric(
        "1/year", "plans that a policy failed to make, so that the capped rule took its place", is_count=True
    ),
    "energy_cost_per_year": Metric("currency/year", "import at the price of its instant"),
    "truck_trips_per_year": Metric("1/year", "relocations of trucks, leases included", "neither", is_count=True),
    "truck_km_per_year": Metric("km/year", "driven by all trucks"),
    "truck_on_the_way_h_per_year": Metric("h/year", "unplugging, travelling and connecting, all trucks together"),
    "truck_in_time_per_year": Metric("1/year", "arrivals while supply was away, or before", "higher", is_count=True),
    "truck_too_late_per_year": Metric("1/year", "arrivals for an outage that was over", is_count=True),
    "truck_discharge_kwh_per_year": Metric("kWh/year", "given by trucks", "neither"),
    "truck_cost_per_year": Metric("currency/year", "kilometres, crews and fuel of trucks"),
    "lending_income_per_year": Metric("currency/year", "of trucks lent to others", "higher"),
    "lost_gpu_h_while_lent_per_year": Metric(
        "GPU-h/year", "of the power and planned losses, begun while a truck was lent: what it may have cost at most"
    ),
    "lost_value_per_year": Metric("currency/year", "power, cap and planned losses at each site's value of a GPU-hour"),
    "net_cost_per_year": Metric("currency/year", "energy, trucks and lost value together, less lending income"),
    "bill_per_year": Metric("money/year", "what sites with a tariff pay for electricity, in the scenario's currency"),
    "demand_cost_per_year": Metric("money/year", "of the bill, charged by kW or kVA and month"),
    "energy_cost_per_kwh": Metric("money/kWh", "bill over the energy that these sites consume"),
    "carbon_location_t_per_year": Metric("t/year", "CO2 of grid energy by place (Scope 2, location-based)"),
    "carbon_market_t_per_year": Metric("t/year", "CO2 of grid energy as bought (Scope 2, market-based)"),
    "carbon_genset_t_per_year": Metric("t/year", "CO2 of gensets (Scope 1)"),
    "lost_gpu_h_network_per_year": Metric("GPU-h/year", "of the power losses, begun by a fault in the site's network"),
    "customers": Metric("", "customers of the load points that have some", "neither"),
    "useful_gpu_h_per_kwh": Metric(
        "GPU-h/kWh", "compute per watt: all useful GPU-hours over energy consumed", "higher"
    ),
    "useful_gpu_h_per_money": Metric(
        "GPU-h/money", "output per unit of money: all useful GPU-hours over the bill, or energy at its price", "higher"
    ),
    "clamped_kwh": Metric("kWh", "energy cut off by rounding, a check", "neither"),
    "jobs_started": Metric("", "queue: jobs started", "higher"),
    "jobs_completed": Metric("", "queue: jobs ended within the horizon", "higher"),
    "mean_wait_h": Metric(
        "h", "queue: from submission to first start, mean over started jobs; of a record with record_gpus alone"
    ),
    "queue_gpu_h_useful_per_year": Metric("GPU-h/year", "queue: work kept", "higher"),
    "mean_slowdown": Metric("1", "queue: submission to end over run time (10 s at least), mean over ended jobs"),
    "queue_use_fraction": Metric("1", "queue: work kept over all GPU-hours of its cluster", "higher"),
    "record_use_fraction": Metric(
        "1", "queue: what its record says was used, over the same span and GPUs as queue_use_fraction", "neither"
    ),
    "jobs_stopped_per_year": Metric("1/year", "jobs saved and stopped by the application layer", "neither"),
    "lost_gpu_h_stopped_per_year": Metric(
        "GPU-h/year", "of all losses, in stops by the application layer: what its decisions cost at most"
    ),
    "capacity_shortfall_per_year": Metric(
        "1/year", "times that fewer rows are lit than a gang job needs, spare rows counted in", is_count=True
    ),
    "capacity_shortfall_h_per_year": Metric("h/year", "time with fewer lit rows than a gang job needs"),
}
METRICS |= {
    chain_metric(root, outcome): Metric("GPU-h/year", f"begun by {began}; {ended}")
    for root, began in CHAIN_ROOTS.items()
    for outcome, ended in OUTCOMES.items()
}

NAMES: tuple[str, ...] = tuple(METRICS)
"""Names of the values of `metrics.row`, in order."""
