"""The job table's reader, on made-up samples and on the Philly record."""

import gzip

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.jobs.read import read_jobs, read_record
from twin.inputs.jobs.table import table_lines
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
    rows = ["a,x,-1,1,1", "c,x,0,nan,1", "c,x,0,inf,1", "d,x,0,1,x", "e,x,0,1,1.5", "e,x,0,1,1", ",x,0,3,1", "g,x,0"]
    path = written(tmp_path / "jobs.csv", [*rows, "e,x,0,1,2", "h,x,0,-1,2"])
    with pytest.raises(InputError) as caught:
        read_jobs(path)
    assert [(problem.line, problem.message) for problem in caught.value.problems] == [
        (2, "wrong cell: submit_s -1 must not be below 0"),
        (4, "wrong cell: duration_s 'inf' is not a finite number"),
        (5, "wrong cell: gpus 'x' is not a number"),
        (6, "wrong cell: gpus 1.5 must be a whole number"),
        (8, "wrong cell: the job's id is empty"),
        (9, "broken row: the row has 3 cells, the header 5"),
        (10, "duplicate id: job e, first in row 7"),
        (11, "wrong cell: duration_s -1 must not be below 0"),
    ]
    assert read_jobs(path, bad_rows="leave_out").job_id == ["e"]


def test_a_row_that_is_no_job_is_left_out_with_its_reason_and_refuses_nothing(tmp_path):
    path = written(tmp_path / "jobs.csv", ["a,x,0,5,0", "b,x,0,0,1", "c,x,0,1,1"])
    reading = read_record(path)
    assert [(row.line, row.reason, row.bad) for row in reading.rejected] == [
        (2, "no GPU", False), (3, "ran for no time", False)
    ]  # fmt: skip
    assert read_jobs(path).job_id == ["c"]
    assert (reading.rows, reading.reasons()) == (3, {"no GPU": 1, "ran for no time": 1})


def test_jobs_larger_than_the_cluster_are_bad_rows(tmp_path):
    path = written(tmp_path / "jobs.csv", ["a,x,0,1,9", "b,x,0,1,8"])
    assert read_jobs(path).job_id == ["a", "b"]
    with pytest.raises(InputError, match=r"jobs\.csv:2: larger than the cluster: job a, 9 GPUs of 8"):
        read_jobs(path, gpus_max=8)
    assert read_jobs(path, gpus_max=8, bad_rows="leave_out").job_id == ["b"]


def test_nothing_usable_is_refused_with_the_reasons(tmp_path):
    with pytest.raises(InputError, match=r"no usable job \(2 rows rejected: 1 no GPU, 1 wrong cell\)"):
        read_record(written(tmp_path / "jobs.csv", ["a,x,0,5,0", "b,x,0,z,1"]))
    with pytest.raises(InputError, match="the file has no rows"):
        read_record(written(tmp_path / "jobs.csv", []))


def test_a_truncated_gzip_file_gives_the_rows_before_the_break(tmp_path):
    write_jobs(tmp_path / "jobs.csv.gz", jobs=500)
    whole = read_record(tmp_path / "jobs.csv.gz")
    data = (tmp_path / "jobs.csv.gz").read_bytes()
    (tmp_path / "cut.csv.gz").write_bytes(data[: len(data) // 2])
    cut = read_record(tmp_path / "cut.csv.gz")
    (broken,) = cut.rejected
    assert (broken.reason, broken.detail) == ("file breaks off", "the gzip file is truncated in this row")
    assert broken.line == len(cut.jobs) + 2
    assert 100 < len(cut.jobs) < 400
    assert set(cut.jobs.job_id) < set(whole.jobs.job_id)
    with pytest.raises(InputError, match="truncated"):
        read_jobs(tmp_path / "cut.csv.gz")
    (tmp_path / "bad.csv.gz").write_bytes(data[:-8] + b"\0\0\0\0" + data[-4:])
    bad = read_record(tmp_path / "bad.csv.gz")
    assert [row.detail for row in bad.rejected] == ["the gzip file is broken in this row"]
    assert len(whole.jobs) - 10 < len(bad.jobs) < len(whole.jobs)


def test_a_head_of_no_layout_is_refused_and_the_layouts_are_named(tmp_path):
    with pytest.raises(InputError, match=r"no known layout.*table: columns job_id"):
        read_record(written(tmp_path / "jobs.csv", ["1,2"], "time,power"))
    with pytest.raises(InputError, match=r"no layout 'tabel' \(there are table"):
        read_record(written(tmp_path / "jobs.csv", ["a,x,0,1,1"]), "tabel")


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no column 'duration_s' \(columns: job_id, submit_s, duration_h, gpus\)"):
        read_jobs(written(tmp_path / "jobs.csv", ["a,0,1,1"], "job_id,submit_s,duration_h,gpus"))


def test_all_columns_of_the_strict_table_are_read_and_written_back(tmp_path):
    header = "job_id,tenant,submit_s,start_s,end_s,gpus,servers,state,checkpointable,priority,requested_s"
    rows = ['"a,1",x,0,2,7.25,16,2,failed,true,5,60', "b,y,1,,,1,,,,,", "c,y,1,1,3,1,,completed,no,-2,"]
    reading = read_record(written(tmp_path / "jobs.csv", rows, header))
    jobs = reading.jobs
    assert jobs.job_id == ["a,1", "c"]
    assert (jobs.duration_s.tolist(), jobs.start_s.tolist()) == ([5.25, 2.0], [2.0, 1.0])
    assert (jobs.servers.tolist(), jobs.state) == ([2, 0], ["failed", "completed"])
    assert (jobs.checkpointable.tolist(), jobs.priority.tolist()) == ([1, 0], [5.0, -2.0])
    assert [row.reason for row in reading.rejected] == ["never started"]
    (tmp_path / "again.csv").write_text("\n".join(table_lines(jobs)) + "\n")
    again = read_jobs(tmp_path / "again.csv")
    for name in ("submit_s", "start_s", "duration_s", "gpus", "servers", "checkpointable", "priority", "requested_s"):
        np.testing.assert_array_equal(getattr(again, name), getattr(jobs, name))
    assert (again.job_id, again.tenant, again.state) == (jobs.job_id, jobs.tenant, jobs.state)


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
