"""What the answer hangs on: tornado and flip values, Sobol indices, efficient frontier, the map of cheapest designs.

Prices, rates and capital costs are varied here, from accounts that are there; what changes the simulation (rates of
events, sizes) needs a campaign with a sweep. All points of a sweep meet the same luck: what differs between them is the
parameters' doing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.finance.appraisal import GPU_LINES, Money, at_unit_price
from twin.finance.returns import npv
from twin.finance.terms import put

Float = NDArray[np.float64]
_STEPS = 40
"""Halvings of a range on the way to a flip value."""


@dataclass(frozen=True)
class Bar:
    """One parameter of a tornado: its bounds, the mean NPV at both, and where in between the NPV changes its sign."""

    parameter: str
    low: float
    high: float
    npv_low: float
    npv_high: float
    flips_at: float | None

    @property
    def swing(self) -> float:
        """Difference that the range makes."""
        return abs(self.npv_high - self.npv_low)


def mean_npv(money: Money, design: str, against: str, changes: Mapping[str, float]) -> float:
    """Mean NPV with some prices, rates or capital costs changed, by key path."""
    texts = {}
    uses = (money.scenarios[design]["finance"].get("truck_uses") or {"designs": []})["designs"]
    for name in {design, against, *uses} & set(money.accounts):
        texts[name] = copy.deepcopy(money.scenarios[name])
        for path, value in changes.items():
            put(texts[name], path, value)
    changed = Money({name: money.accounts[name] for name in texts}, texts, money.quarters)
    rate = texts[design]["finance"]["discount_rate"]
    return float(np.mean([npv(rate, one.total) for one in changed.flows(design, against)]))


def is_of_money(parameter: str) -> bool:
    """Whether a parameter changes prices alone, so that accounts that are there say all."""
    return parameter.startswith("finance.") or ".capital." in parameter


def tornado(money: Money, design: str, against: str, ranges: Mapping[str, tuple[float, float]]) -> list[Bar]:
    """The NPV at both bounds of each parameter of money, others at their values; the widest bar first."""
    bars = []
    for parameter, (low, high) in ranges.items():
        if not is_of_money(parameter):
            continue

        at = partial(_npv_at, money, design, against, parameter)
        ends = at(low), at(high)
        bars.append(Bar(parameter, low, high, *ends, _flip(at, low, high, *ends)))
    return sorted((bar for bar in bars if bar.swing > 0.0), key=lambda bar: -bar.swing)


def _npv_at(money: Money, design: str, against: str, parameter: str, value: float) -> float:
    return mean_npv(money, design, against, {parameter: value})


def _flip(at: Callable[[float], float], low: float, high: float, npv_low: float, npv_high: float) -> float | None:
    if npv_low == 0.0 or (npv_low < 0.0) == (npv_high < 0.0):
        return low if npv_low == 0.0 else None
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if (at(middle) < 0.0) == (npv_low < 0.0):
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Sobol:
    """Shares of the variance of a figure over a sweep: by parameter, first order and total, each with 95 % bounds."""

    parameters: tuple[str, ...]
    first: Float
    total: Float
    first_bounds: Float
    total_bounds: Float


def sobol(values: Float, parameters: Sequence[str]) -> Sobol:
    """Sobol indices from a figure at the points of a sweep of method `saltelli` (Saltelli et al. 2010; scipy).

    Args:
        values: (n (d + 2),) the figure at the points A, B, and A with each column from B.
        parameters: names of the d parameters.

    Raises:
        InputError: the number of points does not fit, or the figure does not vary.
    """
    from scipy.stats import sobol_indices  # noqa: PLC0415 - readers of traces need no scipy

    d = len(parameters)
    n, rest = divmod(len(values), d + 2)
    if rest or n < 2:
        raise InputError(Problem(f"{len(values)} points are no saltelli sample of {d} parameters", key="sweeps"))
    if not np.ptp(values) > 0.0:
        raise InputError("the figure is the same at every point of the sweep: nothing to explain")
    blocks = np.asarray(values, np.float64).reshape(d + 2, n)
    centred = blocks - blocks[:2].mean()  # estimators lose digits where the mean is large
    found = sobol_indices(func={"f_A": centred[:1], "f_B": centred[1:2], "f_AB": centred[2:, None]}, n=n)
    spread = found.bootstrap(confidence_level=0.95, n_resamples=500)
    ends = [
        np.stack([interval.low, interval.high], axis=-1).reshape(d, 2)
        for interval in (spread.first_order.confidence_interval, spread.total_order.confidence_interval)
    ]
    return Sobol(tuple(parameters), found.first_order.reshape(d), found.total_order.reshape(d), *ends)


@dataclass(frozen=True)
class Choice:
    """A design at a point: present cost beyond the counterfactual's there, and present GPU-hours that it saves."""

    design: str
    point: int
    cost: float
    gpu_hours: float
    is_efficient: bool


def frontier(points: Sequence[Money], against: str) -> list[Choice]:
    """All designs at all points by cost; efficient are those than which none costs less and loses no more GPU-hours.

    Cost is every line but those of GPU-hours, so that readers may put a price on an hour themselves.

    Args:
        points: the money at each point of a sizing sweep; of a campaign without sweep the only one.
        against: the counterfactual, taken at the same point, and a choice itself.
    """
    found = [(against, 0, 0.0, 0.0)]
    for number, money in enumerate(points):
        found += [(name, number, *parts(money, name, against)) for name in money.designs if name != against]
    found.sort(key=lambda one: (one[2], -one[3]))
    most, choices = -np.inf, []
    for design, number, cost, hours in found:
        choices.append(Choice(design, number, cost, hours, hours > most))
        most = max(most, hours)
    return choices


def parts(money: Money, design: str, against: str) -> tuple[float, float]:
    """Mean present cost without GPU-hours, and mean present GPU-hours saved: NPV at a price p = p x hours - cost."""
    finance = money.scenarios[design]["finance"]
    flows, rate = money.flows(design, against, finance=at_unit_price(finance)), finance["discount_rate"]
    cost = -float(np.mean([npv(rate, one.without(*GPU_LINES)) for one in flows]))
    hours = [sum(npv(rate, one.lines[name]) for name in GPU_LINES if name in one.lines) for one in flows]
    return cost, float(np.mean(hours))


@dataclass(frozen=True)
class CheapestMap:
    """The cheapest design at each value of a parameter (rows) and each price of a GPU-hour (columns)."""

    values: Float
    prices: Float
    designs: list[list[str]]


def cheapest_map(points: Sequence[tuple[float, Money]], against: str, prices: Sequence[float]) -> CheapestMap:
    """The map over a sweep of one parameter, such as supply events a year.

    Args:
        points: value of the parameter and money, for each point.
        against: the counterfactual, which is a design of the map too.
        prices: of a GPU-hour.
    """
    rows = []
    ordered = sorted(points, key=lambda one: one[0])
    for _, money in ordered:
        found = {name: parts(money, name, against) for name in money.designs if name != against}
        found[against] = (0.0, 0.0)
        rows.append([min(found, key=lambda name: found[name][0] - price * found[name][1]) for price in prices])
    return CheapestMap(np.array([value for value, _ in ordered]), np.asarray(prices, np.float64), rows)
