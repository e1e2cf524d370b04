"""A gang job on raw supply: rollback, checkpoints, restarts by what was lost, hardware, all by hand."""

import math
from typing import Any

import numpy as np
import pytest
from simulation import CABINETS, HALL, MIN, H, S, Story, hall, job, merged, outage, play

from twin.chance.philox import stream_key, uniform

TWO_FEEDERS = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 1.0}


def raw(*script: dict[str, Any], grid: dict[str, Any] | None = None, **changes: Any) -> Story:
    return play(hall(site={"grid": merged(grid or {}, {"script": list(script)})}, jobs=job(**changes)))


def closes(story: Story) -> bool:
    """Useful, stalled, rolled back and down time (no cap) make up the horizon."""
    row = story.job()
    return row["useful_us"] + row["stall_us"] + row["rollback_us"] + row["down_us"] == 24 * H


def test_an_outage_costs_the_work_since_the_checkpoint_and_the_restart_of_what_was_lost() -> None:
    story = raw(outage(1.0 + 1 / 6, duration_min=1.0))
    assert story.interruptions() == [(70 * MIN, 70 * MIN + MIN + 90 * MIN, 2, 10 * MIN)]
    assert story.job()["useful_us"] == 24 * H - 91 * MIN - 10 * MIN
    assert closes(story)


def test_a_row_lost_with_the_core_alive_restarts_faster() -> None:
    story = raw(outage(1.0, duration_s=10.0, feeders=["A"]), grid=TWO_FEEDERS)
    assert story.dark("core") == []
    assert story.interruptions() == [(H, H + 10 * S + 45 * MIN, 1, 0)]


@pytest.mark.parametrize(("second", "kept"), [(1019, 0), (1020, 1), (1934, 1), (1935, 2)])
def test_an_asynchronous_checkpoint_counts_once_it_is_durable(second: int, kept: int) -> None:
    """Stalls of 15 s begin at 900 s and 1815 s; each is durable 120 s after it began."""
    checkpoint = {"interval_min": 15.0, "stall_s": 15.0, "write_s": 120.0, "mode": "asynchronous"}
    story = raw(outage(second / 3600, duration_s=1.0), checkpoint=checkpoint)
    assert story.interruptions()[0][3] == (second - 915 * kept) * S
    assert closes(story)


@pytest.mark.parametrize(("second", "kept"), [(1019, 0), (1020, 1), (2039, 1), (2040, 2)])
def test_a_blocking_checkpoint_stalls_for_the_whole_write(second: int, kept: int) -> None:
    checkpoint = {"interval_min": 15.0, "stall_s": 15.0, "write_s": 120.0, "mode": "blocking"}
    story = raw(outage(second / 3600, duration_s=1.0), checkpoint=checkpoint)
    assert story.interruptions()[0][3] == (second - 1020 * kept) * S
    assert closes(story)


def test_stalls_are_counted_without_any_interruption() -> None:
    """Cycles of 915 s: 94 in a day, and 390 s of training over."""
    story = raw(checkpoint={"interval_min": 15.0, "stall_s": 15.0, "mode": "asynchronous"})
    assert story.job()["stall_us"] == 94 * 15 * S
    assert closes(story)


def test_an_outage_during_the_restart_begins_it_again_and_rolls_nothing_back() -> None:
    story = raw(outage(1.0, duration_s=10.0), outage(2.0, duration_s=10.0))
    assert story.interruptions() == [(H, 2 * H, 2, 0), (2 * H, 2 * H + 10 * S + 90 * MIN, 2, 0)]
    assert closes(story)


def test_a_core_that_was_not_rebuilt_yet_is_still_lost_when_a_row_goes() -> None:
    story = raw(outage(1.0, duration_s=10.0), outage(1.5, duration_s=10.0, feeders=["A"]), grid=TWO_FEEDERS)
    assert story.interruptions()[-1][1] == 1.5 * H + 10 * S + 90 * MIN


def test_hardware_stops_the_job_when_its_drawn_hazard_is_used_up_while_training() -> None:
    """1,200 per 1,000 server-days on 20 servers: one an hour of training; 15 min of detection and restart."""
    story = raw(hardware={"per_1000_server_days": 1200.0})
    key = stream_key(1, "hall/jobs/training", "hardware")
    tick, expected, n = 0, [], 0
    while True:
        tick += max(1, int(-math.log1p(-float(uniform(key, np.uint64(0), n))) * H))
        if tick >= 24 * H:
            break
        expected.append(tick)
        tick += 15 * MIN
        n += 1
    found = [start for start, _, level, _ in story.interruptions() if level == 0]
    assert found == pytest.approx(expected, abs=len(expected))
    assert story.chain("jobs/training", "phase", 0) == ["jobs/training/hardware hardware 1", "jobs/training phase 0"]
    assert closes(story)


def test_the_hardware_clock_stands_still_while_the_job_is_down() -> None:
    rate = {"per_1000_server_days": 1200.0}
    calm = raw(hardware=rate).interruptions()[0][0]
    hit = calm // 2
    stopped = raw(outage(hit / H, duration_s=10.0), hardware=rate)
    first = next(start for start, _, level, _ in stopped.interruptions() if level == 0)
    assert first == pytest.approx(calm + 10 * S + 90 * MIN, abs=2)


def test_the_job_writes_its_phase_and_rows_draw_training_idle_and_boot_power() -> None:
    story = raw(outage(1.0, duration_s=10.0), hardware={"per_1000_server_days": 0.0})
    assert story.power("it_kw", 0) == 300.0
    assert story.power("it_kw", H) == 0.0
    assert story.power("it_kw", H + 10 * S) == 160.0
    assert story.power("it_kw", H + 10 * S + 90 * MIN) == 300.0


def test_work_kept_under_a_power_cap_is_counted_at_its_pace_up_to_the_checkpoint() -> None:
    """Capped to 0.8 from 1:01; 85.5 kWh end at 2:12:51.4; the checkpoint of 2:00 holds 61 + 0.8 x 59 minutes."""
    site = {
        "cluster": {"rows": 1, "core": {"load_kw": 1.0}, "on_backup": {"cap_after_s": 60.0}},
        "grid": {"script": [outage(1.0, duration_h=22.9)]},
        "protection": {"cabinets": CABINETS},
    }
    story = play(hall(site=site, jobs=job(gpus=80)))
    assert story.dark("row-001")[0][0] > 2 * H
    ((_, end, _, _),) = story.interruptions()
    assert end == 24 * H
    assert story.job()["useful_us"] == pytest.approx((61 + 0.8 * 59) * MIN, abs=10)


def test_two_jobs_on_one_site_draw_the_power_of_both() -> None:
    half = merged(HALL["jobs"]["training"], {"gpus": 80})
    story = play(hall(jobs={"a": half, "b": half}))
    assert story.power("it_kw", 0) == 300.0


def test_spare_rows_shorten_the_wait_and_prevent_no_interruption() -> None:
    """The board of row 1 is off for 2 h: with row 3 standing by the job is back after 15 min, on rows 2 and 3."""
    work = {"script": [{"at_h": 1.0, "on": "row-001", "duration_h": 2.0}]}
    site = {"cluster": {"rows": 3}, "planned_work": work}
    alone = play(hall(site={**site, "cluster": {"rows": 2}}))
    assert [(one[0], one[1]) for one in alone.interruptions()] == [(H, 3 * H + 45 * MIN)]
    spare = play(hall(site=site, jobs=job(spare_rows=1)))
    assert [(one[0], one[1]) for one in spare.interruptions()] == [(H, H + 15 * MIN)]
    assert spare.of("jobs/training", "rows_held") == [(0, 2)]
    twice = {"script": [*work["script"], {"at_h": 5.0, "on": "row-003", "duration_h": 1.0}]}
    back = play(hall(site={**site, "planned_work": twice}, jobs=job(spare_rows=1)))
    assert [(one[0], one[1]) for one in back.interruptions()] == [(H, H + 15 * MIN), (5 * H, 5 * H + 15 * MIN)]


def test_without_enough_spare_rows_the_job_waits_for_its_own() -> None:
    works = [{"at_h": 1.0, "on": f"row-00{k}", "duration_h": 2.0} for k in (1, 2)]
    story = play(hall(site={"cluster": {"rows": 3}, "planned_work": {"script": works}}, jobs=job(spare_rows=1)))
    assert [(one[0], one[1]) for one in story.interruptions()] == [(H, 3 * H + 45 * MIN)]
