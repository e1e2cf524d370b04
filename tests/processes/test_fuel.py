"""The gensets' tank: burn by hand to the second, deliveries, sets that trip when they take load."""

import pytest
from simulation import GENSETS, MIN, UPS, H, S, all_near, hall, near, outage, play

from twin.units import ticks


def story(hours: float, fuel: dict | None, **changes: object):
    gensets = {**GENSETS, "start_s": 15.0, "all_load_s": 15.0, **({"fuel": fuel} if fuel else {}), **changes}
    site = {
        "cluster": {"server": {"idle_kw": 10.0, "capped_kw": 10.0, "boot_kw": 10.0}},
        "grid": {"script": [outage(1.0, duration_h=hours)]}, "protection": {"ups": UPS, "gensets": gensets},
    }  # fmt: skip
    return play(hall(site=site))


LOAD_KW = 300.0 / 0.95
"""Whatever the job does: servers that always draw 10 kW."""


def test_the_sets_stop_when_the_tank_is_empty_and_the_ups_then_carries_its_minutes() -> None:
    """A litre a kWh: 3 hours' worth of fuel, nobody brings more in time; the battery of the UPS then carries 800 s."""
    told = story(6.0, {"tank_l": 3.0 * LOAD_KW, "per_kwh_l": 1.0, "delivery_after_h": 20.0})
    dry = H + 15 * S + 3 * H
    assert near(told.at("gensets", "empty")[0], dry)
    (span,) = told.dark("row-001")
    assert near(span[0], dry + 800 * S) or span[0] < dry + 800 * S  # what the battery gave before the start is not back
    assert span[1] == 7 * H
    assert told.chain("row-001", "lit")[-3:] == ["ups-1 picked_up 1", "ups-1 empty 1", "row-001 lit 0"]
    assert told.chain("gensets", "empty", 1)[0] == "grid/script-0001 strikes 21600000000"
    assert told.ledger["genset_kwh"][0] == pytest.approx(3.0 * LOAD_KW, rel=1e-9)


def test_no_load_burn_counts_each_running_set() -> None:
    """30 l/h of the set itself and 0.1 l a kWh: 61.58 l/h, 2 h of them in the tank."""
    per_h = 30.0 + 0.1 * LOAD_KW
    told = story(6.0, {"tank_l": 2.0 * per_h, "per_kwh_l": 0.1, "no_load_l_per_h": 30.0, "delivery_after_h": 20.0})
    assert near(told.at("gensets", "empty")[0], H + 15 * S + 2 * H)


def test_a_delivery_in_time_carries_on_and_a_late_one_starts_the_plant_again() -> None:
    fuel = {"tank_l": 2.0 * LOAD_KW, "per_kwh_l": 1.0}
    kept = story(3.5, {**fuel, "delivery_after_h": 1.5})
    assert kept.at("gensets", "ordered")[0] == H + 3 * S
    assert kept.at("gensets", "delivered")[0] == H + 3 * S + ticks(1.5)
    assert kept.dark("core") == []
    late = story(5.0, {**fuel, "delivery_after_h": 3.0})
    come = H + 3 * S + 3 * H
    (span,) = late.dark("core")
    assert near(span[1], come + 15 * S)
    assert late.of("gensets", "online")[:3] == [(H + 15 * S, 1), (late.at("gensets", "empty")[0], 0), (span[1], 1)]


def test_a_delivery_brings_what_it_brings() -> None:
    """One hour in the tank, half an hour's worth on the lorry, which comes just after the tank is empty."""
    told = story(4.0, {"tank_l": LOAD_KW, "per_kwh_l": 1.0, "delivery_after_h": 1.5, "delivery_l": LOAD_KW / 2.0})
    first, second = told.at("gensets", "empty")[:2]
    assert near(first, H + 15 * S + H)
    assert near(second, H + 3 * S + ticks(1.5) + 15 * S + 30 * MIN)


def test_a_set_that_fails_to_load_trips_in_its_turn() -> None:
    told = story(1.0, None, fail_to_load_probability=1.0)
    assert told.at("gensets/genset-01", "failed_to_load") == [H + 15 * S]
    assert told.of("gensets", "online") == []
    assert all_near(told.dark("row-001"), [(H + 800 * S, 2 * H)])
