"""Kills, full disks and Ctrl-C: what was done stays, nothing is left running, and resuming gives the same bytes.

python -m pytest -m long tests/campaign/test_kill.py       # 100 kills of parents and of workers, some minutes
"""

import os
import random
import signal
import sys
import time
from functools import partial

import pytest
from campaign_processes import PoisonedEngine, Session, gone
from small_campaign import REPLICATIONS, command, environment, run_here

from twin.campaign import export, task
from twin.campaign.journal import Journal, read
from twin.campaign.loop import Loop
from twin.campaign.pack import pack
from twin.campaign.plan import Plan
from twin.campaign.rows import Rows
from twin.errors import HaltedError
from twin.metrics.names import NAMES
from twin.scenario.load import load

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")


BORN_BYTES = 32_768
"""A journal of the small scenario is somewhat smaller before its first row."""
KILLS_EACH = 20
"""Kills of one campaign, after which it is finished and compared."""


def start(scenario, path, workers=2, replications=REPLICATIONS):
    arguments = ("-n", replications, "--workers", workers, "-o", path, "--resume")
    return Session(command("campaign", scenario, *arguments), environment())


def finish(scenario, path):
    run_here(load(scenario), path, resume=True)


def kill_parents(scenario, undisturbed, folder, kills, luck):
    """Campaigns whose parent is killed at random times until each is done; returns what was seen."""
    seen = {"kills": 0, "campaigns": 0, "went on": 0}
    while seen["kills"] < kills:
        path = folder / f"{seen['campaigns']}.h5"
        seen["campaigns"] += 1
        for _ in range(min(KILLS_EACH, kills - seen["kills"])):
            before = journal_bytes(path)
            session = start(scenario, path, luck.choice([1, 2, 2, 3]))
            if luck.random() < 0.6:
                session.wait_until(partial(has_grown, path, before), 60)
                time.sleep(luck.uniform(0, 0.3))
            else:
                time.sleep(luck.uniform(0.1, 5))
            if session.poll() is not None:
                assert session.returncode == 0, session.communicate()[1]
                session.communicate()
                break
            os.kill(session.pid, signal.SIGKILL)
            session.communicate()
            seen["kills"] += 1
            seen["went on"] += journal_bytes(path) > BORN_BYTES
            assert gone(session, 10), "workers outlive their parent"
        finish(scenario, path)
        assert path.read_bytes() == undisturbed.read_bytes()
        assert not list(folder.glob("*.journal*")), "the journal is left"
    return seen


def journal_bytes(path):
    try:
        return os.path.getsize(f"{path}.journal")
    except OSError:
        return 0


def has_grown(path, before=0):
    """Whether the journal is larger than before, and than when it was born."""
    return journal_bytes(path) > max(before, BORN_BYTES)


def kill_workers(scenario, undisturbed, folder, kills, luck):
    """Campaigns of which a worker is killed now and then."""
    killed = campaigns = 0
    while killed < kills:
        path = folder / f"w{campaigns}.h5"
        campaigns += 1
        session = start(scenario, path, 2)
        for _ in range(2):
            if not session.wait_until(partial(has_grown, path)):
                break
            workers = session.others("spawn_main")
            if workers:
                os.kill(luck.choice(workers), signal.SIGKILL)
                killed += 1
            time.sleep(luck.uniform(0, 1.5))
        message = session.communicate(timeout=120)[1]
        assert session.returncode == 0, message
        assert path.read_bytes() == undisturbed.read_bytes()
    return {"kills": killed, "campaigns": campaigns}


def test_a_killed_campaign_goes_on_to_the_same_bytes_and_leaves_no_orphan(scenario, undisturbed, tmp_path):
    kill_parents(scenario, undisturbed, tmp_path, 1, random.Random(1))


def test_a_killed_worker_costs_nothing_but_time(scenario, undisturbed, tmp_path):
    kill_workers(scenario, undisturbed, tmp_path, 1, random.Random(1))


@pytest.mark.long
def test_a_hundred_kills_of_the_parent(scenario, undisturbed, tmp_path):
    print(kill_parents(scenario, undisturbed, tmp_path, 100, random.Random(2)))  # noqa: T201 - read with pytest -s


@pytest.mark.long
def test_thirty_kills_of_workers(scenario, undisturbed, tmp_path):
    print(kill_workers(scenario, undisturbed, tmp_path, 30, random.Random(3)))  # noqa: T201


def test_ctrl_c_leaves_within_two_seconds_and_says_how_to_go_on(scenario, tmp_path):
    path = tmp_path / "r.h5"
    session = start(scenario, path, 2, 1_000_000)
    try:
        assert session.wait_until(partial(has_grown, path)), session.communicate()[1]
        began = time.monotonic()
        os.killpg(session.pid, signal.SIGINT)
        message = session.communicate(timeout=20)[1]
        assert time.monotonic() - began < 2
        assert session.returncode == 130
        assert gone(session, 1)
        told = [line for line in message.splitlines() if not line.startswith("campaign: ")]  # its progress, if slow
        assert len(told) == 1
        assert told[0].startswith("stopped: ")
        assert "go on with: twin campaign" in told[0]
        assert read(f"{path}.journal")[1]
    finally:
        session.kill_all()


def test_a_poison_replication_is_named_and_all_others_are_kept(study):
    plan, canary = Plan(study, 0, 40), task.canary(study)
    packed = pack(study)
    engine = PoisonedEngine("key", packed, 1)
    rows = Rows(0, 40, 2, len(NAMES))
    try:
        with Journal.create(None, plan.identity(canary)) as journal:
            with pytest.raises(HaltedError, match="replication 13 ends the process"):
                Loop(plan, rows, journal, engine, None).run()
            assert 0 < rows.done < 40
    finally:
        engine.close(at_once=True)


def with_small_files(limit):
    """For a child: no file may grow beyond the limit, as on a full disk."""
    import resource  # noqa: PLC0415 - not on Windows

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def start_on_small_disk(scenario, path, limit):
    import subprocess  # noqa: PLC0415

    arguments = ("campaign", scenario, "-n", REPLICATIONS, "--workers", 1, "-o", path, "--resume")
    return subprocess.run(
        command(*arguments), env=environment(), capture_output=True, text=True, check=False, timeout=120,
        preexec_fn=with_small_files(limit),
    )  # fmt: skip


def test_a_disk_that_fills_while_running_costs_no_row(scenario, undisturbed, tmp_path):
    path = tmp_path / "r.h5"
    done = start_on_small_disk(scenario, path, 120_000)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert "make room on the disk, then go on with --resume" in done.stderr
    kept = sum(len(rows) for _, rows in read(f"{path}.journal")[1])
    assert 0 < kept < REPLICATIONS
    finish(scenario, path)
    assert path.read_bytes() == undisturbed.read_bytes()


def test_a_disk_that_is_full_at_the_end_keeps_the_journal(scenario, undisturbed, tmp_path):
    path, whole = tmp_path / "r.h5", export.read(undisturbed)
    with Journal.create(f"{path}.journal", whole.identity) as journal:
        journal.append([(0, whole.values)])
    done = start_on_small_disk(scenario, path, 20_000)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") == 1
    assert [one.name for one in tmp_path.glob("*") if "journal" not in one.name] == []
    finish(scenario, path)
    assert path.read_bytes() == undisturbed.read_bytes()
