"""What a plugged truck carries, when it takes over, and when it gives back; computed by hand."""

from typing import Any

import pytest
from simulation import GENSETS, MS, UPS, H, S, all_near, near, outage
from trucking import fleet, play_fleet

from twin.errors import InputError


def hall_with_truck(point: dict[str, Any], truck: dict[str, Any] | None = None, hours: float = 1.0, **site: Any):
    """The hall loses its feeder at 10:00; the truck stands there, plugged in."""
    base = {"grid": {"script": [outage(10.0, duration_h=hours)]}, "connection_points": {"plug": point}}
    return fleet(policy="home", sites={"hall": {**base, **site}}, trucks={"one": {"home": "hall", **(truck or {})}})


SYNCHRONISED = {"synchronised": True, "transfer_ms": 5.0}


def test_a_synchronised_point_takes_over_within_hold_up_and_gives_back_without_a_break():
    story = play_fleet(hall_with_truck(SYNCHRONISED))
    assert story.dark("hall/row-001") == story.dark("hall/core") == []
    assert story.of("hall/points/plug", "online") == [(10 * H, 6), (11 * H, 0)]  # rows, core, two for cooling, house
    assert story.truck_kwh("one", 11 * H) == pytest.approx(1000 - 140)
    assert story.truck_kwh("one", 11 * H + 900 * S) == pytest.approx(860 + 125)


def test_a_transfer_longer_than_hold_up_leaves_the_loads_dark_for_as_long():
    story = play_fleet(hall_with_truck({**SYNCHRONISED, "transfer_ms": 50.0}))
    assert story.dark("hall/row-001") == story.dark("hall/core") == [(10 * H, 10 * H + 50 * MS)]


def test_a_point_that_is_not_synchronised_is_dark_on_both_ways():
    story = play_fleet(hall_with_truck({"changeover_s": 10.0}))
    assert story.dark("hall/row-001") == [(10 * H, 10 * H + 10 * S), (11 * H, 11 * H + 10 * S)]


def test_a_break_shorter_than_the_changeover_never_reaches_the_truck():
    story = play_fleet(hall_with_truck({"changeover_s": 10.0}, hours=5 / 3600))
    assert story.dark("hall/row-001") == [(10 * H, 10 * H + 5 * S)]
    assert story.of("hall/points/plug", "online") == []
    assert story.truck_kwh("one", 11 * H) == 1000.0


def test_a_ups_bridges_the_changeover_both_ways():
    protection = {"ups": {**UPS, "serves": ["rows", "core"]}}
    story = play_fleet(hall_with_truck({"changeover_s": 10.0}, protection=protection))
    assert story.dark("hall/row-001") == story.dark("hall/core") == []
    assert len(story.at("hall/ups-1", "picked_up")) == 2


def test_kw_come_before_kwh_and_the_core_before_rows():
    # full levels count, as for gensets: 100 kW for the core and for each row; 250 kW carry the core and one row
    story = play_fleet(hall_with_truck(SYNCHRONISED, {"rated_kw": 250.0}))
    assert story.dark("hall/core") == story.dark("hall/row-001") == []
    assert story.dark("hall/row-002") == [(10 * H, 11 * H)]


def test_the_limit_of_the_point_bounds_what_its_trucks_carry():
    story = play_fleet(hall_with_truck({**SYNCHRONISED, "limit_kw": 150.0}))
    assert story.dark("hall/core") == []
    assert story.dark("hall/row-001") == story.dark("hall/row-002") == [(10 * H, 11 * H)]


def test_a_point_carries_only_what_it_serves():
    story = play_fleet(hall_with_truck({**SYNCHRONISED, "serves": ["core", "row-002"]}))
    assert story.dark("hall/core") == story.dark("hall/row-002") == []
    assert story.dark("hall/row-001") == [(10 * H, 11 * H)]


def test_two_trucks_at_a_point_share_the_load_and_empty_together():
    data = hall_with_truck(SYNCHRONISED, hours=20.0)
    data["trucks"]["two"] = {**data["trucks"]["one"], "soc_start_fraction": 0.5}
    data["sites"]["hall"]["recharge_after_outage"] = {"limit_kw": 1e-9}
    story = play_fleet(data)
    empty = 10 * H + 1500 / 140 * H
    assert all_near(story.dark("hall/core"), [(empty, 30 * H)])
    at = 10 * H + 5 * H
    assert story.truck_kwh("one", at) == pytest.approx(2 * story.truck_kwh("two", at), rel=1e-6)


def test_a_truck_that_nobody_can_use_loses_only_its_auxiliaries_while_the_grid_is_away():
    story = play_fleet(hall_with_truck({**SYNCHRONISED, "limit_kw": 90.0}, {"auxiliary_kw": 2.0}, hours=4.0))
    assert story.dark("hall/core") == [(10 * H, 14 * H)]
    assert story.truck_kwh("one", 14 * H) == pytest.approx(1000 - 8)


def test_gensets_take_the_load_from_the_truck_and_the_truck_fills_their_gap():
    story = play_fleet(hall_with_truck(SYNCHRONISED, protection={"gensets": GENSETS}))
    assert story.dark("hall/core") == []
    assert story.of("hall/points/plug", "online")[0][0] == 10 * H
    assert story.of("hall/points/plug", "online")[-1] == (10 * H + 15 * S, 0)
    assert story.truck_kwh("one", 11 * H) == pytest.approx(1000 - 140 * 15 / 3600)


def test_a_generator_truck_never_ends_and_its_energy_is_genset_energy():
    truck = {"generator": True, "rated_kwh": None, "fuel_cost_per_kwh": 2.0}
    story = play_fleet(hall_with_truck(SYNCHRONISED, truck, hours=30.0))
    assert story.dark("hall/core") == []
    ledger = story.trace.ledger["hall"]
    assert ledger["genset_kwh"].sum() == pytest.approx(140 * 30)
    assert ledger["discharge_kwh"].sum() == ledger["truck_in_kwh"].sum() == 0.0
    (stay,) = story.table("stays")
    assert stay["discharged_kwh"] == pytest.approx(4200)
    assert stay["cost"] == pytest.approx(8400)


def test_a_job_trains_through_an_outage_that_a_synchronised_truck_carries():
    jobs = {
        "training": {
            "kind": "gang", "site": "hall", "gpus": 160, "hardware": {"per_1000_server_days": 0.0},
            "restart_after_power_loss_h": {"core_kept": 0.75, "core_lost": 1.5},
        }
    }  # fmt: skip
    story = play_fleet({**hall_with_truck(SYNCHRONISED), "jobs": jobs})
    assert story.interruptions() == []
    assert near(round(story.truck_kwh("one", 11 * H)), 700)


def test_work_on_one_row_is_carried_by_a_truck_while_the_rest_stays_on_the_grid():
    work = {"script": [{"at_h": 10.0, "duration_h": 2.0, "on": "row-002"}]}
    data = hall_with_truck({**SYNCHRONISED, "serves": ["rows"]}, planned_work=work)
    data["sites"]["hall"]["grid"]["script"] = []
    story = play_fleet(data)
    assert story.dark("hall/row-002") == story.dark("hall/row-001") == []
    assert story.truck_kwh("one", 12 * H) == pytest.approx(1000 - 2 * 20)


def test_work_on_one_row_without_a_truck_leaves_that_row_alone_dark():
    work = {"script": [{"at_h": 10.0, "duration_h": 2.0, "on": "row-002"}]}
    data = hall_with_truck({**SYNCHRONISED, "serves": ["core"]}, planned_work=work)
    data["sites"]["hall"]["grid"]["script"] = []
    story = play_fleet(data)
    assert story.dark("hall/row-002") == [(10 * H, 12 * H)]
    assert story.dark("hall/row-001") == story.dark("hall/core") == []


def test_work_on_a_board_that_others_share_and_a_feed_on_two_points_are_refused():
    work = {"script": [{"at_h": 10.0, "duration_h": 2.0, "on": "row-002"}]}
    ups = {"ups": {**UPS, "serves": ["rows"]}}
    with pytest.raises(InputError, match=r"planned_work on 'row-002' of site hall: its feed also carries row-001"):
        play_fleet(hall_with_truck(SYNCHRONISED, planned_work=work, protection=ups))
    work["script"][0]["on"] = "row-009"
    with pytest.raises(InputError, match=r"no such load point"):
        play_fleet(hall_with_truck(SYNCHRONISED, planned_work=work))
    data = hall_with_truck({"serves": ["row-001"]}, protection=ups)
    data["sites"]["hall"]["connection_points"]["other"] = {"limit_kw": 100.0, "serves": ["row-002"]}
    with pytest.raises(InputError, match=r"hangs on another connection point already"):
        play_fleet(data)
    data["sites"]["hall"]["connection_points"]["other"]["serves"] = ["rows"]
    with pytest.raises(ValueError, match=r"row-001 is served by other and by plug|is served by"):
        play_fleet(data)
