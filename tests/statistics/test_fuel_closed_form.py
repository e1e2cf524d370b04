"""Fuel that a lorry brings: fixed energy after a fixed delay, against exponential outages: three standard errors."""

import math

import numpy as np
import pytest
from simulation import GENSETS, hall, play
from test_closed_forms import EVER, YEAR_H, by_batch, dark_of, within, years

TANK_H, DELIVERY_H, BROUGHT_H, MEAN_H, PER_YEAR = 1.5, 3.0, 1.0, 2.0, 12.0


@pytest.mark.slow
def test_a_delivery_of_fixed_energy_after_a_fixed_delay_bridges_what_the_closed_form_says() -> None:
    """h = nu m (e^{-T/m} - e^{-V/m} + e^{-(V+X)/m} - e^{-2V/m} + ...): the next lorry comes V after the last one."""
    kw = 200.0
    fuel = {
        "tank_l": TANK_H * kw, "per_kwh_l": 1.0, "delivery_after_h": DELIVERY_H, "delivery_l": BROUGHT_H * kw,
        "order_below_fraction": 1.0,
    }  # fmt: skip
    site = {
        "cluster": {"rows": 1, "server": EVER},
        "grid": {
            "feeders": {
                "A": {"sustained": {"per_year": PER_YEAR, "duration_h": {"law": "exponential", "mean": MEAN_H}}}
            }
        },
        "protection": {
            "gensets": {**GENSETS, "confirm_s": 0.0, "start_s": 0.0, "all_load_s": 0.0, "fuel": fuel}
        },
    }  # fmt: skip
    span = 1100.0
    story = play(hall(site=site, jobs={}, horizon=years(span)), level="ledger")
    starts, dark_h = dark_of(story, "core")
    nu = 1.0 / (YEAR_H / PER_YEAR + MEAN_H)
    edges = [TANK_H, DELIVERY_H]
    for k in range(1, 12):
        edges += [k * DELIVERY_H + BROUGHT_H, (k + 1) * DELIVERY_H]
    signs = [1.0 if k % 2 == 0 else -1.0 for k in range(len(edges))]
    expected = nu * YEAR_H * MEAN_H * sum(s * math.exp(-t / MEAN_H) for s, t in zip(signs, edges, strict=True))
    hours = by_batch(starts, dark_h, story.trace.meta["horizon_us"])
    error = math.sqrt(hours.size) * hours.std(ddof=1) / span
    assert error / expected < 0.02
    assert within(float(np.sum(hours)) / span, expected, error)
