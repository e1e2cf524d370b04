"""Queued jobs under failing servers, checkpoint stalls and power caps: by hand, and counts against theory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, MIN, H, Story, hall, merged, outage, play, simulator

from twin.jobs.checkpoint import optimal_h
from twin.metrics import measure
from twin.parts.queue import Queue, QueueSpec
from twin.scenario.model import ClusterSpec
from twin.units import NEVER


def replay(folder: Path, jobs: list[tuple[int, int, int]], servers: int = 1, site: Any = None, **queue: Any) -> Story:
    """Jobs as (submit_s, duration_s, gpus) on two rows of `servers` each."""
    own = merged({"cluster": {"servers_per_row": servers}}, site or {})
    return play(hall(site=own, jobs={"record": block_of(folder, jobs) | queue}))


def block_of(folder: Path, jobs: list[tuple[int, int, int]]) -> dict[str, Any]:
    file = folder / "jobs.csv"
    lines = [f"j{k:03d},{submit},{duration},{gpus}\n" for k, (submit, duration, gpus) in enumerate(jobs)]
    file.write_text("job_id,submit_s,duration_s,gpus\n" + "".join(lines))
    return {"kind": "queue", "file": str(file), "restart_min": 10.0}


FREQUENT = {"per_1000_server_days": 12_000.0}
"""Every server fails every two hours."""


def test_servers_fail_at_their_rate_and_what_that_costs_is_hardware_s(tmp_path: Path) -> None:
    """40 servers for a day: 480 failures; ten jobs lose work that nothing else is to blame for."""
    jobs = [(0, 80_000, 16 + 8 * k) for k in range(10)]
    block = block_of(tmp_path, jobs) | {"hardware": FREQUENT, "checkpoint_interval_min": 20.0}
    ran = simulator(hall(site={"cluster": {"servers_per_row": 20}}, jobs={"record": block}))
    stories = [Story(ran.run(replication, "units")) for replication in range(4)]
    counts = [len(story.at("jobs/record/hardware", "hardware")) for story in stories]
    assert abs(np.sum(counts) - 4 * 480) < 3 * np.sqrt(4 * 480)
    for story in stories:
        found, table = measure(story.trace), story.trace.jobs
        assert found["lost_gpu_h_hardware_per_year"] == found["lost_gpu_h_per_year"] > 0.0
        assert found["job_interruptions_power_per_year"] == 0.0
        started = table["start_us"] >= 0
        end_us = np.where(table["end_us"] >= 0, table["end_us"], 24 * H)
        spent_us = table["useful_us"] + table["rollback_us"] + table["down_us"]
        np.testing.assert_array_equal(spent_us[started], (end_us - table["start_us"])[started])


def test_a_larger_job_is_struck_more_often(tmp_path: Path) -> None:
    """A job of one server for a day, and one of nine."""
    block = block_of(tmp_path, [(0, 86_000, 72), (0, 86_000, 8)]) | {"hardware": FREQUENT, "restart_min": 0.0}
    ran = simulator(hall(site={"cluster": {"servers_per_row": 5}}, jobs={"record": block}))
    hits = np.sum([ran.run(replication, "ledger").jobs["interruptions"] for replication in range(8)], axis=0)
    assert abs(hits[0] - 8 * 9 * 12) < 3 * np.sqrt(8 * 9 * 12)
    assert abs(hits[1] - 8 * 12) < 3 * np.sqrt(8 * 12)


def test_a_spare_spares_the_wait_for_a_repair(tmp_path: Path) -> None:
    """A job on all servers that are no spares waits for the repair without them, and only restarts with them."""
    hardware = {"per_1000_server_days": 1000.0, "repair_h": 6.0}
    block = block_of(tmp_path, [(0, 3 * 86_400, 16)]) | {"hardware": hardware}

    def first(servers: int, **rules: int) -> list[Story]:
        ran = simulator(hall(site={"cluster": {"servers_per_row": servers}}, jobs={"record": block | rules}))
        return [story for k in range(8) if (story := Story(ran.run(k, "ledger"))).interruptions()]

    def waits_us(stories: list[Story]) -> list[int]:
        return [end - start for start, end, _, _ in (story.interruptions()[0] for story in stories) if end < 24 * H]

    alone, spared = first(1), first(2, spare_servers_per_row=1)
    assert min(waits_us(alone)) == 6 * H + 10 * MIN
    assert waits_us(spared).count(10 * MIN) > len(spared) / 2
    for story in alone:
        assert story.causes(int(story.trace.interruptions["cause"][0])) == ["jobs/record/hardware hardware 1"]
        assert story.interruptions()[0][2] == 0


def test_servers_that_do_not_boot_are_out_until_they_are_repaired(tmp_path: Path) -> None:
    hardware = {"per_1000_server_days": 0.0, "fails_to_boot_probability": 1.0, "repair_h": 4.0}
    site = {"grid": {"script": [outage(1.0, duration_min=1.0)]}}
    story = replay(tmp_path, [(0, 7200, 16)], site=site, hardware=hardware, checkpoint_interval_min=30.0)
    ((start, end, level, _),) = story.interruptions()
    assert (start, end - start, level) == (H, 4 * H + (1 + 15 + 10) * MIN, 2)


def test_checkpoints_keep_a_job_from_training(tmp_path: Path) -> None:
    """Two hours in four cycles of 30 min and one."""
    story = replay(tmp_path, [(0, 7200, 8)], checkpoint_interval_min=30.0, checkpoint_stall_s=60.0)
    job = story.job()
    assert (job["end_us"], job["useful_us"], job["stall_us"]) == (124 * MIN, 120 * MIN, 4 * MIN)
    assert replay(tmp_path, [(0, 7200, 8)], checkpoint_stall_s=60.0).job()["end_us"] == 120 * MIN


def test_each_job_saves_as_often_as_its_own_servers_fail(tmp_path: Path) -> None:
    """Three servers in 1000 fail in a day: M of 8000 h over a job's servers."""
    spec = {"checkpoint_interval": "optimal", "checkpoint_stall_s": 90.0, "hardware": {"per_1000_server_days": 3.0}}
    block = block_of(tmp_path, [(0, 7200, 4), (1, 7200, 80)]) | spec
    cluster = ClusterSpec(rows=2, servers_per_row=5)
    few, many = Queue("q", QueueSpec.model_validate(block), cluster).intervals_us()
    assert few / H == pytest.approx(optimal_h(0.025, 8000.0), rel=1e-9)
    assert many / H == pytest.approx(optimal_h(0.025, 800.0), rel=1e-9)
    plain = QueueSpec.model_validate(block_of(tmp_path, [(0, 7200, 4)]))
    assert Queue("q", plain, cluster).intervals_us() == [NEVER]


@pytest.mark.parametrize(
    ("change", "text"),
    [({"checkpoint_stall_s": 0.0}, "give checkpoint_stall_s"), ({"hardware": None}, "hardware.per_1000_server_days"),
     ({"checkpoint_interval_min": 5.0}, "leave out checkpoint_interval_min")],
)  # fmt: skip
def test_an_interval_that_cannot_be_computed_is_refused(tmp_path: Path, change: dict[str, Any], text: str) -> None:
    spec = {"checkpoint_interval": "young", "checkpoint_stall_s": 9.0, "hardware": {"per_1000_server_days": 3.0}}
    with pytest.raises(ValidationError, match=text):
        QueueSpec.model_validate(block_of(tmp_path, [(0, 60, 4)]) | spec | change)


def test_a_power_cap_slows_queued_jobs_down(tmp_path: Path) -> None:
    """Capped to 0.8 for the 30 min of an outage: one job ends 6 min later, one within it after 10 / 0.8 min."""
    site = {"grid": {"script": [outage(1.0, duration_min=30.0)]}, "protection": {"cabinets": CABINETS},
            "application": {"policy": "cap"}}  # fmt: skip
    jobs = [(0, 7200, 80), (0, 4200, 40)]
    story = replay(tmp_path, jobs, servers=10, site=site, checkpoint_interval_min=30.0)
    assert story.trace.jobs["end_us"].tolist() == [126 * MIN, 72 * MIN + MIN // 2]
    found = measure(story.trace)
    assert found["lost_gpu_h_capped_per_year"] == pytest.approx((80 * 0.1 + 40 * 2.5 / 60) * 365.0)
    assert story.power("it_kw", 70 * MIN) == pytest.approx(140.0 + 120 * 5.0 / 8.0)
