"""A gang job's checkpoints by its own rate, its end, stops on purpose, repairs, fewer rows, rows that boot in turn."""

from typing import Any

import numpy as np
import pytest
from simulation import MIN, H, S, Story, hall, job, merged, outage, play

from twin.chance.philox import stream_key
from twin.jobs.checkpoint import optimal_h
from twin.metrics import measure
from twin.parts.cluster import ClusterSpec
from twin.parts.gang import GangSpec
from twin.units import TICKS_PER_H
from twin.world.site import Site
from twin.world.world import Process, Stream, World

TWO_FEEDERS = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 1.0}


class Orders:
    """A part that stops, resumes and pauses the site's jobs by script: (tick, order)."""

    def __init__(self, *script: tuple[int, str]) -> None:
        self._script = script

    def declare(self, site: Any) -> None:
        """Nothing of its own."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process gives the orders."""

        def run() -> Process:
            for tick, order in self._script:
                yield world.sleep(tick - world.now)
                for one in site.jobs:
                    if order in {"pause", "go on"}:
                        one.pause(order == "pause", -1)
                    else:
                        getattr(one, order)("test", -1)

        world.start(run())


def raw(*script: dict[str, Any], orders: tuple[tuple[int, str], ...] = (), grid: Any = None, **changes: Any) -> Story:
    site = {"grid": merged(grid or {}, {"script": list(script)})}
    return play(hall(site=site, jobs=job(**changes)), Orders(*orders))


def booked(story: Story) -> int:
    row = story.job()
    return row["useful_us"] + row["stall_us"] + row["rollback_us"] + row["down_us"]


def test_a_job_saves_at_the_interval_that_its_own_rate_asks_for() -> None:
    """Twenty servers at 300 per 1,000 days fail every 4 h; a stall of 60 s."""
    checkpoint = {"interval": "optimal", "stall_s": 60.0, "mode": "blocking"}
    story = raw(checkpoint=checkpoint, hardware={"per_1000_server_days": 300.0})
    cycle = optimal_h(60 / 3600, 4.0) * TICKS_PER_H + 60 * S
    start, _, _, rollback = story.interruptions()[0]
    assert rollback == pytest.approx(start % cycle, abs=10)
    calm = raw(checkpoint=checkpoint)
    assert calm.job()["stall_us"] == 24 * 60 // 16 * 60 * S


def test_a_job_with_work_to_do_ends_when_it_is_done_and_saved_and_leaves_its_servers_idle() -> None:
    story = raw(work_h=2.0, checkpoint={"interval_min": 15.0, "stall_s": 30.0, "mode": "blocking"})
    row = story.job()
    assert row["end_us"] == 2 * H + 8 * 30 * S
    assert (row["useful_us"], row["stall_us"]) == (2 * H, 8 * 30 * S)
    assert story.power("it_kw", row["end_us"] - 1) == 300.0
    assert story.power("it_kw", row["end_us"]) == 140.0
    late = raw(outage(1.0 + 1 / 6, duration_min=1.0), work_h=2.0)
    assert late.job()["end_us"] == 2 * H + 10 * MIN + 91 * MIN


def test_a_stop_on_purpose_saves_with_idle_gpus_and_loses_only_time() -> None:
    """Stopped at 1:10, saved 2 min later, resumed at 2:00, warm after 13 min; nothing is rolled back."""
    checkpoint = {"interval_min": 15.0, "stall_s": 0.0, "write_s": 120.0, "mode": "asynchronous"}
    story = raw(orders=((70 * MIN, "stop"), (2 * H, "resume")), checkpoint=checkpoint)
    assert story.interruptions() == [(72 * MIN, 133 * MIN, 0, 0)]
    assert story.job()["stall_us"] == 2 * MIN
    assert story.power("it_kw", 71 * MIN) == 140.0
    assert booked(story) == 24 * H


def test_a_stop_that_is_taken_back_while_it_saves_is_a_checkpoint_and_no_interruption() -> None:
    checkpoint = {"interval_min": 15.0, "stall_s": 0.0, "write_s": 120.0, "mode": "asynchronous"}
    story = raw(outage(1.25, duration_s=10.0), orders=((70 * MIN, "stop"), (71 * MIN, "resume")), checkpoint=checkpoint)
    assert story.interruptions() == [(75 * MIN, 75 * MIN + 10 * S + 90 * MIN, 2, 3 * MIN)]
    assert booked(story) == 24 * H


def test_power_that_goes_while_it_saves_costs_the_work_since_the_last_checkpoint() -> None:
    """Saved at 1:00 (durable 1:02); stopped at 1:10, dark at 1:11."""
    checkpoint = {"interval_min": 15.0, "stall_s": 0.0, "write_s": 120.0, "mode": "asynchronous"}
    story = raw(outage(71 / 60, duration_s=10.0), orders=((70 * MIN, "stop"), (3 * H, "resume")), checkpoint=checkpoint)
    assert story.interruptions() == [(71 * MIN, 3 * H + 90 * MIN, 2, 10 * MIN)]
    assert booked(story) == 24 * H


def test_a_stopped_job_that_loses_power_restarts_by_what_was_lost_and_no_earlier_than_told() -> None:
    story = raw(outage(2.0, duration_s=10.0), orders=((H, "stop"), (3 * H, "resume")))
    assert story.interruptions() == [(H + 1, 3 * H + 90 * MIN, 2, 0)]


def test_a_paused_job_draws_idle_power_and_loses_its_pace_not_its_work() -> None:
    story = raw(orders=((H, "pause"), (3 * H, "go on")))
    assert story.interruptions() == []
    assert story.power("it_kw", 2 * H) == 140.0
    assert story.job()["useful_us"] == 22 * H


def test_servers_that_do_not_boot_hold_the_job_back_until_as_many_stand_by_or_are_mended() -> None:
    """All ten fail: the job waits for a repair of 6 h, unless ten stand by."""
    broken = {"hardware": {"per_1000_server_days": 0.0, "fails_to_boot_probability": 1.0, "repair_h": 6.0}, "gpus": 80}
    story = raw(outage(1.0, duration_s=10.0), **broken)
    assert story.interruptions() == [(H, 7 * H, 2, 0)]
    spared = raw(outage(1.0, duration_s=10.0), spare_servers=10, **broken)
    assert spared.interruptions() == [(H, H + 10 * S + 90 * MIN, 2, 0)]


def test_a_server_out_for_repair_holds_the_job_back_where_no_spare_stands_by() -> None:
    rate = {"per_1000_server_days": 600.0}
    found = raw(hardware={**rate, "repair_h": 3.0}, gpus=80).interruptions()[0]
    assert found[1] - found[0] == 3 * H
    spared = raw(hardware={**rate, "repair_h": 3.0}, gpus=80, spare_servers=5).interruptions()[0]
    assert spared[1] - spared[0] == 15 * MIN


def test_an_elastic_job_goes_on_with_fewer_rows_and_takes_them_back_when_they_have_booted() -> None:
    """Row 1 is dark from 1:00 to 2:00: on from 1:15 at half pace; taken in at 2:45 by a save and 13 min of restart."""
    story = raw(outage(1.0, duration_h=1.0, feeders=["A"]), grid=TWO_FEEDERS, minimum_rows=1)
    assert story.interruptions()[0] == (H, 75 * MIN, 1, 0)
    start, end, level, rollback = story.interruptions()[1]
    assert (level, rollback, end - start) == (0, 0, 13 * MIN)
    assert start == pytest.approx(165 * MIN, abs=1 * S)
    assert story.job()["useful_us"] == pytest.approx(H + 45 * MIN + (24 * H - end), abs=2 * S)
    assert story.power("it_kw", 90 * MIN) == 200.0
    rigid = raw(outage(1.0, duration_h=1.0, feeders=["A"]), grid=TWO_FEEDERS, minimum_rows=2)
    assert rigid.interruptions() == [(H, 2 * H + 45 * MIN, 1, 0)]


def test_rows_given_up_are_awaited_from_their_return_and_not_from_a_dip_before_it() -> None:
    """Row 2 is dark by work on its board until 3:00 and boots for 45 min; a dip below hold-up at 2:18 moves nothing."""
    work = {"planned_work": {"script": [{"at_h": 1.0, "on": "row-002", "duration_h": 2.0}]}}
    regrown = [
        play(hall(site=merged(work, {"grid": {"script": dips}}), jobs=job(minimum_rows=1))).interruptions()[1][0]
        for dips in ([], [outage(2.3, duration_ms=5.0)])
    ]
    assert regrown[1] == regrown[0] == pytest.approx(225 * MIN, abs=1 * S)


def test_the_least_rows_to_go_on_with_are_no_more_than_there_are() -> None:
    with pytest.raises(ValueError, match="minimum_rows: 9 of the cluster's 2 rows"):
        play(hall(jobs=job(minimum_rows=9)))


def test_rows_that_boot_one_after_the_other_keep_the_inrush_small_and_take_longer() -> None:
    """Two rows at 0.2 a minute: the second boots 5 min after the first, the job trains 5 min later."""
    story = raw(outage(1.0, duration_s=10.0), restart_rows_per_min=0.2)
    back = H + 10 * S
    assert story.power("it_kw", back) == 150.0
    assert story.power("it_kw", back + 5 * MIN) == 160.0
    assert story.interruptions() == [(H, back + 95 * MIN, 2, 0)]


def test_a_job_goes_at_the_speed_of_its_slowest_server() -> None:
    """One draw of the least of 20 speeds; the mean of many is 1 - spread n / (n + 1)."""
    spec = GangSpec(kind="gang", gpus=160, server_speed_spread_fraction=0.1)
    cluster = ClusterSpec(rows=2, servers_per_row=10)
    luck = Stream(stream_key(5, "job", "speeds"), np.uint64(0))
    speeds = np.array([spec.slowest_fraction(cluster, luck) for _ in range(4000)])
    assert abs(speeds.mean() - (1.0 - 0.1 * 20 / 21)) < 3 * speeds.std() / np.sqrt(4000)
    assert speeds.min() >= 0.9
    slow = raw(server_speed_spread_fraction=0.1)
    speed = slow.job()["useful_us"] / (24 * H)
    assert 0.9 < speed < 0.95
    assert booked(slow) == 24 * H
    done = raw(server_speed_spread_fraction=0.1, work_h=9.0)
    assert done.job()["end_us"] == pytest.approx(9 * H / speed, abs=10)
    assert done.job()["useful_us"] == pytest.approx(9 * H, abs=2)
    assert measure(done.trace)["lost_gpu_h_per_year"] == pytest.approx(0.0, abs=1e-3)
