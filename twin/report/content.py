"""What a page is made of; whoever makes it (a command, a notebook) fills this in and hands it to `twin.report.page`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.compare import Comparison
from twin.finance.appraisal import Money
from twin.finance.sensitivity import mean_npv, tornado
from twin.plot.futures import Swing
from twin.plot.survival import Outages
from twin.trace import Trace

Float = NDArray[np.float64]
Shown = Mapping[str, tuple[str, str, float]]
"""By metric its name, unit and scale in tables."""


@dataclass(frozen=True)
class Assumption:
    """One input block: where it stands, its values as text, bounds of those that have them, and its source."""

    path: str
    values: str
    bounds: str = ""
    source: str | None = None


@dataclass(frozen=True)
class Returns:
    """Money over the years, every replication a pair.

    Attributes:
        against: the counterfactual.
        years: simulated.
        rate: discount rate, a fraction a year.
        futures: net present value by design, one a replication, in the currency.
        lines: by design the present value of each line, one a replication.
        swings: what each input's bounds make of the mean, for the tornado; empty where no input of money has any.
        base: the mean with every input at its value.
    """

    against: str
    years: int
    rate: float
    futures: Mapping[str, Float]
    lines: Mapping[str, Mapping[str, Float]]
    swings: tuple[Swing, ...] = ()
    base: float = 0.0


def returns_of(money: Money, reference: str, told: str, ranges: Mapping[str, tuple[float, float]]) -> Returns:
    """Every design against the reference where that is a counterfactual, else against the first one.

    Args:
        money: the accounts of all designs.
        reference: the comparison's own.
        told: the design that the answer speaks of; the tornado is its own.
        ranges: bounds of inputs by key path; those that money knows make the tornado.
    """
    against = reference if reference in money.counterfactuals else money.counterfactuals[0]
    found = [money.appraise(design, against) for design in money.designs if design != against]
    return Returns(
        against, len(found[0].total) - 1, found[0].rate, {one.design: one.npv for one in found},
        {one.design: one.line_npv for one in found}, *_swings(money, told, against, ranges),
    )  # fmt: skip


def _swings(
    money: Money, told: str, against: str, ranges: Mapping[str, tuple[float, float]]
) -> tuple[tuple[Swing, ...], float]:
    design = told if told in money.designs and told != against else next(one for one in money.designs if one != against)
    bars = tornado(money, design, against, ranges)
    swings = tuple(
        Swing(bar.parameter.removeprefix("finance."), bar.low, bar.high, bar.npv_low, bar.npv_high) for bar in bars
    )
    return swings, mean_npv(money, design, against, {})


@dataclass(frozen=True)
class Content:
    """Everything that stands on a page.

    Attributes:
        comparison: the designs; one design and one replication for a single trace.
        shown: names, units and scales of metrics; `metrics` those of the table, in order.
        trace: what is replayed, and `trace_why` the phrase that says why this one ("worst_of" or "only_one").
        outages: by design, for the survival figure; `outage_years` of each were looked at.
    """

    scenario: str
    question: str
    digest: str
    seed: int
    version: str
    command: str
    currency: str
    comparison: Comparison
    shown: Shown
    metrics: Sequence[str]
    first: int = 0
    notes: Mapping[str, str] = field(default_factory=dict)
    assumptions: Sequence[Assumption] = ()
    files: Sequence[Mapping[str, Any]] = ()
    trace: Trace | None = None
    trace_why: str = "only_one"
    outages: Mapping[str, Outages] = field(default_factory=dict)
    outage_years: float = 0.0
    returns: Returns | None = None


def assumptions_of(resolved: Mapping[str, Any], bounds: Mapping[str, tuple[float, float]]) -> list[Assumption]:
    """Blocks of a resolved scenario that carry a source or a bounded value.

    Args:
        resolved: the scenario as plain data.
        bounds: low and high by key path, such as "sites.campus.grid.auto_transfer_s".
    """
    found: list[Assumption] = []
    _walk(resolved, "", bounds, found)
    return found


def _walk(data: Any, path: str, bounds: Mapping[str, tuple[float, float]], found: list[Assumption]) -> None:
    if not isinstance(data, Mapping):
        return
    plain = {key: value for key, value in data.items() if key != "source" and isinstance(value, (int, float, str))}
    ranges = {key: bounds[f"{path}.{key}"] for key in data if f"{path}.{key}" in bounds}
    source = data.get("source")
    if isinstance(source, str) or ranges:
        shown = plain if isinstance(source, str) else {key: plain[key] for key in ranges if key in plain}
        text = ", ".join(f"{key} {_short(value)}" for key, value in shown.items())
        ends = ", ".join(f"{key} {low:g} to {high:g}" for key, (low, high) in ranges.items())
        found.append(Assumption(path, text, ends, source if isinstance(source, str) else None))
    for key, value in data.items():
        _walk(value, f"{path}.{key}" if path else str(key), bounds, found)


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
