"""NPV, IRR, MIRR and payback against closed forms, published cases and laws over all flows."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from twin.errors import InputError
from twin.finance import ReturnWarning, discounted_payback, irr, irr_roots, mirr, npv, payback

LEVEL = [-4_800_000.0] + [1_200_000.0] * 10
NEGATIVE_LAST = [-1678.87, 771.96, 1814.05, 3520.3, 3552.95, 3584.99, 4789.91, -1.0]


def test_a_level_saving_has_the_values_of_the_annuity():
    annuity = (1 - 1.08**-10) / 0.08
    assert npv(0.08, LEVEL) == pytest.approx(-4.8e6 + 1.2e6 * annuity, rel=1e-12)
    assert npv(0.08, LEVEL) == pytest.approx(3_252_097.68, abs=5e-3)
    assert irr(LEVEL) == pytest.approx(0.214065, abs=1e-6)
    assert payback(LEVEL) == 4.0
    assert discounted_payback(0.08, LEVEL) == pytest.approx(5.0116, abs=5e-5)
    assert discounted_payback(0.08, LEVEL) == pytest.approx(5 + (4 - (1 - 1.08**-5) / 0.08) * 1.08**6, rel=1e-9)


def test_two_rates_of_return_are_both_named_and_none_is_chosen():
    flows = [-1000.0, 2300.0, -1320.0]
    assert irr_roots(flows) == pytest.approx((0.10, 0.20), abs=1e-9)
    with pytest.warns(ReturnWarning, match=r"2 rates of return: 10 %, 20 %"):
        assert irr(flows) is None


def test_a_negative_last_flow_gives_the_return_and_not_its_artefact():
    roots = irr_roots(NEGATIVE_LAST)
    assert len(roots) == 2
    assert roots[0] < -0.99
    assert irr(NEGATIVE_LAST) == pytest.approx(1.00427, abs=1e-5)


def test_a_double_root_is_found_once():
    assert irr_roots([1000.0, -2100.0, 1102.5]) == pytest.approx((0.05,), abs=1e-6)


def test_a_negative_return_is_a_return():
    assert irr([-100.0, 30.0, 30.0]) == pytest.approx((0.3 + math.sqrt(0.09 + 1.2)) / 2 - 1, rel=1e-12)


def test_flows_whose_value_never_changes_sign_have_no_return():
    with pytest.warns(ReturnWarning, match="no rate of return"):
        assert irr([1000.0, -500.0, 1000.0]) is None


def test_roots_that_are_only_artefacts_are_named_and_dropped():
    with pytest.warns(ReturnWarning, match="artefacts below -90 %: -98 %"):
        assert irr([-100.0, 2.0]) is None


def test_a_polynomial_made_from_its_roots_gives_them_back():
    rates = np.array([-0.5, 0.03, 0.07, 0.25, 1.5])
    flows = np.array([1.0])
    for rate in rates:
        flows = np.convolve(flows, [-1.0, 1.0 + rate])  # zero at 1 / (1 + rate)
    assert irr_roots(flows) == pytest.approx(tuple(rates), abs=1e-7)


def test_mirr_is_the_growth_from_costs_to_gains():
    flows = [-1000.0, 500.0, -200.0, 900.0]
    gains, costs = 500 * 1.06**2 + 900, 1000 + 200 / 1.1**2
    assert mirr(flows, 0.10, 0.06) == pytest.approx((gains / costs) ** (1 / 3) - 1, rel=1e-12)


def test_payback_is_linear_in_the_year_and_none_if_never():
    assert payback([-100.0, 30.0, 30.0, 80.0]) == pytest.approx(2.5)
    assert payback([-100.0, 30.0]) is None
    assert payback([5.0, -100.0]) == 0.0
    assert discounted_payback(0.1, [-100.0, 50.0, 55.0]) is None


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: npv(-1.0, LEVEL), "must be above -1"),
        (lambda: npv(math.nan, LEVEL), "must be above -1"),
        (lambda: npv(0.08, []), "at least 1"),
        (lambda: npv(0.08, [[1.0]]), "2 dimensions"),
        (lambda: npv(0.08, [1.0, math.inf]), "year 1 is not a finite number"),
        (lambda: irr([-1.0, -2.0]), "none is positive or none is negative"),
        (lambda: irr([1.0]), "at least 2"),
        (lambda: mirr([1.0, 2.0], 0.1, 0.1), "none is positive or none is negative"),
        (lambda: mirr([-1.0, 2.0], -2.0, 0.1), "finance_rate -2"),
    ],
)
def test_wrong_flows_and_rates_are_refused(call, text):
    with pytest.raises(InputError, match=text):
        call()


amounts = st.floats(-1e6, 1e6).map(lambda x: round(x, 2))
rows = st.lists(amounts, min_size=2, max_size=25)


@given(rows)
def test_at_every_root_the_value_is_zero(flows):
    assume(min(flows) < 0 < max(flows))
    for rate in irr_roots(flows):
        discounted = np.array(flows) * (1 + rate) ** -np.arange(len(flows), dtype=float)
        assert abs(discounted.sum()) <= 1e-6 * np.abs(discounted).sum()


@given(rows)
def test_between_neighbouring_roots_the_value_keeps_its_sign(flows):
    assume(min(flows) < 0 < max(flows))
    edges = [-0.95, *[rate for rate in irr_roots(flows) if -0.95 < rate < 20], 20.0]
    for low, high in pairwise(edges):
        if high - low < 1e-3:
            continue
        inside = np.linspace(low, high, 50)[1:-1]
        values = np.array([npv(rate, flows) for rate in inside])
        sizes = np.array([npv(rate, np.abs(flows)) for rate in inside])
        signs = np.sign(values[np.abs(values) > 1e-7 * sizes])
        assert len(np.unique(signs)) <= 1


@given(rows, st.floats(0.01, 1000.0), st.floats(-0.5, 1.0))
def test_another_currency_changes_amounts_alone(flows, factor, rate):
    assume(min(flows) < 0 < max(flows))
    scaled = [factor * flow for flow in flows]
    assert npv(rate, scaled) == pytest.approx(factor * npv(rate, flows), rel=1e-9, abs=1e-6 * factor)
    assert irr_roots(scaled) == pytest.approx(irr_roots(flows), rel=1e-6, abs=1e-6)
    one, two = payback(flows), payback(scaled)
    assert (one is None and two is None) or one == pytest.approx(two, abs=1e-6)
