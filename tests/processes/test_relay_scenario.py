"""`07_relay`: what its head comment says, by hand."""

import pytest
from simulation import H, all_near
from trucking import FleetStory

from twin.metrics.causes import loss_gpu_h
from twin.scenario.load import load
from twin.simulator import Simulator


@pytest.fixture(scope="module")
def stories() -> dict[str, FleetStory]:
    study = load("07_relay")
    return {design: FleetStory(Simulator(study, design).run(0)) for design in study.designs}


def lost(story: FleetStory) -> float:
    return float(loss_gpu_h(story.trace).sum())


def test_without_trucks_the_row_is_dark_for_six_hours_and_the_job_for_three_quarters_more(stories):
    assert stories["nobody"].dark("hall/row-001") == [(10 * H, 16 * H)]
    assert lost(stories["nobody"]) == pytest.approx(2560 * 6.75)


def test_two_trucks_last_for_two_and_a_half_hours(stories):
    # 2 x 1000 kWh x 0.9 x 0.95 at the load's side, 80 x 8 + 40 = 680 kW; the job goes back to its checkpoint of 12:30
    empty = 10 * H + 2 * 855 / 680 * H
    assert all_near(stories["two_trucks"].dark("hall/row-001"), [(empty, 16 * H)])
    assert lost(stories["two_trucks"]) == pytest.approx(2560 * (16.75 - 12.5))


def test_three_trucks_cannot_keep_two_of_them_plugged_in_and_the_row_is_dark_once(stories):
    (gap,) = stories["three_in_relay"].dark("hall/row-001")
    assert 12.5 * H < gap[0] < gap[1] < 15 * H
    assert lost(stories["three_in_relay"]) < lost(stories["two_trucks"])


def test_five_trucks_in_relay_keep_row_and_job_running(stories):
    story = stories["five_in_relay"]
    assert story.dark("hall/row-001") == story.interruptions() == []
    hall = story.trace.meta["sites"].index("hall")
    carried = sum(stay["discharged_kwh"] for stay in story.table("stays") if stay["site"] == hall)
    assert carried == pytest.approx(6 * 680)
    late = [trip["plugged_us"] for trip in story.table("trips") if trip["in_time"] == 0]
    assert all(plugged >= 16 * H for plugged in late)  # relief on its way when the work ends


def test_generator_trucks_need_no_relay(stories):
    story = stories["generator_truck"]
    assert story.dark("hall/row-001") == story.interruptions() == []
    assert story.trace.ledger["hall"]["genset_kwh"].sum() == pytest.approx(6 * 680)
    assert sum(stay["cost"] for stay in story.table("stays")) == pytest.approx(6 * 680 * 2.2)
