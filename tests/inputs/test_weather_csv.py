"""Typical years: both layouts, both clocks, and messages that say the row."""

import gzip

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.samples import write_weather
from twin.inputs.weather_csv import read_weather, standard_offset_h
from twin.parts.pv import Place, PvSpec, WeatherSpec
from twin.parts.pv_series import hourly_kw


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return write_weather(tmp_path_factory.mktemp("weather"))[:2]


def changed(file, path, old, new):
    text = gzip.decompress(file.read_bytes()).decode()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_both_layouts_of_one_year_give_the_same_hours(samples):
    local, moved = (read_weather(file, 8.0) for file in samples)
    for name in ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2", "air_c", "wind_m_per_s"):
        np.testing.assert_array_equal(getattr(local, name), getattr(moved, name), err_msg=name)


def test_between_whole_hours_two_rows_are_weighted(samples):
    at_5, at_6, between = (read_weather(samples[1], offset).ghi_w_per_m2 for offset in (5.0, 6.0, 5.5))
    np.testing.assert_allclose(between, (at_5 + at_6) / 2, atol=1e-9)


def test_standard_time_has_no_daylight_saving():
    zones = {"Europe/Berlin": 1.0, "America/New_York": -5.0, "Australia/Adelaide": 9.5, "Asia/Shanghai": 8.0}
    assert {zone: standard_offset_h(zone) for zone in zones} == zones


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hour,month,ghi", "hour,month,gih", r"no column 'ghi'; did you mean 'gih'|no column 'ghi'"),
        ("\n12,1,", "\n12,1,x", "is not a number"),
        ("\n12,1,", "\n12,1,9", "more than the sun gives"),
        ("\n12,1,", "\n\n", "has 8 cells|cells, the header 9"),
    ],
)
def test_a_broken_file_is_refused_by_row(samples, tmp_path, old, new, message):
    with pytest.raises(InputError, match=message):
        read_weather(changed(samples[0], tmp_path / "own.csv", old, new), 8.0)


def test_a_leap_year_is_refused_with_its_remedy(samples, tmp_path):
    text = gzip.decompress(samples[0].read_bytes()).decode()
    day = "".join(f"{row}\n" for row in text.splitlines()[1:25])
    (tmp_path / "leap.csv").write_text(text + day)
    with pytest.raises(InputError, match=r"8784 rows.*leave 29 February out"):
        read_weather(tmp_path / "leap.csv", 8.0)


def test_a_file_of_another_place_is_found_by_its_sun(samples):
    spec = PvSpec(peak_kw=1.0, weather=WeatherSpec(file=str(samples[0])))
    assert 1000.0 < hourly_kw(spec, Place(40.0, 120.0, 0.0, "Asia/Shanghai")).sum() < 2000.0
    with pytest.raises(InputError, match=r"irradiation comes with the sun of 40 N 10 E down"):
        hourly_kw(spec, Place(40.0, 10.0, 0.0, "Asia/Shanghai"))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("greensboro_nc_tmy3.csv.gz", Place(36.1, -79.95, 273.0, "America/New_York")),
        ("pvgis_45N_8E_tmy.csv.gz", Place(45.0, 8.0, 250.0, "Europe/Rome")),
    ],
)
def test_the_measured_years_give_a_plausible_yield(real_data, name, place):
    spec = PvSpec(peak_kw=1.0, weather=WeatherSpec(file=str(real_data("weather_tmy") / name)))
    assert 1200.0 < hourly_kw(spec, place).sum() < 1600.0
