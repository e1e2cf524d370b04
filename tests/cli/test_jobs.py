"""`twin jobs`: what it prints, lists, writes and refuses."""

import json
import textwrap

import pytest
from click.testing import CliRunner

from twin.cli.app import twin
from twin.inputs.jobs.read import read_jobs

HEAD = "job_id,submit_s,duration_s,gpus,state,start_s"
ROWS = ["a,0,3600,8,completed,10", "b,60,7200,1,failed,60", "c,90,60,0,completed,90", "d,99,60,2,lost,99", "b,99,1,1,,"]


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jobs.csv").write_text("\n".join([HEAD, *ROWS]) + "\n")
    return "jobs.csv"


def invoke(*arguments, code=0):
    result = CliRunner().invoke(twin, ["jobs", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_it_says_what_was_read_and_lists_the_bad_rows_first(record):
    output = " ".join(invoke(record).stdout.split())
    assert "layout table, 5 rows, 2 jobs, 10 GPU-hours in 0.0 days" in output
    assert "3 of 5 rows rejected" in output
    wrong = output.index("line 5: wrong cell: state 'lost' is none of")
    assert wrong < output.index("line 6: duplicate id: job b, first in row 3") < output.index("line 4: no GPU: job c")
    assert "8 1 8 80.0 %" in output
    assert "failed 1 2 20.0 %" in output


def test_json_holds_every_rejected_row(record):
    found = json.loads(invoke(record, "--format", "json", "--gpus", 4, "--rejected", 0).stdout)
    assert (found["jobs"], found["rows"], found["gpu_h"]) == (1, 5, 2.0)
    assert [row["line"] for row in found["rejected"]] == [2, 4, 5, 6]
    assert found["rejected_by_reason"]["larger than the cluster"] == 1
    assert found["by_gpus"] == {"1": [1, 2.0]}
    assert found["wait_s"]["max"] == 0.0


def test_the_jobs_can_be_written_as_a_table_and_nothing_is_written_over(record):
    assert "wrote out.csv" in invoke(record, "-o", "out.csv").stdout
    assert read_jobs("out.csv").job_id == ["a", "b"]
    assert "is there already" in invoke(record, "-o", record, code=2).stderr


def test_wrong_input_ends_with_2_and_one_message(record, tmp_path):
    assert "no such file" in invoke("nowhere.csv", code=2).stderr
    assert "there is no layout 'sacct' (there are table, slurm" in invoke(record, "--layout", "sacct", code=2).stderr
    (tmp_path / "none.csv").write_text(f"{HEAD}\nc,90,60,0,completed,90\n")
    message = invoke("none.csv", code=2).stderr
    assert "no usable job (1 rows rejected: 1 no GPU)" in message
    assert "none.csv:2: no GPU: job c" in message


def test_bad_rows_are_refused_unless_they_are_to_be_left_out_and_then_check_tells_of_them(record, tmp_path):
    scenario = """
    name: small
    horizon: {hours: 24.0}
    sites:
      lab: {cluster: {rows: 1, servers_per_row: 1}, grid: {feeders: {A: {}}}}
    jobs:
      queue: {kind: queue, file: jobs.csv}
    """
    (tmp_path / "small.yaml").write_text(textwrap.dedent(scenario))
    (tmp_path / "kept.yaml").write_text("extends: small.yaml\njobs.queue.bad_rows: leave_out\n")
    told = " ".join(CliRunner().invoke(twin, ["check", "kept.yaml"]).stdout.split())
    assert "jobs.queue: 3 of 5 rows are left out: 1 duplicate id, 1 no GPU, 1 wrong cell (twin jobs lists them)" in told
    for command in ("check", "run"):
        refused = CliRunner().invoke(twin, [command, "small.yaml"])
        assert (refused.exit_code, "jobs.csv:5: wrong cell" in refused.stderr) == (2, True)
    ran = CliRunner().invoke(twin, ["run", "kept.yaml"])
    assert ran.exit_code == 0, ran.output


def test_a_run_with_a_queue_says_what_became_of_each_tenant_s_jobs(tmp_path):
    file = tmp_path / "jobs.csv"
    file.write_text("job_id,tenant,submit_s,duration_s,gpus\na,vision,0,7200,8\nb,speech,60,3600,16\n")
    scenario = tmp_path / "queue.yaml"
    scenario.write_text(
        f"name: q\nhorizon: {{hours: 24}}\nsites: {{s: {{cluster: {{rows: 1, servers_per_row: 2}},"
        f" grid: {{feeders: {{A: {{}}}}}}}}}}\njobs: {{q: {{kind: queue, file: {file}}}}}\n"
    )
    result = CliRunner().invoke(twin, ["run", str(scenario)])
    assert result.exit_code == 0, result.output
    table = result.output[result.output.index("queued jobs by tenant (2 of 2)") :].splitlines()
    assert [line.split() for line in table if line.startswith(("speech", "vision"))] == [
        ["speech", "1", "1", "1.983", "2.983", "16", "0"],
        ["vision", "1", "1", "0", "1", "16", "0"],
    ]
