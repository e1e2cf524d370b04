"""How long outages of a site last, as its dispatcher knows: the laws of all its sources, weighted by their rates."""

from __future__ import annotations

import math

import numpy as np

from twin.chance.law import CompiledLaw
from twin.chance.quantiles import quantile
from twin.fleet.view import Outlook
from twin.parts.gensets import GensetsSpec
from twin.parts.grid_spec import GridSpec
from twin.parts.supply_events import Duration, EventSpec, PlannedSpec

_POINTS = 200
_FALLBACK_H = 2.0


def points_of(law: CompiledLaw) -> np.ndarray:
    """Equally likely durations of a law [h]."""
    n = range(_POINTS)
    return np.array([quantile(law.code, law.a, law.b, law.table, (k + 0.5) / _POINTS, k) for k in n])


def outlook_of(grid: GridSpec, regional: list[EventSpec]) -> Outlook:
    """All interruptions that the scenario states for a site; without rates, its script; without any, two hours."""
    sources: list[EventSpec | PlannedSpec] = [*regional]
    for feeder in grid.feeders.values():
        sources += [one for one in (feeder.momentary, feeder.sustained, feeder.planned) if one is not None]
    if grid.both_feeders is not None:
        sources.append(grid.both_feeders)
    laws: list[tuple[float, Duration]] = [(one.per_year, one) for one in sources if one.per_year > 0.0]
    if not laws:
        laws = [(1.0, event) for event in grid.script]
    if not laws:
        spread = (np.arange(_POINTS) + 0.5) / _POINTS
        return Outlook(-_FALLBACK_H * np.log1p(-spread), np.full(_POINTS, 1.0))
    durations = [points_of(duration.law()) for _, duration in laws]
    weights = [np.full(_POINTS, rate) for rate, _ in laws]
    return Outlook(np.concatenate(durations), np.concatenate(weights))


def exposure_of(gensets: GensetsSpec | None, outlook: Outlook) -> float:
    """Probability that an outage leaves loads to trucks: all without gensets, else that too few of them start or run.

    Sets start independently, given no common cause; those that started fail at a constant rate over a mean outage.
    """
    if gensets is None:
        return 1.0
    mean_h = float((outlook.weight * outlook.duration_h).sum() / outlook.weight.sum())
    starts = (1.0 - gensets.fail_to_start_probability) * (1.0 - gensets.fail_to_load_probability)
    lasts = starts * math.exp(-mean_h / gensets.mttf_running_h)
    sets = gensets.n + gensets.r
    enough = sum(math.comb(sets, k) * lasts**k * (1.0 - lasts) ** (sets - k) for k in range(gensets.n, sets + 1))
    return 1.0 - (1.0 - gensets.plant_common_cause_probability) * enough
