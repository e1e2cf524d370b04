"""Levels: their terms add up to the truest design's metric, the allocation reaches its error, equal ones are told."""

import math
from dataclasses import replace

import numpy as np
import pytest
from simulation import CABINETS, hall, simulator

from twin.campaign.levels import run_levels
from twin.errors import InputError
from twin.estimate import sum_interval
from twin.scenario.model import Scenario
from twin.scenario.study import Study

METRIC = "row_dark_h_per_year"
OUTAGES = {"sustained": {"per_year": 20.0, "duration_h": {"law": "exponential", "mean": 2.0}}}
DARK_H = 8760.0 / (8760.0 / 20.0 + 2.0) * 2.0 * math.exp(-2.0)
"""Outages of two hours, 20 a year, against a battery of four."""


def data(rated_kwh: float | None) -> dict[str, object]:
    server = {"training_kw": 10.0, "idle_kw": 10.0, "capped_kw": 10.0, "boot_kw": 10.0}
    cabinets = {**CABINETS, "core": 1, "rated_kw": 200.0, "rated_kwh": rated_kwh, "recharge_kw": 1e9}
    cooling = {
        "fraction_of_it": dict.fromkeys(("winter", "spring", "summer", "autumn"), 0.0), "continuous_kw": 0.0,
        "chilled_water_tank_min": 1e9,
    }  # fmt: skip
    site = {
        "cluster": {"rows": 1, "server": server},
        "grid": {"feeders": {"A": OUTAGES}},
        "protection": {"cabinets": cabinets} if rated_kwh else {},
        "cooling": cooling,
    }
    return hall(site=site, jobs={}, horizon={"hours": 8760.0})


@pytest.fixture(scope="module")
def study() -> Study[Scenario]:
    real = 400.0 / 0.855
    made = {name: simulator(data(kwh)).study for name, kwh in {"bare": None, "charge": real, "again": real}.items()}
    first = made["bare"]
    return replace(first, designs={name: next(iter(one.designs.values())) for name, one in made.items()})


def test_the_terms_add_up_to_what_the_truest_design_has_by_its_closed_form(study: Study[Scenario]) -> None:
    found = run_levels(study, ["bare", "charge"], METRIC, replications=[60, 40])
    bare, term = found.levels
    assert bare.values.mean() == pytest.approx(8760.0 / (8760.0 / 20.0 + 2.0) * 2.0, rel=0.15)
    assert (term.values <= 0.0).all()
    assert abs(found.estimate.mean - DARK_H) < 3.0 * found.estimate.standard_error
    assert found.unseen == ()
    again = run_levels(study, ["bare", "charge"], METRIC, replications=[60, 40])
    assert all((one.values == other.values).all() for one, other in zip(found.levels, again.levels, strict=True))


def test_levels_that_never_differ_cost_nothing_more_and_are_told(study: Study[Scenario]) -> None:
    found = run_levels(study, ["charge", "again"], METRIC, standard_error=0.5, pilot=20)
    assert found.unseen == ("again",)
    assert len(found.levels[1].values) == 20
    assert len(found.levels[0].values) > 25
    assert found.estimate.standard_error < 1.0
    assert abs(found.estimate.mean - DARK_H) < 3.0 * found.estimate.standard_error


def test_the_interval_of_a_sum_covers() -> None:
    chance = np.random.default_rng(5)
    hits = 0
    for _ in range(2000):
        found = sum_interval([chance.normal(1.0, 1.0, 8), chance.normal(0.5, 3.0, 5), chance.normal(0.0, 0.1, 4)])
        hits += found.low <= 1.5 <= found.high
    assert 0.93 < hits / 2000 < 0.97


@pytest.mark.parametrize(
    ("designs", "metric", "rest", "words"),
    [
        (["bare", "charg"], METRIC, {"standard_error": 1.0}, "did you mean charge"),
        (["bare"], METRIC, {"standard_error": 1.0}, "two designs or more"),
        (["bare", "charge"], "row_dark", {"standard_error": 1.0}, "no metric 'row_dark'"),
        (["bare", "charge"], METRIC, {}, "a standard error above 0"),
        (["bare", "charge"], METRIC, {"replications": [5]}, "two replications or more"),
    ],
)
def test_what_is_asked_wrongly_is_refused(study, designs, metric, rest, words) -> None:
    with pytest.raises(InputError, match=words):
        run_levels(study, designs, metric, **rest)
