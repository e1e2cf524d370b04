"""Cash flows of a design against a counterfactual, line by line and year by year, from the yearly accounts of both.

Nothing is extrapolated: every year of the flows has been simulated, with the ageing, growth and replacements of that
year. Prices drift as the scenario says; dispatch does not see the drift, which leaves the ratio of all prices alone.
Every line of a year is rounded to the cent, and the total is the sum of the lines.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.finance.equipment import Equipment
from twin.finance.lines import LINES
from twin.finance.project import depreciation, income_tax, loan
from twin.finance.terms import Data

Float = NDArray[np.float64]
Accounts = Mapping[str, Float]
"""By account, its value in each year."""


@dataclass(frozen=True)
class CashFlow:
    """What a design brings beyond a counterfactual: by line (years + 1,), place 0 at the start, to the cent."""

    design: str
    counterfactual: str
    lines: dict[str, Float]

    @property
    def total(self) -> Float:
        """All lines together."""
        rows = [row.tolist() for row in self.lines.values()]
        return np.array([round(math.fsum(column), 2) for column in zip(*rows, strict=True)])

    def without(self, *names: str) -> Float:
        """All lines but some."""
        return CashFlow(self.design, self.counterfactual, {k: v for k, v in self.lines.items() if k not in names}).total


@dataclass(frozen=True)
class Side:
    """One design's part in a comparison: its yearly accounts in one replication, and its equipment."""

    design: str
    accounts: Accounts
    equipment: Sequence[Equipment]


def gpu_hours(of: Accounts, against: Accounts) -> dict[str, Float]:
    """GPU-hours that the design saves in each period, by the line that they belong to."""
    names = {"interruption": "supply", "hardware": "hardware", "time_to_power": "capacity"}
    return {line: against[f"lost_gpu_h_{group}"] - of[f"lost_gpu_h_{group}"] for line, group in names.items()}


def cash_flow(
    of: Side, against: Side, finance: Data, priced_at: str | None = None, option: Float | None = None
) -> CashFlow:
    """The cash flow of a design against a counterfactual that met the same luck.

    Args:
        of, against: the two designs in the same replication.
        finance: the scenario's `finance:` block as plain data.
        priced_at: "cash" or "opportunity" for the price of a GPU-hour, instead of the block's own choice.
        option: (years,) what choosing the use of its trucks brings beyond this design (`twin.finance.options`).

    Raises:
        InputError: accounts of unequal length, or a price that is missing for what was lost or burned.
    """
    years = len(of.accounts["energy_cost"])
    if years != len(against.accounts["energy_cost"]):
        raise InputError(f"{of.design} has {years} years and {against.design} another number: no years to compare")
    found = {
        name: np.append(0.0, row) for name, row in operation(of.accounts, against.accounts, finance, priced_at).items()
    }
    if finance["deferral"] is not None:
        found["deferral"] = np.append(0.0, _deferral(of, against, finance, years))
    if option is not None:
        found["option"] = np.append(0.0, option)
    found |= _equipment(of, against, finance, years)
    kept = {name: _cents(found[name]) for name in LINES if name in found and name not in finance["off"]}
    kept |= {name: _cents(row) for name, row in _tax_and_debt(kept, finance).items() if name not in finance["off"]}
    return CashFlow(of.design, against.design, kept)


def _cents(row: Float) -> Float:
    return np.array([round(value, 2) + 0.0 for value in row.tolist()])


def growth(finance: Data, name: str, count: int, each: int = 1) -> Float:
    """Factor on a price in every period of `each` a year: the first year has the scenario's prices."""
    return np.asarray((1.0 + finance["drift_per_year"][name]) ** (np.arange(count) // each).astype(np.float64))


def operation(
    of: Accounts, against: Accounts, finance: Data, priced_at: str | None = None, each: int = 1
) -> dict[str, Float]:
    """Lines of what the two pay and lose while they run, to the last digit and shaped as the accounts.

    Args:
        of, against: accounts of the two designs, (..., periods).
        finance: the scenario's `finance:` block as plain data.
        priced_at: as of `cash_flow`.
        each: periods of a year.

    Raises:
        InputError: a price is missing for what was lost or burned.
    """
    count = of["energy_cost"].shape[-1]

    def less(*names: str) -> Float:
        return np.asarray(sum(against[name] - of[name] for name in names))

    power, gpu, fuel, carbon = (
        growth(finance, name, count, each) for name in ("electricity", "gpu_h", "fuel", "carbon")
    )
    burned = less("genset_kwh")
    basis = f"carbon_{finance['carbon_basis']}_t"
    pv = -less("pv_value")
    lines = {
        "energy": (less("energy_cost") - pv) * power,
        "pv": (pv - less("export_income")) * power,
        "demand": less("demand_cost") * power,
        "demand_response": -less("demand_response_income") * power,
        "fuel": burned * _price(finance, "fuel_price_per_kwh", "fuel", burned) * fuel,
        "unserved": less("unserved_kwh") * finance["price_per_unserved_kwh"],
        "flexibility": less("truck_cost") - less("lending_income"),
        "carbon_scope_1": less("carbon_genset_t") * finance["price_per_t_co2"] * carbon,
        "carbon_scope_2": less(basis) * finance["price_per_t_co2"] * carbon,
        "air_quality": less("genset_nox_kg") * finance["price_per_kg_nox"]
        + less("genset_pm_kg") * finance["price_per_kg_pm"],
    }
    for name, hours in gpu_hours(of, against).items():
        lines[name] = hours * _gpu_price(finance, priced_at or finance["priced_at"], name, hours) * gpu
    return lines


def _price(finance: Data, key: str, line: str, amount: Float) -> float:
    price = finance[key]
    if price is None and line not in finance["off"] and amount.any():
        raise InputError(f"finance.{key} is missing, and there is some to price (or say off: [{line}])")
    return float(price or 0.0)


def _gpu_price(finance: Data, priced_at: str, line: str, hours: Float) -> float:
    prices = finance["price_per_gpu_h"]
    if prices is None:
        return _price(finance, "price_per_gpu_h", line, hours)
    return float(prices[priced_at])


def _deferral(of: Side, against: Side, finance: Data, years: int) -> Float:
    """The expansion's yearly charge where one needs it and the other does not; a year above the limit is for good."""
    terms, rate = finance["deferral"], finance["discount_rate"]
    life = terms["life_years"]
    factor = 1.0 / life if rate == 0.0 else rate / (1.0 - (1.0 + rate) ** -life)
    charge = np.zeros(years)
    for side, sign in ((against, 1.0), (of, -1.0)):
        above = np.flatnonzero(side.accounts["peak_import_kw"] > terms["limit_kw"])
        if len(above):
            first = int(above[0])
            charge[first:] += sign * terms["capital"] * (1.0 + terms["price_growth_per_year"]) ** first * factor
    return charge


def _equipment(of: Side, against: Side, finance: Data, years: int) -> dict[str, Float]:
    """Capital, O&M, replacement and salvage; what both have cancels, piece by piece."""
    lines = {name: np.zeros(years + 1) for name in ("capital", "avoided_capital", "o_and_m", "replacement", "salvage")}
    drift = finance["drift_per_year"]
    straight = finance["value_at_horizon"] == "straight_line"
    bought = {name: [0.0, 0.0] for name in (piece.name for side in (of, against) for piece in side.equipment)}
    for place, (side, sign) in enumerate(((of, -1.0), (against, 1.0))):
        for piece in side.equipment:
            bought[piece.name][place] = piece.capital
            lines["o_and_m"][1:] += sign * piece.o_and_m_per_year() * growth(finance, "o_and_m", years)
            lines["replacement"] += sign * piece.bought_again(years, drift["equipment"])
            lines["salvage"][-1] -= sign * piece.worth_at(years, drift["equipment"], straight_line=straight)
    for own, other in bought.values():
        lines["capital"][0] -= max(own - other, 0.0)
        lines["avoided_capital"][0] += max(other - own, 0.0)
    cells = against.accounts["cells_cost"] - of.accounts["cells_cost"]
    lines["replacement"][1:] += cells * growth(finance, "equipment", years)
    return lines


def _tax_and_debt(lines: dict[str, Float], finance: Data) -> dict[str, Float]:
    """Tax on the incremental profit, and the loan; both from the lines that count."""
    found: dict[str, Float] = {}
    if not lines:
        return found
    count = len(next(iter(lines.values())))
    none = np.zeros(count)
    spent = -(lines.get("capital", none) + lines.get("avoided_capital", none) + lines.get("replacement", none))
    interest = none
    if finance["debt"] is not None and "debt" not in finance["off"]:
        terms = finance["debt"]
        made = loan(max(spent[0], 0.0) * terms["fraction"], terms["rate"], terms["years"], count, terms["kind"])
        found["debt"], interest = made.flows, made.interest
    if finance["tax"] is not None and "tax" not in finance["off"]:
        terms = finance["tax"]
        written = depreciation(spent, terms["depreciation_years"], terms["salvage_fraction"])
        rest = ("capital", "avoided_capital", "replacement", "salvage")
        profit = np.asarray(sum((row for name, row in lines.items() if name not in rest), none.copy()))
        profit = profit - written - interest
        sold = lines.get("salvage", none)[-1]
        profit[-1] += sold - (float(spent.sum()) - float(written.sum())) if sold else 0.0
        found["tax"] = -income_tax(profit, terms["rate"], terms["loss_years"])
    return found
