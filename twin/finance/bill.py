"""The electricity bill of a site, line by line and month by month, from a trace alone.

Every line is rounded to the cent, and the bill is the sum of its lines. Demand is the month's largest 15-minute mean
of import. A month that the horizon cuts pays its share of what is charged by the month; so do thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.finance.terms import Data, Month, months, site_terms
from twin.tariff_terms import PERIODS, price_per_kwh, transformer_kva
from twin.trace import Trace
from twin.units import TICKS_PER_H

DEMAND = ("demand", "demand_excess", "capacity", "demand_discount")
"""Lines that are charged by kW or kVA and month."""
_ROUNDING = 1.0 - 1e-9
"""kWh that differ by less are equal."""
_MOST_REBATED = {0.9: 0.95, 0.85: 0.94, 0.8: 0.92}


@dataclass(frozen=True)
class Line:
    """One line of a bill: amount = quantity x price, rounded to the cent; what the site earns is negative."""

    month: str
    what: str
    quantity: float
    unit: str
    price: float
    amount: float


@dataclass(frozen=True)
class Bill:
    """All lines of a site, in order of month; money is in the scenario's currency."""

    site: str
    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        """The sum of the lines, to the cent."""
        return round(math.fsum(line.amount for line in self.lines), 2)

    def total_of(self, *whats: str) -> float:
        """The sum of the lines of some kinds, to the cent."""
        return round(math.fsum(line.amount for line in self.lines if line.what in whats), 2)

    def by_month(self) -> dict[str, float]:
        """The total of each month, to the cent."""
        names = dict.fromkeys(line.month for line in self.lines)
        return {name: round(math.fsum(x.amount for x in self.lines if x.month == name), 2) for name in names}


@dataclass(frozen=True)
class _Metered:
    """What the meters of a month say [kWh, kW]; `cost` is import at the price of each instant."""

    month: Month
    import_kwh: float
    period_kwh: tuple[float, ...]
    cost: float
    peak_kw: float
    export_kwh: float


def bill(trace: Trace, site: str) -> Bill | None:
    """The bill of a site over the horizon; None where it has neither a tariff nor a price."""
    terms = site_terms(trace, site)
    tariff = terms.get("tariff")
    if tariff is None and terms.get("price_per_kwh") is None:
        return None
    lines: list[Line] = []
    for metered in _meters(trace, site):
        lines += _energy(tariff, metered)
        if tariff is not None:
            lines += _by_the_month(terms, tariff, metered, lines)
    if tariff is not None and tariff["demand_response"]:
        called = sorted(_calls(trace, site, tariff["demand_response"]), key=lambda line: line.month)
        lines = sorted(lines + called, key=lambda line: line.month)
    return Bill(site, str(trace.meta.get("currency", "")), tuple(lines))


def _meters(trace: Trace, site: str) -> Iterator[_Metered]:
    ledger = trace.ledger[site]
    periods = np.stack([ledger[f"import_{period}_kwh"] for period in PERIODS], axis=1).tolist()
    names = ("import_kwh", "energy_cost", "peak_import_kw")
    columns = [ledger[name].tolist() for name in names]
    columns.append(ledger["export_kwh"].tolist() if "export_kwh" in ledger else [0.0] * len(periods))
    for month, by_period, kwh, cost, peak_kw, out_kwh in zip(months(trace, site), periods, *columns, strict=True):
        yield _Metered(month, kwh, tuple(by_period), cost, peak_kw, out_kwh)


def _line(month: Month, what: str, quantity: float, unit: str, price: float) -> Line:
    return Line(month.name, what, quantity, unit, price, round(quantity * price, 2))


def _energy(tariff: Data | None, of: _Metered) -> Iterator[Line]:
    if tariff is None or tariff["price_series"] is not None:
        price = of.cost / of.import_kwh if of.import_kwh else 0.0
        yield Line(of.month.name, "energy", of.import_kwh, "kWh", price, round(of.cost, 2))
        return
    for period, kwh in zip(PERIODS, of.period_kwh, strict=True):
        if kwh:
            yield _line(of.month, f"energy_{period}", kwh, "kWh", price_per_kwh(tariff, of.month.month, period) or 0.0)


def _by_the_month(terms: Data, tariff: Data, of: _Metered, so_far: list[Line]) -> list[Line]:
    """Demand, adjustment for the power factor, surcharges and export of a month."""
    found = list(_demand(terms, tariff, of))
    if tariff["power_factor"] is not None:
        rate = power_factor_rate(*_power_factor(terms, tariff))
        energy = [line for line in so_far if line.month == of.month.name]
        base = math.fsum(line.amount for line in [*energy, *found])
        found.append(_line(of.month, "power_factor", base, "money", rate))
    for name, price in tariff["surcharges_per_kwh"].items():
        found.append(_line(of.month, f"surcharge_{name}", of.import_kwh, "kWh", price))
    if tariff["export"] is not None and of.export_kwh:
        found.append(_line(of.month, "export", of.export_kwh, "kWh", -tariff["export"]["price_per_kwh"]))
    return found


def _demand(terms: Data, tariff: Data, of: _Metered) -> Iterator[Line]:
    demand, kva = tariff["demand"], transformer_kva(terms)
    if demand is None:
        return
    share = of.month.share
    if demand["mode"] == "capacity":
        yield _line(of.month, "capacity", (kva or 0.0) * share, "kVA-month", demand["price_per_kva_month"])
        return
    price, billed_kw, excess_kw = demand["price_per_kw_month"], of.peak_kw, 0.0
    if demand["mode"] == "contracted":
        billed_kw = max(demand["contract_kw"], demand["floor_fraction"] * (kva or 0.0))
        excess_kw = max(0.0, of.peak_kw - (1.0 + demand["band_fraction"]) * billed_kw)
    lines = [_line(of.month, "demand", billed_kw * share, "kW-month", price)]
    if excess_kw:
        dear = demand["excess_multiple"] * price
        lines.append(_line(of.month, "demand_excess", excess_kw * share, "kW-month", dear))
    yield from lines
    discount = demand["discount"]
    least_kwh = discount["from_kwh_per_kva_month"] * share * (kva or math.inf) if discount else math.inf
    if of.import_kwh >= least_kwh * _ROUNDING:
        base = math.fsum(line.amount for line in lines)
        yield _line(of.month, "demand_discount", base, "money", discount["factor"] - 1.0)


def _power_factor(terms: Data, tariff: Data) -> tuple[float, float]:
    """The site's power factor and the target."""
    own = tariff["power_factor"]["value"]
    return own if own is not None else terms["network"]["power_factor"], tariff["power_factor"]["target"]


def power_factor_rate(value: float, target: float) -> float:
    """What energy and demand cost more (positive) or less for the power factor, as a fraction of them.

    China's rule of 1983 as commonly tabled: below the target 0.5 % for each of 20 hundredths, 1 % for each of the next
    five, then 2 %; above it 0.1 % off up to 0.90 and 0.15 % beyond, until 0.95 (0.94, 0.92 for targets of 0.85, 0.80).
    """
    short = round((target - value) * 100)
    if short > 0:
        return (0.5 * min(short, 20) + 1.0 * min(max(short - 20, 0), 5) + 2.0 * max(short - 25, 0)) / 100
    reached = min(round(value * 100), round(_MOST_REBATED[target] * 100))
    below = max(0, min(reached, 90) - round(target * 100))
    return -(0.1 * below + 0.15 * max(0, reached - max(90, round(target * 100)))) / 100


def _calls(trace: Trace, site: str, programmes: Data) -> Iterator[Line]:
    """Payment and penalty of every call that has ended, in the month of its end."""
    events, edges_us = trace.events, trace.ledger[site]["start_us"]
    of_month = months(trace, site)
    for name, terms in programmes.items():
        item = trace.items["name"].index(f"{site}/demand-response/{name}")
        own = events["item"] == item
        call = own & (events["what"] == trace.what("call"))
        ends_us = events["time_us"][call & (events["value"] == 0)]
        starts_us = events["time_us"][call & (events["value"] == 1)][: ends_us.size]
        taken_kwh = events["value"][own & (events["what"] == trace.what("metered"))] / 1000.0
        for start_us, end_us, kwh in zip(starts_us, ends_us, taken_kwh, strict=True):
            month = of_month[int(np.searchsorted(edges_us, end_us, side="left")) - 1]
            yield from _call(name, terms, month, float(end_us - start_us) / TICKS_PER_H, float(kwh))


def _call(name: str, terms: Data, month: Month, hours: float, taken_kwh: float) -> Iterator[Line]:
    asked_kwh = terms["kw"] * hours
    given_kwh = min(max(terms["baseline_kw"] * hours - taken_kwh, 0.0), asked_kwh)
    what = f"demand_response_{name}"
    if terms["payment_per_kwh"]:
        yield _line(month, what, given_kwh, "kWh", -terms["payment_per_kwh"])
    if terms["payment_per_kw"]:
        yield _line(month, what, given_kwh / hours, "kW", -terms["payment_per_kw"])
    if terms["penalty_per_kwh"] and given_kwh < asked_kwh:
        yield _line(month, f"{what}_penalty", asked_kwh - given_kwh, "kWh", terms["penalty_per_kwh"])
