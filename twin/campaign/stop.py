"""When to stop: geometric looks at the complete beginning of a campaign, a relative width and a floor of events.

Pure functions of replications 0 .. n-1, so that the stopping point depends on no worker, order or crash. Stopping on
whatever happens to be complete would favour replications that are quick: a bias of -22 % was measured. The floor of
events is for rare ones: a fraction of 1.0 that never varied has no width, and would stop at the first look.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.estimate import Estimate, mean_interval, paired_difference

Float = NDArray[np.float64]

FIRST_LOOK = 100
LOOK_GROWTH = 1.2
EVENTS_NEEDED = 30
"""Replications that differ from the most frequent value, before an interval is trusted."""
EVENTS_NEEDED_SKEWED = 100
SKEWED = 2.0
"""Beyond this skewness of what is not the most frequent value, more events are needed."""
DIFFERENCE = "difference:"
"""Before a metric's name: its paired difference to the first design, to a share of that design's mean."""


@dataclass(frozen=True)
class StopRule:
    """Stop when every target is known to `relative_width` (half-width of its 95 % interval over its mean)."""

    relative_width: float
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Width:
    """How well one target is known: `relative` is inf while nothing can be said."""

    target: str
    column: int
    relative: float
    events: int
    events_needed: int

    def is_met(self, rule: StopRule) -> bool:
        """Whether this target asks for no further replication."""
        return self.relative <= rule.relative_width and self.events >= self.events_needed


def looks(cap: int) -> Iterator[int]:
    """The numbers of replications at which the rule is asked; below the cap they do not depend on it."""
    look = FIRST_LOOK
    while look < cap:
        yield look
        look = math.ceil(LOOK_GROWTH * look)
    yield cap


def widths(values: Float, names: Sequence[str], targets: Sequence[str]) -> list[Width]:
    """How well each target is known for each design.

    Args:
        values: (replications, designs, metrics), complete.
        names: of the metrics.
        targets: names of metrics, or `difference:` and a name.
    """
    found = []
    for target in targets:
        place = list(names).index(target.removeprefix(DIFFERENCE))
        for column in range(values.shape[1]):
            if not target.startswith(DIFFERENCE):
                found.append(_of_mean(target, column, values[:, column, place]))
            elif column:
                found.append(_of_difference(target, column, values[:, column, place], values[:, 0, place]))
    return found


def is_enough(values: Float, names: Sequence[str], rule: StopRule) -> bool:
    """Whether the rule lets these replications be the last."""
    return all(width.is_met(rule) for width in widths(values, names, rule.targets))


def _of_mean(target: str, column: int, x: Float) -> Width:
    estimate = mean_interval(x)
    return Width(target, column, _relative(estimate, estimate.mean), estimate.events, _needed(x))


def _of_difference(target: str, column: int, x: Float, reference: Float) -> Width:
    estimate = paired_difference(x, reference).estimate
    seen = reference[np.isfinite(reference)]
    scale = float(seen.mean()) if len(seen) else math.nan
    return Width(target, column, _relative(estimate, scale), estimate.events, _needed(x - reference))


def _relative(estimate: Estimate, scale: float) -> float:
    reach = (estimate.high - estimate.low) / 2
    return reach / abs(scale) if math.isfinite(reach) and math.isfinite(scale) and scale else math.inf


def _needed(x: Float) -> int:
    """Events that an interval needs: more where what is not the modal value is skewed."""
    seen = x[np.isfinite(x)]
    if len(seen) < 3:
        return EVENTS_NEEDED
    values, counts = np.unique(seen, return_counts=True)
    rest = seen[seen != values[np.argmax(counts)]]
    spread = float(rest.std()) if len(rest) > 2 else 0.0
    if not spread > 0:
        return EVENTS_NEEDED
    skewness = float((((rest - rest.mean()) / spread) ** 3).mean())
    return EVENTS_NEEDED_SKEWED if skewness > SKEWED else EVENTS_NEEDED
