"""Failures on demand beyond sets and switches one by one: common ones, hands, hidden faults, shocks, buses."""

import math

from rare_systems import YEAR_H, rows, z_of
from simulation import CABINETS, UPS, hall, simulator

from twin.campaign.rare.columns import COLUMNS
from twin.campaign.rare.estimate import mean_weight, rate
from twin.campaign.rare.pilot import tune
from twin.campaign.rare.settings import Settings
from twin.chance.proposal import Proposal
from twin.simulator import Simulator
from twin.world.weights import Weights

ALL_DARK = "all_rows_dark_per_year"
OUTAGES = {"sustained": {"per_year": 40.0, "duration_h": {"law": "exponential", "mean": 0.2}}}
MODES = {
    "transfer together 0.025": 0.2, "transfer 0.025": 0.1, "switching_error": 0.2, "hidden switch": 0.6,
    "quake 0.3": 0.6, "bus_trip": 0.3, "thermal_spread": 0.4,
}  # fmt: skip


def many_modes() -> Simulator:
    """A site where each of `MODES` is asked for many times a year."""
    cabinets = {
        **CABINETS, "per_row": 2, "rated_kw": 80.0, "cabinet_mtbf_h": 1000.0, "transfer_failure_probability": 0.05,
        "transfer_failure_common_fraction": 0.5, "bus_trip": {"probability": 0.1},
        "thermal": {"per_gw_year": 50_000.0, "propagation_probability": 0.2, "down_h": 5.0, "load_dark_h": 1.0},
        "switch_failures": {
            "life_h": {"law": "exponential", "mean": 500.0}, "repair_h": 5.0,
            "dormant": {"fraction": 0.3, "test_every_h": 50.0},
        },
    }  # fmt: skip
    ups = {**UPS, "serves": ["continuous_cooling"], "blocks": 2, "block_mtbf_h": 300.0, "block_mttr_h": 5.0,
           "bypass_by_hand_h": 0.5}  # fmt: skip
    site = {
        "grid": {"feeders": {"A": OUTAGES}},
        "protection": {"cabinets": cabinets, "ups": ups},
        "human_error": {"probability_per_operation": 0.05},
        "shocks": {"quake": {"per_year": 30.0, "strikes": {"row-*/cabinet-*": 0.3}}},
    }
    return simulator(hall(site=site, jobs={}, horizon={"hours": 600.0}))


def test_with_natural_proposals_they_are_drawn_as_nature_does() -> None:
    made = many_modes()
    luck = Weights([Proposal(0.4), Proposal(0.6)], rest_h=1.0)
    crude, weighted = made.run(0, "ledger"), made.run(0, "ledger", luck)
    assert len(weighted.cycles["start_us"]) > 10
    weighted.cycles = crude.cycles
    assert weighted.equals(crude)


def test_their_weights_have_mean_one_and_each_is_asked_for() -> None:
    made, asked = many_modes(), set()
    settings = Settings(ALL_DARK, (Proposal(0.3), Proposal(0.7, {}, MODES)), 0.0)
    for k in range(10):
        luck = settings.weights()
        made.run(k, "ledger", luck)
        asked |= {group for tally in luck.tallies if tally for group in tally.natural}
    assert set(MODES) <= asked
    mean, error = mean_weight(rows(made, settings, range(60)), COLUMNS)
    assert 0.0 < error < 0.05
    assert abs(mean - 1.0) < 3.0 * error


def test_the_pilot_pushes_the_common_failure_by_which_all_rows_are_dark_together() -> None:
    """Each outage with beta q, or with both switches' own (1 - beta) q: 2e-4 + 2.3e-5 of 40 a year."""
    q, beta = 0.005, 0.04
    cabinets = {**CABINETS, "transfer_failure_probability": q, "transfer_failure_common_fraction": beta}
    grid = {"feeders": {"A": OUTAGES}}
    made = simulator(
        hall(site={"grid": grid, "protection": {"cabinets": cabinets}}, jobs={}, horizon={"hours": YEAR_H})
    )
    settings = tune(made, ALL_DARK, 20).settings
    assert settings.proposals[-1].probability["transfer together 0.0002"] > 0.1
    assert settings.proposals[-1].probability["transfer 0.0048"] > 0.01
    found = rate(rows(made, settings, range(60)), COLUMNS, ALL_DARK)
    in_time = math.exp(-0.02 / 3600.0 / 0.2)  # not over within the loads' hold-up time
    up = 1.0 / (1.0 + 40.0 * 0.2 / YEAR_H)
    expected = 40.0 * up * in_time * (beta * q + (1.0 - beta * q) * ((1.0 - beta) * q) ** 2)
    assert found.estimate.standard_error < 0.1 * expected
    assert abs(z_of(found, expected)) < 3.0
