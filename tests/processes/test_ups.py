"""Raw supply, and a UPS of 400 kW for ten minutes under 300 kW: 800 s by hand."""

import pytest
from simulation import GENSETS, MIN, MS, UPS, H, S, all_near, hall, near, outage, play

from twin.metrics import measure

LOADS = ("row-001", "row-002", "core")


def test_pue_counts_the_loss_in_the_ups_and_the_cooling() -> None:
    """300 kW of servers and core behind 5 % of loss, cooling at 0.3 of them: (300 / 0.95 + 90) / 300."""
    ups = UPS | {"loss_fraction": 0.05, "serves": ["rows", "core"]}
    seasons = dict.fromkeys(("winter", "spring", "summer", "autumn"), 0.3)
    site = {"protection": {"ups": ups}, "cooling": {"continuous_kw": 20.0, "fraction_of_it": seasons}}
    story = play(hall(site=site))
    assert measure(story.trace)["pue"] == pytest.approx((300.0 / 0.95 + 90.0) / 300.0, rel=1e-12)
    assert story.ledger["loss_kwh"][0] == pytest.approx(24.0 * 300.0 * 0.05 / 0.95, rel=1e-12)


@pytest.mark.parametrize("duration_ms", [1.0, 19.999, 20.0])
def test_raw_supply_rides_through_what_does_not_exceed_hold_up(duration_ms: float) -> None:
    story = play(hall(site={"grid": {"script": [outage(1.0, duration_ms=duration_ms)]}}))
    assert [story.dark(load) for load in LOADS] == [[], [], []]
    assert story.job()["interruptions"] == 0
    assert story.ledger["hold_up_kwh"][0] == pytest.approx(300.0 * duration_ms / 3.6e6, rel=1e-12)


def test_raw_supply_is_dark_for_just_the_outage_when_that_exceeds_hold_up() -> None:
    story = play(hall(site={"grid": {"script": [outage(1.0, duration_ms=20.001)]}}))
    assert [story.dark(load) for load in LOADS] == [[(H, H + 20_001)]] * 3
    assert story.ledger["hold_up_kwh"][0] == 0.0


def test_a_dip_above_the_ride_through_voltage_is_logged_and_strikes_nothing() -> None:
    script = [outage(1.0, duration_h=1.0, residual_voltage_fraction=0.7)]
    story = play(hall(site={"grid": {"script": script}}))
    assert story.of("grid/script-0001", "strikes") == [(H, H)]
    assert story.of("feeder-A", "up") == []
    assert story.dark("core") == []


def test_hold_up_is_longer_at_lower_load_up_to_its_maximum() -> None:
    server = {"hold_up_ms": 18.0, "hold_up_max_ms": 30.0}
    site = {
        "cluster": {"server": server, "core": {"hold_up_ms": 100.0}},
        "grid": {"script": [outage(1.0, duration_ms=20.0)]},
    }
    assert play(hall(site=site)).dark("row-001") == [(H, H + 20 * MS)]
    assert play(hall(site=site, jobs={})).dark("row-001") == []


def test_a_load_point_of_no_kw_holds_up_as_long_as_its_supplies_say() -> None:
    """The default core draws nothing; a 10 ms dip must not take the job with it."""
    site = {"cluster": {"core": {"load_kw": 0.0}}, "grid": {"script": [outage(1.0, duration_ms=10.0)]}}
    story = play(hall(site=site))
    assert story.dark("core") == []
    assert story.job()["interruptions"] == 0


def test_an_event_that_prolongs_a_short_one_ends_hold_up() -> None:
    script = [outage(1.0, duration_ms=10.0), outage(1.0 + 5e-3 / 3600, duration_h=1.0)]
    story = play(hall(site={"grid": {"script": script}}))
    (span,) = story.dark("row-001")
    assert H < span[0] <= H + 20 * MS
    assert near(span[1], 2 * H + 5 * MS)


def test_a_ups_carries_thirteen_minutes_and_loses_the_load_after_800_seconds() -> None:
    short = play(hall(site={"grid": {"script": [outage(1.0, duration_min=13.0)]}, "protection": {"ups": UPS}}))
    assert [short.dark(load) for load in LOADS] == [[], [], []]
    assert short.power("import_kw", 0) == pytest.approx(300.0 / 0.95, rel=1e-12)
    assert short.power("loss_kw", 0) == pytest.approx(300.0 / 0.95 * 0.05, rel=1e-12)
    assert short.stored_kwh("ups-1/battery", H + 13 * MIN) == pytest.approx(400.0 / 6.0 - 65.0, rel=1e-9)
    long = play(hall(site={"grid": {"script": [outage(1.0, duration_min=20.0)]}, "protection": {"ups": UPS}}))
    for load in LOADS:
        assert all_near(long.dark(load), [(H + 800 * S, H + 20 * MIN)])
    assert long.chain("ups-1", "empty", 1) == [
        "grid/script-0001 strikes 1200000000", "feeder-A up 0", "ups-1 picked_up 1", "ups-1 empty 1",
    ]  # fmt: skip


def test_a_second_outage_finds_the_ups_battery_part_charged() -> None:
    """50 of 66.67 kWh are used, half an hour at 40 kW gives 20 back: 36.67 kWh carry 300 kW for 440 s."""
    script = [outage(1.0, duration_min=10.0), outage(1.0 + 40 / 60, duration_min=20.0)]
    story = play(hall(site={"grid": {"script": script}, "protection": {"ups": UPS}}))
    second = H + 40 * MIN
    assert all_near(story.dark("row-001"), [(second + 440 * S, second + 20 * MIN)])


def test_a_ups_that_fails_on_demand_loses_its_loads_at_once() -> None:
    ups = {**UPS, "fail_on_demand_probability": 1.0}
    story = play(hall(site={"grid": {"script": [outage(1.0, duration_min=2.0)]}, "protection": {"ups": ups}}))
    assert story.dark("row-001") == [(H, H + 2 * MIN)]
    assert story.chain("row-001", "lit") == [
        "grid/script-0001 strikes 120000000", "feeder-A up 0", "ups-1 failed_to_pick_up 1", "row-001 lit 0",
    ]  # fmt: skip


def test_two_blocks_share_the_core_and_carry_a_row_each() -> None:
    """Half of 66.67 kWh a block under 100 + 50 kW: the same 800 s."""
    ups = {**UPS, "blocks": 2, "modules": {"n": 2, "r": 1, "rated_kw": 100.0, "mtbf_h": 1e12}}
    story = play(hall(site={"grid": {"script": [outage(1.0, duration_min=20.0)]}, "protection": {"ups": ups}}))
    for load in LOADS:
        assert all_near(story.dark(load), [(H + 800 * S, H + 20 * MIN)])


def test_gensets_take_over_after_15_seconds_and_the_ups_battery_gives_one_and_a_quarter_kwh() -> None:
    site = {"grid": {"script": [outage(1.0, duration_h=2.0)]}, "protection": {"ups": UPS, "gensets": GENSETS}}
    story = play(hall(site=site))
    assert [story.dark(load) for load in LOADS] == [[], [], []]
    assert story.of("gensets", "phase") == [(H + 3 * S, 2), (3 * H + 15 * MIN, 0)]
    assert story.of("gensets", "online") == [(H + 15 * S, 1), (3 * H + 15 * MIN, 0)]
    assert story.stored_kwh("ups-1/battery", H + 15 * S) == pytest.approx(400.0 / 6.0 - 1.25, rel=1e-12)
    assert story.ledger["genset_kwh"][0] == pytest.approx(300.0 / 0.95 * (2.0 - 15 / 3600), rel=1e-12)
    assert story.ledger["unserved_kwh"][0] == 0.0


def test_gensets_that_fail_to_start_leave_the_ups_to_its_800_seconds() -> None:
    gensets = {**GENSETS, "fail_to_start_probability": 1.0}
    site = {"grid": {"script": [outage(1.0, duration_h=2.0)]}, "protection": {"ups": UPS, "gensets": gensets}}
    story = play(hall(site=site))
    assert story.at("gensets/genset-01", "failed_to_start") == [H + 3 * S]
    assert all_near(story.dark("row-002"), [(H + 800 * S, 3 * H)])
    assert story.ledger["genset_kwh"][0] == 0.0


def test_a_common_cause_fails_the_whole_plant() -> None:
    gensets = {**GENSETS, "n": 3, "plant_common_cause_probability": 1.0}
    site = {"grid": {"script": [outage(1.0, duration_h=2.0)]}, "protection": {"ups": UPS, "gensets": gensets}}
    story = play(hall(site=site))
    assert story.of("gensets", "failed_to_start") == [(H + 3 * S, 1)]
    assert all_near(story.dark("core"), [(H + 800 * S, 3 * H)])
