"""What a page is made of; whoever makes it (a command, a notebook) fills this in and hands it to `twin.report.page`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.compare import Comparison
from twin.plot.futures import Swing
from twin.plot.survival import Outages
from twin.trace import Trace

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
    """Money over the years.

    Attributes:
        futures: net present value by design, one a replication.
        unit: of them, such as "million CNY".
        terms: years, rate, real or nominal, in words.
        swings: what each input's bounds make of the median, for the tornado.
        base: the median with every input at its value.
    """

    futures: Mapping[str, Sequence[float]]
    unit: str
    terms: str
    swings: tuple[Swing, ...] = ()
    base: float = 0.0


@dataclass(frozen=True)
class Content:
    """Everything that stands on a page.

    Attributes:
        comparison: the designs; one design and one replication for a single trace.
        shown: names, units and scales of metrics; `metrics` those of the table, in order.
        trace: what is replayed, and `trace_why` the phrase that says why this one ("worst_of" or "only_one").
        no_replay: a sentence why there is nothing to replay.
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
    no_replay: str = ""
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
