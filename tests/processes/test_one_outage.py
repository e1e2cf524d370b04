"""The shipped scenario 02_one_outage.yaml, against the numbers in its head."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from simulation import MIN, MS, H, S, Story, all_near, near, play

FILE = Path(__file__).resolve().parents[2] / "scenarios" / "02_one_outage.yaml"
EMPTY_US = 4 * H + 51 * MIN + 18 * S


@pytest.fixture(scope="module")
def story() -> Story:
    return play(YAML(typ="safe").load(FILE))


def test_ten_milliseconds_darken_nothing_and_take_three_kilojoule_from_capacitors(story: Story) -> None:
    for load in ("row-001", "row-002", "core"):
        assert story.of(load, "lit")[0][0] > 3 * H
    assert story.ledger["hold_up_kwh"][0] == pytest.approx(3.0 / 3600.0, rel=1e-12)
    assert story.at("row-001/cabinets", "picked_up") == [2 * H, 4 * H]


def test_ten_minutes_are_carried_by_the_cabinets(story: Story) -> None:
    assert story.power("discharge_kw", 2 * H) == 300.0
    assert story.power("import_kw", 2 * H) == 0.0
    assert story.stored_kwh("row-001/cabinet-01", 2 * H + 10 * MIN) == pytest.approx(
        95.0 - 100.0 / 6.0 / 0.95, rel=1e-12
    )


def test_recharge_is_limited_to_300_kw_for_three_cabinets(story: Story) -> None:
    back = 2 * H + 10 * MIN
    full = back + 100.0 / 6.0 / 0.95 / 95.0 * H
    assert story.power("charge_kw", back) == pytest.approx(300.0, rel=1e-12)
    assert story.power("charge_kw", int(full) - 10 * MS) == pytest.approx(300.0, rel=1e-12)
    assert story.power("charge_kw", int(full) + 10 * MS) == 0.0
    assert story.stored_kwh("core/cabinet-01", 3 * H) == pytest.approx(95.0, rel=1e-9)


def test_two_hours_outlast_the_cabinets_by_an_hour_and_nine_minutes(story: Story) -> None:
    for load in ("row-001", "row-002", "core"):
        assert all_near(story.dark(load), [(EMPTY_US, 6 * H)])


def test_the_job_goes_back_to_its_checkpoint_and_trains_again_at_half_past_seven(story: Story) -> None:
    ((start, end, level, rollback),) = story.interruptions()
    assert near(start, EMPTY_US)
    assert end == 7.5 * H
    assert level == 2
    assert near(rollback, 6 * MIN + 18 * S)
    job = story.job()
    assert near(job["useful_us"], (24 - 7.5) * H + 19 * 15 * MIN)
    assert job["useful_us"] + job["rollback_us"] + job["down_us"] == 24 * H


def test_the_cause_chain_leads_from_the_job_to_the_grid(story: Story) -> None:
    assert story.chain("jobs/training", "phase", 0) == [
        "grid/script-0003 strikes 7200000000", "feeder-A up 0", "core/cabinets picked_up 1", "core/cabinets empty 1",
        "core lit 0", "jobs/training phase 0",
    ]  # fmt: skip


def test_unserved_energy_is_300_kw_over_the_dark_time(story: Story) -> None:
    assert story.ledger["unserved_kwh"][0] == pytest.approx(300.0 * (6.0 - EMPTY_US / H), rel=1e-9)
