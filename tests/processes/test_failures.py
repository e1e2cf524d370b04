"""The failure model that all parts embed: common causes, crews, spare parts, hidden failures, to the microsecond."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, UPS, H, Story, hall, merged, outage, play

from twin.errors import InputError

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
