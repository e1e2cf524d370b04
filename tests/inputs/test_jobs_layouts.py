"""Every layout of job records: its fields, its rows that are no job, and its bad rows.

Slurm, SWF, Philly's JSON, Acme, Helios, Alibaba's original and OpenDC are built here from their published column lists
and examples: no file of them was at hand. The Philly and Alibaba tables are read as they are in the folder of records.
"""

import gzip
import json
import math

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.jobs.read import LAYOUTS, read_jobs, read_record

SLURM_HEAD = "JobID|User|Account|Submit|Start|End|Elapsed|State|AllocTRES|ReqTRES|NNodes|Timelimit|Priority"
BIG_JOB = "billing=64,cpu=64,gres/gpu:a100=16,gres/gpu=16,node=2|gres/gpu=16|2|1-00:00:00|7"
DAY = "2024-05-01T"
SLURM_ROWS = [
    f"101|ann|n|{DAY}08:00:00|{DAY}08:10:00|{DAY}09:10:30|01:00:30|COMPLETED|{BIG_JOB}",
    f"101.batch|||{DAY}08:10:00|{DAY}08:10:00|{DAY}09:10:30|01:00:30|COMPLETED|cpu=64||1||",
    f"102|bob|n|{DAY}08:01:00|{DAY}08:01:00|{DAY[:9]}3T10:01:00|2-02:00:00|CANCELLED by 9|gres/gpu:h=8||1|UNLIMITED|3",
    f"103_4|ann|cv|{DAY}08:02:00|{DAY}08:02:05|{DAY}08:03:05|00:01:00|OUT_OF_MEMORY||gres/gpu=4|1|01:00:00|",
    f"104|ann|cv|{DAY}08:03:00|Unknown|Unknown|00:00:00|PENDING||gres/gpu=4|1|01:00:00|1",
    f"105|ann|cv|{DAY}08:03:00|{DAY}08:04:00|Unknown|05:00:00|RUNNING|gres/gpu=4||1|01:00:00|1",
    f"106|ann|cv|{DAY}08:03:00|{DAY}08:04:00|{DAY}08:14:00|00:10:00|COMPLETED|cpu=4||1|01:00:00|1",
    f"107|ann|cv|{DAY}08:03:00|{DAY}08:04:00|{DAY}06:14:00|00:10:00|COMPLETED|gres/gpu=4||1|01:00:00|1",
    f"101|ann|cv|{DAY}08:03:00|{DAY}08:04:00|{DAY}08:14:00|00:10:00|COMPLETED|gres/gpu=4||1|01:00:00|1",
    f"108|ann|cv|{DAY}08:03:00+02:00|{DAY}08:04:00|{DAY}08:14:00|00:10:00|COMPLETED|gres/gpu=4||1||1",
    f"109|ann|cv|{DAY}08:03:00|{DAY}08:04",
]


def written(path, lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def by_id(reading):
    """Jobs of a reading by id, as (submit, start, duration, gpus, servers, state, tenant)."""
    jobs = reading.jobs
    return {
        jobs.job_id[k]: (
            jobs.submit_s[k], jobs.start_s[k], jobs.duration_s[k], jobs.gpus[k], jobs.servers[k], jobs.state[k],
            jobs.tenant[k],
        )
        for k in range(len(jobs))
    }  # fmt: skip


def reasons(reading):
    return [(row.line, row.reason, row.bad) for row in reading.rejected]


def test_slurm_accounting_text(tmp_path):
    reading = read_record(written(tmp_path / "sacct.txt", [SLURM_HEAD, *SLURM_ROWS]))
    assert reading.layout == "slurm"
    h = 3600.0
    assert by_id(reading) == {
        "101": (8 * h, 8 * h + 600, h + 30, 16, 2, "completed", "ann"),
        "102": (8 * h + 60, 8 * h + 60, 50 * h, 8, 1, "cancelled", "bob"),
        "103_4": (8 * h + 120, 8 * h + 125, 60, 4, 1, "failed", "ann"),
    }
    assert reading.jobs.origin == "2024-05-01T00:00:00"
    np.testing.assert_array_equal(reading.jobs.requested_s, [24 * h, math.nan, h])
    assert reading.jobs.priority.tolist() == [7.0, 3.0, 0.0]
    assert reasons(reading) == [
        (3, "part of another row's job", False),
        (6, "never started", False),
        (7, "not ended", False),
        (8, "no GPU", False),
        (9, "end before start", True),
        (10, "duplicate id", True),
        (11, "mixed time zones", True),
        (12, "broken row", True),
    ]
    assert reading.rows == len(SLURM_ROWS)


def test_slurm_gpus_by_server_and_a_clock_that_was_set_back(tmp_path):
    head = "JobID|Submit|Start|End|Elapsed|State|AllocGRES|NNodes|"
    rows = [
        "1|2024-10-27T00:00:00|2024-10-27T02:50:00|2024-10-27T02:10:00|00:20:00|COMPLETED|gpu:a100:8|4|",
        "2|2024-10-27T00:00:00|2024-10-27T02:50:00|2024-10-27T03:10:00||COMPLETED|gpu:2|1|",
    ]
    found = by_id(read_record(written(tmp_path / "sacct.txt", [head, *rows])))
    assert [found[name][2:4] for name in ("1", "2")] == [(1200.0, 32), (1200.0, 2)]


def test_slurm_without_a_column_of_gpus_is_refused_with_the_remedy(tmp_path):
    path = written(tmp_path / "sacct.txt", ["JobID|Submit|Start|End|State", "1|a|b|c|d"])
    with pytest.raises(InputError, match=r"none of the columns AllocTRES.*add one to sacct --format"):
        read_record(path)


def swf(*fields):
    """A line of the format; what is not given is unknown."""
    return " ".join(str(dict(fields).get(place, -1)) for place in range(1, 19))


def test_standard_workload_format(tmp_path):
    lines = [
        "; Version: 2.2",
        "; UnixStartTime: 1000",
        swf((1, 1), (2, 0), (3, 30), (4, 600), (5, 16), (8, 32), (9, 3600), (11, 1), (12, 7)),
        swf((1, 2), (2, 10), (3, 0), (4, 60), (8, 4), (11, 0)),
        swf((1, 3), (2, 11), (11, 5)),
        swf((1, 1), (2, 0), (3, 30), (4, 300), (5, 16), (11, 2)),
        "5 12 0",
        swf((1, 6), (2, 13), (3, 0), (4, -60), (5, 4), (11, 1)),
        swf((1, 7), (2, 13), (3, "x"), (4, 60), (5, 4), (11, 1)),
    ]
    reading = read_record(written(tmp_path / "jobs.swf", lines))
    assert reading.layout == "swf"
    found = by_id(reading)
    assert found["1"] == (0, 30, 600, 16, 0, "completed", "7")
    assert found["2"] == (10, 10, 60, 4, 0, "failed", "")
    np.testing.assert_array_equal(reading.jobs.requested_s, [3600, math.nan])
    assert reasons(reading) == [
        (5, "never started", False),
        (6, "part of another row's job", False),
        (7, "broken row", True),
        (8, "end before start", True),
        (9, "wrong cell", True),
    ]
    assert reading.notes == ["one processor of the Standard Workload Format counts as one GPU"]


def attempt(start, end, *gpus):
    detail = [{"ip": f"m{k}", "gpus": [f"gpu{g}" for g in range(count)]} for k, count in enumerate(gpus)]
    return {"start_time": start, "end_time": end, "detail": detail}


PHILLY = [
    {"status": "Pass", "vc": "ee9e8c", "jobid": "a1", "user": "u", "submitted_time": "2017-10-07 01:11:39",
     "attempts": [attempt("2017-10-07 01:12:09", "2017-10-07 01:13:23", 8),
                  attempt("2017-10-07 01:13:30", "2017-10-07 01:14:30", 8, 8)]},
    {"status": "Killed", "vc": "x", "jobid": "a2", "submitted_time": "2017-10-07 02:00:00", "attempts": []},
    {"status": "Failed", "vc": "x", "jobid": "a3", "submitted_time": "2017-10-07 02:00:00",
     "attempts": [attempt("2017-10-07 02:00:10", None, 1)]},
    {"status": "Failed", "vc": "x", "jobid": "a4", "submitted_time": "2017-10-07 02:00:00",
     "attempts": [attempt("2017-10-07 02:00:10", "2017-10-07 02:00:05", 1)]},
    {"status": "Failed", "vc": "x", "jobid": "a5", "submitted_time": "2017-10-07 02:00:00",
     "attempts": [attempt("None", "None", 1), attempt("2017-10-07 02:01:00", "2017-10-07 02:02:00", 1)]},
    {"jobid": "a6", "submitted_time": "2017-10-07 02:00:00", "attempts": ["?"]},
]  # fmt: skip


def test_philly_s_own_log(tmp_path):
    (tmp_path / "log.json").write_text(json.dumps(PHILLY, indent=1))
    reading = read_record(tmp_path / "log.json")
    assert reading.layout == "philly"
    found = by_id(reading)
    midnight_s = 3600 + 11 * 60 + 39
    assert found["a1"] == (midnight_s, midnight_s + 30, 134, 16, 2, "completed", "ee9e8c")
    assert found["a5"][2:] == (60, 1, 1, "failed", "x")
    assert [(row.reason, row.bad) for row in reading.rejected] == [
        ("never started", False), ("not ended", False), ("end before start", True), ("broken row", True)
    ]  # fmt: skip
    text = (tmp_path / "log.json").read_text().splitlines()
    for row, name in zip(reading.rejected, ("a2", "a3", "a4", "a6"), strict=True):
        start = max(k for k in range(row.line + 4) if k < len(text) and f'"{name}"' in text[k])
        assert row.line <= start + 1 <= row.line + 4


def test_a_philly_log_that_breaks_off_gives_what_is_before_the_break(tmp_path):
    text = json.dumps(PHILLY, indent=1)
    (tmp_path / "cut.json").write_text(text[: text.index('"a5"')])
    cut = read_record(tmp_path / "cut.json")
    assert cut.jobs.job_id == ["a1"]
    assert cut.rejected[-1].reason == "file breaks off"
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(text.encode() * 1)[:-9])
    assert "file breaks off" in read_record(tmp_path / "cut.json.gz").reasons()


def test_alibaba_s_pods_in_the_original_layout(tmp_path):
    head = (
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time"
    )
    rows = [
        "p0,12000,16384,1,1000,,LS,Running,0,12537496,0.0",
        "p1,6000,12288,1,460,,BE,Succeeded,427061,427161,427062.0",
        "p2,6000,12288,0,0,,LS,Failed,427061,427161,427062.0",
        "p3,6000,12288,8,1000,,LS,Pending,427061,427161,",
    ]
    reading = read_record(written(tmp_path / "openb_pod_list_default.csv", [head, *rows]))
    assert reading.layout == "alibaba"
    assert by_id(reading) == {
        "p0": (0, 0, 12537496, 1, 1, "running", "LS"),
        "p1": (427061, 427062, 99, 1, 1, "completed", "BE"),
    }
    assert reasons(reading) == [(4, "no GPU", False), (5, "never started", False)]
    assert reading.notes == ["1 jobs ask for a share of one GPU; each counts as one whole GPU"]


SEREN = "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time"


def test_acme_s_layout_with_offsets_from_utc(tmp_path):
    day, east = "2023-03-01 00", "+08:00"
    ran = f"{day}:18:54{east},{day}:20:51{east},117,32,936.0"
    rows = [
        f"5778432,u5907,1,8,128,Other,FAILED,{day}:18:22{east},{ran}",
        f"5778469,u5907,1,8,128,X,COMPLETED,2023-02-28 16:23:58+00:00,{day}:24:11{east},{day[:12]}1:09:04{east},0,0,0",
        f"5778470,u5907,1,8,128,Other,TIMEOUT,{day}:18:22,{ran}",
        f"5778471,u5907,1,0,128,Other,CANCELLED,{day}:18:22{east},,,0,0,0",
    ]
    reading = read_record(written(tmp_path / "trace_seren.csv", [SEREN, *rows]))
    assert reading.layout == "acme_helios"
    assert reading.jobs.origin == "2023-03-01T00:00:00"
    assert by_id(reading) == {
        "5778432": (1102, 1134, 117, 8, 1, "failed", "u5907"),
        "5778469": (1438, 1451, 2693, 8, 1, "completed", "u5907"),
    }
    assert reasons(reading) == [(4, "mixed time zones", True), (5, "never started", False)]
    assert reading.notes == ["dates have several offsets from UTC; all are converted to that of the first"]


def test_helios_s_layout_with_virtual_clusters(tmp_path):
    head = "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue"
    row = "1425511,uXBbc,vcJkd,1,1,1,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:41:01,2020-06-10 04:55:09,36848,0"
    found = by_id(read_record(written(tmp_path / "cluster_log.csv", [head, row])))
    assert found == {"1425511": (67261, 67261, 36848, 1, 1, "completed", "vcJkd")}


def test_opendc_s_parquet(tmp_path):
    arrow = pytest.importorskip("pyarrow", reason="the extra `parquet`")
    from pyarrow import parquet  # noqa: PLC0415 - the extra

    table = arrow.table(
        {
            "id": arrow.array([7, 8, 9, 7], arrow.int32()),
            "submission_time": arrow.array([86_400_000, 86_460_000, 0, 5], arrow.timestamp("ms", "UTC")),
            "duration": arrow.array([60_500, 1, 5, 5], arrow.int64()),
            "cpu_count": arrow.array([4, 4, 4, 4], arrow.int32()),
            "gpu_count": arrow.array([8, 2, None, 1], arrow.int32()),
        }
    )
    parquet.write_table(table, tmp_path / "tasks.parquet")
    reading = read_record(tmp_path / "tasks.parquet")
    assert reading.layout == "opendc"
    found = by_id(reading)
    assert (found["7"][0], *found["7"][2:]) == (0, 60.5, 8, 0, "unknown", "")
    assert (found["8"][0], *found["8"][2:]) == (60, 0.001, 2, 0, "unknown", "")
    assert np.isnan(reading.jobs.start_s).all()
    assert reasons(reading) == [(3, "no GPU", False), (4, "duplicate id", True)]
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "tasks.parquet").read_bytes()[:-40])
    with pytest.raises(InputError, match="the Parquet file is broken"):
        read_record(tmp_path / "cut.parquet")
    parquet.write_table(table.drop_columns(["duration"]), tmp_path / "fragments.parquet")
    with pytest.raises(InputError, match="no column 'duration'"):
        read_record(tmp_path / "fragments.parquet")


@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_named_layout_overrides_the_head_and_a_wrong_one_is_refused_or_finds_nothing(tmp_path, layout):
    path = written(tmp_path / "jobs.csv", ["job_id,submit_s,duration_s,gpus", "a,0,1,1"])
    if layout == "table":
        assert read_record(path, layout).jobs.job_id == ["a"]
    else:
        with pytest.raises(InputError):
            read_record(path, layout)


def test_the_alibaba_table_gives_the_numbers_of_its_summary(real_data):
    reading = read_record(real_data("jobs_alibaba_openb_2023") / "pods.csv.gz")
    jobs = reading.jobs
    assert (reading.layout, reading.rows, len(jobs)) == ("alibaba", 8152, 6203)
    assert reading.reasons() == {"no GPU": 1052, "never started": 897}
    assert not reading.bad
    assert np.percentile(jobs.duration_s, [5, 25, 50, 75, 90]) == pytest.approx([48, 184, 655, 2302, 7387], rel=0.01)
    assert np.percentile(jobs.start_s - jobs.submit_s, [50, 90]) == pytest.approx([2, 139], abs=1)
    assert read_jobs(real_data("jobs_alibaba_openb_2023") / "pods.csv.gz").gpus.max() == 8
