"""Capacity shortfall: dark rows against the fewest that some gang job on the site can do without."""

import pytest
from builders import trace_of
from simulation import hall, job, play

from twin import metrics
from twin.world.record import WHATS

ROWS = [(f"campus/row-{n}", "row", 100.0, 8) for n in range(3)]
JOBS = [(f"campus/jobs/{name}", "gang_job", 0.0, 8) for name in "ab"]
DARK = [(2, 0, "lit", 0, -1), (3, 1, "lit", 0, -1), (5, 1, "lit", 1, -1), (6, 0, "lit", 1, -1)]


def shortfall_h(items, held):
    found = metrics.measure(trace_of(items, [*held, *DARK], whats=list(WHATS)))
    return found["capacity_shortfall_h_per_year"]


def test_a_job_that_gives_up_a_row_gains_no_spare_by_it() -> None:
    """Row 2 is off for two hours; a rigid job waits, one that shrinks goes on: short of a row are both."""
    work = {"planned_work": {"script": [{"at_h": 1.0, "on": "row-002", "duration_h": 2.0}]}}
    rigid, elastic = (
        metrics.measure(play(hall(site=work, jobs=job(**own))).trace) for own in ({}, {"minimum_rows": 1})
    )
    for found in (rigid, elastic):
        assert found["capacity_shortfall_per_year"] == 365.0
        assert found["capacity_shortfall_h_per_year"] == pytest.approx(2 * 365.0)


def test_of_several_jobs_on_a_site_the_one_with_fewest_spare_rows_counts() -> None:
    items = [*ROWS, *JOBS]
    one_spare, none = (0, 3, "rows_held", 2, -1), (0, 4, "rows_held", 3, -1)
    assert shortfall_h([*ROWS, JOBS[0]], [one_spare]) == 2.0
    assert shortfall_h(items, [one_spare]) == 4.0
    assert shortfall_h(items, [one_spare, none]) == shortfall_h(items, [none, one_spare]) == 4.0


def test_rows_given_up_at_the_first_instant_are_no_spares_either() -> None:
    assert shortfall_h([*ROWS, JOBS[0]], [(0, 0, "lit", 0, -1), (0, 3, "rows_held", 2, 0)]) == 6.0
