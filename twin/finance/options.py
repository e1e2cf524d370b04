"""The option value of trucks: what it is worth that their use may be chosen anew each quarter.

Each use (trade at home, stand by for outages, be lent for a fee) is a design of its own, simulated on the same luck.
Of the value of every use in every quarter of every replication follow the best fixed use, what a causal choice gains
over it, which is counted, and what perfect choice would, which nobody can have: E[max over uses] - max over uses of E.

A quarter's value is that of a truck that had the same use before, too: what it holds and where it stands at a change
is left out, but for the cost of a change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.estimate import Estimate, mean_interval
from twin.finance.cash import Accounts, growth, operation
from twin.finance.returns import discount_factors
from twin.finance.terms import Data

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True)
class TruckOption:
    """The uses of trucks, and what choosing among them gains over the best fixed one.

    Attributes:
        designs: the uses.
        fixed: that of the largest mean present value.
        chosen_by: the causal rule: "forecast" or "past".
        chosen: number of the use that the rule takes in every period, (replications, periods).
        gain: (replications, years) of the causal choice over the fixed use, undiscounted.
        present_gain: the same as present value, (replications,).
        perfect_gain: of the choice that knows every quarter to come, an upper bound: (replications,).
    """

    designs: tuple[str, ...]
    fixed: str
    chosen_by: str
    chosen: Int
    gain: Float
    present_gain: Float
    perfect_gain: Float

    @property
    def changes(self) -> Estimate:
        """Changes of use over the horizon."""
        return mean_interval(np.count_nonzero(np.diff(self.chosen, axis=1), axis=1).astype(np.float64), floor=0.0)

    @property
    def value(self) -> Estimate:
        """The option value that is counted, with its interval; below zero where the rule chooses badly."""
        return mean_interval(self.present_gain)

    @property
    def bound(self) -> Estimate:
        """That of perfect choice: no rule gains more."""
        return mean_interval(self.perfect_gain, floor=0.0 if (self.perfect_gain >= 0.0).all() else -np.inf)


def truck_option(values: Mapping[str, Float], each: int, rate: float, chosen_by: str, cost: float) -> TruckOption:
    """The option value of uses.

    Args:
        values: by use, (replications, periods) what it brings in each period beyond anything fixed.
        each: periods of a year.
        rate: of discount, yearly at the end of the year.
        chosen_by: "forecast" (mean of the period over the other replications, so that two or more are needed) or "past"
            (over the periods seen in the replication itself: the same season of earlier years once there is one; the
            first use to begin with).
        cost: of a change of use.
    """
    names, matrix = tuple(values), np.stack(list(values.values()))
    _, replications, periods = matrix.shape
    weight = np.repeat(discount_factors(rate, periods // each + 1)[1:], each)
    fixed = int(np.argmax((matrix * weight).sum(axis=2).mean(axis=1)))
    expected = (matrix.sum(axis=1, keepdims=True) - matrix) / max(replications - 1, 1)
    chosen = _by_past(matrix, each, cost) if chosen_by == "past" else best_path(expected * weight, cost * weight)
    gain = _of(matrix, chosen, cost) - matrix[fixed]
    perfect = _of(matrix, best_path(matrix * weight, cost * weight), cost) - matrix[fixed]
    by_year = gain.reshape(replications, -1, each).sum(axis=2)
    return TruckOption(names, names[fixed], chosen_by, chosen, by_year, gain @ weight, perfect @ weight)


def best_path(values: Float, cost: Float) -> Int:
    """The use in every period that brings most in all, changes paid: (replications, periods), backward induction.

    Args:
        values: (uses, replications, periods).
        cost: of a change in each period.
    """
    uses, replications, periods = values.shape
    follow = np.zeros((periods, uses, replications), np.int64)
    best = values[:, :, -1]
    for k in range(periods - 1, 0, -1):
        change = best.max(axis=0) - cost[k]
        stays = best >= change
        follow[k] = np.where(stays, np.arange(uses)[:, None], best.argmax(axis=0))
        best = values[:, :, k - 1] + np.where(stays, best, change)
    chosen = np.empty((replications, periods), np.int64)
    chosen[:, 0] = best.argmax(axis=0)
    for k in range(1, periods):
        chosen[:, k] = follow[k, chosen[:, k - 1], np.arange(replications)]
    return chosen


def _by_past(values: Float, each: int, cost: float) -> Int:
    """A change where the past says that a quarter of it brings more than the change costs."""
    _, replications, periods = values.shape
    row = np.arange(replications)
    chosen = np.zeros((replications, periods), np.int64)
    for k in range(1, periods):
        seen = values[:, :, k - each :: -each] if k >= each else values[:, :, :k]
        known, before = seen.mean(axis=2), chosen[:, k - 1]
        other = known.argmax(axis=0)
        chosen[:, k] = np.where(known[other, row] - known[before, row] > cost, other, before)
    return chosen


def _of(values: Float, chosen: Int, cost: float) -> Float:
    """What a choice brings, (replications, periods)."""
    found = np.take_along_axis(values, chosen[None], axis=0)[0]
    found[:, 1:] -= cost * (np.diff(chosen, axis=1) != 0)
    return np.asarray(found)


def use_value(of: Accounts, against: Accounts, finance: Data, priced_at: str | None, each: int) -> Float:
    """What a use brings in every period beyond the counterfactual: all lines of running that count, and its cells."""
    lines = operation(of, against, finance, priced_at, each)
    found = sum((row for name, row in lines.items() if name not in finance["off"]), np.zeros_like(of["cells_cost"]))
    if "replacement" not in finance["off"]:
        cells = against["cells_cost"] - of["cells_cost"]
        found = found + cells * growth(finance, "equipment", cells.shape[-1], each)
    return np.asarray(found)


def check_same_trucks(designs: Sequence[str], scenarios: Mapping[str, Data]) -> None:
    """Raise `InputError` unless all uses have the same trucks, and some."""
    fleets = [
        {name: (truck["rated_kw"], truck["rated_kwh"]) for name, truck in scenarios[design]["trucks"].items()}
        for design in designs
    ]
    key = "finance.truck_uses.designs"
    for design, fleet in zip(designs, fleets, strict=True):
        if not fleet:
            raise InputError(
                Problem(f"design {design} has no truck to use", key=key, remedy="name designs with trucks")
            )
        if fleet != fleets[0]:
            text = f"designs {designs[0]} and {design} have not the same trucks, so they are no uses to choose between"
            raise InputError(Problem(text, key=key, remedy="name designs that differ in what their trucks do alone"))
