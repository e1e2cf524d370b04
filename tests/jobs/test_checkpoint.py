"""Checkpoint intervals against their defining equations, progress against a second by second count."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import lambertw

from twin.jobs.checkpoint import daly_h, expected_h, optimal_h, young_h
from twin.jobs.progress import Progress
from twin.jobs.stand_by import StandBy

SETS = [(1 / 60, 5.0, 0.25), (1 / 12, 2.0, 0.1), (1 / 3, 1.0, 0.5), (1e-4, 1000.0, 1.0)]


@pytest.mark.parametrize(("write_h", "mtbf_h", "down_h"), SETS)
def test_the_optimal_interval_is_lambert_s_and_the_least_of_the_expected_time(write_h, mtbf_h, down_h):
    best = optimal_h(write_h, mtbf_h)
    assert best == pytest.approx(mtbf_h * (1 + lambertw(-math.exp(-1 - write_h / mtbf_h)).real), rel=1e-6)
    least = expected_h(100.0, best, write_h, mtbf_h, down_h)
    for other in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
        assert expected_h(100.0, best * other, write_h, mtbf_h, down_h) > least


def test_young_and_daly_are_near_the_optimum_where_writes_are_short():
    """Daly's own bound: within 0.2 % of the optimum up to delta = M / 10 or so; Young's is a few per cent off."""
    for write_h, mtbf_h, _ in SETS[:2]:
        assert daly_h(write_h, mtbf_h) == pytest.approx(optimal_h(write_h, mtbf_h), rel=2e-3)
        assert young_h(write_h, mtbf_h) > optimal_h(write_h, mtbf_h)
    assert daly_h(3.0, 1.0) == 1.0


def test_failures_in_restarts_and_in_none_are_the_same_without_restarts():
    assert expected_h(10.0, 1.0, 0.1, 5.0, 0.3, 0.0) == pytest.approx((5.0 + 0.3) * math.expm1(1.1 / 5.0) * 10.0)
    assert expected_h(10.0, 1.0, 0.1, 1e9, 0.0) == pytest.approx(11.0)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(0, 3), st.integers(0, 5), st.integers(0, 60), st.sampled_from([1.0, 0.5, 0.0]))
def test_what_is_booked_is_what_a_count_second_by_second_books(interval, stall, lag, elapsed, pace):
    """At one pace from the start. The last durable checkpoint is one whose stall ended `lag` ago or longer."""
    progress = Progress(interval, stall, lag)
    progress.set_pace(0, pace)
    progress.begin(0)
    cycle = interval + stall
    trains = [second % cycle < interval for second in range(elapsed)]
    durable = max([end for end in range(0, elapsed + 1, cycle) if end + lag <= elapsed or end == 0])
    lost = progress.book(elapsed, to_checkpoint=True)
    assert lost.rolled_back == progress.exposed_us(elapsed) == elapsed - durable
    assert lost.stalled == trains[:durable].count(False)
    kept = progress.book(elapsed, to_checkpoint=False)
    assert kept.stalled == trains.count(False)
    if pace == 1.0:
        assert kept.useful == trains.count(True)
        assert lost.useful == trains[:durable].count(True)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 9), st.integers(0, 3), st.integers(1, 60), st.sampled_from([1.0, 0.5, 0.8]))
def test_work_is_done_when_it_is_expected_to_be(interval, stall, work, pace):
    progress = Progress(interval * 1000, stall * 1000, 0)
    progress.set_pace(0, pace)
    progress.begin(0)
    finish = progress.finish_us(0, work * 1000)
    done = progress.book(finish, to_checkpoint=False).useful
    assert abs(done - work * 1000) <= (0 if pace == 1.0 and work % interval == 0 else 2 * stall * 1000 + interval)
    progress.set_pace(finish, 0.0)
    assert progress.finish_us(finish, work) is None


def test_a_job_waits_for_repairs_only_where_more_are_out_than_stand_by():
    some = StandBy(2)
    some.broken(2, 100)
    assert some.complete_us(0) == 0
    some.broken(1, 50)
    some.broken(1, 70)
    assert some.complete_us(10) == 70
    assert some.complete_us(60) == 70
    assert some.complete_us(71) == 71
