"""Weighted estimates against closed forms, and their intervals over many seeds.

    python -m pytest -m long -s tests/statistics/test_rare_laws.py

Last figures: benchmarks/results/rare_events.md.
"""

import math
import sys
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from rare_systems import (
    BYPASS,
    CORE,
    YEAR_H,
    beta_pair_down_h,
    bypass,
    bypass_rows,
    core,
    modules,
    one_crew_down_h,
    pair,
    pair_dark_h,
    rows,
    z_of,
)
from simulation import CABINETS, hall, simulator

from twin.campaign.rare.columns import COLUMNS
from twin.campaign.rare.estimate import RareEstimate, mean_weight, rate
from twin.campaign.rare.pilot import tune
from twin.campaign.rare.settings import Settings
from twin.chance.proposal import Proposal
from twin.simulator import Simulator

ROW = "row_dark_h_per_year"


def battery(law: dict[str, float | str], mean_h: float, years: float) -> tuple[Simulator, float]:
    """A row on a battery of four hours, its supply struck twice a year; and the outages a year."""
    server = {"training_kw": 10.0, "idle_kw": 10.0, "capped_kw": 10.0, "boot_kw": 10.0}
    cabinets = {**CABINETS, "core": 1, "rated_kw": 200.0, "rated_kwh": 400.0 / 0.855, "recharge_kw": 1e9}
    site = {
        "cluster": {"rows": 1, "server": server},
        "grid": {"feeders": {"A": {"sustained": {"per_year": 2.0, "duration_h": law}}}},
        "protection": {"cabinets": cabinets},
        "cooling": {
            "fraction_of_it": dict.fromkeys(("winter", "spring", "summer", "autumn"), 0.0), "continuous_kw": 0.0,
            "chilled_water_tank_min": 1e9,
        },
    }  # fmt: skip
    return simulator(hall(site=site, jobs={}, horizon={"hours": years * YEAR_H})), YEAR_H / (YEAR_H / 2.0 + mean_h)


def lognormal_excess_h(mean_h: float, sigma: float, t: float) -> float:
    """E(D - t)+: with d = (mu - ln t)/s, m Phi(d + s) - t Phi(d)."""
    mu = math.log(mean_h) - sigma**2 / 2
    d = (mu - math.log(t)) / sigma
    return mean_h * _phi(d + sigma) - t * _phi(d)


def weibull_excess_h(mean_h: float, shape: float, t: float) -> float:
    """E(D - t)+ by the integral of the survival function."""
    scale = mean_h / math.gamma(1.0 + 1.0 / shape)
    at = np.linspace(0.0, 400.0, 2_000_001) + t
    return float(np.trapezoid(np.exp(-((at / scale) ** shape)), at))


def _phi(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@pytest.mark.parametrize(
    ("law", "excess_h"),
    [
        ({"law": "lognormal", "sigma": 1.5, "mean": 2.0}, lognormal_excess_h(2.0, 1.5, 4.0)),
        ({"law": "weibull", "shape": 0.7, "mean": 2.0}, weibull_excess_h(2.0, 0.7, 4.0)),
    ],
    ids=["lognormal", "weibull"],
)
def test_outages_longer_than_a_battery_of_four_hours_by_the_mixture_draw(
    law: dict[str, float | str], excess_h: float
) -> None:
    made, per_year = battery(law, 2.0, 20.0)
    settings = Settings(ROW, (Proposal(0.1), Proposal(0.9, {}, {}, {"sustained": 3.0})), 0.0)
    values = rows(made, settings, range(60))
    found = rate(values, COLUMNS, ROW)
    assert abs(z_of(found, per_year * excess_h)) < 3.0
    mean, error = mean_weight(values, COLUMNS)
    assert abs(mean - 1.0) < 3.0 * error
    assert found.gain > 1.5


def test_a_path_through_a_mode_that_no_proposal_pushes_is_not_lost() -> None:
    """1oo2 with beta 0.05: seven tenths of the down time are the common cause's, which here runs as nature has it."""
    made = modules(1, 1, 2_000.0, 20.0, 20.0, beta=0.05)
    mixture = (Proposal(0.1), Proposal(0.9, {"module": 20.0}))
    found = bypass(bypass_rows(made, mixture, range(60)))
    expected = beta_pair_down_h(2_000.0, 20.0, 0.05)
    assert beta_pair_down_h(2_000.0, 20.0, 0.0) < 0.4 * expected
    assert abs(z_of(found, expected)) < 3.0


def eighteen(seed: int) -> tuple[RareEstimate, float]:
    made = modules(18, 2, 50_000.0, 48.0, 50.0, crew=True, seed=seed)
    mixture = (Proposal(0.1), Proposal(0.3, {"module": 10.0}), Proposal(0.6, {"module": 25.0}))
    return bypass(bypass_rows(made, mixture, range(30))), one_crew_down_h(18, 2, 50_000.0, 48.0)


def beta(seed: int) -> tuple[RareEstimate, float]:
    made = modules(1, 1, 10_000.0, 100.0, 50.0, beta=0.05, seed=seed)
    mixture = (Proposal(0.1), Proposal(0.9, {"module": 30.0, "onset common_cause": 10.0}))
    return bypass(bypass_rows(made, mixture, range(20))), beta_pair_down_h(10_000.0, 100.0, 0.05)


@lru_cache(maxsize=1)
def tuned_for_nines() -> Settings:
    """What a pilot chooses, of a seed that is none of the two hundred."""
    return tune(pair(250_000.0, 8.0, 400.0, seed=1000), CORE, 40).settings


def nines(seed: int) -> tuple[RareEstimate, float]:
    found = core(rows(pair(250_000.0, 8.0, 100.0, seed=seed), tuned_for_nines(), range(20)))
    return found, pair_dark_h(250_000.0, 8.0)


@pytest.mark.long
@pytest.mark.parametrize("system", [eighteen, beta, nines])
def test_intervals_cover_over_two_hundred_seeds(system: Callable[[int], tuple[RareEstimate, float]]) -> None:
    """95 % intervals cover 91 to 98 %; the mean z lies within three of its errors; refusals are few."""
    found = [system(seed) for seed in range(1, 201)]
    told = [(one, exact) for one, exact in found if not one.refused]
    covered = sum(one.estimate.low <= exact <= one.estimate.high for one, exact in told)
    z = np.array([z_of(one, exact) for one, exact in told])
    means = np.array([one.estimate.mean / exact for one, exact in told])
    error = means.std(ddof=1) / math.sqrt(len(means))
    sys.stdout.write(
        f"{system.__name__}: {covered} of {len(told)} cover, {len(found) - len(told)} refused, mean z {z.mean():.3f} "
        f"(sd {z.std():.3f}), mean ratio {means.mean():.4f} +- {error:.4f}\n"
    )
    assert len(told) >= 190
    assert 0.91 <= covered / len(told) <= 0.98
    assert abs(means.mean() - 1.0) < 3.0 * error


def test_columns_of_a_test_and_of_a_campaign_have_one_layout() -> None:
    assert BYPASS[0] == "bypass:amount"
    assert len(COLUMNS) - len(BYPASS) == 13 * 7
