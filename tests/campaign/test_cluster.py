"""The Dask path, on a scheduler and two workers of this machine, as separate processes."""

import os
import re
import signal
import subprocess
import sys

import pytest
from campaign_processes import Session
from small_campaign import command, environment

from twin.campaign.cluster import exposure
from twin.campaign.run import run_campaign
from twin.errors import HaltedError, InputError

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("default"),  # theirs
    pytest.mark.skipif(os.name == "nt", reason="processes are killed by signals"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of the scheduler, and the processes of its two workers."""
    folder = tmp_path_factory.mktemp("dask")
    variables = environment(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    log = (folder / "scheduler.log").open("w+")
    scheduler = subprocess.Popen([*dask, "--no-dashboard"], env=variables, cwd=folder, stderr=log, stdout=log)
    address = _address(folder / "scheduler.log", scheduler)
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    logs = subprocess.DEVNULL
    workers = [subprocess.Popen([*worker, "--no-nanny"], env=variables, cwd=folder, stderr=logs) for _ in range(2)]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()
    log.close()


def _address(log, process, seconds=30):
    import time  # noqa: PLC0415

    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        found = re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text())
        if found:
            return found[0]
        time.sleep(0.1)
    pytest.fail(f"no scheduler: {log.read_text()}")
    return None


def test_a_cluster_writes_the_bytes_of_one_process_although_a_worker_dies(cluster, study, undisturbed, tmp_path):
    address, workers = cluster
    killed = []

    def kill_one(state):
        if not killed:
            killed.append(state.done)
            os.kill(workers[0].pid, signal.SIGKILL)

    run_campaign(study, replications=400, scheduler=address, path=tmp_path / "r.h5", progress=kill_one)
    assert killed
    assert killed[0] < 400
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


def test_ctrl_c_leaves_a_cluster_and_says_how_to_go_on(cluster, scenario, tmp_path):
    path = tmp_path / "r.h5"
    session = Session(
        command("campaign", scenario, "-n", 1_000_000, "--scheduler", cluster[0], "-o", path), environment()
    )
    try:
        journal = tmp_path / "r.h5.journal"
        assert session.wait_until(lambda: journal.exists() and journal.stat().st_size > 100_000, 60)
        os.kill(session.pid, signal.SIGINT)
        message = session.communicate(timeout=20)[1]
        assert session.returncode == 130
        assert "go on with: twin campaign" in message
        assert "Traceback" not in message
    finally:
        session.kill_all()


def test_a_scheduler_that_is_not_there_is_said_so(study, monkeypatch):
    monkeypatch.setattr("twin.campaign.cluster._CONNECT_S", 1)
    with pytest.raises((InputError, HaltedError), match="no scheduler at"):
        run_campaign(study, replications=5, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "localhost:1", "tls://10.0.0.1:8786"])
def test_no_warning_where_nobody_else_reaches_the_scheduler(address):
    assert exposure(address) is None


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "head.node:8786", "tcp://0.0.0.0:8786"])
def test_a_scheduler_on_the_network_without_tls_is_warned_of(address):
    assert "runs code as its user" in exposure(address)
