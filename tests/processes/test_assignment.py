"""The assignment of trucks to tasks against all permutations."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.fleet.policies.optimised import assign


def best(gains: np.ndarray) -> float:
    """The largest sum over all ways to give every row a column of its own, or none."""
    rows, columns = gains.shape
    wide = np.hstack([np.maximum(gains, 0.0), np.zeros((rows, rows))])
    return max(
        sum(wide[row, column] for row, column in enumerate(way)) for way in permutations(range(columns + rows), rows)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 10_000))
def test_no_permutation_gains_more(rows: int, columns: int, seed: int) -> None:
    gains = np.random.default_rng(seed).uniform(-1.0, 2.0, (rows, columns)).round(2)
    pairs = assign(gains)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(gains[pair] > 0.0 for pair in pairs)
    assert sum(gains[pair] for pair in pairs) == pytest.approx(best(gains))


def test_nobody_goes_where_nothing_is_gained() -> None:
    assert assign(np.array([[-1.0, 0.0], [0.0, -2.0]])) == []
    assert assign(np.zeros((0, 3))) == assign(np.zeros((3, 0))) == []
