"""What is known when the target is met: its weight and expectation by closed forms, and controls of mean 0."""

import math

import numpy as np
import pytest
from rare_systems import CORE, core, pair, pair_dark_h, pushed, rows, z_of
from simulation import hall, simulator
from test_rare_events import EVERYTHING
from test_rare_laws import ROW, battery, lognormal_excess_h, weibull_excess_h

from twin.campaign.rare.columns import COLUMNS, controls
from twin.campaign.rare.estimate import rate
from twin.campaign.rare.settings import Settings
from twin.chance.proposal import NOMINAL_SHARE, Proposal

HOURS, COUNTS = (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)


def test_a_hit_of_a_pair_weighs_by_the_life_and_by_what_the_first_repair_has_outlived() -> None:
    """Until one of two repairs of eight hours ends, four go on, however long the first has lasted."""
    made, settings, seen = pair(250_000.0, 8.0, 400.0), pushed(15_000.0, 1.75), 0
    speed, stretch = settings.proposals[1].speed["ups_block"], settings.proposals[1].stretch["ups_block_repair"]
    hold_up_h = 20.0 / 3.6e6
    for k in range(10):
        luck = settings.weights()
        made.run(k, "ledger", luck)
        for tally, hit in zip(luck.tallies, luck.hits, strict=True):
            if tally is None or hit is None or tally.fired["ups_block"] != 1:
                continue
            used = tally.used["ups_block"]
            outlived = 250_000.0 * used / 8.0 + hold_up_h / 8.0
            survival = NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * math.exp((1.0 - 1.0 / stretch) * outlived)
            survival *= NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * math.exp((1.0 - 1.0 / stretch) * hold_up_h / 8.0)
            density = 0.1 + 0.9 * speed * math.exp((1.0 - speed) * used) * survival
            assert hit.log_weight == pytest.approx(-math.log(density), abs=1e-7)
            assert hit.expected_h == pytest.approx(4.0, rel=1e-5)
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("target", [ROW, "job_interruptions_power_per_year"])
def test_controls_have_mean_zero_where_everything_happens(target: str) -> None:
    pushing = Proposal(
        0.8, {"genset_run": 3.0}, {"genset_start": 0.4, "genset_plant": 0.4, "transfer 0.05": 0.4},
        {"sustained": 3.0, "both_feeders": 3.0, "momentary": 1.5, "ups_block_repair": 2.0},
    )  # fmt: skip
    made = simulator(hall(site=EVERYTHING, jobs={}, horizon={"hours": 2000.0}))
    settings = Settings(target, (Proposal(0.2), pushing), 1.0)
    found = []
    for k in range(60):
        luck = settings.weights()
        cycles = made.run(k, "ledger", luck).cycles
        found.append(controls(np.exp(cycles["log_weight"]), luck.at_hits()))
    each = np.concatenate(found, axis=1)
    hits = np.count_nonzero(each[:2].any(axis=0))
    assert hits > 200
    assert np.count_nonzero(each[2]) > 1000
    error = each.std(axis=1) / math.sqrt(each.shape[1])
    assert (error > 0.0).all()
    assert (abs(each.mean(axis=1)) < 3.0 * error).all()


def test_hours_in_expectation_keep_the_mean_and_lose_variance() -> None:
    """1oo2 of 10,000 h and 10 h: what both repairs leave dark is in expectation always five hours."""
    made, mixture = pair(10_000.0, 10.0, 100.0), pushed(1_000.0, 8.0)
    plain, conditional = (
        core(rows(made, Settings(CORE, mixture.proposals, mixture.rest_h, factors), range(15)))
        for factors in ({}, {CORE: HOURS})
    )
    for found in (plain, conditional):
        assert abs(z_of(found, pair_dark_h(10_000.0, 10.0))) < 3.0
    assert conditional.estimate.standard_error < plain.estimate.standard_error
    assert conditional.effective_hits > 1.2 * plain.effective_hits


@pytest.mark.parametrize(
    ("law", "excess_h"),
    [
        ({"law": "lognormal", "sigma": 1.5, "mean": 2.0}, lognormal_excess_h(2.0, 1.5, 4.0)),
        ({"law": "weibull", "shape": 0.7, "mean": 2.0}, weibull_excess_h(2.0, 0.7, 4.0)),
    ],
    ids=["lognormal", "weibull"],
)
def test_outages_longer_than_a_battery_count_in_expectation(law: dict[str, float | str], excess_h: float) -> None:
    """Each that outlives four hours counts E(D - 4 | D > 4), by one weight: only their number is left to luck."""
    made, per_year = battery(law, 2.0, 20.0)
    proposals = (Proposal(0.1), Proposal(0.9, {}, {}, {"sustained": 6.0}))
    values = rows(made, Settings(ROW, proposals, 0.0, {ROW: HOURS, "interruptions_per_row_year": COUNTS}), range(60))
    found = rate(values, COLUMNS, ROW)
    assert abs(z_of(found, per_year * excess_h)) < 3.0
    assert found.estimate.standard_error < 0.04 * found.estimate.mean
    assert found.effective_hits == pytest.approx(found.hits, rel=1e-3)
