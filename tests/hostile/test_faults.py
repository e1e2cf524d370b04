"""Full disks, folders that take nothing, Ctrl-C and kills, for every command that writes: whole or not at all.

Campaigns, their journals and their workers: tests/campaign/test_kill.py and test_cluster.py.

python -m pytest -m long tests/hostile/test_faults.py     # 100 kills while a file is replaced
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import twin
from twin.campaign.run import run_campaign
from twin.cli.app import twin as command

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and /proc")

WRITERS = {
    "run": (("run", "02_one_outage", "-o"), "out.h5"),
    "compare": (("compare", "02_one_outage", "-n", "2", "--html"), "out.html"),
    "report": (("report", "given.h5", "-o"), "out.html"),
    "csv": (("export", "given.h5", "-o"), "out"),
    "h5": (("export", "given.h5", "--format", "h5", "-o"), "out.h5"),
    "merge": (("merge", "results.h5", "-o"), "out.h5"),
    "jobs": (("jobs", "jobs.csv", "-o"), "out.csv"),
    "fit": (("fit", "jobs.csv", "--column", "duration_s", "--unit", "s", "--plot"), "out.png"),
    "init": (("init", "02_one_outage", "-o"), "out.yaml"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with what the commands read."""
    folder = tmp_path_factory.mktemp("faults")
    study = twin.load("02_one_outage")
    twin.simulate(study).save(folder / "given.h5")
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as thread:
        run_campaign(study, replications=4, path=folder / "results.h5", executor=thread)
    rows = "".join(f"j{k},{60 * k},{600 + k},1\n" for k in range(200))
    (folder / "jobs.csv").write_text(f"job_id,submit_s,duration_s,gpus\n{rows}")
    return folder


def told(place, arguments, limit=None):
    """Exit code and output of a command in the folder, where no file may grow beyond a limit."""
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft if limit is None else limit, hard))
        try:
            done = CliRunner().invoke(command, list(arguments))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    return done.exit_code, done.output


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_nothing_half_written(place, name):
    (words, output), before = WRITERS[name], sorted(os.listdir(place))
    code, text = told(place, [*words, output], 500)
    assert code in (1, 2), text
    assert "File too large" in text
    assert "internal error" not in text
    assert sorted(os.listdir(place)) == before


@pytest.mark.parametrize("name", ["run", "compare", "report"])
def test_a_full_disk_leaves_the_older_file_as_it_was(place, name):
    words, output = WRITERS[name]
    assert told(place, [*words, output])[0] == 0
    older = (place / output).read_bytes()
    assert told(place, [*words, output], 500)[0] in (1, 2)
    assert (place / output).read_bytes() == older
    (place / output).unlink()


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_takes_nothing_is_said_to(place, tmp_path, name):
    words, output = WRITERS[name]
    if os.geteuid() == 0:
        folder = "/proc"  # where not even root can make a file
    else:
        folder = str(tmp_path)
        tmp_path.chmod(0o500)
    code, text = told(place, [*words, f"{folder}/{output}"])
    assert code in (1, 2), text
    assert f"{folder}/{output}" in text
    assert "internal error" not in text


CHILD = "import sys; from twin.cli import main; sys.argv[0] = 'twin'; main()"


def child(place, *arguments):
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments], cwd=place, env=variables, text=True, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_ctrl_c_ends_a_comparison_in_one_line_and_writes_no_page(place):
    before = sorted(os.listdir(place))
    process = child(place, "compare", "02_one_outage", "-n", "100000", "--html", "out.html")
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 130, message
    assert "Traceback" not in message
    if message:  # else the interruption came while the command was still being read
        assert message.splitlines()[-1].startswith("stopped: ")
        assert "nothing was written" in message.splitlines()[-1]
    assert sorted(os.listdir(place)) == before


REPLACE = """
import sys
from twin.files import write_whole
data = [bytes([65 + k]) * 20_000_000 for k in range(2)]
while True:
    for one in data:
        write_whole(sys.argv[1], one)
"""


def kills_while_replacing(folder, kills, luck):
    """A process that goes on replacing a file is killed again and again; the file is always whole."""
    path = folder / "whole"
    path.write_bytes(b"A" * 20_000_000)
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    for _ in range(kills):
        process = subprocess.Popen([sys.executable, "-c", REPLACE, str(path)], env=variables)
        while process.poll() is None and not list(folder.glob(".whole.*.part")):
            time.sleep(0.005)
        time.sleep(luck.uniform(0, 0.2))
        process.kill()
        process.wait()
        held = path.read_bytes()
        assert len(held) == 20_000_000
        assert held in (b"A" * 20_000_000, b"B" * 20_000_000)


def test_a_kill_while_a_file_is_replaced_leaves_a_whole_one(tmp_path):
    kills_while_replacing(tmp_path, 3, random.Random(1))


@pytest.mark.long
def test_a_hundred_kills_while_a_file_is_replaced(tmp_path):
    kills_while_replacing(tmp_path, 100, random.Random(2))
