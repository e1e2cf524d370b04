"""Cabinets near empty give less power, near full they charge slower: crossings to the tick, by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, H, Story, all_near, hall, near, outage, play
from strategies import scenarios

LOW = {"low_fraction": 0.3, "low_kw_fraction": 0.5}
HIGH = {"high_fraction": 0.8, "high_kw_fraction": 0.2}


def stored(script: list[dict[str, Any]], by_charge: dict[str, Any], **cabinet: Any) -> Story:
    cabinets = {**CABINETS, **cabinet, "power_by_charge": by_charge}
    return play(hall(site={"protection": {"cabinets": cabinets}, "grid": {"script": script}}))


def test_a_load_above_what_low_cells_give_is_dropped_at_that_charge() -> None:
    """100 kW on 62.5 kW below 30 kWh: 65 kWh from full last 65 x 0.95 / 100 = 0.6175 h."""
    story = stored([outage(1.0, duration_h=2.0)], LOW)
    assert all_near(story.dark("row-001"), [(H + 0.6175 * H, 3 * H)])
    assert near(story.at("row-001/cabinets", "overloaded")[0], H + round(0.6175 * H))
    assert story.stored_kwh("row-001/cabinet-01", 3 * H) == pytest.approx(30.0, abs=1e-6)


def test_two_low_cabinets_together_still_carry_it_until_empty() -> None:
    story = stored([outage(1.0, duration_h=3.0)], LOW, per_row=2, core=2)
    assert all_near(story.dark("row-001"), [(H + 180.0 * 0.95 / 100.0 * H, 4 * H)])


def test_low_cells_do_not_pick_up_what_full_ones_would() -> None:
    """37 min leave 30.09 kWh, 3.0 s at full power; 37.06 min are 0.6 s too long; the core takes 100 kW."""
    story = stored([outage(1.0, duration_min=37.0), outage(2.0, duration_s=2.9)], LOW, recharge_kw=1e-6)
    assert story.stored_kwh("core/cabinet-01", 2 * H) == pytest.approx(95.0 - 100.0 / 0.95 * 37.0 / 60.0, abs=1e-3)
    assert story.dark("core") == []
    story = stored([outage(1.0, duration_min=37.06), outage(2.0, duration_s=2.9)], LOW, recharge_kw=1e-6)
    first, second = story.dark("core")
    assert near(first[0], H + round(0.6175 * H))
    assert 0 <= second[0] - 2 * H < 50  # the microseconds that 1e-6 kW have put back
    assert second[1] == 2 * H + 2_900_000


def test_charging_slows_down_near_full() -> None:
    """30 min at 100 kW take 52.63 kWh; back at 60 kW to 80 kWh, at 12 kW from there."""
    story = stored([outage(1.0, duration_h=0.5)], HIGH, recharge_kw=60.0)
    left = 95.0 - 50.0 / 0.95
    fast_h = (80.0 - left) / (60.0 * 0.95)
    slow_h = 15.0 / (12.0 * 0.95)
    slowed = round((1.5 + fast_h) * H)
    assert story.power("charge_kw", slowed - 10) == pytest.approx(180.0)
    assert story.power("charge_kw", slowed + 10) == pytest.approx(36.0)
    assert story.power("charge_kw", round((1.5 + fast_h + slow_h) * H) - 20) == pytest.approx(36.0)
    assert story.power("charge_kw", round((1.5 + fast_h + slow_h) * H) + 20) == 0.0


@settings(max_examples=40, deadline=None)
@given(scenarios(), st.sampled_from([0.1, 0.5, 0.94]), st.sampled_from([0.2, 0.6, 0.96]))
def test_energy_closes_and_no_bound_is_missed(data: dict[str, Any], low: float, high: float) -> None:
    protection = data["sites"]["hall"]["protection"]
    if "cabinets" not in protection:
        return
    by_charge = {"low_fraction": low, "low_kw_fraction": 0.4, "high_fraction": high, "high_kw_fraction": 0.3}
    protection["cabinets"] = {**protection["cabinets"], "power_by_charge": by_charge, "ageing": {"cell_c": 50.0}}
    ledger = play(data, level="ledger").ledger
    change = ledger["stored_end_kwh"] - ledger["stored_start_kwh"]
    flow = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
    np.testing.assert_allclose(change, flow, rtol=0, atol=1e-9)
    assert (ledger["clamped_kwh"] == 0.0).all()
