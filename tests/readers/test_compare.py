"""The sentences of the answer, for differences resolved, unresolved, absent, and of a single year."""

import numpy as np
import pytest

from twin.answer import answer
from twin.compare import DRAWBACKS, cell, compare_designs
from twin.estimate import count_interval, mean_interval
from twin.metrics import METRICS

NAMES = (
    "lost_gpu_h_per_year",
    "lost_gpu_h_power_per_year",
    "lost_gpu_h_hardware_per_year",
    "job_interruptions_per_year",
    "loss_kwh_per_year",
)


def design(power, hardware=0.0, interruptions=0.0, loss_kwh=0.0):
    power = np.asarray(power, float)
    columns = [power + hardware, power, hardware, interruptions, loss_kwh]
    return np.column_stack([np.broadcast_to(column, power.shape) for column in columns])


YEARS = np.random.default_rng(0).uniform(4000, 8000, 20)
HARDWARE = np.random.default_rng(1).uniform(900, 1100, 20)


def test_a_resolved_difference_names_winner_amount_interval_and_years():
    cabinets = design(YEARS / 2, HARDWARE, interruptions=3.0)
    found = answer(compare_designs({"ups": design(YEARS, HARDWARE, interruptions=2.0), "cabinets": cabinets}, NAMES))
    difference = mean_interval(YEARS / 2)
    assert found.startswith("cabinets loses 43 % less compute than ups: ")
    assert f"{difference.mean / 1000:.2f} thousand GPU-hours a year fewer (95 % interval " in found
    assert "better in 20 of 20 simulated years)." in found
    assert "cabinets interrupts jobs more often: +1 a year (95 % interval 1 to 1)." in found
    assert "GPU-hours lost a year to power and to hardware: ups 6.0 thousand and 99" in found


def test_the_reference_may_win():
    found = answer(compare_designs({"ups": design(YEARS / 2), "cabinets": design(YEARS)}, NAMES))
    assert found.startswith("ups loses 50 % less compute than cabinets: ")


def test_an_unresolved_difference_says_how_many_years_would():
    rng = np.random.default_rng(3)
    found = answer(compare_designs({"a": design(rng.gamma(1, 1500, 20)), "b": design(rng.gamma(1, 1500, 20))}, NAMES))
    assert found.startswith("These 20 years do not resolve a difference in lost GPU-hours between ")
    assert "; about " in found
    assert " years would. No reported metric is resolved to be worse." in found
    assert "no difference" not in found


def test_a_tiny_difference_is_not_for_simulation():
    noise = np.tile([1.0, -1.0], 10) * 1000
    found = answer(compare_designs({"a": design(YEARS), "b": design(YEARS + noise + 0.001)}, NAMES))
    assert "not by simulation at this size." in found


def test_designs_that_lose_the_same_are_not_called_equal():
    found = answer(compare_designs({"a": design(YEARS), "b": design(YEARS)}, NAMES))
    assert "do not resolve a difference in lost GPU-hours between a and b: they lost the same in every one; " in found


def test_no_loss_at_all_is_an_upper_bound():
    found = answer(compare_designs({"a": design(np.zeros(20)), "b": design(np.zeros(20))}, NAMES))
    assert found.startswith("No loss of GPU-hours was seen in 20 years: losses begin at most 0.15 times a year")
    assert "none seen and none seen" in found


def test_one_year_makes_no_statement_about_others():
    found = answer(compare_designs({"ups": design([1000.0], 50.0), "cabinets": design([500.0], 50.0, 1.0)}, NAMES))
    assert found.startswith("cabinets lost 48 % less compute than ups: 500 GPU-hours fewer.")
    assert "cabinets interrupts jobs more often: +1 a year." in found
    assert "interval" not in found
    assert found.endswith("This is one simulated year; no statement about other years.")


def test_the_drawback_is_the_largest_resolved_worsening():
    ups = design(YEARS, interruptions=2.0, loss_kwh=1000.0)
    worse = design(YEARS / 2, interruptions=2.2, loss_kwh=3000.0)  # a tenth more against three times
    assert "cabinets loses more energy in conversion: +2\u2009000 kWh a year" in answer(
        compare_designs({"ups": ups, "cabinets": worse}, NAMES)
    )
    often = design(YEARS / 2, interruptions=6.0, loss_kwh=1100.0)  # three times against a tenth more
    assert "cabinets interrupts jobs more often: +4 a year" in answer(
        compare_designs({"ups": ups, "cabinets": often}, NAMES)
    )
    unresolved = design(YEARS / 2, interruptions=2.0 + np.tile([1.0, -0.9], 10), loss_kwh=900.0)
    assert "No reported metric is resolved to be worse." in answer(
        compare_designs({"ups": ups, "cabinets": unresolved}, NAMES)
    )


def test_a_third_design_too_close_to_the_best_is_named():
    rng = np.random.default_rng(4)
    close = design(YEARS / 2 + rng.normal(20, 500, 20))
    found = answer(compare_designs({"ups": design(YEARS), "cabinets": design(YEARS / 2), "trucks": close}, NAMES))
    assert "These 20 years do not resolve " in found
    assert "cabinets" in found
    assert "trucks" in found


def test_one_design_alone_is_not_compared():
    found = answer(compare_designs({"ups": design(YEARS, HARDWARE)}, NAMES))
    assert found.startswith("ups loses 7.0 thousand GPU-hours a year (95 % interval ")


def test_replications_that_are_no_years_are_not_called_years():
    found = answer(compare_designs({"a": design(YEARS), "b": design(YEARS)}, NAMES, years_each=0.29))
    assert "These 20 replications of 0.29 years do not resolve" in found


def test_differences_are_paired_and_taken_to_the_reference():
    table = compare_designs({"ups": design(YEARS), "b": design(YEARS - 10)}, NAMES, reference="b")
    row = table.row("lost_gpu_h_per_year")
    assert row.unit == "GPU-h/year"
    assert set(row.differences) == {"ups"}
    assert row.differences["ups"].estimate.mean == pytest.approx(10)
    assert row.differences["ups"].worse == 20


def test_few_events_get_their_exact_interval():
    row = compare_designs({"a": design(np.zeros(20), interruptions=np.eye(20)[3])}, NAMES).row(
        "job_interruptions_per_year"
    )
    assert row.estimates["a"] == count_interval(1, 20.0, n=20)


def test_cells_say_none_seen_and_never_certain():
    assert cell(count_interval(0, 120.0, n=120), 120.0) == ("none seen", "at most 0.025")
    assert cell(mean_interval([0.0] * 20), 20.0) == ("none", "in 20 y")
    assert cell(mean_interval([1.0] * 20), 20.0) == ("1", "always the same in 20 y")
    assert cell(mean_interval([np.nan]), 1.0) == ("\u2013", "")
    assert cell(mean_interval([3.0, 4.0, 8.0]), 3.0) == ("5.0", "\u22121.6 to 11.6")


def test_every_drawback_is_a_metric_that_is_better_when_lower():
    assert all(METRICS[name].better == "lower" for name in DRAWBACKS)
