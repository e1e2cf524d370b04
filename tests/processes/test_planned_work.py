"""Planned work on boards, feeders, UPS blocks, cabinets and gensets; jobs drained first; hands that err."""

from typing import Any

import pytest
from simulation import CABINETS, GENSETS, MIN, UPS, H, S, Story, hall, job, merged, outage, play

from twin.metrics.chains import losses_by_chain

BOARD = {"at_h": 1.1, "on": "row-001", "duration_h": 2.0}
SAVES = job(checkpoint={"interval_min": 15.0, "stall_s": 60.0, "mode": "blocking"})
ERRS = {"probability_per_operation": 1.0, "dark_min": 20.0}
TWO = {"feeders": {"A": {"planned": {"per_year": 8760 / 24, "duration_h": 1.0, "closed_transition_probability": 0.0}},
                   "B": {}}}  # fmt: skip


def told(jobs: Any = SAVES, **site: Any) -> Story:
    return play(hall(site=site, jobs=jobs))


def test_a_drained_job_saves_before_the_board_goes_off_and_rolls_nothing_back() -> None:
    story = told(planned_work={"script": [{**BOARD, "drain_job": True}]})
    off = round(1.1 * H)
    ((start, end, _, rollback),) = story.interruptions()
    assert rollback == 0
    assert start == off, "it counts from the stop; the minute before is a checkpoint"
    assert end == off + 2 * H + 45 * MIN
    assert story.at("work/script-0001", "drained") == [off - 60 * S]
    cause = int(story.trace.interruptions["cause"][0])
    assert story.causes(cause)[0] == "work/script-0001 drained 1"
    undrained = told(planned_work={"script": [BOARD]})
    assert undrained.interruptions()[0][3] > 0


def test_a_drained_job_whose_rows_stay_lit_restarts_warm() -> None:
    """With a UPS behind the board the row stays lit: 13 min of warm restart follow the work."""
    cabinets = {**CABINETS, "rated_kwh": 1000.0, "core": 0}
    story = told(protection={"cabinets": cabinets}, planned_work={"script": [{**BOARD, "drain_job": True}]})
    ((start, end, _, rollback),) = story.interruptions()
    assert (end - start, rollback) == (2 * H + 13 * MIN, 0)


def test_work_on_a_feeder_drains_the_job_first() -> None:
    drained = {**TWO["feeders"]["A"]["planned"], "drain_job": True}
    story = told(grid={**TWO, "feeders": {"A": {"planned": drained}, "B": {}}})
    assert [one[3] for one in story.interruptions()] == [0]
    (strike,) = story.at("grid/A/planned", "strikes")
    assert story.at("grid/A/planned", "drained") == [strike - 60 * S]
    assert story.at("grid/A/planned", "restored") == [strike + H]
    assert story.chain("grid/A/planned", "restored", 1) == [
        "grid/A/planned strikes 3600000000",
        "grid/A/planned restored 1",
    ]


def test_a_ups_block_stands_on_bypass_while_it_is_worked_on_and_is_exposed() -> None:
    work = {"ups_blocks": {"per_year": 8760 / 12, "duration_h": 6.0}}
    dips = [outage(h + 0.5, duration_s=1.0) for h in range(24)]
    story = told(grid={"script": dips}, protection={"ups": {**UPS, "blocks": 1}}, planned_work=work)
    on = [tick for tick, value in story.of("ups-1", "bypass") if value]
    off = [tick for tick, value in story.of("ups-1", "bypass") if not value] + [24 * H]
    assert on
    dark = [start for start, _ in story.dark("row-001")]
    assert dark
    assert all(any(a <= tick < b for a, b in zip(on, off, strict=False)) for tick in dark)
    assert len(dark) == sum(
        any(a <= round((h + 0.5) * H) < b for a, b in zip(on, off, strict=False)) for h in range(24)
    )
    assert story.chain("ups-1", "bypass", 1)[0].startswith("work/ups_blocks strikes")


@pytest.mark.parametrize("on", ["ups_blocks", "rows"])
def test_work_on_blocks_and_boards_waits_for_a_day_where_supply_is_away(on: str) -> None:
    """It would begin within the first three hours, in the middle of an outage of six that storage carries."""
    work = {on: {"per_year": 8760 / 3, "duration_h": 1.0}}
    if on == "rows":
        protection: Any = {"cabinets": {**CABINETS, "rated_kwh": 2000.0}}
    else:
        protection = {"ups": {**UPS, "autonomy_min": 600.0}}
    story = told(grid={"script": [outage(0.0, duration_h=6.0)]}, protection=protection, planned_work=work)
    assert len(story.at(f"work/{on}", "postponed")) == 1
    assert story.at(f"work/{on}", "strikes") == []


def test_transfers_to_battery_for_work_on_the_board_count_towards_a_lock_out() -> None:
    ups = {**UPS, "blocks": 2, "serves": ["rows"], "autonomy_min": 60.0,
           "lock_out": {"transfers": 3, "within_s": 36000.0, "manual_return_h": 0.5}}  # fmt: skip
    script = [{"at_h": at_h, "on": "row-001", "duration_min": 6.0} for at_h in (1.0, 2.0, 3.0)]
    story = told(jobs={}, protection={"ups": ups}, planned_work={"script": script})
    assert story.of("ups-1", "locked_out") == [(3 * H, 1), (3 * H + 30 * MIN, 0)]
    assert story.of("ups-2", "locked_out") == []


def test_a_cabinet_in_service_is_missed_when_supply_goes() -> None:
    """One of two cabinets of 60 kW is off for all of the day: the row of 100 kW cannot be carried."""
    cabinets = {**CABINETS, "per_row": 2, "rated_kw": 60.0, "core": 0}
    work = {"cabinets": {"per_year": 8760.0, "duration_h": 30.0}}
    script = [outage(12.0, duration_min=5.0)]
    sound = told(grid={"script": script}, protection={"cabinets": cabinets})
    assert sound.dark("row-001") == []
    story = told(grid={"script": script}, protection={"cabinets": cabinets}, planned_work=work)
    (first,) = story.at("row-001/cabinet-01", "maintenance")
    assert first < H
    assert story.dark("row-001") == [(12 * H, 12 * H + 5 * MIN)]
    assert story.dark("row-002") == []


def test_a_genset_in_service_cannot_start_and_waits_for_a_plant_that_is_called() -> None:
    work = {"gensets": {"per_year": 8760.0, "duration_h": 30.0}}
    script = [outage(12.0, duration_h=1.0)]
    story = told(grid={"script": script}, protection={"gensets": GENSETS}, planned_work=work)
    assert len(story.at("gensets/genset-01", "maintenance")) == 1
    assert story.of("gensets", "online") == []
    assert story.dark("core") == [(12 * H, 13 * H)]
    called = told(grid={"script": [outage(0.0, duration_h=23.9)]}, protection={"gensets": GENSETS}, planned_work=work)
    assert len(called.at("work/gensets", "postponed")) == 1
    assert called.at("gensets/genset-01", "maintenance") == []


def test_a_repair_that_ends_leaves_a_genset_in_service() -> None:
    """It fails to start an hour before the work on it begins, and is repaired three hours after: the work goes on."""
    gensets = {**GENSETS, "fail_to_start_probability": 1.0, "mttr_h": 4.0, "repair": {"crew": "diesel"}}
    work = {"gensets": {"per_year": 8760.0 / 16.0, "duration_h": 6.0}}
    site = {"protection": {"gensets": gensets}, "planned_work": work}
    begin_h = (
        told(**merged(site, {"protection": {"gensets": {"repair": {"crew": None}}}})).at(
            "gensets/genset-01", "maintenance"
        )[0]
        / H
    )
    assert begin_h > 1.1
    script = [outage(begin_h + h, duration_min=5.0) for h in (-1.0, 5.0)]
    story = play(hall(site={**site, "grid": {"script": script}}, crews={"diesel": {"count": 1}}))
    assert story.at("gensets/genset-01", "up") == [round((begin_h + 3.0) * H) + 3 * S]
    assert [value for _, value in story.of("gensets/genset-01", "failed_to_start")] == [1, 2]


def test_a_genset_left_off_fails_the_next_call_and_only_that() -> None:
    work = {"gensets": {"per_year": 8760 / 24.0, "duration_min": 1.0}}
    script = [outage(23.0, duration_min=10.0), outage(23.5, duration_min=10.0)]
    story = told(grid={"script": script}, protection={"gensets": {**GENSETS, "retransfer_min": 0.0}},
                 planned_work=work, human_error=ERRS)  # fmt: skip
    left = story.at("gensets/genset-01", "human_error")
    assert [value for _, value in story.of("gensets/genset-01", "maintenance")] == [1, 0]
    assert story.at("gensets/genset-01", "maintenance")[1] == left[0]
    assert len(left) == 1
    assert left[0] < 23 * H
    assert story.of("gensets/genset-01", "failed_to_start") == [(23 * H + 3 * S, 3)]
    assert story.chain("gensets/genset-01", "failed_to_start", 3)[0] == "grid/script-0001 strikes 600000000"
    assert story.dark("core") == [(23 * H, 23 * H + 10 * MIN), (23 * H + 30 * MIN, 23 * H + 30 * MIN + 15 * S)]


def test_work_on_one_feeder_with_a_wrong_hand_opens_the_other_too() -> None:
    story = told(grid=TWO, human_error=ERRS)
    (strike,) = story.at("grid/A/planned", "strikes")
    assert story.dark("row-002") == [(strike, strike + 20 * MIN)], "as it ends the tie is closed and carries it"
    assert story.at("switching", "human_error") == [strike, strike + H], "one operation as it begins, one as it ends"
    assert story.chain("row-002", "lit")[:2] == [
        "grid/A/planned strikes 3600000000",
        "switching human_error 1200000000",
    ]
    assert losses_by_chain(story.trace)["chain"] == ["planned work > human error"]


def test_work_on_a_board_errs_at_its_beginning_and_at_its_end() -> None:
    cabinets = {**CABINETS, "rated_kwh": 1000.0, "core": 0}
    sure = told(protection={"cabinets": cabinets}, planned_work={"script": [BOARD]})
    assert sure.dark("row-001") == []
    story = told(protection={"cabinets": cabinets}, planned_work={"script": [BOARD]}, human_error=ERRS)
    off = round(1.1 * H)
    assert story.dark("row-001") == [(off, off + 2 * H + 20 * MIN)], "cabinets do not light a dark row"
    assert story.chain("row-001", "lit")[-3:] == [
        "switching human_error 1200000000", "row-001/cabinets failed_to_pick_up 1", "row-001 lit 0",
    ]  # fmt: skip


def test_work_on_what_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"planned_work\.gensets: the site has none"):
        told(planned_work={"gensets": {"per_year": 1.0, "duration_h": 1.0}})
