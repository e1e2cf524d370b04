"""Two feeders, two sections, a tie of 1.5 s: row-001 hangs on A, row-002 on B, the core on both."""

from typing import Any

import pytest
from simulation import MIN, H, S, Story, hall, merged, outage, play

TRANSFER_US = 1_500_000


def two(*script: dict[str, Any], **grid: Any) -> Story:
    base = {"feeders": {"A": {}, "B": {}}, "auto_transfer_s": 1.5, "auto_transfer_failure_probability": 0.0}
    return play(hall(site={"grid": merged(base, {"script": list(script), **grid})}))


def test_loss_of_one_feeder_darkens_its_raw_row_for_just_the_auto_transfer() -> None:
    story = two(outage(1.0, duration_s=10.0, feeders=["A"]))
    assert story.dark("row-001") == [(H, H + TRANSFER_US)]
    assert story.dark("row-002") == []
    assert story.dark("core") == []
    assert story.of("tie", "closed") == [(H + TRANSFER_US, 1), (H + 10 * S, 0)]
    assert story.chain("row-001", "lit", 0)[:2] == ["grid/script-0001 strikes 10000000", "feeder-A up 0"]


def test_a_loss_shorter_than_the_auto_transfer_is_dark_for_its_own_length() -> None:
    story = two(outage(1.0, duration_s=1.0, feeders=["B"]))
    assert story.dark("row-002") == [(H, H + S)]
    assert story.of("tie", "closed") == []


def test_a_tie_that_fails_leaves_the_row_dark_for_the_whole_event() -> None:
    story = two(outage(1.0, duration_s=10.0, feeders=["A"]), auto_transfer_failure_probability=1.0)
    assert story.dark("row-001") == [(H, H + 10 * S)]
    assert story.dark("core") == []


def test_dual_corded_rows_see_nothing_of_one_feeder() -> None:
    site = {
        "cluster": {"corded": "dual"},
        "grid": {"feeders": {"A": {}, "B": {}}, "script": [outage(1.0, duration_s=10.0, feeders=["A"])]},
    }
    story = play(hall(site=site))
    assert story.dark("row-001") == story.dark("row-002") == []


def test_loss_of_both_feeders_is_dark_for_all() -> None:
    story = two(outage(1.0, duration_s=10.0))
    assert [story.dark(load) for load in ("row-001", "row-002", "core")] == [[(H, H + 10 * S)]] * 3


def test_the_second_feeder_lost_while_it_carries_both_takes_everything() -> None:
    story = two(outage(1.0, duration_s=60.0, feeders=["A"]), outage(1.0 + 10 / 3600, duration_s=10.0, feeders=["B"]))
    assert story.dark("row-001") == [(H, H + TRANSFER_US), (H + 10 * S, H + 20 * S)]
    assert story.dark("row-002") == [(H + 10 * S, H + 20 * S)]
    assert story.dark("core") == [(H + 10 * S, H + 20 * S)]


def test_the_auto_transfer_counts_from_each_loss_anew() -> None:
    """A is lost for 1 s, and again 0.2 s after its return: the second break lasts 1.5 s, not the rest of the first."""
    story = two(outage(1.0, duration_s=1.0, feeders=["A"]), outage(1.0 + 1.2 / 3600, duration_s=10.0, feeders=["A"]))
    again = H + 1_200_000
    assert story.dark("row-001") == [(H, H + S), (again, again + TRANSFER_US)]


def test_a_transfer_within_hold_up_is_not_seen_by_the_row() -> None:
    story = two(outage(1.0, duration_s=10.0, feeders=["A"]), auto_transfer_s=0.015)
    assert story.dark("row-001") == []
    assert story.ledger["hold_up_kwh"][0] == pytest.approx(100.0 * 0.015 / 3600, rel=1e-12)


def planned(probability: float) -> Story:
    work = {"per_year": 730.0, "duration_h": 2.0, "closed_transition_probability": probability}
    return two(feeders={"A": {"planned": work}, "B": {}})


def test_planned_work_in_closed_transition_darkens_nothing() -> None:
    story = planned(1.0)
    strikes = story.at("grid/A/planned", "strikes")
    assert len(strikes) == 2
    assert strikes[1] - strikes[0] == 12 * H
    assert story.at("feeder-A", "energised") == []
    assert story.dark("row-001") == story.dark("row-002") == story.dark("core") == []


def test_planned_work_in_open_transition_costs_the_auto_transfer() -> None:
    story = planned(0.0)
    assert story.dark("row-001") == [(tick, tick + TRANSFER_US) for tick in story.at("grid/A/planned", "strikes")]


def test_planned_work_waits_a_day_while_the_other_feeder_is_down() -> None:
    work = {"per_year": 365.0, "duration_h": 1.0, "closed_transition_probability": 1.0}
    grid = {"feeders": {"A": {"planned": work}, "B": {}}, "script": [outage(0.0, duration_h=30.0, feeders=["B"])]}
    story = play(hall(site={"grid": grid}, horizon={"hours": 72.0}))
    postponed = story.at("grid/A/planned", "postponed")
    assert 1 <= len(postponed) <= 2
    assert story.at("grid/A/planned", "strikes")[0] == postponed[-1] + 24 * H
    assert story.at("grid/A/planned", "strikes")[0] >= 30 * H


def test_overlapping_events_on_one_feeder_last_until_the_later_end() -> None:
    script = [outage(1.0, duration_min=10.0), outage(1.0 + 5 / 60, duration_min=20.0), outage(1.1, duration_min=1.0)]
    story = play(hall(site={"grid": {"script": script}}))
    assert story.of("feeder-A", "up") == [(H, 0), (H + 25 * MIN, 1)]
    assert story.dark("core") == [(H, H + 25 * MIN)]
