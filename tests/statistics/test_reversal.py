"""The known reversal: spreading the same units over the rows of one job interrupts it more often (scenario 11)."""

import numpy as np
import pytest

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

PER_YEAR, REPAIR_H, ROWS = 0.035, 8.0, 20
YEARS = 1000.0
REPLICATIONS = {"central": 60, "central_spare_rows": 60, "distributed": 4, "distributed_spare_rows": 4}
RESTART_H = {"central": 8.75, "central_spare_rows": 8.75, "distributed": 8.75, "distributed_spare_rows": 0.25}


@pytest.mark.slow
@pytest.mark.parametrize("design", REPLICATIONS)
def test_a_job_of_twenty_rows_meets_the_closed_form_with_and_without_spare_rows(design: str) -> None:
    """Interruptions and shortfalls are Poisson, but for a job that is down already: below 1e-3 of them."""
    simulator = Simulator(load("11_reversal"), design)
    rows = [metrics.row(simulator.run(k, "ledger"))[1] for k in range(REPLICATIONS[design])]
    found = dict(zip(metrics.NAMES, np.mean(rows, axis=0), strict=True))
    years = YEARS * REPLICATIONS[design]

    rate = PER_YEAR * (ROWS if design.startswith("distributed") else 1)
    error = (rate / years) ** 0.5
    assert error / rate < 0.025
    assert abs(found["job_interruptions_power_per_year"] - rate) <= 3.0 * error
    short = 0.0 if design == "distributed_spare_rows" else rate
    assert abs(found["capacity_shortfall_per_year"] - short) <= 3.0 * error
    short_h = found["row_dark_h_per_year"] * short / PER_YEAR  # two units out together count once: 1e-3 of the time
    assert found["capacity_shortfall_h_per_year"] == pytest.approx(short_h, rel=5e-3)
    down_h = rate * RESTART_H[design]
    assert abs(found["job_down_h_per_year"] - down_h) <= 3.0 * error * RESTART_H[design]
    units = ROWS + 2 * design.endswith("spare_rows") if design.startswith("distributed") else 1
    row_error_h = REPAIR_H * (PER_YEAR / years / units) ** 0.5
    assert abs(found["row_dark_h_per_year"] - PER_YEAR * REPAIR_H) <= 3.0 * row_error_h
