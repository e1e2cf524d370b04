"""The trace's schema: every table and column with its type and meaning, said once for writer, reader and documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SCHEMA_VERSION = 2
SCHEMAS_READ = (1, 2)
"""Schemas that the reader opens, ascending, the last one's own among them; the first had no seal."""
SCHEMA_NAME = "twin trace"

TRUCK_PHASES = (
    "plugged", "waiting_for_crew", "unplugging", "waiting_for_road", "travelling", "broken_down", "queueing",
    "connecting", "in_service", "lent",
)  # fmt: skip
"""What a truck does: value k of its `phase` events is the k-th word."""
TRIP_REASONS = ("home", "outage", "notice", "price", "relay", "lease")
"""Why a truck was relocated: values of `reason` in trips."""

Table = dict[str, Any]
"""Column name -> 1-D array (int64 or float64) or list of str, all of one length."""


@dataclass(frozen=True)
class Columns:
    """One table: what a row is, and of each column the type ("int64", "float64", "text") and the meaning."""

    row: str
    columns: dict[str, tuple[str, str]]


def _power_columns() -> dict[str, tuple[str, str]]:
    meanings = {
        "import_kw": "drawn from the grid",
        "genset_kw": "delivered by gensets",
        "it_kw": "taken by servers, storage and fabric",
        "cooling_kw": "taken by cooling",
        "house_kw": "taken by the rest of the building",
        "loss_kw": "lost in conversion",
        "auxiliary_kw": "taken by the supply equipment itself",
        "charge_kw": "taken by storage, positive",
        "discharge_kw": "given by storage, positive",
        "stored_kwh": "stored by all units of the site",
        "unserved_kw": "level just before the event of load points now dark",
        "hold_up_kw": "given by power supplies within their hold-up",
    }
    return {name: ("float64", text) for name, text in meanings.items()}


_PV_MEANINGS = {
    "pv": "given by PV behind its inverters, exported or not",
    "curtailed": "what PV could have given besides",
    "export": "given to the grid",
}
_FLOW_COLUMNS = {
    "network_loss_kw": ("float64", "lost in cables and transformers, and on the way from storage to its load"),
    "min_voltage_pu": ("float64", "least voltage of the buses that grid or gensets feed; nan where none or unsolved"),
    "overloaded_branches": ("float64", "branches above their rating; -1 where the flow has no solution"),
}


_PERIODS = {"sharp": "", "peak": "", "flat": "; all of it without a tariff", "valley": "", "deep": ""}


def _ledger_columns() -> dict[str, tuple[str, str]]:
    names = "import genset it cooling house loss auxiliary charge discharge unserved hold_up"
    power = _power_columns()
    columns = {f"{name}_kwh": ("float64", f"energy: {power[f'{name}_kw'][1]}") for name in names.split()}
    return columns | {
        "clamped_kwh": ("float64", "energy cut off at a bound by rounding; a check, below 1e-9"),
        "peak_import_kw": ("float64", "largest 15-minute mean of import"),
        "stored_start_kwh": ("float64", "stored at the month's start"),
        "stored_end_kwh": ("float64", "stored at the month's end"),
        "network_loss_kwh": ("float64", "energy: lost in cables and transformers, and from storage to its load"),
        "network_loss_estimate_kwh": ("float64", "what dispatch took for the losses of grid- and genset-fed parts"),
        "undervoltage_h": ("float64", "time with a bus below the network's min_voltage_pu"),
        "overload_h": ("float64", "time with a branch above its rating"),
        "unsolved_flow_h": ("float64", "time whose power flow has no solution; its losses are missing"),
        "min_voltage_pu": ("float64", "least voltage of the month; nan without a network"),
        "storage_loss_kwh": (
            "float64",
            "lost inside storage: stored end - start = charge - discharge - this + truck_in - truck_out",
        ),
        "truck_in_kwh": ("float64", "stored in trucks as they were plugged in"),
        "truck_out_kwh": ("float64", "stored in trucks as they were unplugged"),
        **{
            f"import_{period}_kwh": ("float64", f"of import_kwh, in the tariff's {period} period{rest}")
            for period, rest in _PERIODS.items()
        },
        "energy_cost": ("float64", "import at the price of its instant, network losses too; in meta's currency"),
        **{f"{name}_kwh": ("float64", f"energy: {text}") for name, text in _PV_MEANINGS.items()},
        "ramp_storage_kwh": ("float64", "what storage gave, or took, less or more to keep exchange on its ramp"),
        "ramp_exceeded_h": ("float64", "time in which exchange with the grid left its ramp"),
        "swing_h": ("float64", "time in which training swings by more than the ramp limit in a minute"),
        "swing_exceeded_h": ("float64", "of it, with too few kW of cabinets on the grid to take the swings"),
        "pv_value": ("float64", "PV used on site at the price of import in its instant"),
        "charge_cost": ("float64", "charging of storage at the price of import in its instant"),
    }


SCHEMA: dict[str, Columns] = {
    "items": Columns(
        "an item; its row number is its id everywhere else; sorted by name",
        {
            "name": ("text", "full name"),
            "kind": ("text", "what it is: row, core, cabinet, feeder, sustained, gang_job, ..."),
            "site": ("int64", "number of its site in meta, -1 for none"),
            "weight_kw": ("float64", "rated power of a load point, else 0"),
            "gpus": ("int64", "GPUs of a gang job, a row, or of the whole cluster for a queue; else 0"),
        },
    ),
    "events": Columns(
        "a fact that changed; the value holds from its time; in time order",
        {
            "time_us": ("int64", "since the scenario's start"),
            "item": ("int64", "row of items"),
            "what": ("int64", "number of the fact in meta's whats"),
            "value": ("int64", "the fact's new value"),
            "cause": ("int64", "row of the causing event, always an earlier one; -1 for none"),
        },
    ),
    "jobs": Columns(
        "a training job; useful + stall + rollback + down + fewer_rows + paused + capped = end (or horizon) - start",
        {
            "item": ("int64", "row of items: the gang job itself, or the queue that ran it"),
            "submit_us": ("int64", "submitted"),
            "start_us": ("int64", "first started, -1 for never"),
            "end_us": ("int64", "ended, -1 if not ended at the horizon"),
            "gpus": ("int64", "GPUs held"),
            "useful_us": ("int64", "training time kept"),
            "stall_us": ("int64", "standing still for checkpoints, or waiting for the slowest server"),
            "rollback_us": ("int64", "training time lost by going back to a checkpoint"),
            "down_us": ("int64", "detection, waiting for power and restart"),
            "interruptions": ("int64", "number of interruptions"),
            "tenant": ("int64", "row of items: whose job it is, -1 where that is not said"),
            "fewer_rows_us": ("int64", "training time lost by going on with fewer rows"),
            "paused_us": ("int64", "training time lost in pauses"),
        },
    ),
    "interruptions": Columns(
        "an interruption of a job; its loss is gpus x (end - start + rollback)",
        {
            "job": ("int64", "row of jobs"),
            "item": ("int64", "row of items of that job"),
            "start_us": ("int64", "the job stops"),
            "end_us": ("int64", "the job trains again, or is interrupted again, or the horizon"),
            "cause": ("int64", "row of the causing event, -1 for none"),
            "level": ("int64", "what was lost: 0 a server, 1 rows with the core alive, 2 the core too"),
            "gpus": ("int64", "GPUs held"),
            "rollback_us": ("int64", "training time lost by going back to a checkpoint"),
        },
    ),
    "trips": Columns(
        "a relocation of a truck, from the order until it is plugged in",
        {
            "item": ("int64", "row of items: the truck"),
            "origin": ("int64", "number of the site in meta that it left"),
            "destination": ("int64", "number of the site in meta that it went to, -1: lent"),
            "reason": ("int64", "place in TRIP_REASONS: home, outage, notice, price, relay, lease"),
            "ordered_us": ("int64", "ordered"),
            "depart_us": ("int64", "on the road, -1 if not before the horizon"),
            "arrive_us": ("int64", "there, -1 if not before the horizon"),
            "plugged_us": ("int64", "plugged in, -1 if not before the horizon"),
            "in_time": ("int64", "1 supply was away, or still to go, when it was plugged in; 0 too late; -1 no outage"),
            "km": ("float64", "driven"),
            "cost": ("float64", "kilometres and crew, in the currency"),
        },
    ),
    "stays": Columns(
        "a span that a truck was plugged in at one place, or lent",
        {
            "item": ("int64", "row of items: the truck"),
            "site": ("int64", "number of the site in meta, -1 while lent"),
            "start_us": ("int64", "plugged in"),
            "end_us": ("int64", "unplugged, or the horizon"),
            "start_kwh": ("float64", "stored then"),
            "end_kwh": ("float64", "stored then"),
            "charged_kwh": ("float64", "taken from the site, at its side"),
            "discharged_kwh": ("float64", "given to the site, at its side; a generator truck's output"),
            "cost": ("float64", "fuel, in the currency"),
            "income": ("float64", "of lending, in the currency"),
        },
    ),
    "series": Columns(
        "powers of a site from this time on, written only when one changes",
        {
            "time_us": ("int64", "since the scenario's start"),
            **_power_columns(),
            **_FLOW_COLUMNS,
            **{f"{name}_kw": ("float64", text) for name, text in _PV_MEANINGS.items()},
        },
    ),
    "units": Columns(
        "a turning point of a unit's stored energy; linear between a unit's own points",
        {
            "time_us": ("int64", "since the scenario's start"),
            "item": ("int64", "row of items"),
            "energy_kwh": ("float64", "stored energy"),
        },
    ),
    "ledger": Columns(
        "a billing month of a site: import + genset + hold_up + discharge + pv = it + cooling + house + loss +"
        " auxiliary + charge + network_loss + export",
        {
            "start_us": ("int64", "month's start or the scenario's"),
            "end_us": ("int64", "month's end or the horizon"),
            **_ledger_columns(),
        },
    ),
    "health": Columns(
        "the state of a unit's cells: at the end of each year, when they are replaced, and at the horizon",
        {
            "time_us": ("int64", "since the scenario's start"),
            "item": ("int64", "row of items"),
            "state_of_health_fraction": (
                "float64",
                "capacity over nameplate; before the replacement where there is one",
            ),
            "resistance_growth_fraction": ("float64", "growth of the cells' resistance since new"),
            "full_cycles": ("float64", "equivalent full cycles of the unit so far, through all its cells"),
            "replacements": ("int64", "how often its cells have been replaced, this time included"),
        },
    ),
    "cycles": Columns(
        "a span with its own likelihood weight; one row of 0 for an unweighted run",
        {
            "start_us": ("int64", "start"),
            "end_us": ("int64", "end"),
            "log_weight": ("float64", "natural logarithm of the likelihood ratio"),
        },
    ),
}

SITE_TABLES = ("series", "units", "ledger", "health")
"""Tables that exist once for each site."""


def empty_table(name: str) -> Table:
    """The named table with all its columns and no row."""
    kinds = {column: kind for column, (kind, _) in SCHEMA[name].columns.items()}
    return {column: [] if kind == "text" else np.empty(0, kind) for column, kind in kinds.items()}


def faults_of_table(name: str, table: Table) -> list[str]:
    """What is wrong with a table's columns: missing, unknown, of another type, of unequal length."""
    columns = SCHEMA[name].columns
    faults = [f"column '{column}' is missing" for column in columns if column not in table]
    faults += [f"column '{column}' is not of this schema" for column in table if column not in columns]
    lengths = set()
    for column, (kind, _) in columns.items():
        if column not in table:
            continue
        values = table[column]
        lengths.add(len(values))
        if kind == "text":
            if not all(isinstance(value, str) for value in values):
                faults.append(f"column '{column}' is not text")
        elif not (isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == kind):
            faults.append(f"column '{column}' is not a list of {kind}")
    if len(lengths) > 1:
        faults.append("columns have unequal lengths")
    return faults


def faults_of_links(meta: dict[str, Any], tables: dict[str, Table]) -> list[str]:
    """Row numbers that point nowhere, and causes that do not lie before their effects."""
    rows = {name: len(next(iter(tables[name].values()))) for name in ("items", "events", "jobs")}
    limits = {
        "item": (0, rows["items"]),
        "job": (0, rows["jobs"]),
        "cause": (-1, rows["events"]),
        "tenant": (-1, rows["items"]),
    }
    limits |= {"what": (0, len(meta["whats"])), "site": (-1, len(meta["sites"]))}
    faults = []
    for name, table in tables.items():
        for column in table.keys() & limits.keys():
            low, high = limits[column]
            values = table[column]
            if len(values) and (values.min() < low or values.max() >= high):
                faults.append(f"{name}: column '{column}' points outside its table")
    events = tables["events"]
    if not (events["cause"] < np.arange(rows["events"])).all():
        faults.append("events: a cause does not come before its effect")
    if not (events["time_us"][1:] >= events["time_us"][:-1]).all():
        faults.append("events: not in time order")
    return sorted(faults)
