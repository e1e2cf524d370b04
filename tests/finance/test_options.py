"""The option value of trucks: closed forms, rules that know nothing ahead, and that no yuan counts twice."""

import math

import numpy as np
import pytest

from twin.errors import InputError
from twin.finance.options import best_path, check_same_trucks, truck_option

RNG = np.random.default_rng(7)


def normal_cdf(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def expected_max(mean, sd):
    """E[max] of two independent normal values (Clark 1961)."""
    spread = math.hypot(*sd)
    d = (mean[0] - mean[1]) / spread
    density = math.exp(-0.5 * d * d) / math.sqrt(2.0 * math.pi)
    return mean[0] * normal_cdf(d) + mean[1] * normal_cdf(-d) + spread * density


def test_perfect_choice_between_two_normal_values_gains_what_clark_s_formula_says():
    mean, sd, n = (10.0, 9.0), (4.0, 3.0), 20_000
    values = {name: m + s * RNG.standard_normal((n, 1)) for name, m, s in zip("ab", mean, sd, strict=True)}
    found = truck_option(values, 1, 0.0, "forecast", 0.0)
    assert found.fixed == "a"
    assert abs(found.bound.mean - (expected_max(mean, sd) - mean[0])) < 4 * found.bound.standard_error
    assert found.value.mean == pytest.approx(0.0, abs=1e-9)  # a mean says nothing of one draw: nothing to choose


def test_a_forecast_gains_what_seasons_differ_in_the_mean_and_no_more():
    season = np.array([3.0, 0.0, 3.0, 0.0])
    noise = RNG.standard_normal((2, 4000, 4))
    values = {"trade": 2.0 + noise[0], "stand_by": season + noise[1]}
    found = truck_option(values, 4, 0.0, "forecast", 0.0)
    assert found.fixed == "trade"
    assert abs(found.value.mean - 2.0) < 4 * found.value.standard_error  # 1 more in each of two quarters
    assert found.changes.mean == pytest.approx(3.0)
    assert (found.present_gain <= found.perfect_gain + 1e-12).all()


def test_the_past_of_a_replication_that_stays_good_or_bad_is_worth_all_but_its_first_quarter():
    luck = RNG.choice([-1.0, 1.0], size=(4000, 1))
    values = {"a": np.zeros((4000, 8)), "b": np.repeat(luck, 8, axis=1) - 0.01}
    found = truck_option(values, 4, 0.0, "past", 0.0)
    assert found.fixed == "a"
    assert found.value.mean == pytest.approx(7.0 * np.mean(np.maximum(values["b"][:, 0], 0.0)))
    assert found.bound.mean == pytest.approx(8.0 * np.mean(np.maximum(values["b"][:, 0], 0.0)))
    assert truck_option(values, 4, 0.0, "forecast", 0.0).value.mean == pytest.approx(0.0)


def test_no_rule_that_is_counted_looks_ahead():
    values = {name: RNG.standard_normal((6, 8)) for name in "abc"}
    later = {name: np.where(np.arange(8) < 5, row, 100 * RNG.standard_normal((6, 8))) for name, row in values.items()}
    one, two = (truck_option(of, 4, 0.0, "past", 0.1).chosen for of in (values, later))
    np.testing.assert_array_equal(one[:, :6], two[:, :6])
    other_luck = {name: row.copy() for name, row in values.items()}
    for row in other_luck.values():
        row[2] = 50 * RNG.standard_normal(8)
    one, two = (truck_option(of, 4, 0.05, "forecast", 0.1).chosen[2] for of in (values, other_luck))
    np.testing.assert_array_equal(one, two)


def test_a_change_that_costs_more_than_it_brings_is_not_made():
    values = np.array([[[1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]]])
    assert best_path(values, np.full(3, 0.6)).tolist() == [[0, 0, 0]]
    assert best_path(values, np.full(3, 0.4)).tolist() == [[0, 1, 0]]
    by_name = {name: np.tile(row, (5, 1)) for name, row in zip("ab", values[:, 0], strict=True)}
    free, dear = (truck_option(by_name, 1, 0.0, "forecast", cost) for cost in (0.0, 0.4))
    assert free.value.mean == pytest.approx(1.0)
    assert dear.value.mean == pytest.approx(0.2)


def test_the_path_is_the_best_of_all_paths():
    values, cost = RNG.standard_normal((3, 5, 4)), np.array([0.0, 0.3, 0.7, 0.2])
    chosen = best_path(values, cost)
    for k in range(5):

        def worth(path, k=k):
            changes = [cost[q] * (path[q] != path[q - 1]) for q in range(1, 4)]
            return sum(values[path[q], k, q] for q in range(4)) - sum(changes)

        paths = np.stack(np.meshgrid(*[range(3)] * 4), axis=-1).reshape(-1, 4)
        assert worth(chosen[k]) == pytest.approx(max(worth(path) for path in paths))


def test_uses_of_other_trucks_are_no_uses():
    one = {"trucks": {"t": {"rated_kw": 500.0, "rated_kwh": 1000.0}}}
    two = {"trucks": {"t": {"rated_kw": 500.0, "rated_kwh": 2000.0}}}
    check_same_trucks(["a", "b"], {"a": one, "b": one})
    with pytest.raises(InputError, match="a and b have not the same trucks"):
        check_same_trucks(["a", "b"], {"a": one, "b": two})
    with pytest.raises(InputError, match="design a has no truck"):
        check_same_trucks(["a", "b"], {"a": {"trucks": {}}, "b": one})
