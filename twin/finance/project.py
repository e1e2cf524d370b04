"""A project's tax, debt and break-evens: what turns flows before tax into flows of the project and of its owners.

Yearly amounts are rows whose place 0 is the start and place t the end of year t. Straight-line depreciation, an income
tax that carries losses forward for some years, loans by annuity or by equal instalments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.errors import InputError
from twin.finance.returns import checked_flows, checked_rate, discount_factors, npv

Float = NDArray[np.float64]


def depreciation(spent: ArrayLike, years: int, salvage_fraction: float = 0.0) -> Float:
    """Straight-line depreciation of what is spent in each year, from the year after on, within the row.

    Args:
        spent: capital spent, positive; place 0 at the start.
        years: over which each spending is written off, 1 or more.
        salvage_fraction: of it that is not written off.
    """
    row = checked_flows(spent)
    if years < 1:
        raise InputError(f"depreciation over {years} years: at least 1 is needed")
    written = np.zeros(len(row) + years)
    for at in np.flatnonzero(row):
        written[at + 1 : at + 1 + years] += row[at] * (1.0 - salvage_fraction) / years
    return written[: len(row)]


def income_tax(profit: ArrayLike, rate: float, loss_years: int = 5) -> Float:
    """Tax of each year; a loss lowers the profits of the next `loss_years` years, the oldest loss first.

    Args:
        profit: before tax, negative for a loss.
        rate: of the tax, a fraction of profit.
        loss_years: for how many years a loss is carried forward.
    """
    losses: dict[int, float] = {}
    tax = np.zeros(len(checked_flows(profit)))
    for year, before in enumerate(checked_flows(profit).tolist()):
        if before < 0.0:
            losses[year] = -before
            continue
        earned = before
        for of in [of for of in losses if year - of <= loss_years]:
            used = min(losses[of], earned)
            losses[of] -= used
            earned -= used
        tax[year] = rate * earned
    return tax


@dataclass(frozen=True)
class Loan:
    """Rows of a loan that is paid out at the start: what is repaid and the interest of each year, both positive."""

    principal: float
    repaid: Float
    interest: Float

    @property
    def flows(self) -> Float:
        """What the borrower sees: the principal comes, repayment and interest go."""
        paid = -self.repaid - self.interest
        paid[0] += self.principal
        return paid


def loan(principal: float, rate: float, years: int, count: int, kind: str = "annuity") -> Loan:
    """A loan over `years` as rows of `count` places; `kind` is "annuity" or "equal_instalments".

    Raises:
        InputError: it outlives the row, which would leave debt unpaid.
    """
    checked_rate(rate, "interest rate of the loan")
    if not 1 <= years <= count - 1:
        raise InputError(f"a loan over {years} years: must be repaid within the {count - 1} years that are looked at")
    repaid, interest, owed = np.zeros(count), np.zeros(count), principal
    yearly = principal / years if rate == 0.0 else principal * rate / -math.expm1(-years * math.log1p(rate))
    for year in range(1, years + 1):
        interest[year] = rate * owed
        repaid[year] = yearly - interest[year] if kind == "annuity" else principal / years
        owed -= repaid[year]
    return Loan(principal, repaid, interest)


def break_even(rate: float, line: ArrayLike, rest: ArrayLike) -> float | None:
    """The factor on one line of flows at which the NPV of all is zero: its flip value over its present value.

    A line that is proportional to an input (a price, a capital cost) has this factor times that input as break-even.

    Args:
        rate: of discount.
        line: flows that the factor scales.
        rest: all other flows.

    Returns:
        None where the line is worth nothing, so that no factor helps.
    """
    one, others = checked_flows(line), checked_flows(rest)
    if len(one) != len(others):
        raise InputError(f"flows: {len(one)} of the line and {len(others)} of the rest; both need one a year")
    worth = npv(rate, one)
    return None if worth == 0.0 else -npv(rate, others) / worth


def deferral_value(capital: float, rate: float, price_growth: float, years: float) -> float:
    """Value of spending `capital` `years` later: C (1 - ((1 + g) / (1 + r))^years) (Sandia SAND2009-4070)."""
    checked_rate(rate)
    return float(capital * (1.0 - ((1.0 + price_growth) / (1.0 + rate)) ** years))


def lcos(rate: float, costs: ArrayLike, discharged_kwh: ArrayLike, charging_cost: ArrayLike | None = None) -> float:
    """Levelised cost of storage: discounted costs over discounted energy given [money/kWh].

    Args:
        rate: of discount.
        costs: capital, operation, replacement less salvage, positive; place 0 at the start.
        discharged_kwh: energy given in each year, as long as the costs.
        charging_cost: what was paid for charging; without it the figure is that of the equipment alone.

    Raises:
        InputError: rows of unequal length, or a storage that gives nothing.
    """
    rows = [checked_flows(one) for one in (costs, discharged_kwh, *([] if charging_cost is None else [charging_cost]))]
    if len({len(row) for row in rows}) > 1:
        raise InputError(f"lcos: rows of {', '.join(str(len(row)) for row in rows)} years; all need the same years")
    factors = discount_factors(rate, len(rows[0]))
    given = float(rows[1] @ factors)
    if not given > 0.0:
        raise InputError("lcos: the storage gives no energy, so its cost a kWh has no meaning")
    return float(sum(row @ factors for row in (rows[0], *rows[2:])) / given)
