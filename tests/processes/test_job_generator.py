"""Generated workloads: drawn distributions against the model, keyed luck, and the queue that runs them."""

from types import SimpleNamespace

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import hall, play

from twin.errors import InputError
from twin.inputs.workload import clock_of_day
from twin.parts.generator import GeneratorSpec, draw_jobs
from twin.parts.presets import presets
from twin.parts.queue import QueueSpec


def spec(**changes):
    return GeneratorSpec.model_validate({"preset": "acme_seren", **changes})


def drawn(block, days, replication=0, gpus=2288, seed=5):
    world = SimpleNamespace(seed=seed, replication=np.uint64(replication), horizon_us=round(days * 86_400e6))
    return draw_jobs(block, "lab/jobs/mix", gpus, world)


def background(jobs):
    return {jobs.job_id[k]: (jobs.submit_s[k], jobs.duration_s[k], jobs.gpus[k]) for k in range(len(jobs))}


@pytest.mark.slow
def test_a_drawn_workload_has_the_published_distributions():
    """120,000 jobs: shares and means within 3.5 standard errors, quantiles within 3 %."""
    block = spec(jobs_per_day=120_000.0, interarrival_cv=1.0)
    jobs, model = drawn(block, 1.0), block.workload(2288)
    assert len(jobs) == pytest.approx(120_000, abs=4 * np.sqrt(120_000))
    for k, probability in enumerate(model.size_probability):
        error = np.sqrt(probability * (1 - probability) / len(jobs))
        assert (jobs.gpus == 1 << k).mean() == pytest.approx(probability, abs=3.5 * error)
    for end, probability in zip(("completed", "cancelled", "failed"), model.ends, strict=True):
        found = np.mean([state == end for state in jobs.state])
        assert found == pytest.approx(probability, abs=3.5 * np.sqrt(probability / len(jobs)))
    assert np.median(jobs.duration_s) == pytest.approx(122.0, rel=0.03), "published"
    for seconds in (10.0, 30.0, 600.0, 3600.0, 86_400.0):
        share = model.shorter_than(seconds)
        assert (jobs.duration_s <= seconds).mean() == pytest.approx(share, abs=3.5 * np.sqrt(share * (1 - share) / 1e5))
    error = jobs.duration_s.std() / np.sqrt(len(jobs))
    assert jobs.duration_s.mean() == pytest.approx(1414.3, abs=3.5 * error), "published"
    assert jobs.gpu_h.mean() * 3600 == pytest.approx(32_404.6, abs=3.5 * 3600 * jobs.gpu_h.std() / np.sqrt(len(jobs)))


def test_submissions_follow_the_hours_and_come_in_bursts():
    hours = presets("workload")["acme_seren"]["submit_by_hour"]
    even = drawn(spec(jobs_per_day=20_000.0, interarrival_cv=1.0), 1.0)
    share = np.diff(clock_of_day(hours))
    counts = np.bincount((even.submit_s // 3600).astype(int), minlength=24)
    np.testing.assert_allclose(counts / len(even), share, atol=4 * np.sqrt(share.max() / len(even)))
    flat = {"submit_by_hour": [1.0] * 24, "jobs_per_day": 2_000.0}
    for cv, low, high in ((1.0, 0.95, 1.05), (6.0, 4.0, 8.0)):
        gaps = np.diff(drawn(spec(interarrival_cv=cv, **flat), 20.0).submit_s)
        assert low < gaps.std() / gaps.mean() < high


def test_the_offered_load_is_that_of_the_cluster_it_meets():
    block = spec(offered_load_fraction=0.4, gpus_max=64)
    assert block.rate_per_day(256) * block.workload(256).mean_gpu_s == pytest.approx(0.4 * 256 * 86_400)
    assert drawn(block, 2.0, gpus=16).gpus.max() <= 16


def test_luck_is_keyed_by_replication_and_by_job_and_by_purpose():
    block = spec(offered_load_fraction=0.3)
    one = background(drawn(block, 3.0, gpus=256))
    assert background(drawn(block, 3.0, gpus=256)) == one
    assert background(drawn(block, 3.0, replication=1, gpus=256)) != one
    assert background(drawn(block, 3.0, gpus=256, seed=6)) != one
    longer = background(drawn(block, 6.0, gpus=256))
    assert {name: longer[name] for name in one} == one
    beside = background(drawn(spec(offered_load_fraction=0.3, gangs=[{"gpus": 8, "duration_h": 5.0}]), 3.0, gpus=256))
    assert {name: job for name, job in beside.items() if not name.startswith("gang")} == one
    slower = background(drawn(spec(offered_load_fraction=0.3, jobs_per_day=None, run_time_max_s=100.0), 3.0, gpus=256))
    both = sorted(set(one) & set(slower))
    assert [slower[name][2] for name in both] == [one[name][2] for name in both]


def test_gangs_come_when_they_are_told_and_keep_their_work():
    gangs = [{"gpus": 64, "duration_h": 30.0, "submit_h": 2.0, "count": 3, "every_h": 20.0, "tenant": "tuning"}]
    jobs = drawn(spec(jobs_per_day=1.0, gangs=gangs), 1.5)
    gang = [k for k in range(len(jobs)) if jobs.job_id[k].startswith("gang")]
    assert [jobs.submit_s[k] / 3600 for k in gang] == [2.0, 22.0]
    assert {(jobs.gpus[k], jobs.duration_s[k], jobs.tenant[k], jobs.checkpointable[k]) for k in gang} == {
        (64, 108_000.0, "tuning", 1)
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "give offered_load_fraction or jobs_per_day"),
        ({"preset": "acme_sern", "jobs_per_day": 1.0}, "did you mean acme_seren"),
        ({"jobs_per_day": 1.0, "interarrival_cv": 0.5}, "greater than or equal to 1"),
        ({"jobs_per_day": 1.0, "submit_by_hour": [0.0] * 24}, "at least one weight"),
    ],
)
def test_a_wrong_block_is_refused(changes, message):
    base = {} if changes.get("jobs_per_day") else {"jobs_per_day": None}
    with pytest.raises(ValidationError, match=message):
        spec(**base, **changes)


def test_a_queue_has_a_record_or_a_generator_and_a_gang_must_fit():
    with pytest.raises(ValidationError, match="give file"):
        QueueSpec.model_validate({"kind": "queue"})
    block = {"kind": "queue", "generator": {"preset": "acme_seren", "jobs_per_day": 10.0}}
    block["generator"]["gangs"] = [{"gpus": 999, "duration_h": 5.0}]
    with pytest.raises(InputError, match=r"gangs\.0\.gpus: 999 GPUs do not fit on the cluster's 160"):
        play(hall(jobs={"mix": block}))


def test_the_queue_runs_what_was_drawn_and_each_replication_its_own():
    block = {"kind": "queue", "generator": {"preset": "acme_seren", "offered_load_fraction": 0.2, "gpus_max": 16}}
    first, again, other = (play(hall(jobs={"mix": block}), replication=k).trace.jobs for k in (0, 0, 1))
    assert first["submit_us"].size > 50
    np.testing.assert_array_equal(first["submit_us"], again["submit_us"])
    assert first["submit_us"].size != other["submit_us"].size
    ended = first["end_us"] >= 0
    assert ended.mean() > 0.9
    np.testing.assert_array_equal(
        (first["end_us"] - first["start_us"])[ended], first["useful_us"][ended]
    )  # nothing went dark: each ran once, without a break
