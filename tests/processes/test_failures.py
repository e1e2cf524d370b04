"""The failure model that all parts embed: common causes, crews, spare parts, hidden failures, to the microsecond."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, GENSETS, NETWORK, UPS, H, Story, hall, merged, outage, play

from twin.errors import InputError, InternalError
from twin.parts.failures import DormantSpec, FailuresSpec, failing
from twin.world.family import Family
from twin.world.site import Site
from twin.world.world import World

LIVES = {"law": "scripted", "values": [2.0]}
"""Every cabinet fails at 2 h, once."""


def cabinets(failures: Any, **changes: Any) -> dict[str, Any]:
    return {"protection": {"cabinets": {**CABINETS, "core": 0, "failures": failures, **changes}}}


def down_h(story: Story, item: str) -> list[tuple[float, float]]:
    flips = [tick / H for tick, _ in story.of(item, "up")]
    return list(zip(flips[::2], flips[1::2], strict=True))


ROW_CABINETS = ("row-001/cabinet-01", "row-002/cabinet-01")


def test_one_crew_repairs_one_after_the_other_and_travels_each_time():
    failures = {"life_h": LIVES, "repair_h": 3.0, "crew": "field"}
    data = hall(site=cabinets(failures), crews={"field": {"count": 1, "travel_h": 1.0}})
    story = play(data)
    assert down_h(story, ROW_CABINETS[0]) == [(2.0, 6.0)]
    assert down_h(story, ROW_CABINETS[1]) == [(2.0, 10.0)]
    assert story.at(ROW_CABINETS[1], "attended") == [7 * H]
    assert story.chain(ROW_CABINETS[1], "up", 1) == [
        "row-002/cabinet-01 up 0", "row-002/cabinet-01 attended 1", "row-002/cabinet-01 up 1",
    ]  # fmt: skip


def test_two_crews_repair_both_at_once():
    failures = {"life_h": LIVES, "repair_h": 3.0, "crew": "field"}
    story = play(hall(site=cabinets(failures), crews={"field": {"count": 2}}))
    assert down_h(story, ROW_CABINETS[0]) == down_h(story, ROW_CABINETS[1]) == [(2.0, 5.0)]


def test_who_has_priority_is_repaired_first():
    """Modules and cabinets fail in one instant; the crew goes to the modules first, though their names come later."""
    modules = {**UPS["modules"], "n": 1, "r": 1, "failures": {"life_h": LIVES, "repair_h": 3.0, "crew": "field"}}
    site = cabinets({"life_h": LIVES, "repair_h": 3.0, "crew": "field", "priority": 2}, per_row=1)
    site["protection"]["ups"] = {**UPS, "modules": modules, "serves": ["core"]}
    story = play(hall(site=site, crews={"field": {"count": 1}}))
    assert [down_h(story, f"ups-1/module-{k}")[0][1] for k in (1, 2)] == [5.0, 8.0]
    assert [down_h(story, name)[0][1] for name in ROW_CABINETS] == [11.0, 14.0]


def test_the_second_repair_waits_for_its_spare_part():
    failures = {"life_h": LIVES, "repair_h": 3.0, "spare": "cabinet"}
    story = play(hall(site=cabinets(failures), spares={"cabinet": {"count": 1, "restock_h": 10.0}}))
    assert down_h(story, ROW_CABINETS[0]) == [(2.0, 5.0)]
    assert down_h(story, ROW_CABINETS[1]) == [(2.0, 15.0)]


@pytest.mark.parametrize(
    ("dormant", "found_h", "how"),
    [
        ({"test_every_h": 5.0}, 5.0, 1),
        ({"test_every_h": 7.0}, 6.0, 2),
        ({"found_by_need": True}, 6.0, 2),
        ({"test_every_h": 7.0, "found_by_need": False}, 7.0, 1),
    ],
)
def test_a_hidden_failure_is_found_by_test_or_by_need(dormant: Any, found_h: float, how: int):
    """An outage at 6 h needs the cabinets; their failure at 2 h has been hidden until then."""
    failures = {"life_h": LIVES, "repair_h": 3.0, "dormant": dormant}
    site = merged(cabinets(failures), {"grid": {"script": [outage(6.0, duration_s=60.0)]}})
    story = play(hall(site=site))
    assert down_h(story, ROW_CABINETS[0]) == [(2.0, found_h + 3.0)]
    assert story.of(ROW_CABINETS[0], "found") == [(round(found_h * H), how)]
    assert len(story.dark("row-001")) == 1


def test_tests_that_are_staggered_find_each_item_at_a_time_of_its_own():
    failures = {"life_h": LIVES, "repair_h": 3.0, "dormant": {"test_every_h": 4.0, "staggered": True}}
    story = play(hall(site=cabinets(failures)))
    found = [story.at(name, "found")[0] for name in ROW_CABINETS]
    assert len(set(found)) == 2
    assert all(2 * H < tick <= 6 * H for tick in found)


def test_a_common_cause_strikes_all_cabinets_of_one_load_and_nobody_else():
    failures = {"life_h": {"law": "exponential", "mean": 40.0}, "common_cause_fraction": 0.9}
    data = hall(site=cabinets(failures, per_row=3, cabinet_mttr_h=0.5), horizon={"hours": 8760.0})
    story = play(data, level="ledger")
    for row in ("row-001", "row-002"):
        strikes = [tick for tick, value in story.of(f"{row}/common_cause", "strikes") if value == 3]
        assert len(strikes) > 100
        for k in (1, 2, 3):
            name = f"{row}/cabinet-0{k}"
            down = {tick for tick, value in story.of(name, "up") if value == 0}
            alone = down - set(strikes)
            assert 5 < len(alone) < 60
            flips = story.of(name, "up")
            for tick in strikes:
                state = [value for at, value in flips if at <= tick]
                assert state[-1] == 0  # struck, or down before
    assert not set(story.at("row-001/common_cause", "strikes")) & set(story.at("row-002/common_cause", "strikes"))
    assert story.chain("row-001/cabinet-03", "up", 0, 0)[-2:] in (
        ["row-001/common_cause strikes 3", "row-001/cabinet-03 up 0"], ["row-001/cabinet-03 up 0"],
    )  # fmt: skip


@pytest.mark.parametrize("what", ["switches", "strings"])
def test_a_common_cause_strikes_all_switches_and_the_strings_of_one_block(what: str):
    """A rate of 0.1 per hour, nine tenths of it common: 197 strikes on each group in 2,190 h."""
    failures = {"life_h": {"law": "exponential", "mean": 10.0}, "repair_h": 0.5, "common_cause_fraction": 0.9}
    ups: dict[str, Any] = {**UPS, "systems": 2}
    if what == "switches":
        ups["transfer_switch"] = {"failures": failures}
        groups = {"ups/transfer_switches/common_cause": ["row-001/switch", "row-002/switch", "core/switch"]}
    else:
        ups["strings"] = {"n": 2, "failures": failures}
        groups = {f"{b}/strings/common_cause": [f"{b}/string-1", f"{b}/string-2"] for b in ("ups-a-1", "ups-b-1")}
    site = {"grid": {"feeders": {"A": {}, "B": {}}}, "protection": {"ups": ups}}
    story = play(hall(site=site, jobs={}, horizon={"hours": 2190.0}), level="ledger")
    for common, members in groups.items():
        strikes = story.at(common, "strikes")
        assert abs(len(strikes) - 197) < 4 * 197**0.5
        for name in members:
            flips = story.of(name, "up")
            assert all([value for at, value in flips if at <= tick][-1] == 0 for tick in strikes)
    if what == "strings":
        one, two = (set(story.at(common, "strikes")) for common in groups)
        assert not one & two


def test_a_hidden_failure_of_what_darkens_its_load_at_once_is_refused():
    ups = {**UPS, "systems": 2, "transfer_switch": {"failures": {"dormant": {}}}}
    piece = {"failures_per_year": 1.0, "mttr_h": 3.0, "dormant": {"test_every_h": 5.0}}
    network = {**NETWORK, "failures": {"row_transformers": piece}}
    for site in ({"grid": {"feeders": {"A": {}, "B": {}}}, "protection": {"ups": ups}}, {"network": network}):
        with pytest.raises(ValidationError, match="darkens a load at once"):
            play(hall(site=site))


def test_a_family_whose_hidden_failures_nothing_finds_is_refused():
    """A part that gives neither a need nor a test would lose its items for good."""

    class Forgetful:
        def declare(self, site: Any) -> None:
            """Nothing of its own."""

        def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
            model = failing(FailuresSpec(dormant=DormantSpec()), 5.0, 1.0)
            Family(world, site, ["hall/core"], [ids["hall/core"]], model, lambda flipped, up, cause: cause)

    with pytest.raises(InternalError, match="ever find"):
        play(hall(), Forgetful())


def test_a_beta_of_nothing_and_a_block_of_nothing_change_nothing():
    plain = {"cabinet_mtbf_h": 30.0, "cabinet_mttr_h": 3.0}
    horizon = {"hours": 2000.0}
    before = play(hall(site=cabinets(None, **plain), horizon=horizon), level="ledger").trace
    same = {"life_h": {"law": "exponential", "mean": 30.0}, "repair_h": 3.0}
    for failures in ({}, same):
        after = play(hall(site=cabinets(failures, **plain), horizon=horizon), level="ledger").trace
        for name, column in before.events.items():
            np.testing.assert_array_equal(after.events[name], column)


def test_a_crew_that_is_never_waited_for_changes_no_flip():
    plain = {"cabinet_mtbf_h": 30.0, "cabinet_mttr_h": {"law": "exponential", "mean": 3.0}}
    data = hall(site=cabinets(None, **plain), horizon={"hours": 2000.0})
    crewed = hall(site=cabinets({"crew": "field"}, **plain), horizon={"hours": 2000.0}, crews={"field": {"count": 99}})
    for name in ROW_CABINETS:
        assert play(data, level="ledger").of(name, "up") == play(crewed, level="ledger").of(name, "up")


def test_a_shock_strikes_each_listed_item_with_its_probability():
    """About 2,000 shocks, each strikes rows' cabinets with 0.3 and 1; the probabilities hold, the draws differ."""
    site = cabinets(None, cabinet_mttr_h=0.001)
    site["shocks"] = {"flood": {"per_year": 1000.0, "strikes": {"row-001/*": 0.3, "row-002/cabinet-*": 1.0}}}
    story = play(hall(site=site, horizon={"hours": 2 * 8760.0}), level="ledger")
    strikes = [tick for tick, _ in story.of("shocks/flood", "strikes")]
    assert abs(len(strikes) - 2000) < 3 * 2000**0.5
    sometimes, always = (story.at(name, "up")[::2] for name in ROW_CABINETS)
    assert set(sometimes) <= set(strikes)
    assert abs(len(sometimes) / len(strikes) - 0.3) < 3 * (0.21 / len(strikes)) ** 0.5
    assert len(always) / len(strikes) > 0.99
    assert story.chain("row-002/cabinet-01", "up", 0)[0].startswith("shocks/flood strikes")


def test_a_shock_in_summer_only_comes_in_summer():
    site = cabinets(None)
    season = {"winter": 0.0, "spring": 0.0, "autumn": 0.0}
    site["shocks"] = {"flood": {"per_year": 100.0, "season": season, "strikes": {"row-00?/*": 1.0}}}
    story = play(hall(site=site, horizon={"hours": 8760.0}), level="ledger")
    months = {int(tick / H // 730.0) for tick in story.at("shocks/flood", "strikes")}
    assert months == {5, 6, 7}


def test_a_shock_that_strikes_nobody_is_refused_with_names_that_can_be_struck():
    site = cabinets(None)
    site["shocks"] = {"flood": {"per_year": 1.0, "strikes": {"row-003/*": 1.0}}}
    with pytest.raises(InputError, match=r"'row-003/\*' matches no item .* row-001/cabinet-01"):
        play(hall(site=site))


CONFIRM_H = 3.0 / 3600.0
"""A loss of that length is confirmed, and the sets are told to start."""


def standing_gensets(**standby: Any) -> dict[str, Any]:
    """Two sets that both fail at 2 h, one outage of 90 min at 6 h."""
    gensets = {**GENSETS, "n": 2, "mttr_h": 3.0, "standby_failures": {"life_h": LIVES, **standby}}
    return {"protection": {"gensets": gensets}, "grid": {"script": [outage(6.0, duration_s=5400.0)]}}


@pytest.mark.parametrize(
    ("test_every_h", "found_h", "online"), [(5.0, 5.0, []), (2.5, 2.5, [1, 2, 0]), (7.0, 6.0 + CONFIRM_H, [])]
)
def test_sets_that_fail_standing_are_found_by_test_runs_or_when_they_are_called(
    test_every_h: float, found_h: float, online: list[int]
):
    story = play(hall(site=standing_gensets(dormant={"test_every_h": test_every_h})))
    for k in (1, 2):
        assert down_h(story, f"gensets/genset-0{k}") == [(2.0, found_h + 3.0)]
    assert [value for _, value in story.of("gensets", "online")] == online


def test_a_dip_too_short_to_call_the_gensets_finds_no_hidden_failure():
    site = standing_gensets(dormant={})
    site["grid"]["script"] = [outage(k + 0.5, duration_ms=500.0) for k in range(12)] + [outage(20.0, duration_h=1.0)]
    story = play(hall(site=site))
    assert story.of("gensets/genset-01", "found") == [(round((20.0 + CONFIRM_H) * H), 2)]


def test_a_running_set_that_a_shock_strikes_is_lost_and_the_plant_goes_on_with_the_other():
    site = standing_gensets()
    site["protection"]["gensets"]["standby_failures"]["life_h"] = {"law": "scripted", "values": [1e9]}
    site["grid"]["script"] = [outage(0.001, duration_s=23 * 3600.0)]
    site["shocks"] = {"leak": {"per_year": 8760.0, "strikes": {"gensets/genset-01": 1.0}}}
    story = play(hall(site=site))
    first = story.at("shocks/leak", "strikes")[0]
    assert story.of("gensets", "online")[2] == (first, 1)
    assert story.at("gensets/genset-01", "up")[0] == first


def test_a_set_that_fails_to_start_waits_for_the_crew():
    gensets = {**GENSETS, "n": 2, "mttr_h": 3.0, "fail_to_start_probability": 1.0, "repair": {"crew": "diesel"}}
    grid = {"script": [outage(2.0, duration_s=60.0), outage(6.5, duration_s=60.0)]}
    site = {"protection": {"gensets": gensets}, "grid": grid}
    story = play(hall(site=site, crews={"diesel": {"count": 1, "travel_h": 1.0}}))
    begin = 2 * H + 3_000_000
    assert [story.at(f"gensets/genset-0{k}", "up")[0] for k in (1, 2)] == [begin + 4 * H, begin + 8 * H]
    assert [value for _, value in story.of("gensets/genset-01", "failed_to_start")] == [1, 1]
    assert [value for _, value in story.of("gensets/genset-02", "failed_to_start")] == [1, 2], "in repair when called"


def test_a_dead_static_switch_does_not_take_over_and_its_need_finds_it():
    failures = {"life_h": LIVES, "repair_h": 3.0, "dormant": {}}
    site = cabinets(None, switch_failures=failures, core=1)
    site["grid"] = {
        "script": [outage(1.0, duration_s=60.0), outage(6.0, duration_s=60.0), outage(9.5, duration_s=60.0)]
    }
    story = play(hall(site=site))
    assert [start for start, _ in story.dark("row-001")] == [6 * H]
    assert down_h(story, "row-001/switch") == [(2.0, 9.0)]


def test_switches_fail_to_pick_up_together_as_often_as_beta_says():
    """q = 0.2, beta = 0.3: together 0.06; both fail with 0.06 + 0.94 x 0.14^2, one alone with q."""
    site = cabinets(None, transfer_failure_probability=0.2, transfer_failure_common_fraction=0.3, core=1)
    site |= {"grid": {"feeders": {"A": {"momentary": {"per_year": 500.0, "duration_s": 1.0}}}}}
    story = play(hall(site=site, jobs={}, horizon={"hours": 4 * 8760.0}), level="ledger")
    events = len(story.at("grid/A/momentary", "strikes"))
    one, two = (set(story.at(f"row-00{k}/cabinets", "failed_to_pick_up")) for k in (1, 2))
    for found, p in ((len(one), 0.06 + 0.94 * 0.14), (len(one & two), 0.06 + 0.94 * 0.14**2)):
        assert abs(found / events - p) < 3 * (p * (1 - p) / events) ** 0.5


@pytest.mark.parametrize(
    ("failures", "message"),
    [
        ({"crew": "nobody"}, "'nobody' is none of the scenario's crews"),
        ({"spare": "none"}, "'none' is none of the scenario's spares"),
        ({"life_h": 3.0}, "a life needs a law"),
        ({"life_h": LIVES, "common_cause_fraction": 0.1}, "no failure rate to share"),
        ({"life_h": {"law": "seasonal", "mean": 9.0}, "age_kept_fraction": 0.1}, "knows no age"),
        ({"dormant": {"found_by_need": False}}, "nothing finds a dormant failure"),
        ({"life_h": {"law": "piecewise", "until": [3.0, 2.0], "means": [1.0, 1.0, 1.0]}}, "must ascend"),
        ({"life_h": {"law": "piecewise", "until": [3.0], "means": [1.0]}}, "give 2"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(failures: Any, message: str):
    with pytest.raises(ValidationError, match=message):
        play(hall(site=cabinets(failures)))
