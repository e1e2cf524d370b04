"""Sites with none of the parts that few sites have run on kernels without them, which give the same to the bit."""

import numpy as np
import pytest

import twin
from twin import metrics
from twin.plant import advance
from twin.simulator import Simulator


def kernels_with_rare_parts(scenario, design):
    plans = Simulator(twin.load(scenario), design).blueprint.sites
    return [advance.rare_parts(plan.fact, plan.clock, plan.site) for plan in plans]


@pytest.mark.parametrize("design", ["utility_only", "central_ups", "cabinets", "cabinets_gensets"])
def test_the_flagship_needs_none(design):
    assert kernels_with_rare_parts("01_flagship", design) == [None]


@pytest.mark.parametrize(
    ("scenario", "design"),
    [("12_ramp", "alone"), ("12_ramp", "planned"), ("09_pv_ageing", "ageing"), ("07_relay", "two_trucks")],
)
def test_a_ramp_a_plan_ageing_cells_and_trucks_need_them(scenario, design):
    assert True in kernels_with_rare_parts(scenario, design)


def test_both_kernels_simulate_the_same(monkeypatch):
    simulator = Simulator(twin.load("01_flagship_weak"), "cabinets")
    without = simulator.run(0, "units")
    monkeypatch.setattr(advance, "rare_parts", lambda fact, clock, site: True)
    beside = simulator.run(0, "units")
    assert np.array_equal(metrics.row(without)[1], metrics.row(beside)[1], equal_nan=True)
    assert all(np.array_equal(without.events[name], beside.events[name]) for name in without.events)
    for site, points in without.units.items():
        assert all(np.array_equal(points[name], beside.units[site][name]) for name in points)
