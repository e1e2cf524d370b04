"""What the answer hangs on: tornado and flip values, Sobol indices.

Prices, rates and capital costs are varied here, from accounts that are there; what changes the simulation (rates of
events, sizes) needs a campaign with a sweep: see `twin.finance.sweeps`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.finance.appraisal import Money
from twin.finance.terms import put

Float = NDArray[np.float64]
_STEPS = 40
"""Halvings of a range on the way to a flip value."""
_RESAMPLES = 500
"""Of the points of a sample, for the bounds of Sobol indices."""


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
    return float(changed.npv(design, against).mean())


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
    """Shares of the variance of a figure over a sweep by parameter, with 95 % bounds by a bootstrap over the points."""

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

    def indices(points: NDArray[np.int64]) -> Float:
        own = centred[:, points]
        found = sobol_indices(func={"f_A": own[:1], "f_B": own[1:2], "f_AB": own[2:, None]}, n=n)
        return np.stack([found.first_order.reshape(d), found.total_order.reshape(d)])

    luck = np.random.default_rng(0)  # of the resampling alone, so that the same results have the same bounds
    with np.errstate(divide="ignore", invalid="ignore"):
        again = np.array([indices(luck.integers(n, size=n)) for _ in range(_RESAMPLES)])
    bounds = np.nanquantile(again, [0.025, 0.975], axis=0).transpose(1, 2, 0)
    first, total = indices(np.arange(n))
    return Sobol(tuple(parameters), first, total, *bounds)
