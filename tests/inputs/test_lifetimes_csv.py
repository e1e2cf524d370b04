"""Records of failures as durations: three layouts, what is censored, what is refused."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.lifetimes_csv import Layout, read_lifetimes

RECORD = """item,kind,start,end,minutes,going
a,x,2026-01-01 00:00,2026-01-01 02:00,120,no
a,x,2026-01-01 10:00,2026-01-01 11:00,60,no
b,x,2026-01-01 05:00,2026-01-01 05:30,30,no
a,y,2026-01-01 10:30,2026-01-01 12:00,90,no
b,y,2026-01-02 00:00,,600,yes
c,y,2026-01-02 10:00,2026-01-02 10:00,0,no
c,y,,,,no
"""


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(RECORD)
    return path


def test_a_column_of_durations_in_its_unit_with_what_had_not_ended(record):
    found = read_lifetimes(record, Layout(column="minutes", unit="min", censored="going"))
    np.testing.assert_allclose(found.hours, [0.5, 1.0, 1.5, 2.0, 10.0])
    assert found.observed.tolist() == [True, True, True, True, False]
    assert (found.empty_rows, found.cut_rows) == (1, 1)


def test_down_times_from_start_and_end_the_open_one_up_to_the_record_s_end(record):
    found = read_lifetimes(record, Layout(start="start", end="end"))
    np.testing.assert_allclose(found.hours, [0.5, 1.0, 1.5, 2.0, 10.0])
    assert found.observed.tolist() == [True, True, True, True, False]


def test_times_between_failures_run_from_restoration_and_the_last_is_cut_off(record):
    """a: up from 2 to 10, fails again while down, up from 12 to 34 (the end). b: up 5.5 to 24, then down for good."""
    found = read_lifetimes(record, Layout(start="start", end="end", between=True, by=["item"]))
    np.testing.assert_allclose(found.hours, [8.0, 18.5, 22.0])
    assert found.observed.tolist() == [True, True, False]
    assert found.items == 3
    assert found.cut_rows == 2  # a's failure while down; c, last of all, has no time left


def test_without_an_end_times_run_from_failure_to_failure_and_where_keeps_rows(record):
    found = read_lifetimes(record, Layout(start="start", between=True, by=["item"], where={"kind": "x"}))
    np.testing.assert_allclose(found.hours, [10.0, 24.0, 29.0])
    assert found.observed.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (Layout(), "either a column of durations or a column of start times"),
        (Layout(column="minutes", start="start"), "either a column"),
        (Layout(column="minutes", between=True), "need a column of start times"),
        (Layout(start="start"), "need a column of end times"),
        (Layout(column="minutes", by=["item"]), "ask for between"),
        (Layout(start="start", end="end", censored="going"), "an empty end is censored"),
        (Layout(column="minuts"), "did you mean 'minutes'"),
        (Layout(start="item", end="end"), "'a' is not a time like"),
        (Layout(column="minutes", censored="item"), "'a' is neither"),
        (Layout(column="minutes", where={"kind": "z"}), "no row has 'z'"),
        (Layout(start="start", end="end", where={"item": "c"}), "no duration is left"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(record, layout, message):
    with pytest.raises(InputError, match=message):
        read_lifetimes(record, layout)


def test_times_with_a_zone_count_by_their_offset(tmp_path):
    """The night on which clocks go forward: an hour, not two."""
    path = tmp_path / "zoned.csv"
    path.write_text(
        "from,to\n2026-03-29T01:30+01:00,2026-03-29T03:30+02:00\n2026-03-28T01:30Z,2026-03-28T04:30+01:00\n"
    )
    assert read_lifetimes(path, Layout(start="from", end="to")).hours.tolist() == [1.0, 2.0]
