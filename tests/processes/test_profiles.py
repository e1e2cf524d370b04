"""Profiles: loads that follow the clock, by hand; edges cost no event."""

from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, HALL, H, hall, outage, play, simulator

from twin.errors import InputError
from twin.parts.cluster import ClusterSpec, ServerSpec
from twin.world.profile import ProfileSpec

OFFICE = [100.0] * 8 + [400.0] * 10 + [200.0] * 6  # 8 h at a quarter, 10 h in full, 6 h at a half
DAY = {"house_load_kw": 80.0, "house_load_profile": {"hourly": OFFICE}}


def with_cluster(**cluster):
    return hall(site={"cluster": cluster})


def test_the_house_load_follows_its_shape_and_its_largest_value_is_house_load_kw():
    story = play(hall(site=DAY))
    assert story.ledger["house_kwh"][0] == pytest.approx(80.0 * (8 / 4 + 10 + 6 / 2), rel=1e-12)
    assert story.power("house_kw", 3 * H) == 20.0
    assert story.power("house_kw", 8 * H) == 80.0
    assert story.ledger["peak_import_kw"][0] == pytest.approx(300.0 + 80.0)
    assert len(story.trace.events["time_us"]) == 0  # the clock's edges are no events


def test_utilisation_lowers_what_busy_gpus_take_above_idle():
    story = play(with_cluster(utilisation_profile={"hourly": [0.5] * 12 + [1.0] * 12}))
    rows_idle_kw, rows_busy_kw, core_kw = 40.0, 160.0, 100.0
    assert story.power("it_kw", 0) == core_kw + rows_idle_kw + rows_busy_kw / 2
    assert story.power("it_kw", 12 * H) == core_kw + rows_idle_kw + rows_busy_kw


def test_a_row_on_storage_empties_at_the_pace_of_the_profile():
    half = {"hourly": [0.5] * 7 + [1.0] * 17}
    protection = {"cabinets": {**CABINETS, "core": 3}}  # the core outlasts the rows
    site = {"protection": protection, "grid": {"script": [outage(6.0, duration_h=4.0)]}}
    story = play(hall(site={**site, "cluster": {"utilisation_profile": half}}))
    after_7_h = (85.5 - 60.0) / 100.0  # 60 kW until seven, 100 kW from then on
    assert story.dark("row-001")[0][0] == pytest.approx((7.0 + after_7_h) * H, abs=2)
    assert story.ledger["clamped_kwh"][0] < 1e-9


def test_a_record_counts_from_january_the_first_and_repeats(tmp_path):
    file = tmp_path / "load.csv"
    file.write_text("hour,kw\n" + "".join(f"{k},{k % 24 + 1}\n" for k in range(48)))
    site = {"house_load_kw": 24.0, "house_load_profile": {"file": str(file), "column": "kw", "repeat": "end_to_end"}}
    story = play(hall(site=site, horizon={"start": "2026-03-05", "hours": 30.0}))
    for hour in range(30):
        assert story.power("house_kw", hour * H) == pytest.approx(hour % 24 + 1)


def test_linear_steps_run_through_the_values_by_quarter_hours():
    site = {"house_load_kw": 8.0, "house_load_profile": {"hourly": [0.0, 8.0] * 12, "interpolation": "linear"}}
    story = play(hall(site=site))
    quarters = [story.power("house_kw", k * H // 4) for k in range(9)]
    assert quarters == pytest.approx([0, 2, 4, 6, 8, 6, 4, 2, 0])


def test_a_month_ends_with_what_is_stored_then_however_many_edges_it_has():
    horizon = {"start": "2026-01-31", "hours": 48.0}
    script = {"grid": {"script": [outage(22.0, duration_h=0.5)]}, "protection": {"cabinets": CABINETS}}
    story = play(hall(site={**DAY, **script}, horizon=horizon))
    ledger = story.ledger
    change = ledger["stored_end_kwh"] - ledger["stored_start_kwh"]
    flow = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
    assert np.abs(change - flow).max() < 1e-9
    assert len(change) == 2


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ({"hourly": [0.0] * 24}, "above zero"),
        ({"hourly": [-1.0] + [1.0] * 23}, "negative"),
    ],
)
def test_a_load_shape_without_sense_is_refused(profile, words):
    with pytest.raises(InputError, match=words):
        simulator(hall(site={"house_load_kw": 1.0, "house_load_profile": profile}))


def test_a_profile_over_centuries_is_refused_before_memory_is_filled():
    years = {"start": "2026-01-01", "hours": 8760.0 * 1000}
    with pytest.raises(InputError, match="horizons of up to 457 years"):
        simulator(hall(site=DAY, horizon=years))


def record(tmp_path, days, **more):
    """A record of `days` days whose every hour holds the number of its day, from 1."""
    file = tmp_path / f"{days}.csv"
    file.write_text("day\n" + "".join(f"{day}\n" * 24 for day in range(1, days + 1)))
    return ProfileSpec(file=str(file), column="day", **more)


def value(profile, start, horizon_days, day):
    at_us, values = profile.steps(date.fromisoformat(start), horizon_days * 24 * H)
    return values[np.searchsorted(at_us, day * 24 * H, side="right") - 1]


def test_a_record_that_ends_before_the_horizon_is_refused_and_the_remedy_named(tmp_path):
    profile = record(tmp_path, 365)
    assert value(profile, "2026-01-01", 365, 364) == 365
    with pytest.raises(InputError, match=r"365\.csv.* ends 8760 h after 1 January, the horizon 8784 h.*repeat: yearly"):
        profile.steps(date(2026, 1, 2), 365 * 24 * H)
    short = {"house_load_profile": record(tmp_path, 3).model_dump()}
    with pytest.raises(
        InputError, match=r"3\.csv: sites\.hall\.house_load_profile: .*say repeat: end_to_end, give a whole"
    ):
        simulator(hall(site=short, horizon={"start": "2026-01-01", "hours": 96.0}))
    with pytest.raises(InputError, match=r"needs a record of one year, this one has 48 h.*end_to_end"):
        record(tmp_path, 2, repeat="yearly").steps(date(2026, 1, 1), 72 * H)


def test_a_yearly_record_begins_anew_on_1_january_and_knows_leap_years(tmp_path):
    common, leap = (record(tmp_path, days, repeat="yearly") for days in (365, 366))
    assert value(common, "2026-12-30", 4, 2) == 1
    assert [value(common, "2028-02-28", 3, k) for k in range(3)] == [59, 59, 60]
    assert value(common, "2028-12-30", 3, 1) == 365
    assert [value(leap, "2027-02-28", 2, k) for k in range(2)] == [59, 61]
    assert value(leap, "2028-02-28", 366 + 2, 1) == 60


def test_a_price_series_may_begin_anew_each_year(tmp_path):
    prices = record(tmp_path, 365, repeat="yearly").model_dump()
    story = play(hall(site={"tariff": {"price_series": prices}}, horizon={"start": "2026-12-31", "hours": 48.0}))
    assert story.ledger["energy_cost"].tolist() == pytest.approx([7200.0 * 365, 7200.0])


def test_a_house_load_grows_year_by_year_from_its_first_year_s_value():
    shape = {"hourly": [0.5] * 12 + [1.0] * 12}
    site = {"house_load_kw": 100.0, "house_load_profile": shape, "house_load_growth_per_year": 0.1, "cluster": None}
    data = hall(site=site, horizon={"start": "2026-01-01", "hours": 3 * 8760.0}, jobs={})
    data["sites"]["hall"].pop("cluster")
    story = play(data, level="series")
    for year, growth in enumerate((1.0, 1.1, 1.21)):
        at = year * 8760 * H
        assert story.power("house_kw", at) == pytest.approx(50.0 * growth)
        assert story.power("house_kw", at + 12 * H) == pytest.approx(100.0 * growth)
    assert story.ledger["house_kwh"].sum() == pytest.approx(75.0 * 8760 * 3.31)


def test_gpus_fill_up_year_by_year_until_they_are_full():
    changes = {"utilisation_growth": {"first_year_fraction": 0.5, "per_year": 0.5}}
    story = play(hall(site={"cluster": changes}, horizon={"start": "2026-01-01", "hours": 3 * 8760.0}), level="series")
    found = [story.power("it_kw", (year * 8760 + 24) * H) for year in range(3)]
    full = play(hall(), level="series").power("it_kw", 3 * H)
    assert found[2] == pytest.approx(full)  # 0.5, 0.75, and 1.125 cut to 1
    assert full - found[1] == pytest.approx(found[1] - found[0])
    server = ServerSpec.model_validate(HALL["sites"]["hall"]["cluster"]["server"])
    above_idle_kw = server.mean_training_kw - server.idle_kw
    assert full - found[0] == pytest.approx(0.5 * 20 * above_idle_kw)


def test_a_measured_window_does_not_grow():
    changes = {
        "utilisation_growth": {"first_year_fraction": 0.5, "per_year": 0.1},
        "power_window": {"record_folder": "x"},
    }
    with pytest.raises(ValidationError, match="utilisation_growth or power_window"):
        ClusterSpec.model_validate({"rows": 1, "servers_per_row": 1} | changes)
