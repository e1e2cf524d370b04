"""The shipped scenario 12_ramp.yaml, against the numbers in its head."""

import pytest

from twin.check.carrying import check_study
from twin.metrics import measure
from twin.scenario.load import load, shipped
from twin.simulator import Simulator

WEEKS_A_YEAR = 8760.0 / 168.0


def test_what_the_head_says():
    study = load(shipped()["12_ramp"])
    assert ["nobody keeps" in " ".join(one.warnings) for one in check_study(study)] == [True, False, False]
    found = {name: measure(Simulator(study, name).run(0, "ledger")) for name in study.designs}
    off_h = {name: one["ramp_exceeded_h_per_year"] / WEEKS_A_YEAR for name, one in found.items()}
    assert off_h == pytest.approx({"alone": 6.05, "planned": 1.65, "reserve": 1.35}, abs=0.1)
    assert found["planned"]["ramp_storage_kwh_per_year"] == pytest.approx(1234.0 * WEEKS_A_YEAR, rel=0.01)
    assert [one["swings_taken_fraction"] for one in found.values()] == [0.0, 1.0, 1.0]
    assert found["planned"]["job_interruptions_per_year"] == pytest.approx(6 * WEEKS_A_YEAR)
    given_up = [one["curtailed_kwh_per_year"] / WEEKS_A_YEAR for one in found.values()]
    assert given_up[1] - given_up[0] == pytest.approx(353.0, rel=0.02)
