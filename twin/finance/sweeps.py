"""Money over a sweep: efficient frontier of sizes, map of cheapest designs, and where a design's NPV changes its sign.

All points of a sweep meet the same luck: what differs between them is the parameters' doing. A parameter is either the
owner's choice (a size) or a circumstance (events of the grid, prices): choices are compared with one another, and
circumstances only with themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin.estimate import Estimate, mean_interval
from twin.finance.appraisal import GPU_LINES, Money, at_unit_price
from twin.finance.returns import npv
from twin.finance.sensitivity import is_of_money

Float = NDArray[np.float64]


def is_circumstance(parameter: str) -> bool:
    """Whether a parameter is nobody's choice: the grid, the weather's regions, prices and rates."""
    return is_of_money(parameter) or ".grid." in parameter or parameter.startswith("regions.")


@dataclass(frozen=True)
class Choice:
    """A design at a point: present cost beyond the counterfactual's there, and present GPU-hours that it saves."""

    design: str
    point: int
    cost: float
    gpu_hours: float
    is_efficient: bool
    compared_as: str = "as built"


def frontier(points: Sequence[Money], against: str) -> list[Choice]:
    """All designs at all points by cost; efficient are those than which none costs less and loses no more GPU-hours.

    Cost is every line but those of GPU-hours, so that readers may put a price on an hour themselves. Another
    counterfactual moves all by the same cost and hours, and changes no choice.

    Args:
        points: the money at each point of a sizing sweep; of a campaign without sweep the only one.
        against: the counterfactual, taken at the same point, and a choice itself.
    """
    found = [Choice(against, 0, 0.0, 0.0, is_efficient=False)]
    for number, money in enumerate(points):
        found += [
            Choice(name, number, *parts(money, name, against), False, money.compared_as(name, against))
            for name in money.designs
            if name != against
        ]
    most, choices = -np.inf, []
    for one in sorted(found, key=lambda one: (one.cost, -one.gpu_hours)):
        choices.append(replace(one, is_efficient=one.gpu_hours > most))
        most = max(most, one.gpu_hours)
    return choices


def frontiers(points: Sequence[Money], against: str, circumstances: Sequence[tuple[float, ...]]) -> list[list[Choice]]:
    """A frontier for the points of each circumstance, whose numbers are those of all points.

    Args:
        points, against: as of `frontier`.
        circumstances: of each point, the values of parameters that are nobody's choice.
    """
    found = []
    for own in dict.fromkeys(circumstances):
        numbers = [number for number, there in enumerate(circumstances) if there == own]
        choices = frontier([points[number] for number in numbers], against)
        found.append([replace(one, point=numbers[one.point]) for one in choices])
    return found


def parts(money: Money, design: str, against: str) -> tuple[float, float]:
    """Mean present cost without GPU-hours, and mean present GPU-hours saved: NPV at a price p = p x hours - cost."""
    finance = money.scenarios[design]["finance"]
    flows, rate = money.flows(design, against, finance=at_unit_price(finance)), finance["discount_rate"]
    cost = -float(np.mean([npv(rate, one.without(*GPU_LINES)) for one in flows]))
    hours = [sum(npv(rate, one.lines[name]) for name in GPU_LINES if name in one.lines) for one in flows]
    return cost, float(np.mean(hours))


@dataclass(frozen=True)
class CheapestMap:
    """At each value of a parameter, which design is the cheapest from which price of a GPU-hour on."""

    values: Float
    steps: list[list[tuple[str, float]]]

    def at(self, price: float) -> list[str]:
        """The cheapest design at each value."""
        return [[name for name, begins in row if begins <= price][-1] for row in self.steps]


def cheapest_map(points: Sequence[tuple[float, Money]], against: str) -> CheapestMap:
    """The map over a sweep of one parameter, such as supply events a year.

    At a price p a design costs its cost less p times the GPU-hours that it saves: straight lines in p, whose lower
    envelope has its corners where the cheapest design changes.

    Args:
        points: value of the parameter and money, for each point.
        against: the counterfactual, which is a design of the map too.
    """
    ordered = sorted(points, key=lambda one: one[0])
    rows = []
    for _, money in ordered:
        found = {name: parts(money, name, against) for name in money.designs if name != against}
        rows.append(_envelope({against: (0.0, 0.0)} | found))
    return CheapestMap(np.array([value for value, _ in ordered]), rows)


def _envelope(lines: dict[str, tuple[float, float]]) -> list[tuple[str, float]]:
    """Designs on the lower envelope of cost - price x hours for prices from zero, each with where it begins."""
    now = min(lines, key=lambda name: (lines[name][0], -lines[name][1]))
    steps, price = [(now, 0.0)], 0.0
    while True:
        cost, hours = lines[now]
        steeper = {name: one for name, one in lines.items() if one[1] > hours}
        if not steeper:
            return steps
        meets = {name: (one[0] - cost) / (one[1] - hours) for name, one in steeper.items()}
        now = min(meets, key=lambda name: (meets[name], -steeper[name][1]))
        price = max(meets[now], price)
        steps.append((now, price))


@dataclass(frozen=True)
class Crossing:
    """The NPV of a design over a sweep of one parameter, and where its mean is zero, straight between the points."""

    design: str
    counterfactual: str
    compared_as: list[str]
    values: Float
    npv: list[Estimate]
    flips_at: list[float]


def crossing(points: Sequence[tuple[float, Money]], design: str, against: str) -> Crossing:
    """Where a design begins or ceases to be worth more than the counterfactual."""
    ordered = sorted(points, key=lambda one: one[0])
    values = np.array([value for value, _ in ordered])
    found = [money.npv(design, against) for _, money in ordered]
    means = np.array([float(one.mean()) for one in found])
    flips = [
        float(values[k] + (values[k + 1] - values[k]) * means[k] / (means[k] - means[k + 1]))
        for k in range(len(values) - 1)
        if (means[k] < 0.0) != (means[k + 1] < 0.0)
    ]
    compared = [money.compared_as(design, against) for _, money in ordered]
    return Crossing(design, against, compared, values, [mean_interval(one) for one in found], flips)
