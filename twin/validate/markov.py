"""Small Markov chains: long-run probabilities, unavailability and frequency of leaving the up states."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def long_run(rates: Float) -> Float:
    """Long-run probabilities of a chain with transition rates `rates[i, j]` from i to j (the diagonal is not read)."""
    rates = rates.copy()
    np.fill_diagonal(rates, 0.0)
    generator = rates - np.diag(rates.sum(axis=1))
    equations = np.vstack([generator.T, np.ones(len(rates))])
    right = np.zeros(len(rates) + 1)
    right[-1] = 1.0
    return np.asarray(np.linalg.lstsq(equations, right, rcond=None)[0])


def failure_figures(rates: Float, is_down: Callable[[int], bool]) -> tuple[float, float]:
    """Frequency of entering the down states, and the probability of being in one.

    Args:
        rates: (states, states), per hour.
        is_down: of a state's number.
    """
    shares = long_run(rates)
    down = np.array([is_down(k) for k in range(len(rates))])
    return float(shares[~down] @ rates[np.ix_(~down, down)].sum(axis=1)), float(shares[down].sum())


def like_units(n: int, failure: float, repair: float, *, crews: int, beta: float = 0.0) -> Float:
    """Rates between numbers of failed units, 0 to n, of like units with a beta factor and so many crews.

    Each unit fails alone at (1 - beta) x failure; a common cause at beta x failure brings down all that are up.
    """
    rates = np.zeros((n + 1, n + 1))
    for failed in range(n):
        rates[failed, failed + 1] += (n - failed) * (1.0 - beta) * failure
        rates[failed, n] += beta * failure
        rates[failed + 1, failed] = min(failed + 1, crews) * repair
    return rates
