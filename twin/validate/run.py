"""Run cases one after the other, replication by replication, and collect their figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from twin.validate.case import Case, Figure, figures

SEED = 20260101


def validate(
    cases: Sequence[Case], *, seed: int = SEED, share: float = 1.0, tell: Callable[[int, int], None] | None = None
) -> list[Figure]:
    """Simulate every case.

    Args:
        cases: which.
        seed: of all cases.
        share: of each case's replications, at least ten; below 1 errors grow.
        tell: told after every replication how many of how many are done.
    """
    counts = [max(10, round(case.replications * share)) for case in cases]
    total, done = sum(counts), 0
    found: list[Figure] = []
    for case, count in zip(cases, counts, strict=True):
        sample = case.prepare(seed)
        rows = []
        for replication in range(count):
            rows.append(sample(replication))
            done += 1
            if tell is not None:
                tell(done, total)
        found += figures(case, np.array(rows, np.float64))
    return found
