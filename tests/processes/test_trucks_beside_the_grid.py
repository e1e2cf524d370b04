"""Plugged trucks while the grid is up: charging, buffering below a limit, trading by price; powers by hand."""

from typing import Any

import pytest
from simulation import MIN, H
from trucking import fleet, play_fleet

DAY = [*[0.3] * 8, *[1.0] * 4, *[0.6] * 6, *[1.2] * 4, *[0.3] * 2]
"""Prices of the hours: valley until 8, peak 8 to 12 and 18 to 22."""


def standing(truck: dict[str, Any] | None = None, point: dict[str, Any] | None = None, **site: Any) -> dict[str, Any]:
    """A truck at the hall; without a job the hall takes 140 kW."""
    data = {"connection_points": {"plug": {"synchronised": True, **(point or {})}}, **site}
    return fleet(policy="home", sites={"hall": data}, trucks={"one": {"home": "hall", **(truck or {})}})


def test_a_truck_charges_where_it_stands_at_its_rate_until_it_is_full():
    story = play_fleet(standing({"soc_start_fraction": 0.25, "recharge_kw": 250.0}))
    assert story.at_site("hall", "import_kw", 0) == pytest.approx(140 + 250)
    assert story.truck_kwh("one", H) == pytest.approx(500)
    assert story.truck_kwh("one", 3 * H) == 1000.0
    assert story.at_site("hall", "import_kw", 3 * H + MIN) == pytest.approx(140)


@pytest.mark.parametrize(
    ("point", "site", "kw"),
    [
        ({"limit_kw": 200.0}, {}, 200.0),
        ({}, {"recharge_after_outage": {"limit_kw": 120.0}}, 120.0),
        ({}, {"grid": {"import_limit_kw": 400.0}}, 260.0),
        ({}, {"plugged_trucks": {"peak_target_kw": 300.0}}, 160.0),
    ],
)
def test_charging_keeps_within_point_recharge_import_and_peak_limits(point, site, kw):
    story = play_fleet(standing({"soc_start_fraction": 0.25}, point, **site))
    assert story.at_site("hall", "charge_kw", 0) == pytest.approx(kw)


PEAKY = {
    "house_load_kw": 260.0,
    "house_load_profile": {"hourly": [0.0] * 12 + [1.0] * 2 + [0.0] * 10},
}
"""140 kW, and 400 kW from 12 to 14."""


def test_a_buffer_holds_import_at_its_limit_and_recharges_in_the_valley():
    limited = {**PEAKY, "grid": {"import_limit_kw": 300.0}, "plugged_trucks": {"reserve_fraction": 0.2}}
    story = play_fleet(standing(None, None, **limited))
    assert story.at_site("hall", "import_kw", 12 * H) == pytest.approx(300)
    assert story.at_site("hall", "discharge_kw", 12 * H) == pytest.approx(100)
    assert story.truck_kwh("one", 14 * H) == pytest.approx(800)
    assert story.at_site("hall", "import_kw", 14 * H) == pytest.approx(300)  # 140 kW of load, 160 of charging
    assert story.truck_kwh("one", 15 * H + 15 * MIN) == pytest.approx(1000)
    assert story.trace.ledger["hall"]["peak_import_kw"].max() == pytest.approx(300)
    assert story.at("hall/house", "shed") == []


def test_a_buffer_at_its_reserve_gives_no_more_and_the_limit_sheds_load():
    limited = {**PEAKY, "grid": {"import_limit_kw": 300.0}, "plugged_trucks": {"reserve_fraction": 0.85}}
    story = play_fleet(standing({"recharge_kw": 50.0}, None, **limited))
    # 100 kW from 1000 to 850 kWh: 1.5 h, then the house load is shed until the peak is over
    first, back = story.at("hall/house", "shed")[:2]
    assert abs(first - (13 * H + 30 * MIN)) <= 2
    assert back == 14 * H
    assert story.dark("hall/house")[0][1] == 14 * H


def test_a_larger_connection_ends_the_need_for_a_buffer():
    grid = {"import_limit_kw": 300.0, "expansion": {"at_h": 30.0, "import_limit_kw": 1000.0}}
    story = play_fleet(standing(None, None, **PEAKY, grid=grid))
    assert story.at_site("hall", "discharge_kw", 12 * H) == pytest.approx(100)
    assert story.at_site("hall", "import_kw", 36 * H) == pytest.approx(400)


def trading(**plugged: Any) -> dict[str, Any]:
    use = {"charge_at_price_per_kwh": 0.3, "discharge_at_price_per_kwh": 1.0, "reserve_fraction": 0.5, **plugged}
    return {"price_per_kwh": {"hourly": DAY}, "plugged_trucks": use}


def test_a_trader_discharges_at_high_prices_never_exports_and_keeps_its_reserve():
    story = play_fleet(standing(None, None, **trading(), grid={"import_floor_kw": 20.0}))
    assert story.at_site("hall", "import_kw", 8 * H) == pytest.approx(20)
    assert story.truck_kwh("one", 12 * H) == pytest.approx(1000 - 4 * 120)
    assert story.truck_kwh("one", 18 * H) == pytest.approx(520)  # 0.6: stands by
    # 20 kWh above the reserve are gone 10 minutes into the evening peak
    assert story.truck_kwh("one", 18 * H + 10 * MIN) == pytest.approx(500)
    assert story.truck_kwh("one", 22 * H) == pytest.approx(500)
    assert story.at_site("hall", "charge_kw", 22 * H) == pytest.approx(500)
    assert story.truck_kwh("one", 23 * H) == pytest.approx(1000)


def test_below_its_reserve_a_trader_charges_at_any_price_but_no_further():
    story = play_fleet(standing({"soc_start_fraction": 0.1}, None, **trading(charge_at_price_per_kwh=0.1)))
    assert story.truck_kwh("one", 48 * MIN) == pytest.approx(500)
    assert story.truck_kwh("one", 8 * H) == pytest.approx(500)


def test_a_truck_that_is_not_synchronised_charges_but_never_discharges_beside_the_grid():
    story = play_fleet(standing(None, {"synchronised": False}, **trading(), **PEAKY))
    assert story.trace.ledger["hall"]["discharge_kwh"].sum() == 0.0


def test_what_is_traded_is_booked_on_the_truck_and_on_the_site():
    story = play_fleet(standing({"efficiency_one_way": 0.9}, None, **trading()))
    (stay,) = story.table("stays")
    ledger = story.trace.ledger["hall"]
    assert stay["discharged_kwh"] == pytest.approx(ledger["discharge_kwh"].sum())
    assert stay["charged_kwh"] == pytest.approx(ledger["charge_kwh"].sum())
    stored = stay["end_kwh"] - stay["start_kwh"]
    assert stored == pytest.approx(0.9 * stay["charged_kwh"] - stay["discharged_kwh"] / 0.9, abs=1e-9)
