"""Worker processes that judge cases; one that dies or hangs is a finding, and is replaced."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

HANG_S = 400.0
"""Wall time after which a worker is killed; its own clocks ring long before, unless it is stuck outside Python."""
TRIES = 3
"""Runs of a case that does not end in time: kernels that it compiles are kept, so that the last one meets them all."""
AGE_MAX, RSS_MB_MAX = 400, 600
"""A worker is replaced after so many cases, or with so much memory left from them."""
HERE = Path(__file__).resolve().parent


class Worker:
    """A process with the number it is at."""

    def __init__(self, victims, seed):
        path = os.pathsep.join([str(HERE), str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
        variables = os.environ | {
            "PYTHONPATH": path,
            "TWIN_DATA": str(victims / "data"),
            "COLUMNS": "100",
            "OMP_NUM_THREADS": "1",
            "NUMBA_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self.log = tempfile.TemporaryFile("w+", dir=victims)  # noqa: SIM115 - closed with the worker
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "judge.py"), str(victims), str(seed)],
            env=variables,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
        )
        self.number, self.since_s, self.age = None, 0.0, 0

    def ask(self, number):
        self.number, self.since_s, self.age = number, time.monotonic(), self.age + 1
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            stream.close()


def judged(victims, seed, numbers, workers=1):
    """The verdicts of all numbers, as they come."""
    waiting, crew, tried = list(numbers)[::-1], [], Counter()
    with DefaultSelector() as selector:

        def hire():
            one = Worker(victims, seed)
            selector.register(one.process.stdout, EVENT_READ, one)
            crew.append(one)
            one.ask(waiting.pop())

        def leave(one):
            selector.unregister(one.process.stdout)
            crew.remove(one)
            one.close()

        while waiting and len(crew) < workers:
            hire()
        try:
            while crew:
                for key, _ in selector.select(1.0):
                    one = key.data
                    line = one.process.stdout.readline()
                    found = json.loads(line) if line else _lost(one, f"crash: exit {one.process.wait()}")
                    late = found["outcome"] in ("overrun", "lost")
                    tried[one.number] += 1
                    if late and tried[one.number] < TRIES:  # its first use may have been spent on compiling
                        waiting.append(one.number)
                    else:
                        yield found
                    if line and not late and waiting and one.age < AGE_MAX and found["rss_mb"] < RSS_MB_MAX:
                        one.ask(waiting.pop())
                    else:
                        leave(one)
                for one in [one for one in crew if time.monotonic() - one.since_s > HANG_S]:
                    yield _lost(one, "hang: killed")
                    leave(one)
                while waiting and len(crew) < workers:
                    hire()
        finally:
            for one in crew:
                one.close()


def _lost(one, finding):
    one.log.seek(0)
    return {
        "number": one.number,
        "kind": "?",
        "arguments": [],
        "outcome": "lost",
        "findings": [finding],
        "wall_s": HANG_S,
        "cpu_s": 0.0,
        "peak_mb": 0,
        "rss_mb": 0,
        "stderr": one.log.read()[-3000:],
    }
