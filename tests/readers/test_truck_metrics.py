"""Figures of trucks from small traces by hand."""

import numpy as np
import pytest
from builders import H, trace_of

from twin import metrics
from twin.metrics.trucks import phase_h, trips_by_reason

ITEMS = [
    ("campus/core", "core", 500.0, 0),
    ("campus/jobs/training", "gang_job", 0.0, 100),
    ("trucks/one", "truck", 0.0, 0, -1),
    ("trucks/two", "generator_truck", 0.0, 0, -1),
    ("storm", "regional", 0.0, 0, -1),
]
PHASES = [(10.0, 2, "phase", 2, -1), (11.0, 2, "phase", 4, -1), (13.0, 2, "phase", 7, -1), (14.0, 2, "phase", 0, -1)]
TRIPS = [
    (2, 0, 0, 1, 10 * H, 11 * H, 13 * H, 14 * H, 1, 40.0, 400.0),
    (2, 0, 0, 1, 50 * H, 51 * H, 53 * H, 54 * H, 0, 40.0, 400.0),
    (2, 0, 0, 0, 60 * H, 61 * H, -1, -1, -1, 40.0, 100.0),
]
STAYS = [
    (2, 0, 0, 10 * H, 900.0, 900.0, 0.0, 0.0, 0.0, 0.0),
    (2, 0, 14 * H, 40 * H, 890.0, 300.0, 0.0, 560.0, 0.0, 0.0),
    (3, 0, 0, 40 * H, 0.0, 0.0, 0.0, 100.0, 220.0, 0.0),
    (2, -1, 100 * H, 200 * H, 300.0, 300.0, 0.0, 0.0, 0.0, 5000.0),
]
LOST = [(0, 1, 120 * H, 125 * H, 4, 2, 100, 0), (0, 1, 300 * H, 302 * H, 4, 2, 100, 0)]
JOB = (1, 0, 0, -1, 100, 8760 * H - 7 * H - 2 * H, 0, 0, 7 * H, 2)


@pytest.fixture
def trace():
    events = [*PHASES, (120.0, 4, "strikes", 1, -1)]
    return trace_of(ITEMS, events, [JOB], LOST, trips=TRIPS, stays=STAYS, value_per_gpu_h=[14.0])


def test_hours_by_phase_add_up_to_the_horizon(trace):
    table = phase_h(trace)
    assert table["truck"] == ["trucks/one", "trucks/two"]
    assert (table["unplugging"][0], table["travelling"][0], table["connecting"][0]) == (1.0, 2.0, 1.0)
    assert np.sum([column for name, column in table.items() if name != "truck"], axis=0) == pytest.approx([8760, 8760])


def test_trips_kilometres_arrivals_and_money(trace):
    row = dict(zip(*metrics.row(trace), strict=True))
    assert row["truck_trips_per_year"] == 3
    assert row["truck_km_per_year"] == 120
    assert row["truck_on_the_way_h_per_year"] == 4
    assert (row["truck_in_time_per_year"], row["truck_too_late_per_year"]) == (1, 1)
    assert row["truck_discharge_kwh_per_year"] == 660
    assert row["truck_cost_per_year"] == 900 + 220
    assert row["lending_income_per_year"] == 5000
    table = trips_by_reason(trace)
    assert dict(zip(table["reason"], table["trips"], strict=True))["outage"] == 2


def test_what_is_lost_while_a_truck_is_lent_is_booked_and_caps_count_in_value(trace):
    row = dict(zip(*metrics.row(trace), strict=True))
    assert row["lost_gpu_h_while_lent_per_year"] == 500  # the storm at 120 h, not the one at 300 h
    # 7 h of interruptions and 2 h that caps took, of 100 GPUs
    assert row["lost_value_per_year"] == pytest.approx(14 * 100 * 9)
    assert row["lost_gpu_h_common_per_year"] == 700
    assert row["net_cost_per_year"] == pytest.approx(1120 + 14 * 900 - 5000)


def test_a_trace_without_trucks_has_no_truck_figures_and_no_price_no_value():
    row = dict(zip(*metrics.row(trace_of(ITEMS[:2], jobs=[JOB])), strict=True))
    assert row["truck_km_per_year"] == row["truck_cost_per_year"] == 0
    assert np.isnan(row["lost_value_per_year"])
