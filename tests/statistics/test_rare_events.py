"""Importance sampling through the whole simulator: nothing moves without a bias, and with one the weights undo it."""

import numpy as np
import pytest
from rare_systems import (
    BYPASS,
    CORE,
    bypass_rows,
    core,
    modules,
    pair,
    pair_by_hand,
    pair_dark_h,
    pushed,
    rows,
    z_of,
)
from simulation import CABINETS, GENSETS, UPS, hall, simulator

from twin.campaign.rare.columns import COLUMNS, columns_of
from twin.campaign.rare.estimate import mean_weight, rate
from twin.campaign.rare.pilot import tune
from twin.campaign.rare.settings import Settings
from twin.chance.proposal import NOMINAL_SHARE, Proposal
from twin.metrics.spans import NAMES, amounts
from twin.world.weights import Weights

EVERYTHING = {
    "grid": {
        "feeders": {
            "A": {
                "momentary": {"per_year": 30.0, "duration_s": {"law": "uniform", "low": 0.1, "high": 3.0}},
                "sustained": {"per_year": 20.0, "duration_h": {"law": "lognormal", "median": 1.0, "sigma": 1.0},
                              "repeat_probability": 0.3},
            },
            "B": {"sustained": {"per_year": 20.0, "duration_h": {"law": "exponential", "mean": 2.0}}},
        },
        "both_feeders": {"per_year": 20.0, "duration_h": {"law": "lognormal", "median": 1.0, "sigma": 1.0}},
    },
    "protection": {
        "cabinets": {**CABINETS, "per_row": 3, "rated_kw": 50.0, "core": 0, "cabinet_mtbf_h": 500.0,
                     "transfer_failure_probability": 0.05},
        "ups": {**UPS, "modules": {"n": 2, "r": 1, "rated_kw": 100.0, "mtbf_h": 800.0}, "block_mtbf_h": 3000.0,
                "serves": ["core", "continuous_cooling"], "fail_on_demand_probability": 0.02},
        "gensets": {**GENSETS, "n": 2, "r": 1, "rated_kw": 200.0, "fail_to_start_probability": 0.1,
                    "plant_common_cause_probability": 0.02, "mttf_running_h": 50.0},
    },
}  # fmt: skip
"""A site on which everything that can be biased happens often."""


def test_with_natural_proposals_alone_a_run_is_the_crude_one_bit_for_bit() -> None:
    made = simulator(hall(site=EVERYTHING, horizon={"hours": 2000.0}))
    for k in range(3):
        luck = Weights([Proposal(0.4), Proposal(0.6)], rest_h=1.0)
        crude, weighted = made.run(k, "ledger"), made.run(k, "ledger", luck)
        assert len(weighted.cycles["start_us"]) > 10
        assert not weighted.cycles["log_weight"].any()
        weighted.cycles = crude.cycles
        assert weighted.equals(crude)


def test_spans_lie_end_to_end_and_natural_ones_weigh_one() -> None:
    made = simulator(hall(site=EVERYTHING, horizon={"hours": 2000.0}))
    pushing = Proposal(0.5, {"cabinet": 3.0, "genset_run": 5.0}, {"tie": 0.5, "genset_start": 0.4}, {"sustained": 3.0})
    cycles = made.run(0, "ledger", Weights([Proposal(0.5), pushing], rest_h=1.0)).cycles
    assert cycles["start_us"][0] == 0
    assert cycles["end_us"][-1] == made.blueprint.horizon_us
    assert (cycles["end_us"][:-1] == cycles["start_us"][1:]).all()
    assert not cycles["log_weight"][::2].any()
    assert cycles["log_weight"][1::2].any()
    assert (cycles["log_weight"] <= np.log(2.0) + 1e-12).all()


@pytest.mark.parametrize(
    "pushing",
    [
        Proposal(0.8, {"cabinet": 2.0, "module": 3.0, "ups_block": 10.0, "sustained": 4.0, "genset_run": 3.0}),
        Proposal(0.8, {}, {"tie": 0.3, "genset_start": 0.2, "genset_plant": 0.2, "transfer 0.05": 0.1}),
        Proposal(0.8, {}, {}, {"sustained": 2.0, "both_feeders": 3.0, "ups_block_repair": 2.0}),
    ],
    ids=["clocks", "demands", "durations"],
)
def test_the_mean_weight_is_one_for_excursions_and_for_whole_runs(pushing: Proposal) -> None:
    made = simulator(hall(site=EVERYTHING, jobs={}, horizon={"hours": 400.0}))
    values = rows(made, Settings(CORE, (Proposal(0.2), pushing), 1.0), range(100))
    mean, error = mean_weight(values, COLUMNS)
    assert 0.0 < error < 0.05
    assert abs(mean - 1.0) < 3.0 * error
    whole = np.exp(values[:, COLUMNS.index("log_weight")])
    assert whole.std() > 0.1
    assert abs(whole.mean() - 1.0) < 3.0 * whole.std(ddof=1) / np.sqrt(len(whole))


def test_the_weight_of_whole_runs_is_one_where_first_faults_are_pushed() -> None:
    made = modules(1, 1, 2_000.0, 20.0, 0.2)
    values = bypass_rows(made, (Proposal(0.2), Proposal(0.8, {"onset module": 2.0})), range(300))
    whole = np.exp(values[:, BYPASS.index("log_weight")])
    assert whole.std() > 0.3
    assert abs(whole.mean() - 1.0) < 3.0 * whole.std(ddof=1) / np.sqrt(len(whole))


def test_each_season_counts_by_its_part_of_the_horizon() -> None:
    """Summer's cycles were seen three times as often as its quarter of the year."""
    columns = columns_of(["x"])
    values = np.zeros((2, len(columns)))
    put = {"x:amount": (2.0, 4.0), "x:hits": (20, 20), "x:weight": (2, 2), "x:weight_squared": (0.2, 0.2)}
    put |= {"x:squares:season2": (4.0, 5.0)}
    put |= {"x:weight_max": (0.1, 0.1), "x:season2": (2.0, 4.0), "weighted_h:season2": (6000.0, 7140.0)}
    put |= {f"season_h:season{k}": (2190.0, 2190.0) for k in range(4)}
    put |= {f"weighted_h:season{k}": (2000.0, 2380.0) for k in (0, 1, 3)}
    put |= {"weighted_h": (12000.0, 14280.0)}
    for name, pair_of in put.items():
        values[:, columns.index(name)] = pair_of
    found = rate(values, columns, "x")
    assert found.estimate.mean == pytest.approx(0.25 * 6.0 / 13140.0 * 8760.0)
    assert found.crude_variance == pytest.approx(0.25 * 9.0 / 13140.0 * 8760.0)  # in a horizon of one year


def test_a_season_whose_first_faults_are_pushed_is_not_counted_more_often() -> None:
    """Every second year both feeders fail, nearly always in summer, and a row without protection is dark."""
    season = {"winter": 0.2, "spring": 0.2, "summer": 3.4, "autumn": 0.2}
    both = {"per_year": 0.5, "season": season, "duration_h": {"law": "exponential", "mean": 1.0}}
    site = {"cluster": {"rows": 1}, "grid": {"feeders": {"A": {}, "B": {}}, "both_feeders": both}, "protection": {}}
    made = simulator(hall(site=site, jobs={}, horizon={"hours": 8760.0}))
    mixture = (Proposal(0.3), Proposal(0.7, {"onset both_feeders": 6.0}))
    values = rows(made, Settings("interruptions_per_row_year", mixture, 0.0), range(400))
    found = rate(values, COLUMNS, "interruptions_per_row_year")
    assert found.estimate.standard_error < 0.05
    assert abs(z_of(found, 0.5)) < 3.0


def test_a_redundant_pair_of_blocks_has_its_unavailability_squared() -> None:
    """1oo2 of 10,000 h and 10 h: 1e-6, of which a crude run of this length sees nothing."""
    found = core(rows(pair(10_000.0, 10.0, 100.0), pushed(1000.0), range(25)))
    assert abs(z_of(found, pair_dark_h(10_000.0, 10.0))) < 3.0
    assert found.estimate.standard_error < 0.06 * found.estimate.mean
    assert found.gain > 20.0


def test_dark_hours_and_weight_of_an_excursion_follow_from_what_it_drew() -> None:
    """Nothing is cut short at its end: to the microsecond what two repairs and the life between them leave dark."""
    made, settings, seen = pair(250_000.0, 8.0, 400.0), pushed(15_000.0, 1.75), 0
    speed, stretch = settings.proposals[1].speed["ups_block"], settings.proposals[1].stretch["ups_block_repair"]
    for k in range(10):
        luck = settings.weights()
        dark_h = amounts(made.run(k, "ledger", luck))[NAMES.index(CORE)]
        for tally, span, dark in zip(luck.tallies, luck.spans, dark_h, strict=True):
            if tally is None or tally.fired.get("ups_block", 0) != 1 or len(tally.lengths["ups_block_repair"]) != 2:
                continue
            first, second = tally.lengths["ups_block_repair"]
            used = tally.used["ups_block"]
            left_h = 8.0 * first - 250_000.0 * used
            if left_h <= 0.0:  # it failed after the repair, before all was well for long enough
                continue
            seen += 1
            assert dark == pytest.approx(min(left_h, 8.0 * second), abs=1e-8)
            long = [
                NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * np.exp((1.0 - 1.0 / stretch) * e) / stretch
                for e in (first, second)
            ]
            density = 0.1 + 0.9 * speed * np.exp((1.0 - speed) * used) * long[0] * long[1]
            assert span[2] == pytest.approx(-np.log(density), rel=1e-12)
    assert seen > 50


def test_mean_and_error_of_nine_nines_are_those_of_the_same_sampling_without_the_simulator() -> None:
    """250,000 h and 8 h: if the error were too small, a few large weights would be missing from it."""
    settings = pushed(20_000.0, 2.0)
    values = rows(pair(250_000.0, 8.0, 1000.0), settings, range(30))
    found, expected = core(values), pair_dark_h(250_000.0, 8.0)
    excursions = values[:, COLUMNS.index("excursions")].sum()
    dark_h, second_moment = pair_by_hand(250_000.0, 8.0, settings)
    assert abs(dark_h * 2.0 * 8760.0 / 250_000.0 / expected - 1.0) < 0.015
    assert abs(z_of(found, expected)) < 3.0
    error = found.estimate.standard_error / found.estimate.mean
    assert 0.7 < error * np.sqrt(excursions / second_moment) < 1.4


def test_the_pilot_finds_what_makes_a_pair_fail() -> None:
    made = pair(10_000.0, 10.0, 100.0)
    settings = tune(made, CORE, 40).settings
    natural, balanced, deep, gentle, tuned = settings.proposals
    assert natural == Proposal(natural.share)
    assert deep.speed["ups_block"] == pytest.approx(4.0 * balanced.speed["ups_block"])
    assert balanced.speed["ups_block"] > 100.0
    assert tuned.speed["ups_block"] > gentle.speed["ups_block"] > 100.0
    assert tuned.stretch["ups_block_repair"] > 1.2
    assert tune(made, CORE, 40).settings == settings


def test_a_pair_of_nine_nines_is_known_to_three_hundredths_from_a_thousand_excursions() -> None:
    """250,000 h and 8 h: hits in expectation, hours in expectation, and not the chance number of first faults."""
    made = pair(250_000.0, 8.0, 400.0)
    settings = tune(made, CORE, 40).settings
    values = rows(made, settings, range(40))
    found = core(values)
    assert values[:, COLUMNS.index("excursions")].sum() < 1300
    assert found.estimate.standard_error < 0.03 * found.estimate.mean
    assert abs(z_of(found, pair_dark_h(250_000.0, 8.0))) < 3.0


def test_a_figure_from_unequal_weights_is_refused() -> None:
    found = core(rows(pair(10_000.0, 10.0, 20.0), pushed(100.0), range(2)))
    assert found.refused
    assert np.isnan(found.estimate.mean)
