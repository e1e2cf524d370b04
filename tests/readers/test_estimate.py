"""Intervals cover as often as they say; rounding follows the standard error."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from twin.estimate import (
    Estimate,
    count_interval,
    mean_interval,
    paired_difference,
    round_to_error,
    years_to_resolve,
)


def test_the_t_interval_of_four_numbers_is_the_one_of_the_tables():
    # 1 2 3 4: mean 2.5, s = 1.29099, t(0.975, 3) = 3.18245, reach = 3.18245 x 1.29099 / 2 = 2.05426
    found = mean_interval([1, 2, 3, 4])
    assert found.standard_error == pytest.approx(0.6454972)
    assert (found.low, found.high) == pytest.approx((2.5 - 2.05426, 2.5 + 2.05426), abs=1e-5)
    assert (found.n, found.events) == (4, 3)


def test_the_t_interval_covers_the_mean_95_times_in_100():
    draws = np.random.default_rng(1).normal(3.0, 2.0, (2000, 8))
    covered = [found.low <= 3.0 <= found.high for found in map(mean_interval, draws)]
    assert 0.93 < np.mean(covered) < 0.97


@pytest.mark.parametrize("expected", [0.4, 2.0, 9.0])
def test_the_poisson_interval_covers_at_least_95_times_in_100(expected):
    years = 10.0
    counts = np.random.default_rng(2).poisson(expected, 2000)
    seen = {count: count_interval(int(count), years) for count in np.unique(counts)}
    covered = [seen[count].low <= expected / years <= seen[count].high for count in counts]
    assert np.mean(covered) >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / 2000)  # exact bound, within two standard errors


def test_the_poisson_interval_is_exact_but_where_zero_has_its_one_sided_bound():
    intervals = [count_interval(count, 1.0) for count in range(60)]
    for expected in np.arange(0.05, 20, 0.05):
        covered = sum(poisson.pmf(count, expected) for count, e in enumerate(intervals) if e.low <= expected <= e.high)
        assert covered >= (0.938 if 2.99 < expected < 3.69 else 0.95)


def test_garwoods_ends_are_those_of_his_table():
    # 1 event: 0.02532 to 5.57164; 5 events: 1.62349 to 11.66833
    for count, low, high in [(1, 0.02532, 5.57164), (5, 1.62349, 11.66833)]:
        found = count_interval(count, 1.0)
        assert (found.low, found.high) == pytest.approx((low, high), abs=1e-5)


def test_zero_events_give_the_rule_of_three_and_say_so():
    found = count_interval(0, 400.0)
    assert found.one_sided
    assert (found.mean, found.low) == (0, 0)
    assert found.high == pytest.approx(3.0 / 400, rel=2e-3)
    assert round_to_error(found).high == "0.0075"


def test_the_rule_of_three_holds_where_nothing_was_seen():
    rate, years = 0.3, 10.0  # at the bound itself, nothing is seen 5 times in 100
    assert math.exp(-count_interval(0, years).high * years) == pytest.approx(0.05)
    counts = np.random.default_rng(3).poisson(rate * years, 20_000)
    assert np.mean(counts == 0) == pytest.approx(0.05, abs=0.005)


def test_one_replication_makes_no_statement():
    found = mean_interval([7.0])
    assert found.mean == 7
    assert math.isnan(found.low)
    assert math.isnan(found.standard_error)
    assert not paired_difference([7.0], [9.0]).is_resolved


def test_values_that_are_not_finite_are_left_out():
    assert mean_interval([1.0, math.nan, 3.0]).n == 2
    assert mean_interval([math.nan]).n == 0
    assert paired_difference([1.0, math.nan, 3.0], [0.0, 1.0, math.nan]).estimate.n == 1


def test_equal_values_report_no_event():
    found = mean_interval([0.1, 0.1, 0.1])
    assert (found.mean, found.low, found.high, found.events) == (0.1, 0.1, 0.1, 0)


def test_pairing_removes_the_shared_variance():
    # a = w + u, b = w + v with variances 9, 1, 1: independent 20, paired 2, ratio 10
    rng = np.random.default_rng(4)
    shared = rng.normal(0, 3, 20_000)
    found = paired_difference(shared + rng.normal(1, 1, 20_000), shared + rng.normal(0, 1, 20_000))
    assert found.variance_ratio == pytest.approx(10, rel=0.05)
    assert found.estimate.standard_error == pytest.approx(math.sqrt(2 / 20_000), rel=0.03)
    assert found.estimate.mean == pytest.approx(1, abs=0.03)
    assert found.is_resolved


def test_better_means_lower_unless_told_otherwise():
    found = paired_difference([1, 2, 3, 4], [2, 2, 2, 9])
    assert (found.better, found.worse, found.equal) == (2, 1, 1)
    higher = paired_difference([1, 2, 3, 4], [2, 2, 2, 9], lower_is_better=False)
    assert (higher.better, higher.worse, higher.equal) == (1, 2, 1)


def test_the_rounding_of_sums_is_no_difference():
    found = paired_difference([0.1 + 0.2] * 8, [0.3] * 8)
    assert (found.equal, found.estimate.mean, found.is_resolved) == (8, 0, False)


def test_a_handful_of_rare_years_resolves_nothing():
    few = [1.0] * 5 + [0.0] * 25  # Student's t alone would exclude zero
    found = paired_difference(few, np.zeros(30))
    assert found.estimate.low > 0
    assert not found.is_resolved
    assert paired_difference([1.0] * 8 + [0.0] * 22, np.zeros(30)).is_resolved


def test_false_resolutions_stay_near_five_in_a_hundred():
    rng = np.random.default_rng(5)
    rare = rng.poisson(0.15, (2, 1000, 20)) * rng.exponential(1.0, (2, 1000, 20))
    false = np.mean([paired_difference(a, b).is_resolved for a, b in zip(*rare, strict=True)])
    assert false < 0.06


def test_as_many_years_as_said_resolve_the_difference_four_times_in_five():
    rng = np.random.default_rng(6)
    needed = int(years_to_resolve(Estimate(0.5, 1 / math.sqrt(10), 0, 0, 10, 10)))  # deviation 1, mean 0.5
    assert 30 <= needed <= 33
    draws = rng.normal(0.5, 1.0, (2000, needed))
    assert np.mean([mean_interval(x).low > 0 for x in draws]) == pytest.approx(0.8, abs=0.04)


def test_no_difference_is_never_resolved_by_years():
    assert years_to_resolve(mean_interval([0.0, 0.0])) == math.inf


@pytest.mark.parametrize(
    ("mean", "error", "texts"),
    [
        (10.483, 0.42, ("10.5", "9.6", "11.3")),  # one digit of the error
        (10.483, 0.13, ("10.48", "10.22", "10.74")),  # two after a leading 1
        (12345.6, 420.0, ("12\u2009300", "11\u2009500", "13\u2009200")),
        (-0.04, 0.3, ("0.0", "\u22120.6", "0.6")),  # no minus before zero
        (0.97, 0.97, ("1.0", "\u22121.0", "2.9")),
    ],
)
def test_the_standard_error_decides_the_digits(mean, error, texts):
    found = round_to_error(Estimate(mean, error, mean - 2 * error, mean + 2 * error, 9, 9))
    assert (found.value, found.low, found.high) == texts


def test_without_an_error_a_known_number_keeps_its_digits():
    assert round_to_error(mean_interval([1.31, 1.31])).value == "1.31"
    assert round_to_error(mean_interval([1852.937])).value == "1\u2009853"
    assert round_to_error(mean_interval([1852.937])).interval == ""


def test_an_error_that_is_rounding_shows_no_digits_that_mean_nothing():
    nearly_the_same = mean_interval([1.0023, 1.0023 + 2e-16, 1.0023, 1.0023 - 2e-16])
    assert 0 < nearly_the_same.standard_error < 1e-15
    assert round_to_error(nearly_the_same).value == "1.0023"
