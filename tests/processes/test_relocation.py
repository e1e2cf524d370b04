"""Who is sent where, when, and what comes between: policies on scripted scenes, every instant by hand."""

from typing import Any

import pytest
from simulation import GENSETS, MIN, H, S, merged, outage
from trucking import POINT, FleetStory, fleet, play_fleet

from twin.metrics.causes import loss_gpu_h

SYNCHRONISED = {"connection_points": {"plug": {"synchronised": True, "transfer_ms": 5.0}}}
PLUGGED, WAITING, UNPLUGGING, ROAD, TRAVELLING, BROKEN, QUEUEING, CONNECTING, SERVICE, LENT = range(10)


def job(site: str) -> dict[str, Any]:
    return {
        "kind": "gang", "site": site, "gpus": 160, "hardware": {"per_1000_server_days": 0.0},
        "checkpoint": {"interval_min": 15.0, "stall_s": 0.0, "mode": "blocking"},
        "restart_after_power_loss_h": {"core_kept": 0.75, "core_lost": 1.5},
    }  # fmt: skip


def phases(story: FleetStory, truck: str = "one") -> list[tuple[int, int]]:
    return story.of(f"trucks/{truck}", "phase")


def bound_for(story: FleetStory) -> list[str]:
    """Destinations of all trips that were ordered for an outage, in order."""
    sites = story.trace.meta["sites"]
    return [sites[trip["destination"]] for trip in story.table("trips") if trip["reason"] == 1]


def two_sites_struck(policy: str) -> FleetStory:
    """Near (10 km) and far (40 km) lose supply from 10:00 to 14:00; a GPU-hour is worth ten times as much at far."""
    struck = {"grid": {"script": [outage(10.0, duration_h=4.0)]}, **SYNCHRONISED}
    data = fleet(
        "near", "far", policy=policy, jobs={"a": job("near"), "b": job("far")},
        sites={"near": {**struck, "value_per_gpu_h": 1.4}, "far": {**struck, "value_per_gpu_h": 14.0}},
        roads={"distances_km": {"depot": {"near": 10.0}}},
    )  # fmt: skip
    return play_fleet(data)


def lost(story: FleetStory) -> dict[str, float]:
    names = story.trace.items["name"]
    found = {"near": 0.0, "far": 0.0}
    for item, gpu_h in zip(story.trace.interruptions["item"], loss_gpu_h(story.trace), strict=True):
        found[names[item].split("/")[0]] += gpu_h
    return found


def test_nearest_first_goes_to_the_near_site_though_the_far_one_is_worth_ten_times_as_much():
    story = two_sites_struck("nearest_first")
    assert bound_for(story) == ["near"]
    # near: 10 min to unplug, 15 on the road, 30 to connect: lit at 10:55, trains 1.5 h later; far: 14:00 + 1.5 h
    assert lost(story) == pytest.approx({"near": 160 * (55 / 60 + 1.5), "far": 160 * 5.5})


@pytest.mark.parametrize("policy", ["value_at_risk", "optimised"])
def test_value_at_risk_and_optimised_go_to_the_dear_site(policy):
    story = two_sites_struck(policy)
    assert bound_for(story) == ["far"]
    # far: 10 min to unplug, 60 on the road, 30 to connect: lit at 11:40
    assert lost(story) == pytest.approx({"near": 160 * 5.5, "far": 160 * (100 / 60 + 1.5)})


def test_at_home_nobody_is_sent_anywhere():
    story = two_sites_struck("home")
    assert story.table("trips") == []
    assert lost(story) == pytest.approx({"near": 880, "far": 880})


def test_a_truck_stands_by_before_announced_work_and_nothing_goes_dark():
    work = {"grid": {"script": [{"at_h": 20.0, "duration_h": 2.0, "notice_h": 12.0}]}, **SYNCHRONISED}
    story = play_fleet(fleet(policy={"kind": "preposition", "margin_h": 0.5}, sites={"hall": work}))
    assert story.of("hall/grid/script-0001", "announced") == [(8 * H, 20 * H)]
    # 20:00 less half an hour less 10 + 60 + 30 min
    assert phases(story)[0] == (20 * H - 130 * MIN, WAITING)
    assert phases(story)[4] == (20 * H - 30 * MIN, PLUGGED)
    assert story.dark("hall/core") == story.dark("hall/row-001") == []
    out, back = story.table("trips")
    assert (out["reason"], out["in_time"], back["reason"], back["ordered_us"]) == (2, 1, 0, 22 * H)


def test_nobody_acts_on_what_has_not_been_announced():
    work = {"grid": {"script": [outage(20.0, duration_h=2.0)]}, **SYNCHRONISED}
    story = play_fleet(fleet(policy="preposition", sites={"hall": work}))
    assert phases(story)[0] == (20 * H, WAITING)


def test_a_forecast_storm_strikes_its_sites_at_once_and_the_dear_one_has_a_truck():
    regions = {"north": {"sites": ["near", "far"], "script": [{"at_h": 20.0, "duration_h": 2.0, "notice_h": 12.0}]}}
    sites = {"near": SYNCHRONISED, "far": {**SYNCHRONISED, "value_per_gpu_h": 10.0}}
    story = play_fleet(fleet("near", "far", policy="preposition", sites=sites, regions=regions))
    assert story.of("regions/north/script-0001", "strikes") == [(20 * H, 2 * H)] * 2
    assert story.dark("far/core") == []
    assert story.dark("near/core") == [(20 * H, 22 * H)]
    assert story.chain("near/core", "lit")[0] == "regions/north/script-0001 strikes 7200000000"


def test_trucks_relieve_each_other_through_a_long_work_on_one_row():
    # row-001 idles at 20 kW; trucks of 60 kWh carry it for 3 h and recharge in the yard, at 60 kW
    yard = {**POINT, "serves": ["house"], "berths": 3}
    board = {"synchronised": True, "serves": ["rows"], "connect_min": 20.0, "disconnect_min": 10.0, "berths": 2}
    work = {"script": [{"at_h": 10.0, "duration_h": 14.0, "on": "row-001", "notice_h": 5.0}]}
    hall = {"connection_points": {"plug": board, "yard": yard}, "planned_work": work}
    truck = {"home": "hall/yard", "rated_kwh": 60.0, "recharge_kw": 60.0, "rated_kw": 120.0}
    data = fleet(policy="relay", sites={"hall": hall}, trucks={"one": truck, "two": truck})
    story = play_fleet(data)
    assert story.dark("hall/row-001") == []
    relays = [trip for trip in story.table("trips") if trip["reason"] == 4]
    assert len(relays) >= 3
    assert {trip["in_time"] for trip in relays} == {1}
    ledger = story.trace.ledger["hall"]
    assert ledger["truck_in_kwh"].sum() > ledger["truck_out_kwh"].sum() - 1e-9 - 60


def test_without_a_relay_the_same_work_leaves_the_row_dark_when_the_first_truck_is_empty():
    yard = {**POINT, "serves": ["house"], "berths": 3}
    board = {"synchronised": True, "serves": ["rows"], "connect_min": 20.0, "disconnect_min": 10.0, "berths": 1}
    work = {"script": [{"at_h": 10.0, "duration_h": 14.0, "on": "row-001", "notice_h": 5.0}]}
    hall = {"connection_points": {"plug": board, "yard": yard}, "planned_work": work}
    truck = {"home": "hall/yard", "rated_kwh": 60.0, "rated_kw": 120.0}
    story = play_fleet(fleet(policy="preposition", sites={"hall": hall}, trucks={"one": truck}))
    ((start, end),) = story.dark("hall/row-001")
    assert abs(start - 13 * H) <= 2
    assert end == 24 * H


def test_an_idle_truck_follows_the_spread_at_midnight():
    steep = [0.2] * 8 + [2.0] * 8 + [0.2] * 8
    use = {"charge_at_price_per_kwh": 0.3, "discharge_at_price_per_kwh": 1.0, "reserve_fraction": 0.2}
    sites = {"far": {"price_per_kwh": {"hourly": steep}, "plugged_trucks": use, **SYNCHRONISED}}
    roads = {"cost_per_km": 4.0}
    policy = {"kind": "roaming_arbitrage", "move_from_gain": 100.0}
    story = play_fleet(fleet("near", "far", policy=policy, sites=sites, roads=roads))
    (trip,) = story.table("trips")
    # 800 kWh at a spread of 1.8 earn 1,440 a day; the way costs 160, once in ten days
    assert (trip["reason"], trip["ordered_us"], trip["cost"]) == (3, 0, 160.0)
    dear = play_fleet(fleet("near", "far", policy=policy, sites=sites, roads={"cost_per_km": 400.0}))
    assert dear.table("trips") == []


def test_a_truck_queues_until_a_berth_is_free():
    struck = {"grid": {"script": [outage(10.0, duration_h=9.0)]}, "connection_points": {"plug": {"berths": 1}}}
    data = fleet(sites={"hall": struck}, trucks={"one": {}, "two": {"home": "hall"}}, policy="home")
    data["trucks"]["one"]["leases"] = [{"from_h": 1.0, "hours": 1.0, "income_per_h": 10.0}]
    data["sites"]["depot"]["connection_points"]["yard"]["berths"] = 1
    story = play_fleet(data)
    assert phases(story)[0] == (H, LENT)
    # the queue itself: both at the depot, one in service, the other returns from its lease to a taken berth
    data = fleet(policy="home", trucks={"one": {}, "two": {}})
    data["sites"]["depot"]["connection_points"]["yard"]["berths"] = 2
    assert play_fleet(data).table("trips") == []


def test_two_trucks_for_one_berth_the_second_waits_in_the_queue():
    notice = {"script": [{"at_h": 10.0, "duration_h": 6.0, "notice_h": 5.0}]}
    hall = {"grid": notice, "connection_points": {"plug": {"berths": 1, "synchronised": True}}}
    small = {"rated_kwh": 300.0, "rated_kw": 400.0}
    data = fleet(policy="relay", sites={"hall": hall}, trucks={"one": small, "two": small})
    story = play_fleet(data)
    waited = [tick for tick, phase in phases(story, "one") + phases(story, "two") if phase == QUEUEING]
    assert len(waited) == 2  # each relief stands before the taken berth
    start, end = story.dark("hall/core")[0]
    assert end - start == 40 * MIN  # while one truck is changed for the other


def test_closed_roads_hold_a_truck_until_they_open():
    regions = {
        "north": {"sites": ["hall"], "script": [{"at_h": 10.0, "duration_h": 9.0}], "roads_closed_h": 3.0}
    }  # fmt: skip
    story = play_fleet(fleet(regions=regions))
    assert phases(story)[:4] == [
        (10 * H, WAITING), (10 * H, UNPLUGGING), (10 * H + 10 * MIN, ROAD), (13 * H, TRAVELLING),
    ]  # fmt: skip
    assert story.dark("hall/core")[0] == (10 * H, 14 * H + 30 * MIN)


def test_a_truck_that_breaks_down_is_late_by_its_repair():
    struck = {"grid": {"script": [outage(10.0, duration_h=20.0)]}}
    data = fleet(sites={"hall": struck}, trucks={"one": {"breakdowns_per_1000_km": 1e9, "repair_h": 5.0}})
    story = play_fleet(data)
    assert [phase for _, phase in phases(story)[:7]] == [
        WAITING, UNPLUGGING, TRAVELLING, BROKEN, TRAVELLING, CONNECTING, PLUGGED,
    ]  # fmt: skip
    assert phases(story)[6][0] == 11 * H + 40 * MIN + 5 * H


def test_crews_take_longer_at_night_and_the_dispatcher_learns_of_an_outage_after_a_while():
    crew = {"response_min": 15.0, "night_response_min": 45.0}
    day = {"grid": {"script": [outage(10.0, duration_h=9.0), outage(25.0, duration_h=9.0)]}}
    story = play_fleet(fleet(sites={"hall": day}, fleet={"crew": crew, "detection_min": 5.0}))
    assert phases(story)[:2] == [(10 * H + 5 * MIN, WAITING), (10 * H + 20 * MIN, UNPLUGGING)]
    night = [(tick, phase) for tick, phase in phases(story) if tick >= 25 * H]
    assert night[:2] == [(25 * H + 5 * MIN, WAITING), (25 * H + 50 * MIN, UNPLUGGING)]


def test_an_outage_that_ends_before_the_crew_has_come_calls_the_truck_off():
    short = {"grid": {"script": [outage(10.0, duration_h=0.25)]}}
    story = play_fleet(fleet(sites={"hall": short}, fleet={"crew": {"response_min": 30.0}}))
    assert phases(story) == [(10 * H, WAITING), (10 * H + 15 * MIN, PLUGGED)]
    assert story.table("trips") == []


def test_service_takes_a_truck_away_and_brings_it_back_for_nothing():
    story = play_fleet(fleet(trucks={"one": {"service": {"every_h": 10.0, "duration_h": 4.0}}}))
    assert phases(story)[:3] == [(10 * H, SERVICE), (14 * H, CONNECTING), (14 * H + 30 * MIN, PLUGGED)]
    assert story.table("trips") == []


def test_a_truck_that_is_lent_earns_and_is_not_there_when_it_is_needed():
    lease = {"from_h": 8.0, "hours": 6.0, "income_per_h": 200.0, "km": 25.0}
    struck = {"grid": {"script": [outage(10.0, duration_h=3.0)]}}
    data = fleet(sites={"hall": struck}, trucks={"one": {"leases": [lease]}}, roads={"cost_per_km": 2.0})
    story = play_fleet(data)
    assert story.dark("hall/core") == [(10 * H, 13 * H)]
    (lent,) = [stay for stay in story.table("stays") if stay["site"] == -1]
    assert (lent["start_us"], lent["end_us"], lent["income"]) == (8 * H, 14 * H, 1200.0)
    (trip,) = [trip for trip in story.table("trips") if trip["reason"] == 5]
    assert (trip["destination"], trip["km"], trip["cost"]) == (-1, 50.0, 100.0)


def test_a_truck_in_transit_serves_nobody_and_loses_only_its_auxiliaries():
    struck = {"grid": {"script": [outage(10.0, duration_h=20.0)]}}
    story = play_fleet(fleet(sites={"hall": struck}, trucks={"one": {"auxiliary_kw": 6.0}}))
    assert story.truck_kwh("one", 10 * H) == pytest.approx(1000)
    assert story.truck_kwh("one", 11 * H) == pytest.approx(994)
    assert story.truck_kwh("one", 11 * H + 40 * MIN) == pytest.approx(990)
    assert story.at_site("hall", "discharge_kw", 11 * H) == 0.0
    assert story.at_site("hall", "discharge_kw", 11 * H + 40 * MIN) == pytest.approx(146)
    # a minute on: the hall's 140 kW and the truck's own 6
    assert story.truck_kwh("one", 11 * H + 41 * MIN) == pytest.approx(990 - 146 / 60)


def test_throughput_travels_with_the_truck():
    twice = {"grid": {"script": [outage(10.0, duration_h=4.0), outage(30.0, duration_h=4.0)]}}
    story = play_fleet(fleet(sites={"hall": twice}))
    stays = [stay for stay in story.table("stays") if stay["site"] == story.trace.meta["sites"].index("hall")]
    # lit from 11:40 to 14:00 at 140 kW
    assert [stay["discharged_kwh"] for stay in stays[:2]] == pytest.approx([140 * (2 + 20 / 60)] * 2)
    back = [stay for stay in story.table("stays") if stay["site"] == story.trace.meta["sites"].index("depot")]
    # at 500 kW during the changeover of 10 s, and at home for the rest
    assert stays[0]["charged_kwh"] == pytest.approx(500 * 10 / 3600)
    assert stays[0]["charged_kwh"] + back[1]["charged_kwh"] == pytest.approx(140 * (2 + 20 / 60))


def test_a_home_of_a_site_without_a_way_is_refused():
    data = fleet("near", "far")
    data["roads"]["distances_km"] = {"depot": {"near": 5.0}}
    with pytest.raises(ValueError, match=r"no way between all of depot, far, near"):
        play_fleet(data)
    with pytest.raises(ValueError, match=r"trucks.one.home: 'nowhere' is none of the sites"):
        play_fleet(merged(fleet(), {"trucks": {"one": {"home": "nowhere"}}}))
    with pytest.raises(ValueError, match=r"depot/yard has 2 berths, not more"):
        play_fleet(fleet(trucks={"a": {}, "b": {}, "c": {}}))


def test_seconds_of_a_changeover_are_the_site_s_not_the_fleet_s():
    struck = {"grid": {"script": [outage(10.0, duration_h=4.0)]}, "connection_points": {"plug": {"changeover_s": 30.0}}}
    story = play_fleet(fleet(sites={"hall": struck}))
    assert story.dark("hall/core") == [(10 * H, 11 * H + 40 * MIN), (14 * H, 14 * H + 30 * S)]


@pytest.mark.parametrize(("gensets", "moves"), [(False, True), (True, False)])
def test_optimised_weighs_an_announced_outage_by_what_the_site_s_own_cover_leaves_to_trucks(gensets, moves):
    work = {"grid": {"script": [{"at_h": 20.0, "duration_h": 2.0, "notice_h": 12.0}]}, **SYNCHRONISED}
    if gensets:
        work["protection"] = {"gensets": {**GENSETS, "fail_to_start_probability": 0.01}}
    # 160 GPUs for 2 h are worth 320; the way there and back costs 80 x 2
    story = play_fleet(fleet(policy="optimised", sites={"hall": work}, roads={"cost_per_km": 2.0}))
    assert bool(story.table("trips")) == moves


def test_optimised_gives_each_of_two_trucks_the_site_that_adds_most_together():
    struck = {"grid": {"script": [outage(10.0, duration_h=4.0)]}, **SYNCHRONISED}
    sites = {"near": {**struck, "value_per_gpu_h": 1.0}, "far": {**struck, "value_per_gpu_h": 1.2}}
    data = fleet("near", "far", policy="optimised", sites=sites, trucks={"one": {}, "two": {}}, jobs={})
    story = play_fleet(data)
    assert sorted(bound_for(story)) == ["far", "near"]


def test_announced_work_that_leaves_a_feeder_moves_nobody():
    grid = {
        "feeders": {"A": {}, "B": {}},
        "script": [{"at_h": 20.0, "duration_h": 2.0, "feeders": ["A"], "notice_h": 9.0}],
    }
    story = play_fleet(fleet(policy="preposition", sites={"hall": {"grid": grid}}, fleet={"detection_min": 5.0}))
    assert story.of("hall/grid/script-0001", "announced") == [(11 * H, 20 * H)]
    assert story.table("trips") == []


@pytest.mark.parametrize("policy", ["nearest_first", "preposition", "relay", "value_at_risk", "optimised"])
def test_no_policy_sends_two_trucks_where_one_has_the_kw(policy):
    struck = {"grid": {"script": [outage(10.0, duration_h=2.5)]}, **SYNCHRONISED}
    trucks = {"one": {}, "two": {}}
    story = play_fleet(fleet(policy=policy, sites={"hall": struck}, trucks=trucks))
    assert len([trip for trip in story.table("trips") if trip["reason"] in {1, 4}]) == 1
