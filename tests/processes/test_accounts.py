"""Peaks, unserved energy and the months of a ledger, by hand."""

import pytest
from simulation import CABINETS, MIN, H, Story, hall, outage, play


def test_the_fifteen_minute_peak_is_kept_by_month_across_the_edge() -> None:
    """Out 23:50-23:55: 300, 0, 600 kW for five minutes each average 300; recharge runs 0.540 min into February."""
    site = {
        "grid": {"script": [outage(24 - 1 / 6, duration_min=5.0)]}, "protection": {"cabinets": CABINETS},
        "recharge_after_outage": {"limit_kw": 300.0},
    }  # fmt: skip
    story = play(hall(site=site, horizon={"start": "2026-01-31", "hours": 48.0}))
    assert story.power("import_kw", 24 * H - 3 * MIN) == pytest.approx(600.0, rel=1e-12)
    over_min = 100.0 / 12.0 / 0.95 / 95.0 * 60.0 - 5.0
    assert story.ledger["peak_import_kw"].tolist() == pytest.approx([300.0, 300.0 + 300.0 * over_min / 15.0], rel=1e-7)
    assert story.ledger["charge_kwh"].tolist() == pytest.approx([25.0, 300.0 * over_min / 60.0], rel=1e-7)


def test_a_month_ends_at_its_midnight() -> None:
    story = play(hall(horizon={"start": "2026-02-27", "hours": 72.0}))
    assert story.ledger["end_us"].tolist() == [48 * H, 72 * H]
    assert story.ledger["import_kwh"].tolist() == pytest.approx([300.0 * 48, 300.0 * 24], rel=1e-12)


def lost_half_hour() -> Story:
    return play(hall(site={"house_load_kw": 8.0, "grid": {"script": [outage(1.0, duration_min=30.0)]}}))


def test_unserved_energy_is_the_level_before_the_event_while_dark_and_not_the_restart() -> None:
    assert lost_half_hour().ledger["unserved_kwh"][0] == pytest.approx((300.0 + 8.0) / 2, rel=1e-12)


def test_energy_of_the_day_adds_up_by_hand() -> None:
    """Training 300 kW, dark 0.5 h, booting 160 kW for 1.5 h, house 8 kW."""
    ledger = lost_half_hour().ledger
    assert ledger["it_kwh"][0] == pytest.approx(300.0 * 22 + 160.0 * 1.5, rel=1e-12)
    assert ledger["house_kwh"][0] == pytest.approx(8.0 * 23.5, rel=1e-12)
    assert ledger["import_kwh"][0] == pytest.approx(300.0 * 22 + 160.0 * 1.5 + 8.0 * 23.5, rel=1e-12)
    assert ledger["clamped_kwh"][0] == 0.0
