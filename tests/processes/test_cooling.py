"""Pumps of 20 kW and chillers of 40 kW, bare, under rows and core on a UPS: heat by hand."""

from simulation import COOLING, MIN, UPS, H, S, all_near, hall, near, outage, play

ROWS_AND_CORE = {**UPS, "autonomy_min": 60.0, "serves": ["rows", "core"]}
WITH_PUMPS = {**UPS, "autonomy_min": 60.0}


def test_rows_trip_when_the_ride_through_without_pumps_is_over_and_come_back_with_the_chillers() -> None:
    script = [outage(1.0, duration_min=10.0)]
    site = {"cooling": COOLING, "grid": {"script": script}, "protection": {"ups": ROWS_AND_CORE}}
    story = play(hall(site=site))
    assert story.power("cooling_kw", 0) == 60.0
    assert all_near(story.dark("row-001"), [(H + 60 * S, H + 15 * MIN)])
    assert story.dark("core") == []
    assert near(story.at("continuous_cooling", "tripped_on_heat")[0], H + 60 * S)
    assert story.of("restartable_cooling", "running") == [(H, 0), (H + 15 * MIN, 1)]
    assert story.chain("row-001", "lit")[:2] == ["grid/script-0001 strikes 600000000", "feeder-A up 0"]
    assert story.chain("row-001", "lit")[-2:] == ["continuous_cooling tripped_on_heat 1", "row-001 lit 0"]
    ((start, end, level, _),) = story.interruptions()
    assert near(start, H + 60 * S)
    assert (end, level) == (2 * H, 1)


def test_ride_through_is_longer_in_proportion_at_part_load() -> None:
    """Idle rows and the core give 140 of 300 kW: 60 s become 128.571 s."""
    site = {
        "cooling": COOLING,
        "grid": {"script": [outage(1.0, duration_min=10.0)]},
        "protection": {"ups": ROWS_AND_CORE},
    }
    story = play(hall(site=site, jobs={}))
    assert near(story.dark("row-001")[0][0], H + 60 * S * 300 / 140)


def test_a_pump_break_shorter_than_the_ride_through_trips_nothing() -> None:
    cooling = {**COOLING, "restart_min": 0.1}
    site = {
        "cooling": cooling,
        "grid": {"script": [outage(1.0, duration_s=40.0)]},
        "protection": {"ups": ROWS_AND_CORE},
    }
    assert play(hall(site=site)).dark("row-001") == []


def test_without_chillers_the_tank_gives_its_minutes_until_they_have_restarted() -> None:
    """Nine minutes and five of restart are below the tank's fifteen; eleven and five are one minute above."""
    short = {"cooling": COOLING, "grid": {"script": [outage(1.0, duration_min=9.0)]}, "protection": {"ups": WITH_PUMPS}}
    assert play(hall(site=short)).dark("row-001") == []
    long = {"cooling": COOLING, "grid": {"script": [outage(1.0, duration_min=11.0)]}, "protection": {"ups": WITH_PUMPS}}
    story = play(hall(site=long))
    assert all_near(story.dark("row-001"), [(H + 15 * MIN, H + 16 * MIN)])
    assert story.dark("continuous_cooling") == []


def test_heat_that_is_left_shortens_the_next_ride() -> None:
    """14 minutes of heating, 5 of cooling leave 9 of 15: the second outage trips the rows after 6."""
    script = [outage(1.0, duration_min=9.0), outage(1.0 + 19 / 60, duration_min=10.0)]
    site = {"cooling": COOLING, "grid": {"script": script}, "protection": {"ups": WITH_PUMPS}}
    story = play(hall(site=site))
    second = H + 19 * MIN
    assert all_near(story.dark("row-002"), [(second + 6 * MIN, second + 15 * MIN)])


def test_the_job_waits_for_the_chillers_before_it_restarts() -> None:
    site = {"cooling": COOLING, "grid": {"script": [outage(1.0, duration_min=2.0)]}}
    story = play(hall(site=site))
    ((_, end, level, _),) = story.interruptions()
    assert end == H + 2 * MIN + 5 * MIN + 90 * MIN
    assert level == 2


def test_a_hall_without_a_cooling_block_never_trips_on_heat() -> None:
    ups = {**UPS, "autonomy_min": 300.0}
    story = play(hall(site={"grid": {"script": [outage(1.0, duration_h=3.0)]}, "protection": {"ups": ups}}))
    assert story.dark("row-001") == []
