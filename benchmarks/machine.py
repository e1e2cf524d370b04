"""What every benchmark prints first: the machine and the versions, without which a number means nothing."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def heading(title: str) -> str:
    """The title, the machine and the versions, in two lines."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba", "simpy", "h5py")]
    load = " ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    about = [f"python {platform.python_version()}", *versions, _processor(), f"{os.cpu_count()} cores", f"load {load}"]
    return f"{title}\n{', '.join(about)}\n"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def verdict(measured: float, bar: float, unit: str, digits: int = 2) -> str:
    """A figure beside the bar that it has to stay under."""
    word = "under" if measured <= bar else "OVER"
    return f"{measured:.{digits}f} {unit} ({word} the bar of {bar:g} {unit})"


def in_turn(runs: Sequence[Callable[[int], Any]], rounds: int) -> list[list[float]]:
    """Thread CPU of each run, one after the other in every round, as a shared machine drifts [s].

    `runs` get the round's number, from 1.
    """
    spent: list[list[float]] = [[] for _ in runs]
    for number in range(1, rounds + 1):
        for run, took in zip(runs, spent, strict=True):
            begin = time.thread_time()
            run(number)
            took.append(time.thread_time() - begin)
    return spent
