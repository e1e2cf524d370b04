"""The reader of durations, on small files, on samples and on the two measured records."""

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.durations_csv import read_duration_record, read_durations
from twin.inputs.samples import write_outages

ROWS = "cause,min\nequipment,120\nstorm,600\nequipment,30\nequipment,\nstorm,0\nwind,-5\n"


@pytest.fixture
def outages(tmp_path):
    path = tmp_path / "outages.csv"
    path.write_text(ROWS)
    return path


def test_matching_durations_come_converted_and_ascending(outages):
    record = read_duration_record(outages, "min", where={"cause": "equipment"}, multiply_by=1 / 60)
    np.testing.assert_allclose(record.durations, [0.5, 2.0])
    assert (record.empty_rows, record.cut_rows) == (1, 0)


def test_bounds_cut_after_conversion_and_take_non_positive_rows_with_them(outages):
    record = read_duration_record(outages, "min", multiply_by=1 / 60, minimum=0.5, maximum=9.9)
    np.testing.assert_allclose(record.durations, [0.5, 2.0])
    assert (record.empty_rows, record.cut_rows) == (1, 3)


def test_zero_and_negative_durations_are_problems_with_their_rows(outages):
    with pytest.raises(InputError) as caught:
        read_durations(outages, "min")
    assert [(problem.line, problem.key) for problem in caught.value.problems] == [(6, "min"), (7, "min")]


def test_a_minimum_of_zero_still_refuses_a_duration_of_zero(outages):
    with pytest.raises(InputError, match=r"outages\.csv:6"):
        read_durations(outages, "min", where={"cause": "storm"}, minimum=0.0)


def test_an_unknown_value_names_those_there(outages):
    with pytest.raises(InputError, match=r"no row has 'ice'.*'equipment', 'storm', 'wind'\)"):
        read_durations(outages, "min", where={"cause": "ice"})


def test_at_most_eight_values_are_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("cause,min\n" + "".join(f"c{row},1\n" for row in range(20)))
    with pytest.raises(InputError) as caught:
        read_durations(path, "min", where={"cause": "x"})
    remedy = caught.value.problems[0].remedy
    assert remedy.count("'c") == 8
    assert remedy.endswith("...")


def test_a_cut_that_leaves_nothing_says_what_it_cut(outages):
    with pytest.raises(InputError, match="no durations are left: 3 rows, 1 of them empty, 2 cut"):
        read_durations(outages, "min", where={"cause": "equipment"}, minimum=1e6)


def test_bad_cells_of_other_causes_do_not_matter_but_those_taken_do(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("cause,min\na,x\nb,1\n")
    assert read_durations(path, "min", where={"cause": "b"}).tolist() == [1.0]
    with pytest.raises(InputError, match=r"a\.csv:2: min: 'x' is not a number"):
        read_durations(path, "min", where={"cause": "a"})


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_factor_that_is_not_positive_is_refused(outages, factor):
    with pytest.raises(InputError, match="multiply_by"):
        read_durations(outages, "min", multiply_by=factor)


def test_columns_that_are_missing_are_suggested(outages):
    with pytest.raises(InputError, match=r"no column 'mins' \(did you mean 'min'\?\)"):
        read_durations(outages, "mins")
    with pytest.raises(InputError, match=r"no column 'causes' \(did you mean 'cause'\?\)"):
        read_durations(outages, "min", where={"causes": "storm"})


def test_a_sample_reads_like_the_record_it_stands_for(tmp_path):
    write_outages(tmp_path / "events.csv.gz")
    record = read_duration_record(tmp_path / "events.csv.gz", "duration_min", multiply_by=1 / 60)
    assert len(record.durations) + record.empty_rows == 400
    assert record.empty_rows > 0
    assert (np.diff(record.durations) >= 0).all()
    assert record.durations[0] > 0


def test_the_us_record_gives_the_quantiles_of_facts(real_data):
    path = real_data("grid_outages_us_major") / "events.csv.gz"
    all_min = read_durations(path, "duration_min", minimum=0.1)
    assert len(all_min) == 1_398
    record = read_duration_record(
        path, "duration_min", where={"cause": "equipment failure"}, multiply_by=1 / 60, minimum=1 / 60
    )
    assert (len(record.durations), record.empty_rows, record.cut_rows) == (54, 5, 1)
    assert np.median(record.durations) == pytest.approx(221 / 60, rel=0.02)


def test_the_us_records_duration_of_zero_is_named(real_data):
    path = real_data("grid_outages_us_major") / "events.csv.gz"
    with pytest.raises(InputError, match=r"events\.csv\.gz:953: duration_min"):
        read_durations(path, "duration_min", where={"cause": "equipment failure"})


def test_the_lanl_record_gives_the_power_outages_of_its_summary(real_data):
    path = real_data("hpc_failures_lanl") / "failures.csv.gz"
    down_h = read_durations(path, "down_min", where={"cause": "Power Outage"}, multiply_by=1 / 60)
    assert len(down_h) == 177
    assert np.median(down_h) == pytest.approx(9.0)
