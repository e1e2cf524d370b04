"""The accounts of one design: what a replication's trace says about money, period by period, at constant prices.

A year is twelve billing months from the start, a quarter three of them; what the horizon adds beyond the last whole
year (leap days) belongs to its last period. Quarters are kept where the use of trucks may be chosen anew in each
(`finance.truck_uses`), years else. Quantities that are priced later (GPU-hours, fuel, CO2) stand as quantities, so
that the reader may ask at which price the answer changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.finance.bill import DEMAND, bill
from twin.finance.carbon import monthly_air, monthly_carbon
from twin.finance.terms import Data, months, scenario_of, site_terms
from twin.metrics.causes import GROUPS, groups, loss_gpu_h, slowed_by_cause
from twin.metrics.compute import CONSUMED
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR

Float = NDArray[np.float64]
Int = NDArray[np.int64]

ACCOUNTS: dict[str, tuple[str, str]] = {
    "energy_cost": ("money", "grid energy, surcharges, power factor; at the simple price where there is no tariff"),
    "demand_cost": ("money", "charged by kW or kVA and month"),
    "demand_response_income": ("money", "payments for calls less penalties"),
    "export_income": ("money", "paid for export"),
    "pv_value": ("money", "PV used on site at the price of its instant"),
    "charge_cost": ("money", "charging of storage at the price of its instant"),
    "discharge_kwh": ("kWh", "given by storage"),
    "consumed_kwh": ("kWh", "consumed by the sites, losses included"),
    "genset_kwh": ("kWh", "given by gensets"),
    "lost_gpu_h_supply": (
        "GPU-h",
        "lost to supply events, equipment, planned work, caps on backup, pauses and fewer rows",
    ),
    "lost_gpu_h_hardware": ("GPU-h", "lost to server failures"),
    "lost_gpu_h_capacity": ("GPU-h", "lost to caps and shedding above the import limit"),
    "unserved_kwh": ("kWh", "not served, against the level just before the event"),
    "cells_cost": ("money", "new cells where simulated ageing replaced them"),
    "truck_cost": ("money", "roads, crews and fuel of trucks"),
    "lending_income": ("money", "of trucks lent"),
    "carbon_location_t": ("t", "Scope 2 by place"),
    "carbon_market_t": ("t", "Scope 2 by market"),
    "carbon_genset_t": ("t", "Scope 1 of gensets"),
    "genset_nox_kg": ("kg", "NOx of gensets"),
    "genset_pm_kg": ("kg", "particulate matter of gensets"),
    "peak_import_kw": ("kW", "largest 15-minute mean of import of a site"),
}
"""Accounts by name: unit and meaning."""
QUARTERS = 4
"""Of a year."""
_LARGEST = ("peak_import_kw",)
"""Accounts of which a year has the largest of its quarters, not their sum."""
_FROM_LEDGER = ("pv_value", "charge_cost", "discharge_kwh", "genset_kwh", "unserved_kwh")


def whole_years(hours: float) -> int:
    """Years of accounts in a horizon: at least one; leap days do not make a year."""
    return max(1, round(hours / HOURS_PER_YEAR))


def columns(scenario: Data) -> tuple[str, ...]:
    """Names of the accounts among the values of a replication: none where the scenario has no `finance:`."""
    if not scenario.get("finance"):
        return ()
    each = periods_a_year(scenario)
    mark, count = ("year", "quarter")[each > 1], each * whole_years(scenario["horizon"]["hours"])
    return tuple(f"{name}_{mark}_{number:03d}" for name in ACCOUNTS for number in range(1, count + 1))


def periods_a_year(scenario: Data) -> int:
    """Into how many parts the accounts of a year fall: 4 where the use of trucks may change by quarter, else 1."""
    return QUARTERS if scenario["finance"].get("truck_uses") else 1


def is_account(column: str) -> bool:
    """Whether a column of a replication's values is one of the accounts."""
    return any(column.rpartition(f"_{mark}_")[0] in ACCOUNTS for mark in ("year", "quarter"))


def by_year(accounts: Mapping[str, Float], each: int) -> dict[str, Float]:
    """Accounts whose last axis counts the parts of years, put together to years.

    Args:
        accounts: by name, (..., years x each).
        each: parts of a year.
    """
    found = {}
    for name, values in accounts.items():
        parts = values.reshape(*values.shape[:-1], -1, each)
        found[name] = np.asarray(parts.max(axis=-1) if name in _LARGEST else parts.sum(axis=-1))
    return found


def accounts(trace: Trace, each: int = 1) -> dict[str, Float]:
    """The accounts of all sites together, each (years x each,).

    Args:
        trace: of one replication.
        each: parts of a year, 1 or 4.
    """
    periods = _Periods(trace, each)
    found = {name: np.zeros(periods.count) for name in ACCOUNTS}
    for site, ledger in trace.ledger.items():
        period = periods.of_month(np.arange(len(ledger["start_us"])))
        for name in _FROM_LEDGER:
            np.add.at(found[name], period, ledger[name])
        for name in CONSUMED:
            np.add.at(found["consumed_kwh"], period, ledger[name])
        np.maximum.at(found["peak_import_kw"], period, ledger["peak_import_kw"])
        _book_bill(trace, site, period, found)
        _book_carbon(trace, site, period, found)
        _book_cells(trace, site, periods, found)
    _book_gpu_hours(trace, periods, found)
    _book_trucks(trace, periods, found)
    return found


def row(trace: Trace) -> Float:
    """The accounts in the order of `columns`; empty where the scenario has no `finance:`."""
    scenario = scenario_of(trace)
    if not scenario.get("finance"):
        return np.empty(0)
    return np.concatenate(list(accounts(trace, periods_a_year(scenario)).values()))


class _Periods:
    """The years of a trace, or their equal parts, by the billing months of its first site."""

    def __init__(self, trace: Trace, each: int) -> None:
        self.count = each * whole_years(trace.years * HOURS_PER_YEAR)
        self._months = 12 // each
        self._start_us: Int = next(iter(trace.ledger.values()))["start_us"]
        self._end_us: int = trace.meta["horizon_us"]

    def of_month(self, month: Int) -> Int:
        """The period of billing months by their number."""
        return np.clip(month // self._months, 0, self.count - 1)

    def of(self, time_us: Int) -> Int:
        """The period of each instant."""
        return self.of_month(np.searchsorted(self._start_us, time_us, side="right") - 1)

    def spread(self, start_us: Int, end_us: Int, amount: Float) -> Float:
        """Amounts of spans, shared out over the periods that they touch: (count,)."""
        first_us = self._start_us[:: self._months][: self.count]
        edges_us = np.append(first_us, self._end_us)[:, None]
        inside = np.diff(np.clip(edges_us, start_us, end_us), axis=0)
        return np.asarray((inside * (amount / np.maximum(end_us - start_us, 1))).sum(axis=1))


def _book_bill(trace: Trace, site: str, period: Int, found: dict[str, Float]) -> None:
    one = bill(trace, site)
    if one is None:
        return
    place = {month.name: int(k) for month, k in zip(months(trace, site), period, strict=True)}
    for line in one.lines:
        if line.what in DEMAND:
            found["demand_cost"][place[line.month]] += line.amount
        elif line.what.startswith("demand_response"):
            found["demand_response_income"][place[line.month]] -= line.amount
        elif line.what == "export":
            found["export_income"][place[line.month]] -= line.amount
        else:
            found["energy_cost"][place[line.month]] += line.amount


def _book_carbon(trace: Trace, site: str, period: Int, found: dict[str, Float]) -> None:
    for name, kg in monthly_air(trace, site).items():
        np.add.at(found[f"genset_{name}_kg"], period, kg)
    monthly = monthly_carbon(trace, site)
    if monthly is None:
        return
    for name, tonnes in monthly.items():
        np.add.at(found[f"carbon_{name}"], period, tonnes)


def _book_cells(trace: Trace, site: str, periods: _Periods, found: dict[str, Float]) -> None:
    table = trace.health.get(site)
    if table is None:
        return
    protection = site_terms(trace, site).get("protection", {})
    names = [trace.items["name"][i].removeprefix(f"{site}/") for i in table["item"].tolist()]
    price_of = {name: _cells_price(name, protection) for name in set(names)}
    order = np.lexsort((table["time_us"], table["item"]))
    item, count = table["item"][order], table["replacements"][order]
    before = np.where(np.append(True, item[1:] != item[:-1]), 0, np.append(0, count[:-1]))
    price = np.array([price_of[name] for name in names])[order]
    np.add.at(found["cells_cost"], periods.of(table["time_us"][order]), price * (count - before))


def _cells_price(name: str, protection: Any) -> float:
    """New cells of one cabinet, UPS battery or string; 0 where the scenario gives no price."""
    block, _, battery = name.partition("/")
    of_ups = battery == "battery" or battery.startswith("string-")
    spec = protection.get(("core_ups" if block.startswith("core-ups-") else "ups") if of_ups else "cabinets")
    if not spec or not spec["capital"] or spec["capital"]["cells_per_kwh"] is None:
        return 0.0
    if not of_ups:
        return float(spec["rated_kwh"] * spec["capital"]["cells_per_kwh"])
    kwh = spec["modules"]["n"] * spec["modules"]["rated_kw"] * spec["autonomy_min"] / 60.0
    strings = spec["strings"]
    return float(kwh * spec["capital"]["cells_per_kwh"] / (strings["n"] + strings["r"] if strings else 1))


def _book_gpu_hours(trace: Trace, periods: _Periods, found: dict[str, Float]) -> None:
    group, lost = groups(trace), loss_gpu_h(trace)
    period = periods.of(trace.interruptions["start_us"])
    name_of = np.full(len(GROUPS), "lost_gpu_h_supply", dtype=object)
    name_of[GROUPS.index("hardware")] = "lost_gpu_h_hardware"
    name_of[GROUPS.index("capacity")] = "lost_gpu_h_capacity"
    for number, name in enumerate(name_of):
        mine = group == number
        np.add.at(found[name], period[mine], lost[mine])
    for name, start_us, end_us, gpu_h in slowed_by_cause(trace):
        found[name] += periods.spread(start_us, end_us, gpu_h)


def _book_trucks(trace: Trace, periods: _Periods, found: dict[str, Float]) -> None:
    trips: Any = trace.trips
    stays: Any = trace.stays
    np.add.at(found["truck_cost"], periods.of(trips["ordered_us"]), trips["cost"])
    found["truck_cost"] += periods.spread(stays["start_us"], stays["end_us"], stays["cost"])
    found["lending_income"] += periods.spread(stays["start_us"], stays["end_us"], stays["income"])
