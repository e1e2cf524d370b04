"""Demands that change under way, events that overlap, jobs that hold part of a hall: findings of a review, kept."""

from pathlib import Path

import pytest
from simulation import CABINETS, COOLING, GENSETS, MIN, MS, H, hall, job, merged, outage, play
from test_queue_replay import replay

SEASONS = {**COOLING, "fraction_of_it": {"winter": 0.2, "spring": 0.3, "summer": 0.9, "autumn": 0.2}}
MIDNIGHT = {"start": "2026-05-31", "hours": 36.0}
STRIKES_AT_23 = {"script": [outage(23.0, duration_h=4.0)]}


def test_a_season_that_begins_in_an_outage_is_too_much_for_the_cabinets_at_midnight() -> None:
    """Cooling takes 0.3 x 300 = 90 kW in May and 270 in June; one cabinet gives 125: chillers or all must go."""
    site = {
        "cooling": {**SEASONS, "continuous_kw": 10.0},
        "grid": STRIKES_AT_23,
        "protection": {"cabinets": {**CABINETS, "cooling": 1, "rated_kwh": 2000.0}},
    }
    story = play(hall(site=site, horizon=MIDNIGHT))
    assert story.at("cooling/cabinets", "overloaded") == [24 * H]
    assert sum(story.ledger["clamped_kwh"]) == 0.0


def test_gensets_never_give_more_than_the_sets_on_line() -> None:
    site = {
        "cooling": {**SEASONS, "continuous_kw": 10.0},
        "grid": STRIKES_AT_23,
        "protection": {"gensets": {**GENSETS, "n": 2, "rated_kw": 200.0}},
    }
    story = play(hall(site=site, horizon=MIDNIGHT))
    assert max(story.trace.series["hall"]["genset_kw"]) <= 400.0
    assert story.dark("restartable_cooling")[-1][0] >= 23 * H


def test_overlapping_short_events_do_not_renew_the_hold_up() -> None:
    """15 ms at 0, +10, +20, +30 ms: one break of 45 ms, too long for 20 ms."""
    script = [outage(1.0 + k * 10e-3 / 3600, duration_ms=15.0) for k in range(4)]
    story = play(hall(site={"grid": {"script": script}}))
    ((start, end),) = story.dark("row-001")
    assert H < start <= H + 20 * MS
    assert end == pytest.approx(H + 45 * MS, abs=2)


def test_a_job_lives_while_the_rows_that_it_holds_are_lit() -> None:
    """Eight GPUs are one server in row 1, on feeder A; only B is struck."""
    grid = {"feeders": {"A": {}, "B": {}}, "script": [outage(1.0, duration_h=1.0, feeders=["B"])],
            "auto_transfer_failure_probability": 1.0}  # fmt: skip
    story = play(hall(site={"grid": grid}, jobs=job(gpus=8)))
    assert story.dark("row-002") == [(H, 2 * H)]
    assert story.job()["interruptions"] == 0


def test_two_jobs_fill_the_rows_without_crowding_any() -> None:
    jobs = {"a": job(gpus=72)["training"], "b": job(gpus=88)["training"]}
    story = play(hall(jobs=jobs))
    assert story.power("it_kw", 0) == 300.0


def test_a_restart_that_is_hit_begins_anew_and_counts_once(tmp_path: Path) -> None:
    """10 h of work, kept at 1:00; restarts of 1 h hit at 1:30 and 1:54; the third is done at 3:00, the job at 12:00."""
    script = {"script": [outage(at, duration_min=6.0) for at in (1.0, 1.5, 1.9)]}
    story = replay(tmp_path, [(0, 36000, 8)], grid=script, checkpoint_interval_min=30.0, restart_min=60.0,
                   server_boot_min=0.0)  # fmt: skip
    row = story.job()
    assert row["end_us"] == 12 * H
    assert row["useful_us"] == 10 * H
    assert row["rollback_us"] == 0
    assert row["down_us"] == 2 * H
    assert [(start, end) for start, end, _, _ in story.interruptions()] == [
        (H, 90 * MIN), (90 * MIN, 114 * MIN), (114 * MIN, 3 * H),
    ]  # fmt: skip


def test_one_more_outage_moves_no_sets_luck() -> None:
    plant = {**GENSETS, "n": 6, "rated_kw": 400.0, "fail_to_start_probability": 0.4}
    late = outage(100.0, duration_h=2.0)

    def failed(script: list[dict[str, object]]) -> set[str]:
        data = hall(site={"grid": {"script": script}, "protection": {"gensets": plant}}, horizon={"hours": 200.0})
        trace = play(data).trace
        what = trace.what("failed_to_start")
        rows = (trace.events["what"] == what) & (trace.events["time_us"] > 99 * H)
        return {trace.items["name"][item] for item in trace.events["item"][rows]}

    assert failed([late]) == failed([outage(20.0, duration_h=2.0), late]) != set()


def test_the_order_of_scripted_events_in_the_file_changes_nothing() -> None:
    law = {"law": "exponential", "mean": 1.0}
    script = [outage(1.0, duration_h=law), outage(10.0, duration_h=law)]
    one, two = (play(hall(site={"grid": {"script": order}})) for order in (script, script[::-1]))
    assert one.dark("row-001") == two.dark("row-001")


def test_a_switch_whose_time_is_a_record_is_refused() -> None:
    law = {"law": "scripted", "values": [5.0]}
    with pytest.raises(ValueError, match="transfer_ms: a switch's time is a law of parameters"):
        play(hall(site={"protection": {"cabinets": merged(CABINETS, {"transfer_ms": law})}}))


def test_an_older_event_on_the_other_feeder_does_not_lend_its_luck() -> None:
    """Feeder A is lost twice, long after B was: the event on B must not number the demands that A makes."""
    plant = {**GENSETS, "n": 6, "rated_kw": 400.0, "fail_to_start_probability": 0.5}
    grid = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 1.0}

    def failed(at_h: float, script: list[dict[str, object]]) -> list[str]:
        data = hall(
            site={"grid": {**grid, "script": script}, "protection": {"gensets": plant}}, horizon={"hours": 300.0}
        )
        trace = play(data).trace
        rows = (trace.events["what"] == trace.what("failed_to_start")) & (abs(trace.events["time_us"] - at_h * H) < H)
        return sorted(trace.items["name"][item] for item in trace.events["item"][rows])

    lost = [outage(at, duration_h=2.0, feeders=["A"]) for at in (100.0, 200.0)]
    early = outage(10.0, duration_h=2.0, feeders=["B"])
    for at in (100.0, 200.0):
        assert failed(at, lost) == failed(at, [early, *lost])
    assert failed(100.0, lost) != failed(200.0, lost)
