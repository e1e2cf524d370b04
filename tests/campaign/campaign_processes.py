"""Processes of a campaign, and workers that die on purpose."""

import os
import signal
import subprocess
import time
from concurrent.futures import Executor, Future
from contextlib import suppress
from pathlib import Path

from twin.campaign.engines import LocalEngine
from twin.campaign.task import run_block


class Session(subprocess.Popen):
    """A command in a session of its own, so that all its processes can be found."""

    def __init__(self, arguments, environment):
        super().__init__(
            arguments, env=environment, start_new_session=True, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    def others(self, word=""):
        """Processes of the session, other than the first, whose command line has the word."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit() or int(folder.name) == self.pid:
                continue
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if int(fields[3]) == self.pid and fields[0] != "Z" and word in line:
                found.append(int(folder.name))
        return found

    def wait_until(self, is_so, seconds=30):
        """Wait while the command runs; returns whether it came to be so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if is_so():
                return True
            if self.poll() is not None:
                return bool(is_so())
            time.sleep(0.01)
        return False

    def kill_all(self):
        for pid in [self.pid, *self.others()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.communicate()


def gone(session, seconds):
    """Whether no process of the session is left within a time."""
    until = time.monotonic() + seconds
    while session.others() and time.monotonic() < until:
        time.sleep(0.02)
    return not session.others()


def poisoned_block(key, packed, first, last):
    """As `run_block`, but replication 13 ends the process."""
    if first <= 13 < last:
        os._exit(9)
    return run_block(key, packed, first, last)


class PoisonedEngine(LocalEngine):
    """Processes on this machine that do not survive replication 13."""

    target_s = 0.02

    def submit(self, first, last):
        return self._pool.submit(poisoned_block, self._key, None, first, last)


class Shuffled(Executor):
    """Does what it is given at once, or some calls later: the order of completion is that of `luck`."""

    def __init__(self, luck):
        self._luck, self._waiting = luck, []

    def submit(self, function, /, *arguments, **named):
        future = Future()
        self._waiting.append((future, function, arguments, named))
        while len(self._waiting) > 3:
            self._do(self._luck.integers(len(self._waiting)))
        if function.__name__ == "greet":
            self._do(len(self._waiting) - 1)
        return future

    def _do(self, place):
        future, function, arguments, named = self._waiting.pop(place)
        if future.set_running_or_notify_cancel():
            future.set_result(function(*arguments, **named))
