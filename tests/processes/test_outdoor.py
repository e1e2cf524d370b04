"""Cooling that follows the outdoor temperature by the hour; PUE comes out."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import COOLING, H, hall, play

from twin import metrics
from twin.errors import InputError
from twin.inputs.samples import write_weather
from twin.inputs.weather_csv import read_weather
from twin.scenario.model import Scenario

CURVE = [
    {"outdoor_c": 0.0, "fraction_of_it": 0.1},
    {"outdoor_c": 20.0, "fraction_of_it": 0.2},
    {"outdoor_c": 40.0, "fraction_of_it": 0.4},
]
DAY_C = [float(hour) * 2.0 - 4.0 for hour in range(24)]
PLACE = {"latitude": 40.0, "longitude": 120.0, "timezone": "Asia/Shanghai"}


def cooled(**temperature: Any) -> dict[str, Any]:
    cooling = {**{key: value for key, value in COOLING.items() if key != "fraction_of_it"}, "temperature": temperature}
    return {"location": PLACE, "cooling": cooling}


def test_cooling_follows_the_curve_hour_by_hour_and_pue_comes_out() -> None:
    """-4 to 42 C: 0.1 of 300 kW up to 02:00 (0 C), 0.2 at 12:00 (20 C), 0.3 at 17:00 (30 C), 0.4 from 22:00 on."""
    story = play(hall(site=cooled(profile={"hourly": DAY_C}, curve=CURVE)))
    for hour, fraction in ((0, 0.1), (2, 0.1), (3, 0.11), (12, 0.2), (17, 0.3), (22, 0.4), (23, 0.4)):
        assert story.power("cooling_kw", hour * H) == pytest.approx(300.0 * fraction, rel=1e-12), hour
    mean = np.mean(np.interp(DAY_C, [0.0, 20.0, 40.0], [0.1, 0.2, 0.4]))
    assert story.ledger["cooling_kwh"][0] == pytest.approx(7200.0 * mean, rel=1e-12)
    assert dict(zip(*metrics.row(story.trace), strict=True))["pue"] == pytest.approx(1.0 + mean, rel=1e-12)


def test_a_weather_file_is_read_in_local_time_from_the_scenario_s_start(tmp_path: Any) -> None:
    _, pvgis, _ = write_weather(tmp_path)
    data = hall(site=cooled(file=str(pvgis), curve=CURVE), horizon={"start": "2026-07-01", "hours": 48.0})
    story = play(data)
    air_c = read_weather(pvgis, 8.0).air_c[181 * 24 :][:48]
    expected = 300.0 * np.interp(air_c, [0.0, 20.0, 40.0], [0.1, 0.2, 0.4])
    found = [story.power("cooling_kw", hour * H) for hour in range(48)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_year_wraps_round_at_its_end() -> None:
    data = hall(site=cooled(profile={"hourly": DAY_C}, curve=CURVE), horizon={"start": "2026-12-31", "hours": 48.0})
    story = play(data)
    assert story.power("cooling_kw", 17 * H) == story.power("cooling_kw", 41 * H)


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"cooling": {**COOLING, "temperature": {"profile": {"hourly": DAY_C}, "curve": CURVE}}}, "and not both"),
        (cooled(curve=CURVE), "give file or profile"),
        (cooled(profile={"hourly": DAY_C}, curve=CURVE[::-1]), "outdoor_c must rise"),
        ({**cooled(file="x.csv", curve=CURVE), "location": None}, "needs the site's location"),
    ],
)
def test_what_cannot_be_meant_is_refused(site: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Scenario.model_validate(hall(site=site))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        play(hall(site=cooled(file="nowhere.csv", curve=CURVE)))
