"""How well laws fit: Akaike's criterion, and the Kolmogorov-Smirnov distance with a bootstrap p.

The distance is taken between the law and the product-limit estimate (Kaplan and Meier, JASA 53, 1958), so that censored
records are judged by the same rule. Parameters were fitted to the same data, so tables of the statistic do not hold: p
is the share of samples drawn from the law, cut off by the record's own censoring times and fitted anew, that lie
further off (Stute, Gonzalez Manteiga and Presedo Quindimil, Metrika 40, 1993). The scatter of their parameters is the
standard error. A p below 0.05 says that the record is too large or too different for this law; of a record of
thousands, rounded to minutes, no law of two parameters survives it, and the distance itself says more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.fitting.laws import FITS, FittedLaw
from twin.inputs.lifetimes_csv import Lifetimes

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]
SAMPLES, DRAWS_MOST, SAMPLES_LEAST = 200, 400_000, 39
"""Bootstrap samples of a record; of a large one as many as draw so many durations, but enough for p = 0.025."""


@dataclass(frozen=True)
class Fit:
    """One law beside a record.

    Attributes:
        law: with its parameters.
        errors: standard error of each parameter.
        log_likelihood: of the record.
        aic: 2 x parameters - 2 x log-likelihood; the least fits best.
        distance: largest difference between the law's and the record's distribution functions.
        p: of a distance this large or larger, if the law were true.
    """

    law: FittedLaw
    errors: dict[str, float]
    log_likelihood: float
    aic: float
    distance: float
    p: float


def product_limit(x: Float, observed: Bool) -> tuple[Float, Float]:
    """Kaplan and Meier's estimate.

    Args:
        x: durations, ascending.
        observed: whether each ended.

    Returns:
        Distinct times at which one ended, and the share that lasts longer than each.
    """
    times, first = np.unique(x, return_index=True)
    at_risk = len(x) - first
    ended = np.add.reduceat(observed.astype(np.float64), first)
    left: Float = np.cumprod(1.0 - ended / at_risk, dtype=np.float64)
    some = ended > 0.0
    return times[some], left[some]


def distance(law: FittedLaw, x: Float, observed: Bool) -> float:
    """The largest gap between the law's survival and the product-limit estimate, on both sides of every step."""
    times, left = product_limit(x, observed)
    survival = law.survival(times)
    before = np.concatenate([[1.0], left[:-1]])
    return float(max(np.abs(survival - left).max(), np.abs(survival - before).max()))


def fit_all(
    record: Lifetimes, laws: Sequence[str] = tuple(FITS), *, samples: int | None = None, seed: int = 1
) -> list[Fit]:
    """Fit laws to a record, best first.

    Args:
        record: durations of at least two different lengths.
        laws: names, of `FITS`.
        samples: of the bootstrap; None: by the record's size.
        seed: of its draws.
    """
    if samples is None:
        samples = min(SAMPLES, max(SAMPLES_LEAST, DRAWS_MOST // len(record.hours)))
    found = [_fit(name, record, samples, np.random.default_rng((seed, k))) for k, name in enumerate(laws)]
    return sorted(found, key=lambda one: one.aic)


def _fit(name: str, record: Lifetimes, samples: int, draws: np.random.Generator) -> Fit:
    x, observed = record.hours, record.observed
    law = FITS[name](x, observed)
    likelihood = law.log_likelihood(x, observed)
    own = distance(law, x, observed)
    again = [_again(name, law, x, observed, draws) for _ in range(samples)]
    errors = {key: float(np.std([other.parameters[key] for other, _ in again], ddof=1)) for key in law.parameters}
    further = sum(far >= own for _, far in again)
    return Fit(
        law, errors, likelihood, 2.0 * len(law.parameters) - 2.0 * likelihood, own, (1 + further) / (1 + samples)
    )


def _again(name: str, law: FittedLaw, x: Float, observed: Bool, draws: np.random.Generator) -> tuple[FittedLaw, float]:
    """A record like this one if the law were true: its own fit, and its distance from that."""
    while True:
        drawn = law.draws(draws.random(len(x)))
        limits = _limits(x, observed, draws)
        ended = drawn <= limits
        if ended.sum() > 1:
            break
    record = np.minimum(drawn, limits)
    order = np.argsort(record)
    record, ended = record[order], ended[order]
    other = FITS[name](record, ended, law)
    return other, distance(other, record, ended)


def _limits(x: Float, observed: Bool, draws: np.random.Generator) -> Float:
    """Censoring times drawn from their own product-limit estimate; without end where the record's largest one ended."""
    if observed.all():
        return np.full(len(x), np.inf)
    times, left = product_limit(x, ~observed)
    place = np.searchsorted(1.0 - left, draws.random(len(x)), side="left")
    return np.append(times, np.inf)[place]
