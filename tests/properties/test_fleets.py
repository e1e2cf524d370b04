"""Fleets: energy closes over sites and roads, looking more often changes nothing, nobody's luck moves."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, COOLING, GENSETS, UPS, H, simulator
from strategies import scripts
from test_instants import Shuffle, outcome
from trucking import FleetStory, fleet, play_fleet

from twin.world.site import LOAD, SUPPLY, UNITS, Site
from twin.world.world import Process, World

PRICES = [*[0.3] * 8, *[1.0] * 4, *[0.6] * 6, *[1.2] * 4, *[0.3] * 2]
POLICIES = ("home", "nearest_first", "value_at_risk", "preposition", "relay", "roaming_arbitrage", "optimised")


@st.composite
def halls(draw: st.DrawFn) -> dict[str, Any]:
    """A hall with a connection point, some luck, perhaps storage of its own, prices, a peak, work on a row."""
    point = {
        "synchronised": draw(st.booleans()), "transfer_ms": draw(st.sampled_from([5.0, 50.0])),
        "changeover_s": draw(st.sampled_from([0.0, 10.0])), "berths": draw(st.integers(1, 2)),
        "limit_kw": draw(st.sampled_from([150.0, 1000.0])), "connect_min": draw(st.sampled_from([0.0, 30.0])),
        "disconnect_min": draw(st.sampled_from([0.0, 10.0])),
        "serves": draw(st.sampled_from([["core"], ["rows", "core"], ["rows", "core", "house"], ["row-002"]])),
    }  # fmt: skip
    site: dict[str, Any] = {
        "connection_points": {"plug": point}, "grid": {"script": draw(scripts(["A"], most=4))},
        "price_per_kwh": {"hourly": PRICES}, "house_load_kw": 30.0,
    }  # fmt: skip
    if draw(st.booleans()):
        site["house_load_profile"] = {"hourly": [0.2] * 12 + [1.0] * 3 + [0.2] * 9}
    if draw(st.booleans()):
        use = {"charge_at_price_per_kwh": 0.3, "discharge_at_price_per_kwh": 1.0}
        site["plugged_trucks"] = {**use, "reserve_fraction": draw(st.sampled_from([0.0, 0.5]))}
    if draw(st.booleans()):
        site["grid"]["import_limit_kw"] = draw(st.sampled_from([150.0, 260.0]))
    own = draw(st.sampled_from(["none", "none", "ups", "cabinets", "gensets"]))
    if own == "ups":
        site["protection"] = {"ups": {**UPS, "serves": draw(st.sampled_from([["core"], ["rows", "core"]]))}}
    elif own == "cabinets":
        site["protection"] = {"cabinets": {**CABINETS, "auxiliary_kw": 2.0}}
    elif own == "gensets":
        site["protection"] = {"gensets": GENSETS}
    if draw(st.booleans()):
        site["cooling"] = COOLING
    site["cluster"] = {"corded": draw(st.sampled_from(["single", "dual"]))}
    if draw(st.booleans()):
        site["cluster"]["on_backup"] = {"cap_after_s": draw(st.sampled_from([0.0, 60.0]))}
    if draw(st.booleans()):
        site["planned_work"] = {"script": [{"at_h": 12.0, "duration_h": 3.0, "on": "row-002", "notice_h": 6.0}]}
        if own == "ups":
            del site["planned_work"]
    return site


def job(site: str) -> dict[str, Any]:
    return {
        "kind": "gang", "site": site, "gpus": 160, "hardware": {"per_1000_server_days": 300.0},
        "restart_after_power_loss_h": {"core_kept": 0.25, "core_lost": 0.5},
    }  # fmt: skip


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """Two halls, two or three trucks, any policy."""
    policy: dict[str, Any] = {"kind": draw(st.sampled_from(POLICIES))}
    if policy["kind"] == "optimised":
        policy["trades"] = draw(st.booleans())
    truck = {
        "auxiliary_kw": draw(st.sampled_from([0.0, 3.0])), "efficiency_one_way": draw(st.sampled_from([1.0, 0.9])),
        "rated_kwh": draw(st.sampled_from([120.0, 1000.0])), "repair_h": 2.0,
        "breakdowns_per_1000_km": draw(st.sampled_from([0.0, 8.0])),
    }  # fmt: skip
    trucks: dict[str, Any] = {"one": truck, "two": {**truck, "soc_start_fraction": 0.3}}
    if draw(st.booleans()):
        trucks["three"] = {
            "generator": True, "rated_kwh": None, "soc_min_fraction": 0.0, "home": "far", "rated_kw": 200.0,
        }  # fmt: skip
    if draw(st.booleans()):
        trucks["one"]["service"] = {"every_h": 9.0, "duration_h": 2.0}
    if draw(st.booleans()):
        trucks["two"]["leases"] = [{"from_h": 5.0, "hours": 7.0, "income_per_h": 50.0, "km": 10.0}]
    sites = {"near": draw(halls()), "far": draw(halls())}
    jobs = {f"job-{name}": job(name) for name in sites} if draw(st.booleans()) else {}
    detection = draw(st.sampled_from([0.0, 5.0]))
    return fleet(
        "near", "far", policy=policy, sites=sites, trucks=trucks, seed=draw(st.integers(0, 1000)),
        horizon={"start": "2026-01-31", "hours": 36.0}, fleet={"detection_min": detection}, jobs=jobs,
        roads={"distances_km": {"depot": {"near": 10.0, "far": 40.0}}, "cost_per_km": 3.0},
    )  # fmt: skip


SUPPLY_ROWS = ("import_kwh", "genset_kwh", "hold_up_kwh", "discharge_kwh")
USE_ROWS = ("it_kwh", "cooling_kwh", "house_kwh", "loss_kwh", "auxiliary_kwh", "charge_kwh")


@settings(max_examples=60, deadline=None)
@given(fleets())
def test_every_site_s_energy_closes_and_nothing_is_exported(data: dict[str, Any]) -> None:
    story = play_fleet(data)
    for site, ledger in story.trace.ledger.items():
        supply = np.sum([ledger[name] for name in SUPPLY_ROWS], axis=0)
        use = np.sum([ledger[name] for name in USE_ROWS], axis=0)
        np.testing.assert_allclose(supply, use, rtol=1e-11)
        assert (ledger["clamped_kwh"] < 1e-9).all()
        change = ledger["stored_end_kwh"] - ledger["stored_start_kwh"]
        flow = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
        flow += ledger["truck_in_kwh"] - ledger["truck_out_kwh"]
        np.testing.assert_allclose(change, flow, rtol=0, atol=1e-9)
        assert story.trace.series[site]["import_kw"].min() >= -1e-9


@settings(max_examples=60, deadline=None)
@given(fleets())
def test_a_truck_s_energy_is_what_its_sites_gave_and_took_less_its_auxiliaries_on_the_way(data: dict[str, Any]) -> None:
    story = play_fleet(data)
    for name, spec in data["trucks"].items():
        if spec.get("generator"):
            continue
        item = story._id(f"trucks/{name}")
        own = [stay for stay in story.table("stays") if stay["item"] == item]
        own.sort(key=lambda stay: (stay["start_us"], stay["end_us"]))
        one_way = spec["efficiency_one_way"]
        for stay in own:
            if stay["site"] >= 0:
                gain = stay["charged_kwh"] * one_way - stay["discharged_kwh"] / one_way
                assert stay["end_kwh"] - stay["start_kwh"] == pytest.approx(gain, abs=1e-9)
        for before, after in pairwise(own):
            hours = (after["start_us"] - before["end_us"]) / H
            floor = min(before["end_kwh"], spec["soc_min_fraction"] * spec["rated_kwh"])
            lost = before["end_kwh"] - after["start_kwh"]
            expected = min(spec["auxiliary_kw"] * hours, before["end_kwh"] - floor)
            assert lost == pytest.approx(expected, abs=1e-9)
            middle = (before["end_us"] + after["start_us"]) // 2
            half = max(floor, before["end_kwh"] - spec["auxiliary_kw"] * hours / 2)
            assert story.truck_kwh(name, middle) == pytest.approx(half, abs=1e-5)
        for point in np.concatenate(
            [table["energy_kwh"][table["item"] == item] for table in story.trace.units.values()]
        ):
            assert -1e-9 <= point <= spec["rated_kwh"] + 1e-9


class Onlookers:
    """Settles every site, or asks for reactions and for decisions, at given ticks, and changes nothing."""

    def __init__(self, ticks: list[int], concerns: int) -> None:
        self._ticks, self._concerns = sorted(set(ticks)), concerns

    def declare(self, site: Any) -> None:
        """Nothing."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process looks at every tick."""

        def run() -> Process:
            for tick in self._ticks:
                if tick > world.now:
                    yield world.sleep(tick - world.now)
                for one in world.sites:
                    one.settle()
                    if self._concerns:
                        one.ask(self._concerns)  # type: ignore[attr-defined]

        world.start(run())


TICKS = st.lists(st.one_of(st.integers(0, 36 * H - 1), st.integers(0, 35).map(lambda hour: hour * H)), max_size=30)


@settings(max_examples=60, deadline=None)
@given(fleets(), TICKS, st.sampled_from([0, LOAD, UNITS, SUPPLY, LOAD | UNITS | SUPPLY]))
def test_looking_more_often_leaves_every_event_on_its_tick(
    data: dict[str, Any], ticks: list[int], concerns: int
) -> None:
    calm = FleetStory(simulator(data).run(0, "ledger"))
    watched = FleetStory(simulator(data, Onlookers(ticks, concerns)).run(0, "ledger"))
    for name, column in calm.trace.events.items():
        np.testing.assert_array_equal(column, watched.trace.events[name], err_msg=name)
    for site, ledger in calm.trace.ledger.items():
        for name, column in ledger.items():
            np.testing.assert_allclose(column, watched.trace.ledger[site][name], rtol=1e-10, atol=1e-8, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(fleets(), st.integers(0, 1000))
def test_the_order_of_simultaneous_events_changes_no_truck_and_no_light(data: dict[str, Any], seed: int) -> None:
    calm, mixed = play_fleet(data), FleetStory(simulator(data, first=[Shuffle(seed)]).run(0, "units"))
    assert outcome(calm) == outcome(mixed)
    for name in ("trips", "stays"):
        one, two = (sorted(map(repr, story.table(name))) for story in (calm, mixed))
        assert len(one) == len(two)
    for item in data["trucks"]:
        ticks = np.linspace(0, 36 * H - 1, 50).astype(np.int64)
        levels = [[story.truck_kwh(item, int(tick)) for tick in ticks] for story in (calm, mixed)]
        np.testing.assert_allclose(levels[0], levels[1], atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(fleets())
def test_the_order_of_yaml_entries_changes_nothing(data: dict[str, Any]) -> None:
    turned = dict(data)
    for key in ("sites", "trucks"):
        turned[key] = dict(reversed(list(data[key].items())))
    one, two = play_fleet(data), play_fleet(turned)
    for name, column in one.trace.events.items():
        np.testing.assert_array_equal(column, two.trace.events[name], err_msg=name)


def luck(story: FleetStory, *items: str) -> list[tuple[int, int, int]]:
    """What happened to some items: tick, fact, value."""
    events, rows = story.trace.events, {story._id(item) for item in items}
    return [
        (int(events["time_us"][k]), int(events["what"][k]), int(events["value"][k]))
        for k in range(events["time_us"].size)
        if int(events["item"][k]) in rows
    ]


def test_one_more_truck_moves_nobody_s_luck():
    grid = {"feeders": {"A": {"sustained": {"per_year": 300.0, "duration_h": {"law": "exponential", "mean": 3.0}}}}}
    roads = {"speed_kmh": {"law": "uniform", "low": 25.0, "high": 55.0}}
    halls_ = {"near": {"grid": grid}, "far": {"grid": grid}}
    stays = {"home": "near", "breakdowns_per_1000_km": 3.0}
    trucks = {"one": {"breakdowns_per_1000_km": 3.0}}
    common = {"sites": halls_, "roads": roads, "horizon": {"hours": 2000.0}}
    alone = play_fleet(fleet("near", "far", trucks=trucks, **common), level="ledger")
    joined = play_fleet(
        fleet("near", "far", trucks={**trucks, "idler": {**stays, "rated_kw": 1e-3}}, **common), level="ledger"
    )
    sources = ("near/grid/A/sustained", "far/grid/A/sustained", "near/feeder-A", "far/feeder-A")
    assert luck(alone, *sources) == luck(joined, *sources)
    # a trip's speed and breakdown are the truck's own, by the number of its trip
    one, two = (
        alone.table("trips"),
        [trip for trip in joined.table("trips") if trip["item"] == joined._id("trucks/one")],
    )
    drive = [
        [trip["arrive_us"] - trip["depart_us"] for trip in trips if trip["arrive_us"] >= 0] for trips in (one, two)
    ]
    assert len(drive[0]) > 20
    count = min(len(trips) for trips in drive)
    same = sum(a == b for a, b in zip(drive[0][:count], drive[1][:count], strict=True))
    assert same == count
