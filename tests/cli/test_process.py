import os
import subprocess
import sys

import pytest

from twin.version import VERSION


def start(*arguments, **environment):
    command = [sys.executable, *arguments]
    extra = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "COLUMNS": "80", **environment}
    return subprocess.run(command, capture_output=True, check=False, timeout=120, env=os.environ | extra)


def test_the_version_is_said():
    done = start("-m", "twin", "--version")
    assert done.returncode == 0
    assert done.stdout.decode().split() == ["twin", VERSION]


def test_importing_twin_loads_nothing_heavy():
    code = "import sys, twin; print([m for m in ('numpy', 'numba', 'pydantic', 'click', 'pandas') if m in sys.modules])"
    assert start("-c", code).stdout.split() == [b"[]"]


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from twin.cli.app import twin; print([m for m in ('numpy', 'numba', 'rich') if m in sys.modules])"
    )
    assert start("-c", code).stdout.split() == [b"[]"]


def test_the_public_face_simulates_and_measures():
    code = (
        "import twin, twin.simulator; s = twin.load('02_one_outage'); t = twin.simulate(s, replication=0);"
        "print(isinstance(t, twin.Trace), twin.measure(t)['job_interruptions_power_per_year'] > 0, twin.__all__)"
    )
    done = start("-c", code)
    assert done.stdout.startswith(b"True True"), done.stderr.decode()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_the_demo_prints_the_comparison_and_the_answer_in_80_columns(encoding):
    done = start("-m", "twin", "demo", "-n", "2", PYTHONIOENCODING=encoding)
    text = done.stdout.decode(encoding)
    assert done.returncode == 0, done.stderr.decode()
    assert all(word in text for word in ("utility_only", "central_ups", "cabinets", "lost to hardware", "next"))
    assert max(map(len, text.splitlines())) <= 80
    assert "100 %" in done.stderr.decode()


def test_wrong_input_exits_2_and_writes_only_to_stderr():
    done = start("-m", "twin", "check", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_leaves_is_met_in_silence():
    line = f'"{sys.executable}" -m twin schema | true'
    done = subprocess.run(
        line, shell=True, capture_output=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )  # fmt: skip
    assert done.stderr == b""
