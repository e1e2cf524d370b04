"""Small worlds for cases: one hall as data, a scenario of it, and what a trace says of an item's states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator
from twin.trace import Trace
from twin.units import HOURS_PER_YEAR, TICKS_PER_H
from twin.validate.case import Sampler

ROW_KW = 100.0
RELIABLE_H = 1e12
"""An MTBF that no case lives to see."""


def server(kw: float = 10.0) -> dict[str, Any]:
    """A server that draws the same whatever it does."""
    return {"training_kw": kw, "idle_kw": kw, "capped_kw": kw, "boot_kw": kw, "evaluation_dip_fraction": 0.0}


def hall(years: float, grid: dict[str, Any], protection: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """One hall with one row of 100 kW and nothing else, for so many years.

    Args:
        years: horizon.
        grid: the site's grid block.
        protection: the site's protection block.
        more: further keys of the site.
    """
    cluster = {"rows": 1, "servers_per_row": 10, "server": server()}
    site = {"cluster": cluster, "grid": grid, "protection": protection or {}}
    return {"name": "hall", "horizon": {"hours": years * HOURS_PER_YEAR}, "sites": {"hall": site | more}}


def feeder(per_year: float, duration_h: Any) -> dict[str, Any]:
    """A feeder with sustained interruptions: `per_year` while it is up."""
    return {"sustained": {"per_year": per_year, "duration_h": duration_h}}


def exponential(mean: float) -> dict[str, Any]:
    """The law of a constant rate."""
    return {"law": "exponential", "mean": mean}


def in_world(data: dict[str, Any], read: Callable[[Trace], Sequence[float]]) -> Callable[[int], Sampler]:
    """What a case's `prepare` is: the scenario simulated with a seed, each replication's trace read."""

    def prepare(seed: int) -> Sampler:
        simulator = Simulator(study(data | {"seed": seed}))
        return lambda replication: read(simulator.run(replication, "ledger"))

    return prepare


def study(data: dict[str, Any]) -> Study[Scenario]:
    """A scenario given as data, as if it had been a file."""
    scenario = Scenario.model_validate(data)
    return Study(
        path=Path(f"{scenario.name}.yaml"), text="", name=scenario.name, base=scenario, designs={"base": scenario},
        design_ranges={}, design_sources={}, design_positions={}, files=(), missing=(), digest="",
    )  # fmt: skip


def spans_h(trace: Trace, item: str, what: str, value: int, *, after_h: float = 0.0) -> NDArray[np.float64]:
    """When a fact of an item had a value, from `after_h` to the horizon.

    Args:
        trace: a replication.
        item: full name.
        what: the fact, as `lit`.
        value: the value asked for; the first event is the first change.
        after_h: what begins before is left out.

    Returns:
        (spans, 2), start and end [h].
    """
    events = trace.events
    own = (events["item"] == trace.items["name"].index(item)) & (events["what"] == trace.what(what))
    times, values = events["time_us"][own], events["value"][own]
    ends = np.append(times[1:], trace.meta["horizon_us"])
    chosen = (values == value) & (times >= after_h * TICKS_PER_H) & (ends > times)
    return np.column_stack([times[chosen], ends[chosen]]) / TICKS_PER_H


def rates(item: str, what: str, value: int, *, after_h: float = 0.0) -> Callable[[Trace], list[float]]:
    """A reader of traces: how often a year, and how many hours a year, a fact of an item has a value."""

    def read(trace: Trace) -> list[float]:
        spans = spans_h(trace, item, what, value, after_h=after_h)
        years = (trace.meta["horizon_us"] / TICKS_PER_H - after_h) / HOURS_PER_YEAR
        return [len(spans) / years, float((spans[:, 1] - spans[:, 0]).sum()) / years]

    return read


def dark(after_h: float = 0.0) -> Callable[[Trace], list[float]]:
    """How often, and how many hours a year, the hall's row is dark."""
    return rates("hall/row-001", "lit", 0, after_h=after_h)


def per_year(interruptions: float, hours: float) -> dict[str, float]:
    """Expected figures, from a frequency and an unavailability per hour of time."""
    return {"interruptions_per_year": interruptions * HOURS_PER_YEAR, "dark_h_per_year": hours * HOURS_PER_YEAR}
