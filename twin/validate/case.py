"""A case: figures that theory or a publication gives, and replications of the real simulator that estimate them.

To add cases, write a file `cases_NAME.py` in this folder with a tuple `CASES` of `Case`; nothing else needs a change.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.scenario.files import data_folder

Sampler = Callable[[int], Sequence[float]]
"""Replication number in, one value of each figure out: independent samples."""

PASS_Z = 3.0
"""A figure within this many standard errors agrees (PRAS' own rule)."""
FAIL_Z = 4.0
"""Beyond this many `twin validate` fails; between the two is what one figure in 400 shows by chance."""
RELATIVE_ERROR_MOST = 0.02


@dataclass(frozen=True)
class Case:
    """One system with known figures.

    Attributes:
        name: in a few words, unique.
        model: what the scenario holds.
        source: where the figures stand: the closed form, or the publication.
        expected: by figure, its unit in the name (`dark_h_per_year`), the true value.
        replications: how many bring each relative standard error to 2 % or less.
        prepare: seed in, sampler out; builds the scenario.
        record: what it reads below the data folder; where that is missing the case is skipped.
    """

    name: str
    model: str
    source: str
    expected: dict[str, float]
    replications: int
    prepare: Callable[[int], Sampler]
    record: str = ""

    @property
    def is_here(self) -> bool:
        """Whether all that it reads is on this machine."""
        return not self.record or (data_folder() / self.record).exists()


@dataclass(frozen=True)
class Figure:
    """One figure of a case, simulated beside expected."""

    case: str
    name: str
    expected: float
    simulated: float
    standard_error: float
    replications: int
    source: str

    @property
    def relative_error(self) -> float:
        """Standard error over the expected value."""
        return self.standard_error / abs(self.expected) if self.expected else math.nan

    @property
    def z(self) -> float:
        """Deviation in standard errors."""
        deviation = self.simulated - self.expected
        if self.standard_error > 0.0:
            return deviation / self.standard_error
        return 0.0 if math.isclose(self.simulated, self.expected, rel_tol=1e-9) else math.copysign(math.inf, deviation)

    @property
    def verdict(self) -> str:
        """agrees, doubtful or wrong; nan is wrong."""
        if abs(self.z) <= PASS_Z:
            return "agrees"
        return "doubtful" if abs(self.z) <= FAIL_Z else "wrong"


def figures(case: Case, samples: NDArray[np.float64]) -> list[Figure]:
    """The figures of a case from its samples, (replications, figures)."""
    n = len(samples)
    found = []
    for k, (name, expected) in enumerate(case.expected.items()):
        error = float(samples[:, k].std(ddof=1)) / math.sqrt(n)
        found.append(Figure(case.name, name, expected, float(samples[:, k].mean()), error, n, case.source))
    return found


def all_cases() -> list[Case]:
    """Every case of every `cases_*.py` in this folder, by file and then in the file's order."""
    package = importlib.import_module("twin.validate")
    names = sorted(one.name for one in pkgutil.iter_modules(package.__path__) if one.name.startswith("cases_"))
    return [case for name in names for case in importlib.import_module(f"twin.validate.{name}").CASES]
