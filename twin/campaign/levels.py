"""Multilevel Monte Carlo: a metric of a costly design from many replications of simpler ones and a few of pairs.

Designs l = 0 ... L, each nearer to the truth and dearer than the one before, such as connectivity alone, with the state
of charge and trucks, and with power flow. On the same luck two neighbours differ little, so that

    E[Y_L] = E[Y_0] + sum over l of E[Y_l - Y_(l-1)]

needs few replications where pairs are dear. For a standard error e level l gets

    N_l = sqrt(V_l / C_l) (sum over k of sqrt(V_k C_k)) / e^2

of them, V_l being the variance of a term and C_l what it costs (Giles, "Multilevel Monte Carlo methods", Acta Numerica
24, 2015). Terms are estimated from replications of their own, so that their errors are independent. It pays by at
most the cost of the truest design over that of the simplest: measure first, `Levels.gain` says.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twin import metrics
from twin.errors import InputError, Problem
from twin.estimate import Estimate, sum_interval
from twin.experiment import check_designs
from twin.metrics.names import NAMES
from twin.scenario.merge import suggest
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator

Float = NDArray[np.float64]

APART = 1 << 32
"""Between the first replications of two levels."""


@dataclass(frozen=True)
class Level:
    """One term of the sum.

    Attributes:
        design: name of the design whose metric, less that of the design before, the term is.
        values: by replication.
        alone_variance: of the design's metric itself.
        cost_s: CPU time of a replication of the term [s].
        alone_s: the same of the design itself.
    """

    design: str
    values: Float
    alone_variance: float
    cost_s: float
    alone_s: float

    @property
    def variance(self) -> float:
        """Of the term."""
        return float(self.values.var(ddof=1))


@dataclass(frozen=True)
class Levels:
    """What the terms say together.

    Attributes:
        metric: its name.
        levels: from the simplest design to the truest.
        estimate: of the truest design's metric.
    """

    metric: str
    levels: tuple[Level, ...]
    estimate: Estimate

    @property
    def gain(self) -> float:
        """Work of plain replications of the truest design over that of the levels, for the same error."""
        shared = math.fsum(math.sqrt(one.variance * one.cost_s) for one in self.levels) ** 2
        return self.levels[-1].alone_variance * self.levels[-1].alone_s / shared if shared > 0.0 else math.nan

    @property
    def unseen(self) -> tuple[str, ...]:
        """Designs that never differed from the one before: that they ever do, these replications cannot exclude."""
        return tuple(one.design for one in self.levels[1:] if not one.values.any())


def run_levels(
    study: Study[Scenario],
    designs: Sequence[str],
    metric: str,
    *,
    replications: Sequence[int] | None = None,
    standard_error: float | None = None,
    pilot: int = 30,
) -> Levels:
    """Estimate a metric of the last design by levels, in this process.

    Args:
        study: holds the designs.
        designs: two or more, from the simplest to the truest.
        metric: any that replications have.
        replications: of each level; a repetition finds the same. None: as the pilot and `standard_error` ask for.
        standard_error: to reach, in the metric's unit; the allocation then depends on CPU times.
        pilot: replications of each level to begin with; they count.

    Raises:
        InputError: an unknown design or metric, fewer than two designs or replications, or neither count nor error.
    """
    _check(study, designs, metric, replications, standard_error, pilot)
    place = NAMES.index(metric)
    simulators = [Simulator(study, name) for name in designs]
    counts = [pilot] * len(designs) if replications is None else list(replications)
    levels = [_more(simulators, k, place, 0, count) for k, count in enumerate(counts)]
    if replications is None and standard_error is not None:
        shared = math.fsum(math.sqrt(one.variance * one.cost_s) for one in levels)
        for k, one in enumerate(levels):
            wanted = math.ceil(math.sqrt(one.variance / one.cost_s) * shared / standard_error**2)
            if wanted > pilot:
                rest = _more(simulators, k, place, pilot, max(wanted, pilot + 2))
                levels[k] = replace(one, values=np.append(one.values, rest.values))
    return Levels(metric, tuple(levels), sum_interval([one.values for one in levels]))


def _check(
    study: Study[Scenario],
    designs: Sequence[str],
    metric: str,
    replications: Sequence[int] | None,
    standard_error: float | None,
    pilot: int,
) -> None:
    check_designs(study, designs)
    problems = []
    if len(designs) < 2:
        problems.append(Problem("levels need two designs or more", key="designs", remedy="name the simplest first"))
    if metric not in NAMES:
        problems.append(Problem(f"no metric '{metric}'", key="metric", remedy=suggest(metric, NAMES)))
    counts = [pilot] if replications is None else list(replications)
    if min(counts, default=0) < 2 or (replications is not None and len(counts) != len(designs)):
        problems.append(Problem("each level needs two replications or more", key="replications"))
    if replications is None and not (standard_error is not None and standard_error > 0.0):
        problems.append(Problem("give replications of each level, or a standard error above 0", key="standard_error"))
    if problems:
        raise InputError(problems)


def _more(simulators: Sequence[Simulator], level: int, place: int, first: int, last: int) -> Level:
    """Replications `first` up to `last` (not included) of a level."""
    own, cost_s = [], []
    for simulator in simulators[max(level - 1, 0) : level + 1]:
        began_s = time.thread_time()
        rows = [metrics.row(simulator.run(level * APART + k, "ledger"))[1][place] for k in range(first, last)]
        own.append(np.array(rows))
        cost_s.append((time.thread_time() - began_s) / (last - first))
    values = own[-1] - own[0] if level else own[0]
    return Level(simulators[level].design, values, float(own[-1].var(ddof=1)), sum(cost_s), cost_s[-1])
