"""A replayed record of jobs on servers of eight GPUs: who starts when, by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulation import MIN, H, Story, hall, merged, outage, play

from twin.metrics import measure


def replay(folder: Path, jobs: list[tuple[int, int, int]], servers: int = 1, grid: Any = None, **queue: Any) -> Story:
    """Jobs as (submit_s, duration_s, gpus) on two rows of `servers` each."""
    file = folder / "jobs.csv"
    lines = [f"j{k:03d},{submit},{duration},{gpus}\n" for k, (submit, duration, gpus) in enumerate(jobs)]
    file.write_text("job_id,submit_s,duration_s,gpus\n" + "".join(lines))
    site = {"cluster": {"servers_per_row": servers}, "grid": grid or {}}
    block = {"kind": "queue", "file": str(file), "restart_min": 10.0, "server_boot_min": 15.0, **queue}
    return play(hall(site=site, jobs={"record": block}))


def starts_s(story: Story) -> list[float]:
    return (story.trace.jobs["start_us"] / 1e6).tolist()


def ends_s(story: Story) -> list[float]:
    return (story.trace.jobs["end_us"] / 1e6).tolist()


def test_the_head_of_the_queue_holds_up_everybody_behind_it(tmp_path: Path) -> None:
    story = replay(tmp_path, [(0, 3600, 8), (10, 3600, 16), (20, 600, 8)])
    assert starts_s(story) == [0, 3600, 7200]
    assert ends_s(story) == [3600, 7200, 7800]


def test_a_small_job_goes_where_it_fits_best(tmp_path: Path) -> None:
    """4 and 6 GPUs on two servers; 2 more fill the second, so that 4 still fit on the first."""
    story = replay(tmp_path, [(0, 9000, 4), (1, 9000, 6), (2, 9000, 2), (3, 9000, 4)])
    assert starts_s(story) == [0, 1, 2, 3]


def test_a_job_of_more_than_one_server_needs_whole_servers(tmp_path: Path) -> None:
    story = replay(tmp_path, [(0, 1000, 1), (1, 1000, 16)])
    assert starts_s(story) == [0, 1000]


def test_power_follows_the_busy_gpus(tmp_path: Path) -> None:
    """Two servers of 2 kW idle and 8 more busy, core 100 kW: 4 of 8 GPUs add 4 kW."""
    story = replay(tmp_path, [(3600, 3600, 4)])
    assert story.power("it_kw", 0) == 104.0
    assert story.power("it_kw", H) == pytest.approx(108.0, rel=1e-12)
    assert story.power("it_kw", 2 * H) == 104.0


def test_a_killed_job_keeps_its_checkpointed_work_and_starts_after_the_boot(tmp_path: Path) -> None:
    """Killed after 65 of 120 min, 60 kept; dark 1 min, boot 15, restart 10: ends at 65 + 1 + 15 + 10 + 60 = 151 min."""
    script = {"script": [outage(65 / 60, duration_min=1.0)]}
    story = replay(tmp_path, [(0, 7200, 8)], grid=script, checkpoint_interval_min=30.0)
    job = story.job()
    assert job["end_us"] == 151 * MIN
    assert job["useful_us"] == 120 * MIN
    assert job["rollback_us"] == 5 * MIN
    assert job["down_us"] == 26 * MIN
    assert story.interruptions() == [(65 * MIN, 91 * MIN, 2, 5 * MIN)]


def test_without_checkpoints_all_work_is_lost(tmp_path: Path) -> None:
    script = {"script": [outage(65 / 60, duration_min=1.0)]}
    story = replay(tmp_path, [(0, 7200, 8)], grid=script)
    assert story.job()["end_us"] == (65 + 1 + 15 + 10 + 120) * MIN
    assert story.job()["rollback_us"] == 65 * MIN


def test_killed_jobs_go_back_to_the_head_in_their_order(tmp_path: Path) -> None:
    """Two run, two wait; both die at 10 min and run again before the waiting ones."""
    script = {"script": [outage(10 / 60, duration_min=1.0)]}
    story = replay(tmp_path, [(0, 3600, 8), (1, 3600, 8), (2, 3600, 8), (3, 3600, 8)], grid=script)
    back = (10 + 1 + 15) * 60
    assert ends_s(story)[:2] == [back + 4200, back + 4200]
    assert starts_s(story)[2:] == [back + 4200, back + 4200]


TIE = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 1.0}


def test_a_job_dies_with_its_row_and_moves_to_the_other(tmp_path: Path) -> None:
    grid = merged(TIE, {"script": [outage(65 / 60, duration_h=1.0, feeders=["A"])]})
    story = replay(tmp_path, [(0, 7200, 8)], grid=grid, checkpoint_interval_min=30.0)
    assert story.interruptions() == [(65 * MIN, 75 * MIN, 1, 5 * MIN)]
    assert story.job()["end_us"] == (65 + 10 + 60) * MIN


def test_a_job_that_moves_at_a_checkpoint_without_restart_ends_when_it_would_have(tmp_path: Path) -> None:
    grid = merged(TIE, {"script": [outage(1.0, duration_h=1.0, feeders=["A"])]})
    story = replay(tmp_path, [(0, 7200, 8)], grid=grid, checkpoint_interval_min=30.0, restart_min=0.0)
    assert story.job()["end_us"] == 2 * H


def test_the_time_of_every_finished_job_adds_up(tmp_path: Path) -> None:
    """From first start to end: useful, rolled back, and down (waiting, boot, restart)."""
    rng = np.random.default_rng(4)
    jobs = [
        (int(rng.integers(0, 30_000)), int(rng.integers(60, 9_000)), int(rng.choice([1, 2, 4, 8, 16, 24])))
        for _ in range(60)
    ]
    grid = merged(TIE, {"script": [outage(0.7 + k, duration_s=30.0 + k, feeders=["AB"[k % 2]]) for k in range(9)]})
    story = replay(tmp_path, sorted(jobs), servers=2, grid=grid, checkpoint_interval_min=20.0)
    table = story.trace.jobs
    done = table["end_us"] >= 0
    assert done.sum() > 20
    assert table["interruptions"].sum() > 10
    spent = table["useful_us"] + table["rollback_us"] + table["down_us"]
    np.testing.assert_array_equal(spent[done], (table["end_us"] - table["start_us"])[done])
    durations = np.array([duration for _, duration, _ in sorted(jobs)]) * 1_000_000
    np.testing.assert_array_equal(np.sort(table["useful_us"][done]), np.sort(durations[done]))


def test_order_and_backfill_come_from_the_scenario_and_go_by_the_requested_time(tmp_path: Path) -> None:
    """c has asked for longer than the head b will wait, d has not; by priority e goes before b."""
    file = tmp_path / "jobs.csv"
    rows = ["a,0,3600,8,0,3600", "b,10,3600,16,0,3600", "c,20,600,8,0,7200", "d,30,600,8,0,1200", "e,40,60,16,1,60"]
    file.write_text("job_id,submit_s,duration_s,gpus,priority,requested_s\n" + "\n".join(rows) + "\n")
    block = {"kind": "queue", "file": str(file)}
    small = {"cluster": {"servers_per_row": 1}}

    def starts(**rules: str) -> list[float]:
        return starts_s(play(hall(site=small, jobs={"record": block | rules})))

    assert starts() == [0, 3600, 7200, 7200, 7800]
    assert starts(backfill="easy") == [0, 3600, 7200, 30, 7800]
    assert starts(order="priority") == [0, 3660, 7260, 7260, 3600]
    assert starts(expected_run_time="exact", backfill="easy") == [0, 3600, 20, 620, 7200]


class Orders:
    """A part that stops, resumes, pauses and frees the site's jobs by script: (tick, order)."""

    def __init__(self, *script: tuple[int, str]) -> None:
        self._script = script

    def declare(self, site: Any) -> None:
        """Nothing of its own."""

    def install(self, world: Any, site: Any, ids: dict[str, int]) -> None:
        """One process gives the orders."""

        def run() -> Any:
            for tick, order in self._script:
                yield world.sleep(tick - world.now)
                (queue,) = site.jobs
                if order in {"pause", "go on"}:
                    queue.pause(order == "pause", -1)
                else:
                    getattr(queue, order)("test", -1)

        world.start(run())


def ordered(folder: Path, *orders: tuple[int, str], grid: Any = None, **queue: Any) -> Story:
    """Two jobs of an hour on one server each, and a third behind them."""
    file = folder / "jobs.csv"
    file.write_text("job_id,submit_s,duration_s,gpus\na,0,3600,8\nb,0,3600,8\nc,10,600,8\n")
    block = {"kind": "queue", "file": str(file), "checkpoint_interval_min": 30.0, "checkpoint_write_s": 120.0}
    site = {"cluster": {"servers_per_row": 1}, "grid": grid or {}}
    return play(hall(site=site, jobs={"record": block | queue}), Orders(*orders))


def test_a_stop_on_purpose_saves_all_jobs_and_they_restart_when_it_is_over(tmp_path: Path) -> None:
    """Stopped at 0:20, saved 2 min later, resumed at 1:00: 40 minutes are left, and ten of restart."""
    story = ordered(tmp_path, (20 * MIN, "stop"), (60 * MIN, "resume"))
    assert ends_s(story) == [6600, 6600, 7200]
    assert story.interruptions() == [(22 * MIN, 70 * MIN, 0, 0)] * 2
    assert story.power("it_kw", 21 * MIN) == story.power("it_kw", 50 * MIN) == 104.0
    careless = ordered(tmp_path, (20 * MIN, "stop"), (60 * MIN, "resume"), checkpoint_interval_min=None)
    assert [one[3] for one in careless.interruptions()] == [20 * MIN] * 2


def test_a_pause_freezes_jobs_and_keeps_others_from_starting(tmp_path: Path) -> None:
    story = ordered(tmp_path, (20 * MIN, "pause"), (50 * MIN, "go on"))
    assert ends_s(story) == [5400, 5400, 6000]
    assert story.interruptions() == []
    assert story.power("it_kw", 30 * MIN) == 104.0


def test_power_that_goes_while_jobs_are_saved_costs_the_work_since_their_last_checkpoint(tmp_path: Path) -> None:
    grid = {"script": [outage(41 / 60, duration_min=1.0)]}
    story = ordered(tmp_path, (40 * MIN, "stop"), (60 * MIN, "resume"), grid=grid)
    assert [one[3] for one in story.interruptions()] == [10 * MIN] * 2
    useful = story.trace.jobs["useful_us"].tolist()
    assert useful == [H, H, 10 * MIN]


def test_waits_are_reported_only_of_a_cluster_of_known_size_and_the_record_s_own_use_beside_the_replay_s(
    tmp_path: Path,
) -> None:
    """16 GPUs for a day. The record started b at once, beside a, and ran c past the horizon, for 6 of its 12 hours."""
    file = tmp_path / "jobs.csv"
    file.write_text("job_id,submit_s,start_s,duration_s,gpus\na,0,0,3600,16\nb,0,0,3600,8\nc,0,64800,43200,8\n")
    block = {"kind": "queue", "file": str(file)}
    small = {"cluster": {"servers_per_row": 1}}
    found = measure(play(hall(site=small, jobs={"record": block | {"record_gpus": 24}})).trace)
    assert found["mean_wait_h"] == pytest.approx(2 / 3)
    assert found["record_use_fraction"] == pytest.approx((16 + 8 + 48) / (16 * 24))
    assert found["queue_use_fraction"] == pytest.approx((16 + 8 + 8 * 12) / (16 * 24))
    unknown = measure(play(hall(site=small, jobs={"record": block})).trace)
    assert np.isnan(unknown[["mean_wait_h", "mean_slowdown"]]).all()
    assert unknown["record_use_fraction"] == found["record_use_fraction"]
