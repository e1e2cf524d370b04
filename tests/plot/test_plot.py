"""Figures hold the numbers they were given: lines, bars, bands and marks are read back from the axes."""

import numpy as np
import pytest
from scipy.stats import beta

from twin import plot
from twin.compare import compare_designs
from twin.estimate import mean_interval
from twin.plot.futures import Change, Swing
from twin.powerflow import Network, solve

NAMES = ("lost_gpu_h_per_year",)
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def comparison():
    ups = RNG.gamma(2, 4000, 40)
    return compare_designs({"ups": ups[:, None], "cabinets": (ups * 0.6 + RNG.normal(0, 500, 40))[:, None]}, NAMES)


def test_exceedance_ends_at_one_in_n_and_bands_are_order_statistics(comparison):
    axes = plot.exceedance(comparison)
    line = axes.lines[0]
    worst = np.sort(comparison.column("ups", NAMES[0]))[::-1] / 1000
    assert line.get_xdata() == pytest.approx(worst)
    assert line.get_ydata() == pytest.approx(np.arange(1, 41) / 40)
    assert axes.get_ylim()[0] == pytest.approx(1 / 40)
    corners = axes.collections[0].get_paths()[0].vertices
    at_half = corners[np.isclose(corners[:, 1], 0.5)]
    low, high = beta.ppf([0.025, 0.975], 20, 21)
    share = np.arange(1, 41) / 40
    bounds = [np.interp(0.5, beta.ppf(q, np.arange(1, 41), 41 - np.arange(1, 41)), worst) for q in (0.975, 0.025)]
    assert sorted((at_half[:, 0].min(), at_half[:, 0].max())) == pytest.approx(sorted(bounds), rel=1e-6)
    assert low < 0.5 < high
    assert share[0] == 1 / 40
    with pytest.raises(ValueError, match="at least 10"):
        plot.exceedance(compare_designs({"a": np.ones((5, 1))}, NAMES))


def test_paired_bars_are_the_sorted_differences_with_mean_and_interval(comparison):
    axes = plot.paired_differences(comparison, "cabinets")
    difference = comparison.column("cabinets", NAMES[0]) - comparison.column("ups", NAMES[0])
    known = mean_interval(difference)
    assert axes.lines[1].get_ydata()[0] == pytest.approx(known.mean / 1000)
    texts = [text.get_text() for text in axes.texts]
    assert f"cabinets less: {(difference < 0).sum()} of 40" in texts
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.y0, band.y1) == pytest.approx((known.low / 1000, known.high / 1000))


def test_a_waterfall_ends_at_the_sum():
    changes = [Change("capital", 3.4), Change("energy", -3.1, -3.5, -2.7), Change("lost", -4.2)]
    axes = plot.waterfall(changes)
    last = axes.patches[-1]
    assert last.get_height() == pytest.approx(-3.9)
    for bar, bottom, one in zip(axes.patches, (0.0, 3.4, 0.3), changes, strict=False):
        assert (bar.get_y(), bar.get_height()) == pytest.approx((bottom, one.value))


def test_return_dots_can_be_counted():
    values = np.concatenate([np.full(200, -1.0), np.full(800, 3.0)])
    axes = plot.return_dots({"cabinets": values})
    filled, hollow = axes.collections[0].get_offsets(), axes.collections[1].get_offsets()
    assert (len(filled), len(hollow)) == (40, 10)
    assert axes.texts[0].get_text() == "cabinets: 10 of 50 lose money"


def test_a_tornado_has_the_widest_swing_on_top_and_no_more_than_asked():
    swings = [Swing("small", 1, 2, 9.0, 11.0), Swing("wide", 0, 1, 2.0, 30.0), Swing("middle", 0, 1, 15.0, 5.0)]
    axes = plot.tornado(swings, 10.0, most=2)
    assert [label.get_text().split("\n")[0] for label in axes.get_yticklabels()] == ["middle", "wide"]


def test_survival_marks_are_shares_of_each_group():
    duration = np.repeat([0.01, 5.0], 40)
    survived = np.concatenate([np.ones(40, bool), np.arange(40) < 10])
    axes = plot.survival({"a": plot.Outages(duration, survived), "none": plot.Outages(np.empty(0), np.empty(0, bool))})
    shares = np.asarray(axes.lines[0].get_ydata())
    assert shares[0] == 1.0
    assert shares.mean() == pytest.approx(survived.mean())
    assert len(axes.lines) == 1


def test_a_break_even_map_names_the_cheapest_where_it_is_cheapest():
    x, y = np.linspace(0, 10, 11), np.linspace(0, 5, 6)
    cost = np.stack([np.broadcast_to(x * 1.0, (6, 11)), np.full((6, 11), 5.5)])
    axes = plot.break_even_map(x, y, cost, ["bare", "ups"])
    where = {text.get_text(): text.get_position()[0] for text in axes.texts}
    assert where["bare"] < 5.5 < where["ups"]


def test_a_voltage_profile_falls_along_a_feeder_and_the_map_draws_every_branch():
    net = Network([0, 1, 1], [1, 2, 3], [0.1, 0.1, 0.2], [0.1, 0.1, 0.2], 10.0)
    out = solve(net, np.array([[0.0, 500.0, 500.0, 500.0]]), np.zeros((1, 4)))
    axes = plot.voltage_profile(net, out.v_pu[0])
    distance, volts = axes.lines[0].get_data()
    assert distance == pytest.approx(np.hypot(0.1, 0.1) * np.array([0, 1, 2, 3]))
    assert volts == pytest.approx(out.v_pu[0])
    drawn = plot.network_map(net, loading=[0.2, 0.5, 0.9])
    assert len(drawn.collections[0].get_segments()) == 3


def test_fitted_laws_stand_beside_their_record():
    axes = plot.fitted_laws([1.0, 2.0, 5.0], [1.0, 0.6, 0.2], {"exponential": ([1.0, 2.0], [0.7, 0.5])})
    assert axes.lines[0].get_ydata() == pytest.approx([1.0, 0.6, 0.2])
    assert {text.get_text() for text in axes.texts} == {"record", "exponential"}
