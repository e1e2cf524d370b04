"""A power profile by phase, fitted to measured runs: how long a server stays in a phase, and at which levels.

In a phase the levels have a distribution, kept as quantiles of the mean over servers that train in step (so that it
scales to a cluster in step, not to servers that run jobs of their own). A run of any length is the mixture of its
phases: start-up once, then training and evaluation in their shares. Mean and percentiles follow. Sub-minute swings are
kept as statistics: the highest level, the steepest rise and fall, the depth of dips, by interval or over all.
Left out: the order of levels within a phase; `window` gives a measured stretch as it was, reading by reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.inputs.power_runs import EVALUATION, PHASES, STARTUP, TRAINING, PowerRun
from twin.inputs.table import Floats

QUANTILES = (
    0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0
)  # fmt: skip
_FINE = 4001
"""Points at which a quantile function is laid out for a mixture."""


@dataclass(frozen=True)
class PhaseProfile:
    """Phases of a kind of run on a kind of server; powers in kW a server."""

    startup_s: float
    """Mean time between the first reading and the start of training."""
    evaluation_share: float
    """Of the time after start-up."""
    evaluation_s: float
    """Mean length of an evaluation; 0 where there are none."""
    evaluation_period_s: float
    """Mean time from one evaluation's start to the next; 0 where there are fewer than two in a run."""
    mean_kw: tuple[float, float, float]
    """Mean level by phase, in order of `PHASES`; NaN for a phase that does not occur."""
    levels_kw: tuple[tuple[float, ...], ...]
    """Levels at `QUANTILES` by phase; empty for a phase that does not occur."""

    def shares(self, length_s: float) -> Floats:
        """Shares of a run of this length by phase [3]."""
        startup = min(self.startup_s / length_s, 1.0) if self.levels_kw[STARTUP] else 0.0
        rest = 1.0 - startup
        return np.array([startup, rest * (1.0 - self.evaluation_share), rest * self.evaluation_share])

    def run_kw(self, length_s: float, percents: Sequence[float] = (1.0, 99.0)) -> tuple[float, Floats]:
        """Mean and percentiles of the power of a run of this length.

        Args:
            length_s: of the run, from its first reading.
            percents: which percentiles.

        Returns:
            The mean [kW], and the percentiles [kW].
        """
        used = [phase for phase in range(3) if self.levels_kw[phase]]
        shares = self.shares(length_s)[used]
        at = (np.arange(_FINE) + 0.5) / _FINE
        levels = np.concatenate([np.interp(at, QUANTILES, self.levels_kw[phase]) for phase in used])
        weights = np.repeat(shares / shares.sum() / _FINE, _FINE)
        order = np.argsort(levels, kind="stable")
        below = np.cumsum(weights[order]) - 0.5 * weights[order]
        mean = float(shares @ np.array([self.mean_kw[phase] for phase in used]) / shares.sum())
        return mean, np.interp(np.array(percents) / 100.0, below, levels[order])


def fit_phases(runs: Sequence[PowerRun]) -> PhaseProfile:
    """The profile of runs: times are means over them, levels are those of all their readings together."""
    pooled = np.concatenate([run.mean_kw for run in runs])
    phase = np.concatenate([run.phase for run in runs])
    after = [run for run in runs if (run.phase != STARTUP).any()]
    spans = [float(np.diff(run.evaluations_s, axis=1).mean()) for run in after if len(run.evaluations_s)]
    periods = [np.diff(run.evaluations_s[:, 0]) for run in after if len(run.evaluations_s) > 1]
    starts = [float((run.phase == STARTUP).mean() * run.seconds) for run in runs]
    busy = phase != STARTUP
    found = [pooled[phase == one] for one in range(len(PHASES))]
    return PhaseProfile(
        startup_s=float(np.mean(starts)),
        evaluation_share=float((phase[busy] == EVALUATION).mean()),
        evaluation_s=float(np.mean(spans)) if spans else 0.0,
        evaluation_period_s=float(np.concatenate(periods).mean()) if periods else 0.0,
        mean_kw=(_mean(found[STARTUP]), _mean(found[TRAINING]), _mean(found[EVALUATION])),
        levels_kw=tuple(tuple(np.quantile(one, QUANTILES).tolist()) if one.size else () for one in found),
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else float("nan")


@dataclass(frozen=True)
class Swings:
    """What is left of the seconds when a stretch is kept as one interval; kW a server, one entry an interval."""

    start_s: Floats
    mean_kw: Floats
    peak_kw: Floats
    rise_kw_per_s: Floats
    """Steepest rise from one reading to the next, >= 0."""
    fall_kw_per_s: Floats
    """Steepest fall, >= 0."""
    dip_fraction: Floats
    """Depth of the lowest reading below the interval's mean."""


def swings(times_s: Floats, power_kw: Floats, interval_s: float) -> Swings:
    """Statistics of a series by interval; a step belongs to the interval that it ends in.

    Args:
        times_s: of the readings, rising [n].
        power_kw: the readings [n].
        interval_s: length of the intervals; one without a reading has no entry.
    """
    cell = np.floor((times_s - times_s[0]) / interval_s).astype(np.int64)
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    steps = np.append(0.0, np.diff(power_kw) / np.diff(times_s))
    count = np.diff(np.append(starts, times_s.size))
    mean = np.add.reduceat(power_kw, starts) / count
    return Swings(
        times_s[0] + cell[starts] * interval_s,
        mean,
        np.maximum.reduceat(power_kw, starts),
        np.maximum(np.maximum.reduceat(steps, starts), 0.0),
        np.maximum(-np.minimum.reduceat(steps, starts), 0.0),
        1.0 - np.minimum.reduceat(power_kw, starts) / mean,
    )


def window(run: PowerRun, start_s: float, length_s: float) -> tuple[Floats, Floats]:
    """A stretch of a run as it was measured.

    Args:
        run: the run.
        start_s: of the stretch, after the run's first reading.
        length_s: of the stretch.

    Returns:
        Times after the stretch's start [n], s, the first of them 0, and the mean over the servers from each on [n], kW.
    """
    after = run.times_s - run.times_s[0] - start_s
    first = max(int(np.searchsorted(after, 0.0, side="right")) - 1, 0)
    last = int(np.searchsorted(after, length_s, side="left"))
    times = np.maximum(after[first:last], 0.0)
    return times, run.mean_kw[first:last]
