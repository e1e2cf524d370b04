"""The shipped scenario 16_measured_window.yaml, against the numbers in its head."""

import numpy as np
import pytest
from simulation import S

from twin.scenario.load import load
from twin.scenario.shipped import shipped
from twin.simulator import Simulator


@pytest.fixture
def study(real_data, monkeypatch):
    monkeypatch.setenv("TWIN_DATA", str(real_data("gpu_power_mlperf_h100_gpt3").parent))
    return load(shipped()["16_measured_window"])


def rows_kw(study, design):
    """Power of both rows from each change within the window on [changes], and the trace's ledger."""
    trace = Simulator(study, design).run(0, "units")
    series = trace.series["hall"]
    within = (series["time_us"] >= 3600 * S) & (series["time_us"] < 4160 * S)
    return series["it_kw"][within] - 100.0, trace.ledger["hall"]


def test_the_replayed_run_has_the_mean_of_the_fitted_level_and_the_swings_of_the_record(study):
    level, mean_ledger = rows_kw(study, "mean_level")
    assert np.unique(level) / 2 == pytest.approx([68.5], abs=0.05)
    replayed, ledger = rows_kw(study, "replayed")
    assert len(replayed) > 270
    assert [replayed.min() / 2, replayed.max() / 2] == pytest.approx([47.3, 71.5], abs=0.1)
    assert ledger["it_kwh"].sum() == pytest.approx(mean_ledger["it_kwh"].sum(), rel=2e-4)
    assert ledger["discharge_kwh"].sum() == pytest.approx(mean_ledger["discharge_kwh"].sum(), rel=1e-3)
    assert ledger["clamped_kwh"].sum() < 1e-9
