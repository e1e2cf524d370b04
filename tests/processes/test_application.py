"""The application layer: what a gang job is told on storage, at dear hours and in calls, by hand."""

from typing import Any

import pytest
from pydantic import ValidationError
from simulation import CABINETS, MIN, H, Story, all_near, hall, job, merged, near, outage, play

from twin.jobs.application import POLICIES
from twin.jobs.application.view import CAP, GO_ON, PAUSE, STOP, Offer, Situation
from twin.metrics import measure
from twin.parts.application import ApplicationSpec

SAVING = {"interval_min": 30.0, "stall_s": 0.0, "write_s": 120.0, "mode": "asynchronous"}
EMPTY_S = 85.5 / 100.0 * 3600.0
"""100 kW of a training row, or of the core, empty its cabinet in 0.855 h."""


def told(policy: str, *script: dict[str, Any], site: Any = None, priority: float = 0.0, **rules: Any) -> Story:
    block = {
        "grid": {"script": list(script)},
        "protection": {"cabinets": CABINETS},
        "application": {"policy": policy, "margin_min": 3.0, **rules},
    }
    return play(hall(site=merged(block, site or {}), jobs=job(checkpoint=SAVING, priority=priority)))


def test_a_last_checkpoint_is_durable_a_margin_before_the_storage_is_empty() -> None:
    """Dark at 51.3 min after 1:00, if it trained on; saved and stopped by then less 3 min; idle rows last longer."""
    story = told("checkpoint_before_empty", outage(1.0, duration_h=3.0))
    stop = H + round((EMPTY_S - 5 * 60) * 1e6)
    ((tick, value),) = [one for one in story.of("application", "application") if one[1] == STOP]
    assert near(tick, stop)
    assert value == STOP
    start, end, level, rollback = story.interruptions()[0]
    assert near(start, stop + 2 * MIN)
    assert (level, rollback) == (2, 0)
    assert end == 4 * H + 90 * MIN
    (cause,) = story.trace.interruptions["cause"].tolist()
    assert story.causes(cause) == [*story.chain("application", "application", STOP)]
    assert story.causes(cause)[0] == "grid/script-0001 strikes 10800000000"
    found = measure(story.trace)
    assert found["lost_gpu_h_stopped_per_year"] == found["lost_gpu_h_per_year"] == found["lost_gpu_h_script_per_year"]
    ignoring = told("ignore", outage(1.0, duration_h=3.0))
    assert ignoring.interruptions()[0][3] == pytest.approx(round(EMPTY_S * 1e6) + H - 90 * MIN, abs=3)


def test_supply_that_comes_back_in_time_ends_the_stop_with_a_warm_restart() -> None:
    """Back at 1:50: stopped since 1:48, where the job that ignores trains on."""
    story = told("checkpoint_before_empty", outage(1.0, duration_min=50.0))
    ((start, end, level, rollback),) = story.interruptions()
    assert near(start, H + round((EMPTY_S - 3 * 60) * 1e6))
    assert (end, level, rollback) == (110 * MIN + 13 * MIN, 0, 0)
    assert told("ignore", outage(1.0, duration_min=50.0)).interruptions() == []


def test_a_short_outage_stops_nobody() -> None:
    story = told("checkpoint_before_empty", outage(1.0, duration_min=40.0))
    assert story.interruptions() == []
    assert story.of("application", "application") == []


def test_rows_that_grow_too_hot_stop_the_job_before_they_trip() -> None:
    """Cooling on raw supply: pumps away for 5 min with 10 min of ride-through: nothing; 20 min: stopped after 5 min."""
    cooling = {"fraction_of_it": dict.fromkeys(("winter", "spring", "summer", "autumn"), 0.2), "continuous_kw": 20.0,
               "ride_through_s": 600.0, "chilled_water_tank_min": 15.0, "restart_min": 5.0}  # fmt: skip
    story = told("checkpoint_before_empty", outage(1.0, duration_min=20.0), site={"cooling": cooling})
    assert story.at("application", "application")[0] == pytest.approx(H + 5 * MIN, abs=2)
    assert story.interruptions()[0][3] == 0


def test_a_pause_on_storage_stretches_it_and_loses_no_work_if_supply_returns() -> None:
    """40 kW idle of two rows instead of 200: rows last 4.3 h, the core 51.3 min; an outage of 50 min is survived."""
    story = told("pause", outage(1.0, duration_min=50.0))
    assert story.interruptions() == []
    assert story.of("jobs/training", "paused") == [(H, 1), (110 * MIN, 0)]
    assert story.job()["useful_us"] == 24 * H - 50 * MIN


def test_a_cap_on_storage_slows_the_job_and_is_lifted_on_return() -> None:
    story = told("cap", outage(1.0, duration_min=30.0))
    assert story.of("core", "capped") == [(H, 1), (90 * MIN, 0)]
    assert story.job()["useful_us"] == 24 * H - 6 * MIN


PRICE = {"hourly": [0.5] * 18 + [1.5] * 3 + [0.5] * 3}


def test_a_job_is_paused_in_dear_hours_but_not_one_that_is_to_be_kept() -> None:
    dear = {"dear_above_per_kwh": 1.0, "site": {"price_per_kwh": PRICE}}
    story = told("pause", **dear)
    assert story.of("jobs/training", "paused") == [(18 * H, 1), (21 * H, 0)]
    assert story.power("it_kw", 19 * H) == 140.0
    assert story.job()["useful_us"] == 21 * H
    assert told("pause", priority=5.0, keep_priority=5.0, **dear).job()["useful_us"] == 24 * H
    assert told("checkpoint_before_empty", **dear).job()["useful_us"] == 24 * H


def test_a_job_is_capped_during_a_call() -> None:
    programme = {"calls": [{"at_h": 5.0, "duration_h": 2.0}], "notice_h": 1.0, "kw": 50.0, "baseline_kw": 300.0}
    tariff = {"price_per_kwh": {"flat": 0.5}, "demand_response": {"evening": programme}}
    story = told("cap", site={"tariff": tariff})
    assert story.of("core", "capped") == [(5 * H, 1), (7 * H, 0)]


def two_jobs(keep: float | None = None, **site: Any) -> Story:
    """Two gang jobs of a row's worth of servers each, 80 kW above idle; `first` is the less urgent."""
    first, second = (job(gpus=80, priority=one)["training"] for one in (1.0, 2.0))
    application = {"policy": "pause", "keep_priority": keep} | site.pop("application", {})
    return play(hall(site={**site, "application": application}, jobs={"first": first, "second": second}))


@pytest.mark.parametrize(("kw", "paused"), [(50.0, 1), (80.0, 1), (81.0, 2)])
def test_a_call_pauses_jobs_by_priority_until_it_is_answered(kw: float, paused: int) -> None:
    """300 kW import, of which the call takes 50, 80 or 81: a pause of 80 kW answers two of them."""
    programme = {"calls": [{"at_h": 5.0, "duration_h": 2.0}], "notice_h": 1.0, "kw": kw, "baseline_kw": 300.0}
    story = two_jobs(tariff={"price_per_kwh": {"flat": 0.5}, "demand_response": {"evening": programme}})
    assert story.of("jobs/first", "paused") == [(5 * H, 1), (7 * H, 0)]
    assert len(story.of("jobs/second", "paused")) == 2 * (paused - 1)
    assert story.power("import_kw", 6 * H) == pytest.approx(300.0 - 80.0 * paused)


def test_dear_hours_pause_all_jobs_or_as_many_as_save_what_the_site_says() -> None:
    for application, paused in (({}, 2), ({"save_kw": 10.0}, 1), ({"save_kw": 0.0}, 0)):
        story = two_jobs(price_per_kwh=PRICE, application={"dear_above_per_kwh": 1.0, **application})
        assert story.power("import_kw", 19 * H) == pytest.approx(300.0 - 80.0 * paused)


def test_no_cap_holds_while_a_job_is_to_be_kept() -> None:
    """At 1.5 the economic policy caps both jobs, and none if one of them is kept, since a cap is for all rows."""
    dear = {"policy": "economic", "dear_above_per_kwh": 1.0, "value_per_gpu_h": 2.0}
    assert two_jobs(price_per_kwh=PRICE, application=dear).of("core", "capped") == [(18 * H, 1), (21 * H, 0)]
    kept = two_jobs(2.0, price_per_kwh=PRICE, application=dear)
    assert kept.of("core", "capped") == kept.of("application", "application") == []


@pytest.mark.parametrize("key", ["keep_priority", "save_kw"])
def test_a_cap_for_some_jobs_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="a cap is one for all rows"):
        ApplicationSpec.model_validate({"policy": "cap", key: 1.0})


def offer(**changes: Any) -> Offer:
    plain = {"name": "a", "gpus": 160, "exposed_h": 0.4, "write_h": 0.05, "restart_h": 0.2, "pause_saves_kw": 160.0,
             "cap_saves_kw": 60.0, "cap_slows_fraction": 0.2}  # fmt: skip
    return Offer(**{**plain, **changes})


def situation(**changes: Any) -> Situation:
    plain = {"on_storage": False, "outage_h": 0.0, "dark_in_h": float("inf"), "margin_h": 0.05, "dear": False,
             "price_per_kwh": 1.0, "value_per_gpu_h": 2.0}  # fmt: skip
    return Situation(**{**plain, **changes})


@pytest.mark.parametrize(
    ("now", "kept", "expected"),
    [
        (situation(dear=True, price_per_kwh=3.0), offer(), PAUSE),  # 480 against 320 an hour
        (situation(dear=True, price_per_kwh=1.5), offer(), CAP),  # 240 against 320; capped 90 against 64
        (situation(dear=True, price_per_kwh=1.0), offer(), GO_ON),  # 60 against 64
        (situation(on_storage=True, outage_h=1.0, dark_in_h=0.5), offer(), GO_ON),
        (situation(on_storage=True, outage_h=1.0, dark_in_h=0.1), offer(), STOP),
        (situation(on_storage=True, outage_h=1.0, dark_in_h=0.1), offer(exposed_h=0.01), GO_ON),
        (situation(on_storage=True, outage_h=0.05, dark_in_h=0.1), offer(), GO_ON),  # it is young, and may end soon
    ],
)
def test_the_economic_policy_does_what_costs_least(now, kept, expected) -> None:
    assert POLICIES["economic"](now, kept, GO_ON) == expected


def test_at_half_of_the_time_a_policy_that_went_on_is_asked_again() -> None:
    """Economic, with little at risk at first: told nothing needless, and the trace is consistent."""
    story = told("economic", outage(1.0, duration_h=3.0))
    row = story.job()
    assert row["useful_us"] + row["stall_us"] + row["rollback_us"] + row["down_us"] == 24 * H
    assert all_near(story.dark("core"), [(H + round(EMPTY_S * 1e6), 4 * H)])
