"""The generators of samples: one seed one file, small, in the layouts that the readers take."""

import subprocess
import sys

import numpy as np
import pytest

from twin.errors import InputError
from twin.inputs.durations_csv import read_durations
from twin.inputs.jobs.read import read_jobs
from twin.inputs.power_record import read_power_record
from twin.inputs.samples import main, write_samples
from twin.inputs.weather_csv import read_weather


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_seed_gives_one_tree_and_another_seed_another(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_samples(tmp_path / name, seed=seed)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


def test_every_file_named_is_there_and_below_150_kb(tmp_path):
    files = write_samples(tmp_path / "data")
    assert sorted(files) == sorted(path for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert max(path.stat().st_size for path in files) < 150_000


def test_the_readers_take_all_samples(tmp_path):
    write_samples(tmp_path)
    assert len(read_jobs(tmp_path / "jobs_philly_2017" / "jobs.csv.gz")) == 1_500
    assert read_power_record(tmp_path / "gpu_power_mlperf_h100_gpt3").servers == 4
    assert len(read_durations(tmp_path / "grid_outages_us_major" / "events.csv.gz", "duration_min")) > 350
    assert read_weather(tmp_path / "weather_tmy" / "tmy3_40N_120E.csv.gz", 8.0).ghi_w_per_m2.max() > 800


def test_sample_jobs_are_bursty_and_mostly_small_like_phillys(tmp_path):
    write_samples(tmp_path)
    jobs = read_jobs(tmp_path / "jobs_philly_2017" / "jobs.csv.gz")
    gaps_s = np.diff(jobs.submit_s)
    assert gaps_s.std() / gaps_s.mean() > 3
    assert (jobs.gpus == 1).mean() == pytest.approx(0.94, abs=0.02)
    assert 500 < np.median(jobs.duration_s) < 1_600
    assert jobs.gpus.max() <= 32


def test_samples_never_overwrite_a_record(tmp_path):
    record = tmp_path / "jobs_philly_2017" / "jobs.csv.gz"
    record.parent.mkdir()
    record.write_bytes(b"measured")
    with pytest.raises(InputError, match="is there already"):
        write_samples(tmp_path)
    assert contents(tmp_path) == {record.relative_to(tmp_path): b"measured"}


def test_the_command_says_in_one_message_what_is_wrong(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([]) == 2
    assert main([str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_the_module_runs_as_a_command(tmp_path):
    command = [sys.executable, "-m", "twin.inputs.samples", str(tmp_path / "data")]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    assert (tmp_path / "data" / "jobs_philly_2017" / "jobs.csv.gz").is_file()


def test_no_reader_imports_pandas_or_scipy():
    code = (
        "import sys, twin.inputs.jobs.read, twin.inputs.power_record, twin.inputs.durations_csv, twin.inputs.samples;"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'scipy', 'numba', 'simpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
