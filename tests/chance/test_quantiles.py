"""Quantile functions against scipy's, in both tails, and as functions of the cumulative hazard."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from twin.chance import quantiles as q
from twin.chance.law import PiecewiseLaw, compile_law
from twin.chance.philox import stream_key, uniform

NO_TABLE = np.zeros(0)
LOWER = np.logspace(-12, -0.31, 40)
UPPER = 1.0 - np.logspace(-12, -0.31, 40)
LAWS = [
    (q.EXPONENTIAL, 250.0, 0.0, stats.expon(scale=250.0)),
    *[(q.WEIBULL, 30.0, shape, stats.weibull_min(shape, scale=30.0)) for shape in (0.3, 0.7, 1.0, 2.5, 20.0)],
    *[(q.LOGNORMAL, 4.0, sigma, stats.lognorm(sigma, scale=4.0)) for sigma in (0.01, 0.5, 1.3, 4.0)],
    *[
        (q.GAMMA, 3.0, shape, stats.gamma(shape, scale=3.0))
        for shape in (0.05, 0.2, 0.5, 0.99, 1.0, 1.01, 1.5, 2.0, 7.0, 30.0, 150.0, 500.0)
    ],
    (q.UNIFORM, 2.0, 9.0, stats.uniform(2.0, 7.0)),
]
OBSERVED = np.array([0.5, 0.5, 2.0, 3.0, 8.0, 13.0])


def _quantiles(code, a, b, u):
    return np.array([q.quantile(code, a, b, NO_TABLE, x, 0) for x in u])


@pytest.mark.parametrize(("code", "a", "b", "law"), LAWS)
def test_quantiles_equal_those_of_scipy(code, a, b, law):
    np.testing.assert_allclose(_quantiles(code, a, b, LOWER), law.ppf(LOWER), rtol=1e-11)
    np.testing.assert_allclose(_quantiles(code, a, b, UPPER), law.isf(1.0 - UPPER), rtol=1e-11)


@settings(max_examples=300, deadline=None)
@given(shape=st.floats(0.05, 500.0), u=st.floats(1e-12, 1.0 - 1e-12))
def test_a_gamma_quantile_of_any_shape_gives_its_probability_back(shape, u):
    x = q.quantile(q.GAMMA, 1.0, shape, NO_TABLE, u, 0)
    density = math.exp(shape * math.log(x) - x - special.gammaln(shape))
    error = special.gammainc(shape, x) - u if u < 0.5 else special.gammaincc(shape, x) - (1.0 - u)
    assert abs(error) <= 1e-10 * density + 1e-12 * min(u, 1.0 - u)


def test_the_normal_quantile_is_good_to_rounding():
    u = np.concatenate([LOWER, UPPER])
    z = np.where(u < 0.5, special.ndtri(u), -special.ndtri(1.0 - u))
    ours = [q.normal_quantile(x, -math.log1p(-x)) for x in u]
    np.testing.assert_allclose(ours, z, rtol=2e-15, atol=1e-16)


@pytest.mark.parametrize("e", [0.3, 2.0, 36.0, 300.0, 728.9, 729.1, 1e4, 1e6])
def test_the_normal_tail_holds_where_the_probability_underflows(e):
    z = q.normal_quantile(-math.expm1(-e), e)
    assert special.log_ndtr(-z) == pytest.approx(-e, rel=1e-14)


LAW_BLOCKS = st.one_of(
    st.tuples(st.just(q.EXPONENTIAL), st.floats(0.01, 1e6), st.just(0.0)),
    st.tuples(st.just(q.WEIBULL), st.floats(0.01, 1e6), st.floats(0.1, 20.0)),
    st.tuples(st.just(q.LOGNORMAL), st.floats(0.01, 1e6), st.floats(0.0, 5.0)),
    st.tuples(st.just(q.GAMMA), st.floats(0.01, 1e6), st.floats(0.05, 500.0)),
    st.tuples(st.just(q.UNIFORM), st.floats(0.0, 5.0), st.floats(5.0, 9.0)),
    st.tuples(st.just(q.EMPIRICAL), st.just(0.0), st.just(0.0)),
    st.tuples(st.just(q.FIXED), st.floats(0.0, 1e6), st.just(0.0)),
)
UNIT = st.floats(2.0**-53, 1.0 - 2.0**-53)


@settings(max_examples=400, deadline=None)
@given(law=LAW_BLOCKS, one=UNIT, two=UNIT)
def test_a_larger_uniform_never_gives_a_shorter_duration(law, one, two):
    low, high = sorted((one, two))
    assert q.quantile(*law, OBSERVED, low, 0) <= q.quantile(*law, OBSERVED, high, 0) * (1.0 + 1e-12)


@settings(max_examples=300, deadline=None)
@given(law=LAW_BLOCKS, u=st.floats(1e-15, 0.999))
def test_a_life_by_its_hazard_is_the_quantile(law, u):
    by_hazard = q.hazard_quantile(*law, OBSERVED, -math.log1p(-u), 0)
    assert by_hazard == pytest.approx(q.quantile(*law, OBSERVED, u, 0), rel=1e-10)


@pytest.mark.parametrize(
    ("code", "b", "log_survival"),
    [
        (q.EXPONENTIAL, 0.0, lambda x: -x),
        (q.WEIBULL, 3.0, lambda x: -(x**3.0)),
        (q.LOGNORMAL, 0.8, lambda x: special.log_ndtr(-math.log(x) / 0.8)),
        (q.GAMMA, 0.4, lambda x: math.log(special.gammaincc(0.4, x))),
        (q.GAMMA, 1.0, lambda x: -x),
        (q.GAMMA, 80.0, lambda x: math.log(special.gammaincc(80.0, x))),
    ],
)
@pytest.mark.parametrize("e", [1e-9, 0.5, 10.0, 40.0, 300.0])
def test_hazard_is_used_up_even_where_the_uniform_rounds_to_1(code, b, log_survival, e):
    assert log_survival(q.hazard_quantile(code, 1.0, b, NO_TABLE, e, 0)) == pytest.approx(-e, rel=1e-11, abs=1e-15)


def test_observations_are_resampled_by_the_inverse_of_their_distribution():
    u = np.linspace(0.001, 0.999, 777)
    ours = [q.quantile(q.EMPIRICAL, 0.0, 0.0, OBSERVED, x, 0) for x in u]
    np.testing.assert_array_equal(ours, np.quantile(OBSERVED, u, method="inverted_cdf"))
    assert q.quantile(q.EMPIRICAL, 0.0, 0.0, np.array([1.0, 2.0]), 0.5, 0) == 1.0
    assert q.hazard_quantile(q.EMPIRICAL, 0.0, 0.0, OBSERVED, 1e9, 0) == 13.0


def test_a_script_gives_its_values_in_order_and_then_never():
    script = np.array([5.0, 1.0])
    assert [q.quantile(q.SCRIPTED, 0.0, 0.0, script, 0.9, n) for n in range(4)] == [5.0, 1.0, np.inf, np.inf]
    assert [q.hazard_quantile(q.SCRIPTED, 0.0, 0.0, script, 0.1, n) for n in range(3)] == [5.0, 1.0, np.inf]


def test_a_fixed_law_knows_no_luck():
    assert q.quantile(q.FIXED, 3.0, 0.0, NO_TABLE, 1e-9, 5) == q.hazard_quantile(q.FIXED, 3.0, 0.0, NO_TABLE, 50.0, 0)


def test_a_draw_is_the_quantile_of_the_uniform_of_the_same_number():
    key, replication = stream_key(1, "a", "failure"), np.uint64(2)
    drawn = q.draw(q.WEIBULL, 30.0, 0.7, NO_TABLE, key, replication, 9)
    assert drawn == q.quantile(q.WEIBULL, 30.0, 0.7, NO_TABLE, uniform(key, replication, 9), 9)


PIECES = np.array([0.0, 10.0, 40.0, 0.0, 0.5, 0.8, 0.05, 0.01, 0.2])
"""Ages 0, 10 and 40; hazards used up there; rates from there on."""


@pytest.mark.parametrize(("code", "a", "b", "law"), LAWS)
def test_the_cumulative_hazard_is_minus_the_log_of_scipy_s_survival(code, a, b, law):
    x = np.concatenate([law.ppf(LOWER), law.isf(1.0 - UPPER)])
    used = np.array([q.cumulative_hazard(code, a, b, NO_TABLE, age) for age in x])
    rtol = 1e-5 if code == q.UNIFORM else 1e-9  # near its end 7 - x has lost digits, here and in scipy
    np.testing.assert_allclose(used, -law.logsf(x), rtol=rtol, atol=1e-13)


def test_a_piecewise_constant_hazard_adds_up_and_back():
    for e, age in ((0.0001, 0.002), (0.4, 8.0), (0.5, 10.0), (0.65, 25.0), (0.8, 40.0), (3.8, 55.0)):
        assert q.hazard_quantile(q.PIECEWISE, 0.0, 0.0, PIECES, e, 0) == pytest.approx(age, rel=1e-12)
        assert q.cumulative_hazard(q.PIECEWISE, 0.0, 0.0, PIECES, age) == pytest.approx(e, rel=1e-12)


def test_the_mean_of_a_piecewise_law_is_the_integral_of_its_survival():
    law = compile_law(PiecewiseLaw(law="piecewise", until=[10.0, 40.0], means=[20.0, 100.0, 5.0]))
    np.testing.assert_allclose(law.table, PIECES)
    x = np.linspace(0.0, 300.0, 300_001)
    left = np.exp([-q.cumulative_hazard(*law.columns, age) for age in x])
    assert law.mean == pytest.approx(np.trapezoid(left, x), rel=1e-6)


def test_far_in_the_tail_hazards_stay_exact():
    """Where survival underflows: lognormal and gamma against scipy's logarithm and its own inverse."""
    assert q.normal_log_tail(50.0) == pytest.approx(special.log_ndtr(-50.0), rel=1e-13)
    assert q.normal_log_tail(-8.0) == pytest.approx(special.log_ndtr(8.0), rel=1e-12)
    for shape in (0.5, 3.0):
        e = q.cumulative_hazard(q.GAMMA, 1.0, shape, NO_TABLE, 900.0)
        assert q.hazard_quantile(q.GAMMA, 1.0, shape, NO_TABLE, e, 0) == pytest.approx(900.0, rel=1e-9)
