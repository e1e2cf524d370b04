"""What the queue's own expectations say of the load to come."""

import pytest

from twin.jobs.outlook import busy_ahead, mean_busy

H = 3_600_000_000


def test_waiting_jobs_follow_running_ones_in_order():
    steps, known = busy_ahead(0, 100, [(2 * H, 60), (5 * H, 40)], [(4 * H, 50), (3 * H, 30)], overtake=False)
    assert steps == [(0, 100), (2 * H, 90), (5 * H, 80)]
    assert known == 5 * H


def test_with_backfill_a_small_job_does_not_wait_for_a_large_one():
    running, waiting = [(2 * H, 60), (5 * H, 30)], [(4 * H, 80), (H, 10)]
    assert busy_ahead(0, 100, running, waiting, overtake=True)[0][:2] == [(0, 90), (0, 100)]
    assert busy_ahead(0, 100, running, waiting, overtake=False)[0][:2] == [(0, 90), (2 * H, 30)]


def test_without_a_queue_nothing_is_known():
    assert busy_ahead(7, 100, [(2 * H, 60)], [], overtake=True) == ([(7, 60)], 7)


def test_a_job_that_has_outlived_its_expectation_goes_on_and_one_that_never_fits_ends_the_outlook():
    steps, known = busy_ahead(3 * H, 100, [(2 * H, 60), (4 * H, 20)], [(H, 50)], overtake=False)
    assert steps == [(3 * H, 80), (4 * H, 60)]
    assert known == 4 * H


def test_the_mean_of_a_slot_is_by_time_and_ends_with_what_is_known():
    steps = [(H // 2, 100), (H + H // 4, 60), (3 * H, 0)]
    assert mean_busy(steps, 4 * H, 0, 5, H) == [100.0, pytest.approx(70.0), 60.0, 0.0, None]
