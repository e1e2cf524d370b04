"""What designs are worth against a counterfactual: distributions over replications that share their luck.

Every replication is a pair: the design and the counterfactual on the same outages, each year simulated. Its cash flow
gives an NPV, a rate of return and a payback of its own; the figures here are means with intervals and quantiles of
those, never figures of a mean flow alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.estimate import Estimate, mean_interval
from twin.finance.cash import CashFlow, Side, cash_flow
from twin.finance.equipment import compared_as, equipment
from twin.finance.options import TruckOption, check_same_trucks, truck_option, use_value
from twin.finance.project import break_even, lcos
from twin.finance.returns import ReturnWarning, discount_factors, discounted_payback, irr, mirr, npv, payback
from twin.finance.terms import Data
from twin.metrics.accounts import ACCOUNTS, QUARTERS, by_year, columns, is_account, periods_a_year

Float = NDArray[np.float64]
GPU_LINES = ("interruption", "hardware", "time_to_power")
"""Lines that a price of a GPU-hour scales."""
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}


@dataclass(frozen=True)
class Appraisal:
    """A design against a counterfactual; arrays are by replication, nan where a figure does not exist.

    Attributes:
        compared_as: `as built`, `equal capital`, `equal kWh` or both, by `twin.finance.equipment.compared_as`; with the
            capital switched off, always as built.
        lines: mean flow of each line (years + 1,).
        line_npv: present value of each line in every replication.
        npv: of the total, with GPU-hours at the scenario's choice of price.
        npv_at: the same at each price of a GPU-hour: "cash", "opportunity".
        irr, mirr, payback, discounted_payback: nan where there is none, or for the IRR not exactly one. Paybacks leave
            out what equipment is worth at the horizon: nothing has paid back by being sold.
        gpu_hours: present amount of GPU-hours saved, which a price of 1 would make the NPV (interruption, hardware and
            time to power together).
        price_per_gpu_h: at which the mean NPV is zero, an option of trucks as it is at the scenario's price; None if
            no price of zero or more is.
        capital_factor: on capital and avoided capital at which the mean NPV is zero; None if no factor is.
        lcos, lcos_equipment: levelised cost of the design's storage with and without charging; nan without storage, and
            for storage that waits (less than one full discharge a year), whose kWh nobody buys.
    """

    design: str
    counterfactual: str
    compared_as: str
    rate: float
    lines: dict[str, Float]
    line_npv: dict[str, Float]
    npv: Float
    npv_at: dict[str, Float]
    irr: Float
    mirr: Float
    payback: Float
    discounted_payback: Float
    gpu_hours: Float
    price_per_gpu_h: float | None
    capital_factor: float | None
    lcos: float
    lcos_equipment: float

    @property
    def n(self) -> int:
        """Pairs of replications."""
        return len(self.npv)

    @property
    def total(self) -> Float:
        """The mean flow of all lines."""
        return np.asarray(sum(self.lines.values()))

    @property
    def mean_npv(self) -> Estimate:
        """The mean NPV with its interval."""
        return mean_interval(self.npv)

    @property
    def p_negative(self) -> float:
        """Share of pairs in which the design is worth less than the counterfactual."""
        return float(np.mean(self.npv < 0.0))

    def quantiles(self, figure: str) -> dict[str, float]:
        """P10, P50 and P90 of npv, irr, payback, ... over the pairs that have it; nan where there is none.

        A payback that never comes is longer than any other: P90 is nan where a tenth of the pairs never pay back.
        """
        values = getattr(self, figure)
        if figure in {"payback", "discounted_payback"}:
            late = np.sort(np.nan_to_num(values, nan=np.inf))
            found = np.array([late[min(int(q * len(late)), len(late) - 1)] for q in QUANTILES.values()])
            found[np.isinf(found)] = np.nan
            return dict(zip(QUANTILES, found.tolist(), strict=True))
        seen = values[np.isfinite(values)]
        found = np.quantile(seen, list(QUANTILES.values())) if len(seen) else np.full(len(QUANTILES), np.nan)
        return dict(zip(QUANTILES, found.tolist(), strict=True))

    def share(self, figure: str) -> float:
        """Share of the pairs that have the figure at all."""
        return float(np.mean(np.isfinite(getattr(self, figure))))


@dataclass(frozen=True)
class Money:
    """The yearly accounts of designs in all replications, with their terms: what every table of money starts from.

    Attributes:
        accounts: by design and account, (replications, years).
        scenarios: by design the resolved scenario as plain data.
        quarters: as the accounts, by quarter, where the use of trucks may change.
    """

    accounts: dict[str, dict[str, Float]]
    scenarios: dict[str, Data]
    quarters: dict[str, dict[str, Float]] = field(default_factory=dict)

    @property
    def designs(self) -> tuple[str, ...]:
        """Names of the designs."""
        return tuple(self.accounts)

    @property
    def counterfactuals(self) -> tuple[str, ...]:
        """Those counterfactuals that were simulated."""
        finance = next(iter(self.scenarios.values()))["finance"]
        return tuple(name for name in finance["counterfactuals"] if name in self.accounts)

    @property
    def replications(self) -> int:
        """Replications of each design."""
        return len(next(iter(next(iter(self.accounts.values())).values())))

    def side(self, design: str, replication: int, finance: Data) -> Side:
        """One design in one replication."""
        if design not in self.accounts:
            raise InputError(
                Problem(f"no design '{design}' with accounts", remedy=f"there are {', '.join(self.designs)}")
            )
        own = {name: values[replication] for name, values in self.accounts[design].items()}
        return Side(design, own, [] if "capital" in finance["off"] else equipment(self.scenarios[design]))

    def flows(
        self, design: str, against: str, priced_at: str | None = None, finance: Data | None = None
    ) -> list[CashFlow]:
        """The cash flow of every replication; `finance` instead of the design's own block."""
        terms = finance or self.scenarios[design]["finance"]
        option = self.option(against, terms, priced_at)
        gain = option.gain if option is not None and option.fixed == design else [None] * self.replications
        return [
            cash_flow(self.side(design, k, terms), self.side(against, k, terms), terms, priced_at, gain[k])
            for k in range(self.replications)
        ]

    def option(self, against: str, finance: Data, priced_at: str | None = None) -> TruckOption | None:
        """What choosing the use of trucks is worth; None unless all uses are there and the counterfactual is none.

        Nor is there a value where a forecast is to be made from the only replication.

        A counterfactual that has the same trucks could choose as well: the option then cancels.

        Raises:
            InputError: the uses differ in their trucks.
        """
        terms = finance.get("truck_uses")
        if not terms or against in terms["designs"] or not set(terms["designs"]) <= set(self.quarters):
            return None
        if terms["chosen_by"] == "forecast" and self.replications < 2:
            return None
        check_same_trucks(terms["designs"], self.scenarios)
        other = self.quarters[against]
        values = {
            name: use_value(self.quarters[name], other, finance, priced_at, QUARTERS) for name in terms["designs"]
        }
        rate = finance["discount_rate"]
        return truck_option(values, QUARTERS, rate, terms["chosen_by"], terms["cost_per_change"])

    def npv(self, design: str, against: str) -> Float:
        """The NPV of every pair of replications."""
        rate = self.scenarios[design]["finance"]["discount_rate"]
        return np.array([npv(rate, one.total) for one in self.flows(design, against)])

    def compared_as(self, design: str, against: str) -> str:
        """`as built`, or what the two have in common: see `twin.finance.equipment.compared_as`."""
        finance = self.scenarios[design]["finance"]
        return compared_as(*(self.side(name, 0, finance).equipment for name in (design, against)))

    def appraise(self, design: str, against: str) -> Appraisal:
        """All figures of a design against a counterfactual.

        Raises:
            InputError: either is not there, equipment has no capital cost, or a price is missing.
        """
        finance = self.scenarios[design]["finance"]
        rate, flows = finance["discount_rate"], self.flows(design, against)
        totals = np.array([one.total for one in flows])
        earned = np.array([one.without("salvage") for one in flows])
        names = list(flows[0].lines)
        mean = {name: np.mean([one.lines[name] for one in flows], axis=0) for name in names}
        by_price = [name for name in GPU_LINES if name in names]
        rest = float(np.mean([npv(rate, one.without(*by_price)) for one in flows]))
        unit = at_unit_price(finance)
        at_one = self.flows(design, against, finance=unit)
        saved = np.array([sum(npv(rate, one.lines[name]) for name in by_price) for one in at_one], np.float64)
        spent = sum((mean[name] for name in ("capital", "avoided_capital") if name in mean), np.zeros(totals.shape[1]))
        prices = ("cash", "opportunity") if finance["price_per_gpu_h"] else ()
        return Appraisal(
            design=design, counterfactual=against,
            compared_as=self.compared_as(design, against),
            rate=rate, lines=mean,
            line_npv={name: np.array([npv(rate, one.lines[name]) for one in flows]) for name in names},
            npv=np.array([npv(rate, total) for total in totals]),
            npv_at={
                name: np.array([npv(rate, one.total) for one in self.flows(design, against, name)]) for name in prices
            },
            irr=_each(_irr, totals),
            mirr=_each(lambda row: _mirr(row, rate, finance["reinvest_rate"]), totals),
            payback=_each(payback, earned),
            discounted_payback=_each(lambda row: discounted_payback(rate, row), earned),
            gpu_hours=saved,
            price_per_gpu_h=_at_least_zero(-rest / float(saved.mean()) if saved.mean() else None),
            capital_factor=_at_least_zero(break_even(rate, spent, np.mean(totals, axis=0) - spent)),
            **_lcos(self, design, rate),
        )  # fmt: skip


def money(values: Mapping[str, Float], names: Sequence[str], scenarios: Mapping[str, Data]) -> Money:
    """The accounts among the values of replications.

    Args:
        values: by design, (replications, values).
        names: of the values.
        scenarios: by design the resolved scenario.

    Raises:
        InputError: the scenario has no `finance:` block, or names counterfactuals that it does not have.
    """
    any_scenario = next(iter(scenarios.values()))
    finance = any_scenario.get("finance")
    if not finance or not any(is_account(name) for name in names):
        remedy = "add one: finance: {counterfactuals: [DESIGN, ...], ...}"
        raise InputError(Problem("the scenario has no finance: block, so nothing has a price", remedy=remedy))
    wanted = columns(any_scenario)
    first = list(names).index(wanted[0]) if wanted[0] in names else 0
    if tuple(names[first : first + len(wanted)]) != wanted:
        remedy = "simulate it again"
        raise InputError(Problem("these results hold other yearly accounts than this version reads", remedy=remedy))
    each = periods_a_year(any_scenario)
    found = {}
    for design, matrix in values.items():
        block = np.asarray(matrix)[:, first : first + len(wanted)].reshape(len(matrix), len(ACCOUNTS), -1)
        found[design] = {name: block[:, place] for place, name in enumerate(ACCOUNTS)}
    years = {design: by_year(own, each) for design, own in found.items()}
    made = Money(years, dict(scenarios), found if each > 1 else {})
    if not made.counterfactuals:
        text = f"none of the counterfactuals {', '.join(finance['counterfactuals'])} is among the designs"
        raise InputError(Problem(text, key="finance.counterfactuals", remedy=f"there are {', '.join(found)}"))
    return made


def at_unit_price(finance: Data) -> Data:
    """The terms with a GPU-hour at 1, so that its lines are hours; without the option, which is no multiple of them."""
    return finance | {"price_per_gpu_h": {"cash": 1.0, "opportunity": 1.0}, "truck_uses": None}


def _at_least_zero(value: float | None) -> float | None:
    """Prices and costs below zero are no break-even."""
    return None if value is None or value < 0.0 else value


def _each(figure: object, totals: Float) -> Float:
    assert callable(figure)
    return np.array([np.nan if (found := figure(row)) is None else found for row in totals], np.float64)


def _has_sign_change(row: Float) -> bool:
    return bool((row > 0).any() and (row < 0).any())


def _irr(row: Float) -> float | None:
    if not _has_sign_change(row):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ReturnWarning)  # counted by `Appraisal.share`
        return irr(row)


def _mirr(row: Float, rate: float, reinvest_rate: float | None) -> float | None:
    return mirr(row, rate, rate if reinvest_rate is None else reinvest_rate) if _has_sign_change(row) else None


def _lcos(of: Money, design: str, rate: float) -> dict[str, float]:
    """The levelised cost of a design's cabinets and storage trucks, from its mean accounts."""
    own = {name: np.append(0.0, values.mean(axis=0)) for name, values in of.accounts[design].items()}
    finance, years = of.scenarios[design]["finance"], len(own["discharge_kwh"]) - 1
    found = {"lcos": np.nan, "lcos_equipment": np.nan}
    if "capital" in finance["off"] or not own["discharge_kwh"] @ discount_factors(rate, years + 1) > 0.0:
        return found
    stores = [
        piece
        for piece in equipment(of.scenarios[design])
        if piece.name.endswith("cabinets") or (piece.name.startswith("trucks.") and piece.rated_kwh)
    ]
    if own["discharge_kwh"].sum() < years * sum(piece.rated_kwh for piece in stores) or not stores:
        return found
    drift = finance["drift_per_year"]
    straight = finance["value_at_horizon"] == "straight_line"
    costs = own["cells_cost"] * np.append(0.0, (1.0 + drift["equipment"]) ** np.arange(years))
    for piece in stores:
        costs[0] += piece.capital
        costs[1:] += piece.o_and_m_per_year() * (1.0 + drift["o_and_m"]) ** np.arange(years)
        costs += piece.bought_again(years, drift["equipment"])
        costs[-1] -= piece.worth_at(years, drift["equipment"], straight_line=straight)
    charging = own["charge_cost"] * np.append(0.0, (1.0 + drift["electricity"]) ** np.arange(years))
    return {
        "lcos": lcos(rate, costs, own["discharge_kwh"], charging),
        "lcos_equipment": lcos(rate, costs, own["discharge_kwh"]),
    }
