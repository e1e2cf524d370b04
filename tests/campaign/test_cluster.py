"""The Dask path, on a scheduler and two workers of this machine, as separate processes."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from concurrent.futures import CancelledError, Future

import pytest
from campaign_processes import Session
from small_campaign import command, environment

from twin.campaign.cluster import _hand_over, exposure
from twin.campaign.run import run_campaign
from twin.errors import HaltedError, InputError

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("default"),  # theirs
    pytest.mark.skipif(os.name == "nt", reason="processes are killed by signals"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Address of the scheduler, the processes of its two workers, and how to start another."""
    folder = tmp_path_factory.mktemp("dask")
    variables = environment(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1", PYTHONWARNINGS="ignore")
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    log = (folder / "scheduler.log").open("w+")
    scheduler = subprocess.Popen([*dask, "--no-dashboard"], env=variables, cwd=folder, stderr=log, stdout=log)
    address = _address(folder / "scheduler.log", scheduler)
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard"]
    logs = subprocess.DEVNULL

    def hire():
        workers.append(subprocess.Popen([*worker, "--no-nanny"], env=variables, cwd=folder, stderr=logs))

    workers = []
    hire(), hire()
    yield address, workers, hire
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
    address, workers, hire = cluster
    killed = []

    def kill_one(state):
        if not killed:
            killed.append(state.done)
            os.kill(workers[0].pid, signal.SIGKILL)

    run_campaign(study, replications=400, scheduler=address, path=tmp_path / "r.h5", progress=kill_one)
    hire()
    assert killed
    assert killed[0] < 400
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


@pytest.mark.long
def test_workers_of_a_cluster_that_die_again_and_again_cost_nothing_but_time(cluster, study, undisturbed, tmp_path):
    address, workers, hire = cluster
    kills, luck = 0, random.Random(4)

    def replace_one(state):
        nonlocal kills
        if luck.random() < 0.3:
            os.kill(workers.pop(luck.randrange(len(workers))).pid, signal.SIGKILL)
            kills += 1
            hire()

    for campaign in range(40):
        path = tmp_path / f"{campaign}.h5"
        run_campaign(study, replications=400, scheduler=address, path=path, progress=replace_one)
        assert path.read_bytes() == undisturbed.read_bytes()
        if kills >= 20:
            break
    print(kills, "kills of workers in", campaign + 1, "campaigns")  # noqa: T201 - read with pytest -s
    assert kills >= 20


@pytest.mark.parametrize(("raised", "heard"), [
    (RuntimeError("four workers died"), RuntimeError), (OSError("connection lost"), CancelledError),
    (asyncio.CancelledError(), CancelledError), (CancelledError("gone"), CancelledError),
])  # fmt: skip
def test_whatever_comes_of_a_task_reaches_its_future(raised, heard):
    class Client:
        async def gather(self, task, *, asynchronous):
            raise raised

    future, stopped = Future(), Future()
    asyncio.run(_hand_over(Client(), None, future))
    with pytest.raises(heard):
        future.result(0)
    assert stopped.cancel()
    asyncio.run(_hand_over(Client(), None, stopped))
    assert stopped.cancelled()


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
