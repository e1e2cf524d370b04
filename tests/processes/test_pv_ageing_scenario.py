"""The shipped scenario 09_pv_ageing.yaml, against the numbers in its head."""

from pathlib import Path

import pytest
from simulation import MIN, H, Story

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

FILE = Path(__file__).resolve().parents[2] / "scenarios" / "09_pv_ageing.yaml"
LAST_US = 21492 * H


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    study = load(FILE)
    return {design: Story(Simulator(study, design).run(0, "ledger")) for design in study.designs}


def minutes_carried(story: Story) -> float | None:
    """Of the last outage, None where all of it was carried."""
    dark = [start for start, _ in story.dark("row-001")]
    return (dark[0] - LAST_US) / MIN if dark else None


def test_aged_cells_carry_45_of_48_minutes_and_new_ones_all(stories: dict[str, Story]) -> None:
    assert minutes_carried(stories["ageing"]) == pytest.approx(0.88 * 51.3, abs=0.3)
    assert minutes_carried(stories["new_forever"]) is None


def test_tripped_pv_saves_energy_and_wired_pv_the_job(stories: dict[str, Story]) -> None:
    assert minutes_carried(stories["pv"]) == minutes_carried(stories["ageing"])
    assert minutes_carried(stories["pv_islanding"]) is None
    assert len(stories["pv"].interruptions()) == 1
    assert not stories["pv_islanding"].interruptions()


def test_the_share_of_pv_is_that_of_the_head(stories: dict[str, Story]) -> None:
    found = dict(zip(*metrics.row(stories["pv"].trace), strict=True))
    assert found["pv_kwh_per_year"] == pytest.approx(0.81e6, rel=0.01)
    assert found["pv_kwh_per_year"] + found["curtailed_kwh_per_year"] == pytest.approx(0.94e6, rel=0.01)
    assert found["renewable_fraction"] == pytest.approx(0.31, abs=0.005)
