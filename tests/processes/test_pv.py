"""PV in the plant: the reference year, who gets its power, and what an outage does to it."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, NETWORK, H, Story, hall, outage, play, simulator

from twin import metrics
from twin.scenario.model import Scenario

BEIJING = {"latitude": 39.9, "longitude": 116.4, "timezone": "Asia/Shanghai"}
FLAT = {"price_per_kwh": {"flat": 0.5}}
YEAR = {"start": "2026-01-01", "hours": 8760.0}


def sunny(hours: float = 24.0, *, site: dict[str, Any] | None = None, **pv: Any) -> dict[str, Any]:
    """The hall (300 kW) with PV from 1 June on."""
    own = {"location": BEIJING, "pv": {"peak_kw": 100.0, **pv}, **(site or {})}
    return hall(site=own, horizon={"start": "2026-06-01", "hours": hours})


def series_kw(data: dict[str, Any]) -> np.ndarray:
    """Hourly AC power of the year, before the inverter's limit."""
    plan = simulator(data).blueprint.sites[0].pv
    assert plan is not None
    return plan.hourly_kw


def test_the_reference_plant_gives_1928_kwh_a_year_and_the_ledger_equals_its_series() -> None:
    """1 kWp at 39.9 N 116.4 E, tilt 30 south, clear sky, 14 % loss, 96 % inverter, -0.35 %/K, wind 2 m/s."""
    data = hall(site={"location": BEIJING, "pv": {"peak_kw": 1.0}}, horizon=YEAR)
    series, ledger = series_kw(data), play(data, level="ledger").ledger
    assert series.sum() == pytest.approx(1928.0, rel=0.05)
    assert ledger["pv_kwh"].sum() == pytest.approx(series.sum(), rel=1e-12)
    months = np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])[:, None] * 24
    by_month = [part.sum() for part in np.split(series, months.ravel())]
    np.testing.assert_allclose(ledger["pv_kwh"], by_month, rtol=1e-12)
    assert (ledger["curtailed_kwh"] == 0.0).all()
    assert ledger["import_kwh"].sum() == pytest.approx(300.0 * 8760 - series.sum(), rel=1e-12)


def test_noon_is_near_twelve_by_local_standard_time_in_every_zone() -> None:
    for zone, longitude in (("Asia/Shanghai", 120.0), ("Europe/Berlin", 15.0), ("America/New_York", -75.0)):
        place = {"latitude": 40.0, "longitude": longitude, "timezone": zone}
        day = series_kw(hall(site={"location": place, "pv": {"peak_kw": 1.0}})).reshape(365, 24).sum(axis=0)
        centre = (day * (np.arange(24) + 0.5)).sum() / day.sum()
        assert centre == pytest.approx(12.0, abs=0.15), zone


def test_a_half_hour_zone_and_a_southern_roof_have_their_summer() -> None:
    place = {"latitude": -34.9, "longitude": 138.6, "timezone": "Australia/Adelaide"}
    year = series_kw(hall(site={"location": place, "pv": {"peak_kw": 1.0, "azimuth_deg": 0.0}})).reshape(365, 24)
    assert year[:31].sum() > 1.3 * year[151:181].sum()
    assert 0 < np.flatnonzero(year[0])[0] < 7


def test_surplus_is_curtailed_without_and_exported_with_a_limit_that_allows_it() -> None:
    """2,000 kW against a load of 300 kW."""
    closed, open_ = play(sunny(peak_kw=2000.0)).ledger, play(sunny(peak_kw=2000.0, export_limit_kw=500.0)).ledger
    free = play(sunny(peak_kw=2000.0, export_limit_kw=1e6))
    assert closed["export_kwh"][0] == 0.0
    assert closed["import_kwh"][0] == pytest.approx(open_["import_kwh"][0], rel=1e-12)
    for ledger in (closed, open_, free.ledger):
        whole = ledger["pv_kwh"][0] + ledger["curtailed_kwh"][0]
        assert whole == pytest.approx(free.ledger["pv_kwh"][0], rel=1e-12)
        assert ledger["import_kwh"][0] + ledger["pv_kwh"][0] - ledger["export_kwh"][0] == pytest.approx(7200.0)
    assert closed["pv_kwh"][0] < open_["pv_kwh"][0] < free.ledger["pv_kwh"][0]
    assert play(sunny(peak_kw=2000.0, export_limit_kw=500.0)).trace.series["hall"]["export_kw"].max() == 500.0
    assert (free.trace.series["hall"]["curtailed_kw"] == 0.0).all()


def test_the_inverter_limits_the_power_after_its_efficiency() -> None:
    story = play(sunny(peak_kw=200.0, inverter_kw=100.0))
    assert story.trace.series["hall"]["pv_kw"].max() == 100.0
    assert story.power("pv_kw", 12 * H) == 100.0
    assert 0.0 < story.power("pv_kw", 7 * H) < 100.0


def test_pv_trips_with_the_grid_and_returns_with_it() -> None:
    story = play(sunny(site={"grid": {"feeders": {"A": {}}, "script": [outage(11.0, duration_h=2.0)]}}))
    assert story.power("pv_kw", 11 * H + 1) == 0.0
    assert story.power("curtailed_kw", 11 * H + 1) > 50.0
    assert story.power("pv_kw", 13 * H) > 50.0
    assert story.power("import_kw", 13 * H) + story.power("pv_kw", 13 * H) == pytest.approx(
        story.power("it_kw", 13 * H)
    )


def in_outage(**pv: Any) -> Story:
    """Two rows and the core on a cabinet each, no grid from 11 to 11:30."""
    site = {
        "grid": {"feeders": {"A": {}}, "script": [outage(11.0, duration_h=0.5)]},
        "protection": {"cabinets": CABINETS},
    }
    return play(sunny(site=site, **pv))


def test_strings_wired_to_cabinets_serve_their_loads_without_the_grid_and_spare_the_battery() -> None:
    """100 kW on each of three cabinets; a third of the strings each."""
    tripped, islanded = in_outage(peak_kw=150.0), in_outage(peak_kw=150.0, islanding=True)
    at = 11 * H + 1
    pv_kw = islanded.power("pv_kw", at)
    assert tripped.power("pv_kw", at) == 0.0
    assert tripped.power("discharge_kw", at) == pytest.approx(300.0)
    assert pv_kw > 80.0
    assert islanded.power("curtailed_kw", at) == pytest.approx(0.0, abs=1e-9)
    assert islanded.power("discharge_kw", at) == pytest.approx(300.0 - pv_kw, rel=1e-12)
    spared = islanded.stored_kwh("row-001/cabinet-01", round(11.5 * H)) - tripped.stored_kwh(
        "row-001/cabinet-01", round(11.5 * H)
    )
    assert spared == pytest.approx(pv_kw / 3 * 0.5 / 0.95, rel=1e-6)


def test_what_islanded_strings_give_beyond_their_load_is_curtailed() -> None:
    story = in_outage(peak_kw=900.0, islanding=True)
    assert story.power("pv_kw", 11 * H + 1) == pytest.approx(300.0)
    assert story.power("discharge_kw", 11 * H + 1) == 0.0
    assert story.power("curtailed_kw", 11 * H + 1) > 200.0
    assert not story.dark("row-001")


def test_strings_of_one_row_do_not_serve_another() -> None:
    """Only the core has a cabinet with strings: rows go dark however much these could give."""
    site = {
        "grid": {"feeders": {"A": {}}, "script": [outage(11.0, duration_h=0.5)]},
        "protection": {"cabinets": {**CABINETS, "core": 1, "per_row": 0}},
    }  # fmt: skip
    story = play(sunny(site=site, peak_kw=900.0, islanding=True))
    assert story.dark("row-001")
    assert story.power("pv_kw", 11 * H + 1) == pytest.approx(100.0)


def test_recharge_may_take_what_pv_gives_above_the_import_limit() -> None:
    site = {
        "grid": {"feeders": {"A": {}}, "script": [outage(11.0, duration_h=0.25)], "import_limit_kw": 310.0},
        "protection": {"cabinets": CABINETS},
    }  # fmt: skip
    without, with_pv = play(sunny(site={**site, "pv": None})), play(sunny(site=site))
    at = round(11.25 * H) + 2
    assert without.power("charge_kw", at) == pytest.approx(10.0)
    assert with_pv.power("charge_kw", at) == pytest.approx(10.0 + with_pv.power("pv_kw", at))
    assert with_pv.power("import_kw", at) == pytest.approx(310.0)


def test_a_load_above_the_import_limit_lives_on_pv_by_day_and_is_shed_at_night() -> None:
    """300 kW and 40 kW of house load against 320 kW: the house is on while PV gives 20 kW."""
    site = {"grid": {"feeders": {"A": {}}, "import_limit_kw": 320.0}, "house_load_kw": 40.0}
    story = play(sunny(site=site))
    (night, evening) = story.dark("house")
    assert night[0] == 0
    assert 5 * H <= night[1] <= 9 * H
    assert 16 * H <= evening[0] <= 20 * H
    assert story.trace.series["hall"]["import_kw"].max() <= 320.0 * (1 + 1e-9)


def test_clouds_have_the_mean_that_they_are_given_and_each_replication_its_own() -> None:
    data = hall(site={"location": BEIJING, "pv": {"peak_kw": 1.0, "weather": {"clouds": {}}}}, horizon=YEAR)
    clear = series_kw(data).sum()
    made = simulator(data)
    years = [made.run(k, "ledger").ledger["hall"]["pv_kwh"].sum() / clear for k in range(12)]
    assert np.mean(years) == pytest.approx(0.7, abs=0.03)
    assert len(set(years)) == 12
    assert years[3] == simulator(data).run(3, "ledger").ledger["hall"]["pv_kwh"].sum() / clear


def test_the_weather_of_a_date_stays_when_the_scenario_starts_later() -> None:
    def june(start: str, hours: float) -> np.ndarray:
        own = {"location": BEIJING, "pv": {"peak_kw": 1.0, "weather": {"clouds": {}}}}
        series = play(hall(site=own, horizon={"start": start, "hours": hours})).trace.series["hall"]
        at_us = np.arange(24) * H + round((date(2026, 6, 2) - date.fromisoformat(start)).days * 24 * H)
        return series["pv_kw"][np.searchsorted(series["time_us"], at_us, side="right") - 1]

    np.testing.assert_array_equal(june("2026-06-01", 48.0), june("2026-05-30", 96.0))


def test_modules_fade_from_the_second_year_on() -> None:
    own = {"location": BEIJING, "pv": {"peak_kw": 1.0, "yearly_fade_fraction": 0.01}}
    ledger = play(hall(site=own, horizon={"start": "2026-01-01", "hours": 2 * 8760.0}), level="ledger").ledger
    assert ledger["pv_kwh"][12:].sum() == pytest.approx(0.99 * ledger["pv_kwh"][:12].sum(), rel=1e-12)


def test_in_a_network_pv_lowers_losses_and_losses_lower_export() -> None:
    def noon(**pv: Any) -> tuple[float, float, Story]:
        story = play(sunny(site={"network": NETWORK}, **pv))
        return story.power("network_loss_kw", 12 * H), story.power("import_kw", 12 * H), story

    loss, _, small = noon(peak_kw=1.0)
    less, _, story = noon(peak_kw=300.0)
    assert 0.0 < less < loss
    assert small.power("min_voltage_pu", 12 * H) < story.power("min_voltage_pu", 12 * H)
    _, imported, story = noon(peak_kw=900.0, export_limit_kw=1e6)
    lost = story.power("network_loss_kw", 12 * H)
    assert imported == 0.0
    assert lost > 0.0
    assert story.power("export_kw", 12 * H) == pytest.approx(story.power("pv_kw", 12 * H) - 300.0 - lost, rel=1e-12)


def test_the_renewable_share_counts_what_is_used_on_site() -> None:
    story = play(sunny(peak_kw=2000.0, export_limit_kw=1e6))
    row = dict(zip(*metrics.row(story.trace), strict=True))
    used = story.ledger["pv_kwh"][0] - story.ledger["export_kwh"][0]
    assert row["renewable_fraction"] == pytest.approx(used / 7200.0)
    assert 0.4 < row["renewable_fraction"] < 0.7


def test_export_is_paid_by_the_tariff() -> None:
    site = {"tariff": {**FLAT, "export": {"price_per_kwh": 0.2}}}
    story = play(sunny(peak_kw=2000.0, export_limit_kw=1e6, site=site))
    row = dict(zip(*metrics.row(story.trace), strict=True))
    expected = 0.5 * story.ledger["import_kwh"][0] - 0.2 * story.ledger["export_kwh"][0]
    assert story.ledger["export_kwh"][0] > 1000.0
    assert row["bill_per_year"] == pytest.approx(expected * 365.0, rel=1e-4)


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"pv": {"peak_kw": 1.0}}, "the sun's path needs the site's location"),
        ({"location": BEIJING, "pv": {"peak_kw": 1.0, "islanding": True}}, "strings are wired to cabinets"),
        (
            {"location": BEIJING, "pv": {"peak_kw": 1.0, "weather": {"file": "x.csv", "clouds": {}}}},
            "has its own clouds",
        ),
        ({"location": BEIJING, "pv": {"peak": 1.0}}, "peak_kw"),
        (
            {"location": BEIJING, "tariff": FLAT, "pv": {"peak_kw": 1.0, "export_limit_kw": 1.0}},
            "without export bans it",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(site: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scenario.model_validate(hall(site=site))
