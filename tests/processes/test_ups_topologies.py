"""2N with dual-corded rows, static transfer switches, battery strings, lock-out, and hands that err."""

from typing import Any

import numpy as np
import pytest
from simulation import MIN, MS, UPS, H, S, Story, all_near, hall, near, outage, play

from twin.check.carrying import check_design
from twin.scenario.model import Scenario

LOADS = ("row-001", "row-002", "core")
TWO = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 1.0}
TWO_N = {**UPS, "systems": 2}
SWITCH = {"transfer_ms": 4.0, "transfer_failure_probability": 0.0, "mtbf_h": 1e12, "by_hand_min": 30.0}
OFTEN_H = 7.0


def told(ups: dict[str, Any], *script: dict[str, Any], **site: Any) -> Story:
    return play(hall(site={"grid": {**TWO, "script": list(script)}, "protection": {"ups": ups}, **site}))


def test_two_systems_carry_the_rows_if_either_has_supply() -> None:
    """A is out for an hour: its batteries last 1,600 s at half the load, then B carries all; nobody is dark."""
    story = told(TWO_N, outage(1.0, duration_h=1.0, feeders=["A"]))
    assert [story.dark(load) for load in LOADS] == [[], [], []]
    assert near(story.at("ups-a-1", "empty")[0], H + 1600 * S)
    assert story.power("import_kw", 0) == pytest.approx(300.0 / 0.95)
    assert story.power("import_kw", H + 30 * MIN) == pytest.approx(300.0 / 0.95)


def test_both_systems_empty_together_when_both_feeders_are_out() -> None:
    story = told(TWO_N, outage(1.0, duration_h=1.0))
    for load in LOADS:
        assert all_near(story.dark(load), [(H + 1600 * S, 2 * H)])


def test_a_battery_that_fails_to_pick_up_leaves_the_load_to_the_other_system() -> None:
    """Both systems always fail on demand: a feeder alone is survived by cords, both at once by nobody."""
    failing = {**TWO_N, "fail_on_demand_probability": 1.0}
    assert told(failing, outage(1.0, duration_h=1.0, feeders=["B"])).dark("row-001") == []
    assert told(failing, outage(1.0, duration_h=1.0)).dark("row-001") == [(H, 2 * H)]


def test_servers_that_need_more_supplies_than_one_cord_feeds_drop_with_it() -> None:
    failing = {**TWO_N, "fail_on_demand_probability": 1.0}
    four_of_six = {"cluster": {"server": {"supplies": {"count": 6, "needed": 4}}}}
    story = told(failing, outage(1.0, duration_h=1.0, feeders=["B"]), **four_of_six)
    assert story.dark("row-001") == [(H, 2 * H)]
    assert story.dark("core") == []


def test_a_dead_cord_halves_the_hold_up_of_the_other() -> None:
    """12 ms on bypass supply after the other cord is dead: within 20 ms at half loading, not at full."""
    ups = {**TWO_N, "fail_on_demand_probability": 1.0}
    story = told(ups, outage(1.0, duration_h=2.0, feeders=["A"]), outage(2.0, duration_ms=12.0, feeders=["B"]))
    assert story.dark("row-001") == [(2 * H, 2 * H + 12 * MS)]
    assert story.dark("core") == []
    alone = told(ups, outage(2.0, duration_ms=12.0))
    assert alone.dark("row-001") == []


@pytest.mark.parametrize(("transfer_ms", "lives"), [(4.0, True), (20.0, True), (21.0, False)])
def test_a_static_switch_moves_its_load_within_hold_up_or_drops_it(transfer_ms: float, lives: bool) -> None:
    ups = {**TWO_N, "fail_on_demand_probability": 1.0, "transfer_switch": {**SWITCH, "transfer_ms": transfer_ms}}
    story = told(ups, outage(1.0, duration_h=1.0, feeders=["A"]))
    moved = [load for load in LOADS if story.at(load, "transferred") or story.at(load, "failed_to_transfer")]
    assert 0 < len(moved) < len(LOADS)
    for load in LOADS:
        assert story.dark(load) == ([] if lives or load not in moved else [(H, H + S)])
    if not lives:
        assert story.chain(moved[0], "lit")[-2:] == [f"{moved[0]} failed_to_transfer 1", f"{moved[0]} lit 0"]
        assert "feeder-A up 0" in story.chain(moved[0], "lit")


def test_a_switch_that_fails_to_move_waits_for_its_source_or_for_a_hand() -> None:
    switch = {**SWITCH, "transfer_failure_probability": 1.0}
    ups = {**TWO_N, "fail_on_demand_probability": 1.0, "transfer_switch": switch}
    long = told(ups, outage(1.0, duration_h=1.0, feeders=["A"]))
    short = told(ups, outage(1.0, duration_min=10.0, feeders=["A"]))
    stuck = [load for load in LOADS if long.at(load, "failed_to_transfer")]
    assert stuck
    for load in stuck:
        assert long.dark(load) == [(H, H + 30 * MIN)]
        assert short.dark(load) == [(H, H + 10 * MIN)]


def test_a_switch_moves_its_whole_load_to_the_other_system() -> None:
    """Each system carries the loads that hang on it; after the move B gives all 300 kW for 800 s."""
    ups = {**TWO_N, "transfer_switch": SWITCH, "fail_on_demand_probability": 0.0}
    story = told(ups, outage(1.0, duration_h=1.0, feeders=["A"]), outage(1.9, duration_h=0.5, feeders=["B"]))
    assert [story.dark(load) for load in LOADS] == [[], [], []]
    assert len(story.at("ups-a-1", "empty")) == 1
    assert story.power("import_kw", H + 55 * MIN) == 0.0
    assert near(story.at("ups-b-1", "empty")[0], H + 54 * MIN + 800 * S)
    assert story.power("import_kw", 2 * H + 8 * MIN) > 300.0


def test_a_switch_s_own_failure_darkens_its_load() -> None:
    ups = {**TWO_N, "transfer_switch": {**SWITCH, "mtbf_h": OFTEN_H, "mttr_h": 0.5}}
    story = told(ups)
    events = story.of("row-001/switch", "up")
    downs, ups_again = [t for t, up in events if not up], [t for t, up in events if up]
    assert downs
    assert story.dark("row-001") == list(zip(downs, [*ups_again, 24 * H], strict=False))
    assert story.chain("row-001", "lit") == ["row-001/switch up 0", "row-001 lit 0"]


def test_a_failed_string_takes_its_kw_and_its_minutes() -> None:
    """Four strings where three give 500 kW: with one out 50 kWh are left, 600 s at 300 kW; with two out 333 kW."""
    ups = {**UPS, "strings": {"n": 3, "r": 1, "mtbf_h": 1e12}}
    whole = told(ups, outage(1.0, duration_h=1.0))
    assert all_near(whole.dark("row-001"), [(H + 800 * S, 2 * H)])
    shock = {"flood": {"per_year": 8760.0 * 100.0, "strikes": {"ups-1/string-4": 1.0}}}
    ups = {**UPS, "strings": {"n": 3, "r": 1, "mtbf_h": 1e12, "mttr_h": 1e6}}
    one_out = told(ups, outage(1.0, duration_h=1.0), shocks=shock)
    (span,) = one_out.dark("row-001")
    assert near(span[0], H + 600 * S)
    both = {"flood": {"per_year": 8760.0 * 100.0, "strikes": {"ups-1/string-[34]": 1.0}}}
    assert near(told(ups, outage(1.0, duration_h=1.0), shocks=both).dark("row-001")[0][0], H + 400 * S)
    three = {"flood": {"per_year": 8760.0 * 100.0, "strikes": {"ups-1/string-[234]": 1.0}}}
    story = told(ups, outage(1.0, duration_h=1.0), shocks=three)
    assert story.dark("row-001") == [(H, 2 * H)], "167 kW of one string cannot carry 300"


def dips(count: int, every_s: float = 10.0) -> list[dict[str, Any]]:
    return [outage(1.0 + k * every_s / 3600.0, duration_s=1.0) for k in range(count)]


def test_a_block_locks_out_after_its_transfers_and_stays_on_battery_till_returned() -> None:
    """Three dips within a minute: from the third on the battery carries 300 kW, and is empty after about 800 s."""
    lock = {"transfers": 3, "within_s": 60.0, "manual_return_h": 0.1}
    story = told({**UPS, "lock_out": lock}, *dips(3))
    third = H + 20 * S
    assert story.of("ups-1", "locked_out") == [(third, 1), (third + 360 * S, 0)]
    assert story.dark("row-001") == []
    assert story.stored_kwh("ups-1/battery", third + 360 * S) == pytest.approx(
        400 / 6 - 300 * (360 + 2) / 3600, rel=2e-2
    )
    late = told({**UPS, "lock_out": {**lock, "manual_return_h": 0.5}}, *dips(3))
    (span,) = late.dark("row-001")
    assert abs(span[0] - (third + 800 * S)) < 10 * S
    assert near(span[1], third + 1800 * S)
    assert late.chain("ups-1", "empty", 1)[-2:] == ["ups-1 picked_up 1", "ups-1 empty 1"]


def test_dips_further_apart_than_the_window_lock_nothing_out() -> None:
    lock = {"transfers": 3, "within_s": 60.0}
    assert told({**UPS, "lock_out": lock}, *dips(5, every_s=31.0)).of("ups-1", "locked_out") == []


def test_a_block_that_locks_out_to_bypass_is_exposed() -> None:
    lock = {"transfers": 2, "within_s": 60.0, "stays_on": "bypass", "manual_return_h": 1.0}
    story = told({**UPS, "lock_out": lock}, *dips(2), outage(1.5, duration_s=1.0), outage(2.5, duration_s=1.0))
    assert story.of("ups-1", "bypass") == [(H + 10 * S, 1), (2 * H + 10 * S, 0)]
    assert story.dark("row-001") == [(H + 30 * MIN, H + 30 * MIN + S)]


def test_a_hand_that_errs_darkens_what_it_switches() -> None:
    ups = {**UPS, "block_mtbf_h": 5.0, "block_mttr_h": 2.0, "bypass_by_hand_h": 0.5}
    sure = told(ups)
    errs = told(ups, human_error={"probability_per_operation": 1.0, "dark_min": 20.0})
    assert [end - start for start, end in sure.dark("row-001")[:-1]] == [30 * MIN] * (len(sure.dark("row-001")) - 1)
    spans = np.array(errs.dark("row-001")[:-1])
    assert spans.size
    assert (np.diff(spans) == 50 * MIN).all()
    assert errs.chain("switching", "human_error", 20 * MIN) == ["ups-1 up 0", "switching human_error 1200000000"]


def test_rows_behind_static_switches_outlive_a_feeder_and_not_both() -> None:
    """Raw rows: 4 ms from one section to the other; the core, on both, waits for no tie."""
    script = [outage(1.0, duration_h=1.0, feeders=["A"]), outage(5.0, duration_min=10.0)]
    site = {"grid": {**TWO, "script": script}, "cluster": {"transfer_switch": SWITCH}}
    story = play(hall(site=site))
    for row in ("row-001", "row-002"):
        assert story.dark(row) == [(5 * H, 5 * H + 10 * MIN)]
    assert sum(len(story.at(row, "transferred")) for row in ("row-001", "row-002")) == 1
    with pytest.raises(ValueError, match="nothing to switch between"):
        play(hall(site={"cluster": {"transfer_switch": SWITCH}}))


@pytest.mark.parametrize(("rated_kw", "warned"), [(74.0, True), (76.0, False)])
def test_check_warns_where_one_system_of_two_cannot_carry_all(rated_kw: float, warned: bool) -> None:
    """300 kW on two systems of four modules: 150 kW each, all of it on one when the other is dead."""
    ups = {**TWO_N, "modules": {"n": 4, "r": 0, "rated_kw": rated_kw}}
    scenario = Scenario.model_validate(hall(site={"protection": {"ups": ups}}))
    found = " ".join(check_design("base", scenario).warnings)
    assert ("one system of two cannot carry all" in found) == warned
