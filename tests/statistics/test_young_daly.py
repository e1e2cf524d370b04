"""A gang job's completion time against the closed form, and the best interval of a sweep against the exact optimum."""

import numpy as np
import pytest
from simulation import hall, job, simulator

from twin.jobs.checkpoint import daly_h, expected_h, optimal_h
from twin.units import TICKS_PER_H

SERVERS = 20


def completion_h(work_h: float, interval_h: float, write_h: float, mtbf_h: float, down_h: float, n: int) -> np.ndarray:
    """Completion times of `n` replications; blocking writes, restarts in which no hardware fails."""
    block = job(
        work_h=work_h,
        checkpoint={"interval_min": interval_h * 60.0, "stall_s": write_h * 3600.0, "mode": "blocking"},
        detection_min=0.0,
        warm_restart_min=down_h * 60.0,
        hardware={"per_1000_server_days": 24_000.0 / SERVERS / mtbf_h},
    )
    made = simulator(hall(horizon={"start": "2026-01-01", "hours": 20.0 * work_h}, jobs=block))
    ends = [made.run(k, "ledger").jobs["end_us"][0] for k in range(n)]
    assert min(ends) > 0
    return np.array(ends) / TICKS_PER_H


@pytest.mark.slow
@pytest.mark.parametrize(("write_h", "mtbf_h", "down_h"), [(1 / 60, 5.0, 0.25), (1 / 12, 2.0, 0.1), (0.25, 1.5, 0.5)])
def test_the_completion_time_is_the_closed_form_s(write_h, mtbf_h, down_h):
    interval_h = round(daly_h(write_h, mtbf_h) * 3600) / 3600
    work_h = 40 * interval_h
    found = completion_h(work_h, interval_h, write_h, mtbf_h, down_h, 300)
    error = found.std(ddof=1) / np.sqrt(found.size)
    assert abs(found.mean() - expected_h(work_h, interval_h, write_h, mtbf_h, down_h)) < 3.0 * error
    assert error < 0.03 * found.mean()


@pytest.mark.slow
def test_the_best_interval_of_a_sweep_takes_as_long_as_the_exact_optimum():
    """On common random numbers; the optimum is the interval of least expected time, not the least of these draws."""
    write_h, mtbf_h, down_h, work_h = 1 / 12, 4.0, 0.25, 400.0
    best = optimal_h(write_h, mtbf_h)
    sweep = {scale: completion_h(work_h, best * scale, write_h, mtbf_h, down_h, 40).mean() for scale in
             (0.4, 0.6, 0.8, 0.9, 1.1, 1.25, 1.5, 2.0, 3.0)}  # fmt: skip
    at_optimum = completion_h(work_h, best, write_h, mtbf_h, down_h, 40).mean()
    assert abs(min(sweep.values()) / at_optimum - 1.0) < 0.005
    assert max(sweep.values()) > 1.05 * at_optimum
