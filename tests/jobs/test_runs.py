"""Queue jobs under caps: what they have done."""

import pytest

from twin.jobs.runs import Runs
from twin.units import TICKS_PER_H


@pytest.mark.parametrize("first", ["cap", "job"])
def test_a_job_that_begins_under_a_cap_books_half_as_one_that_the_cap_meets(first: str) -> None:
    runs = Runs([4 * TICKS_PER_H], [TICKS_PER_H], 0, 0)
    if first == "cap":
        runs.set_pace(0, 0.5)
        runs.begin(0, 0)
    else:
        runs.begin(0, 0)
        runs.set_pace(0, 0.5)
    runs.stop(0, 2 * TICKS_PER_H, 2 * TICKS_PER_H, saved=True)
    assert runs.useful_us[0] == TICKS_PER_H
