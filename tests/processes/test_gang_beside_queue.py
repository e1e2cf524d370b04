"""A gang job and a queue on one site: the queue gets the servers that the gang leaves."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from simulation import H, Story, hall, job, outage, play

from twin.scenario.model import Scenario


def beside(folder: Path, jobs: list[tuple[int, int, int]], gang: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Two rows of ten servers; jobs as (submit_s, duration_s, gpus)."""
    file = folder / "jobs.csv"
    lines = [f"j{k:03d},{submit},{duration},{gpus}\n" for k, (submit, duration, gpus) in enumerate(jobs)]
    file.write_text("job_id,submit_s,duration_s,gpus\n" + "".join(lines))
    block = {"kind": "queue", "file": str(file), "record_gpus": 40}
    return hall(jobs=job(**gang) | {"small": block}, **rest)


def starts_h(story: Story) -> list[float]:
    trace = story.trace
    queued = trace.jobs["item"] == trace.items["name"].index("hall/jobs/small")
    return (trace.jobs["start_us"][queued] / H).tolist()


def test_the_queue_waits_for_servers_that_the_gang_does_not_hold(tmp_path: Path) -> None:
    """15 of 20 servers are the gang's: five of eight GPUs are left, one after the other for two jobs of 24."""
    three = [(0, 3600, 24), (0, 3600, 16), (0, 3600, 24)]
    story = play(beside(tmp_path, three, {"gpus": 120}))
    assert starts_h(story) == [0.0, 0.0, 1.0]
    assert story.power("it_kw", H // 2) == pytest.approx(140.0 + 160.0)
    assert story.power("it_kw", 2 * H + 1) == pytest.approx(140.0 + 120.0)
    assert story.trace.items["gpus"][story.trace.items["name"].index("hall/jobs/small")] == 40
    fewer = play(beside(tmp_path, three, {"gpus": 120, "spare_servers": 2}))
    assert starts_h(fewer) == [0.0, 1.0, 2.0]


def test_both_lose_power_and_come_back_without_counting_a_gpu_twice(tmp_path: Path) -> None:
    grid = {"grid": {"script": [outage(1.0, duration_min=1.0)]}}
    story = play(beside(tmp_path, [(0, 10 * 3600, 40)], {"gpus": 120}, site=grid))
    assert story.power("it_kw", H // 2) == story.power("it_kw", 4 * H) == pytest.approx(300.0)
    assert len(story.interruptions()) == 2


@pytest.mark.parametrize(
    ("gang", "text"),
    [
        ({"gpus": 160}, "leave it no server"),
        ({"gpus": 40, "spare_rows": 1}, "would fill them; say spare_servers"),
    ],
)
def test_what_cannot_be_shared_is_refused(tmp_path: Path, gang: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Scenario.model_validate(beside(tmp_path, [(0, 60, 8)], gang))


def test_two_queues_on_one_site_are_refused(tmp_path: Path) -> None:
    data = beside(tmp_path, [(0, 60, 8)], {"gpus": 40})
    data["jobs"]["other"] = data["jobs"]["small"]
    with pytest.raises(ValidationError, match="make them one queue"):
        Scenario.model_validate(data)


def test_a_queued_job_that_the_gang_leaves_no_room_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="larger than the cluster"):
        play(beside(tmp_path, [(0, 60, 48)], {"gpus": 120}))
