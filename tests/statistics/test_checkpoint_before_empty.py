"""The shipped scenario: saving before the battery is empty beats training on, at the cost that it reports."""

import numpy as np

from twin import metrics
from twin.estimate import paired_difference
from twin.scenario.load import load
from twin.simulator import Simulator


def test_a_last_checkpoint_saves_more_gpu_hours_than_its_stops_cost():
    study = load("21_checkpoint_before_empty")
    found = {}
    for design in ("ignore", "checkpoint_before_empty"):
        made = Simulator(study, design)
        found[design] = [dict(zip(*metrics.row(made.run(k, "ledger")), strict=True)) for k in range(8)]
    lost = {design: np.array([one["lost_gpu_h_per_year"] for one in rows]) for design, rows in found.items()}
    difference = paired_difference(lost["checkpoint_before_empty"], lost["ignore"])
    assert difference.is_resolved
    assert difference.estimate.high < 0.0
    stopped = np.array([one["lost_gpu_h_stopped_per_year"] for one in found["checkpoint_before_empty"]])
    assert (stopped > 0.0).all()
    assert all(one["lost_gpu_h_stopped_per_year"] == 0.0 for one in found["ignore"])
