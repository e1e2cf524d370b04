"""The job table's reader, on made-up samples and on the Philly record."""

import gzip

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.jobs_csv import read_jobs
from twin.inputs.samples import write_jobs


def written(path, rows, header="job_id,vc,submit_s,duration_s,gpus"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_jobs_come_in_order_of_submission_then_of_id(tmp_path):
    jobs = read_jobs(written(tmp_path / "jobs.csv", ["c,x,5,1,8", "b,y,0,2.5,1", "a,x,5,3,2"]))
    assert jobs.job_id == ["b", "a", "c"]
    assert jobs.tenant == ["y", "x", "x"]
    np.testing.assert_array_equal(jobs.submit_s, [0.0, 5.0, 5.0])
    np.testing.assert_array_equal(jobs.duration_s, [2.5, 3.0, 1.0])
    np.testing.assert_array_equal(jobs.gpus, [1, 2, 8])
    assert (jobs.submit_s.dtype, jobs.gpus.dtype) == (np.float64, np.int64)


def test_the_order_of_rows_changes_nothing(tmp_path):
    write_jobs(tmp_path / "jobs.csv.gz", jobs=200)
    header, *rows = gzip.decompress((tmp_path / "jobs.csv.gz").read_bytes()).decode().splitlines()
    jobs = read_jobs(tmp_path / "jobs.csv.gz")
    turned = read_jobs(written(tmp_path / "turned.csv", rows[::-1], header))
    assert jobs.job_id == turned.job_id
    np.testing.assert_array_equal(jobs.duration_s, turned.duration_s)


@pytest.mark.parametrize("name", ["tenant", "vc", "user"])
def test_the_tenant_may_have_three_names(tmp_path, name):
    jobs = read_jobs(written(tmp_path / "jobs.csv", ["a,0,1,1,bob"], f"job_id,submit_s,duration_s,gpus,{name}"))
    assert jobs.tenant == ["bob"]


def test_a_table_without_tenants_has_empty_ones(tmp_path):
    assert read_jobs(written(tmp_path / "jobs.csv", ["a,0,1,1"], "job_id,submit_s,duration_s,gpus")).tenant == [""]


def test_every_bad_row_is_named_at_once(tmp_path):
    rows = ["a,x,-1,1,1", "b,x,0,0,1", "c,x,0,nan,1", "d,x,0,1,0", "e,x,0,1,1.5", "e,x,0,1,1", ",x,0,-3,1", "g,x,0"]
    with pytest.raises(InputError) as caught:
        read_jobs(written(tmp_path / "jobs.csv", rows))
    assert [(problem.line, problem.key, problem.message) for problem in caught.value.problems] == [
        (2, "submit_s", "-1 must not be below 0"),
        (3, "duration_s", "0 must be above 0"),
        (4, "duration_s", "nan is not a finite number"),
        (5, "gpus", "0 must not be below 1"),
        (6, "gpus", "1.5 must be a whole number"),
        (7, "job_id", "'e' is there twice, first in row 6"),
        (8, "duration_s", "-3 must be above 0"),
        (8, "job_id", "is empty"),
        (9, None, "the row has 3 cells, the header 5"),
    ]


def test_a_missing_column_is_suggested(tmp_path):
    with pytest.raises(InputError, match=r"no column 'duration_s' \(did you mean 'duration_h'\?\)"):
        read_jobs(written(tmp_path / "jobs.csv", ["a,0,1,1"], "job_id,submit_s,duration_h,gpus"))


def test_the_philly_record_gives_the_numbers_of_its_summary(real_data):
    jobs = read_jobs(real_data("jobs_philly_2017") / "jobs.csv.gz")
    assert len(jobs) == 70_775
    assert len(set(jobs.tenant)) == 11
    assert (jobs.submit_s[-1] - jobs.submit_s[0]) / 86_400 == pytest.approx(106.2, abs=0.05)
    assert (jobs.duration_s * jobs.gpus).sum() / 3600 == pytest.approx(636_692, abs=1)
    assert np.median(jobs.duration_s) == 1045
    sizes, counts = np.unique(jobs.gpus, return_counts=True)
    assert dict(zip(sizes.tolist(), counts.tolist(), strict=True)) == {
        1: 67_090, 2: 1_774, 4: 1_033, 8: 680, 16: 173, 24: 3, 32: 13, 64: 6, 128: 3
    }  # fmt: skip
