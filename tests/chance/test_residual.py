"""Residual lives: closed forms of single laws, and numerical integration of several at once."""

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from twin.chance.law import (
    CompiledLaw,
    GammaLaw,
    LognormalLaw,
    PiecewiseLaw,
    UniformLaw,
    WeibullLaw,
    compile_law,
    exponential,
)
from twin.chance.quantiles import cumulative_hazard
from twin.chance.residual import first_end_h

LOGNORMAL = compile_law(LognormalLaw(law="lognormal", mean=2.0, sigma=1.5))
NARROW = compile_law(LognormalLaw(law="lognormal", median=2.0, sigma=0.1))
WEIBULL = compile_law(WeibullLaw(law="weibull", mean=2.0, shape=0.7))
GAMMA = compile_law(GammaLaw(law="gamma", mean=2.0, shape=2.0))
UNIFORM = compile_law(UniformLaw(law="uniform", low=1.0, high=3.0))
PIECEWISE = compile_law(PiecewiseLaw(law="piecewise", until=[1.0], means=[2.0, 5.0]))


def first(*laws_at: tuple[CompiledLaw, float]) -> float:
    laws = [law for law, _ in laws_at]
    tables = [law.table for law in laws]
    return float(
        first_end_h(
            np.array([law.code for law in laws]), np.array([law.a for law in laws]), np.array([law.b for law in laws]),
            np.concatenate(tables), np.cumsum([len(table) for table in tables]), np.array([age for _, age in laws_at]),
        )
    )  # fmt: skip


def test_an_exponential_duration_forgets_its_age_and_two_end_at_twice_the_rate() -> None:
    assert first((exponential(8.0), 3.0)) == pytest.approx(8.0, rel=1e-8)
    assert first((exponential(8.0), 3.0), (exponential(8.0), 0.0)) == pytest.approx(4.0, rel=1e-8)


def test_a_lognormal_duration_lasts_longer_the_longer_it_has() -> None:
    """E(D - t)+ / P(D > t) = (m Phi(d + s) - t Phi(d)) / Phi(d), d = (mu - ln t) / s."""
    mean, sigma, t = 2.0, 1.5, 4.0
    d = (math.log(mean) - sigma**2 / 2 - math.log(t)) / sigma
    expected = mean * stats.norm.cdf(d + sigma) / stats.norm.cdf(d) - t
    assert first((LOGNORMAL, t)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("law", [LOGNORMAL, NARROW, WEIBULL, GAMMA, UNIFORM, PIECEWISE])
def test_from_its_beginning_a_duration_has_its_mean(law: CompiledLaw) -> None:
    assert first((law, 0.0)) == pytest.approx(law.mean, rel=3e-5)


@pytest.mark.parametrize(
    "laws_at",
    [
        ((LOGNORMAL, 4.0), (exponential(8.0), 1.0)),
        ((WEIBULL, 0.5), (GAMMA, 4.0), (LOGNORMAL, 0.0)),
        ((UNIFORM, 2.0), (exponential(3.0), 0.0)),
        ((PIECEWISE, 0.5), (WEIBULL, 0.0)),
    ],
)
def test_the_first_of_several_by_numerical_integration(laws_at: tuple[tuple[CompiledLaw, float], ...]) -> None:
    def survival(t: float) -> float:
        return math.exp(-sum(_hazard(law, age + t) - _hazard(law, age) for law, age in laws_at))

    edges = [0.0, *np.geomspace(1e-4, 1e3, 40)]
    expected = math.fsum(integrate.quad(survival, low, high)[0] for low, high in pairwise(edges))
    assert first(*laws_at) == pytest.approx(expected, rel=3e-5)


def test_what_cannot_go_on_ends_now() -> None:
    assert first((UNIFORM, 3.0), (exponential(1.0), 0.0)) == 0.0


def _hazard(law: CompiledLaw, age_h: float) -> float:
    return float(cumulative_hazard(*law.columns, age_h))
