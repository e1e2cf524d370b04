"""What every benchmark prints first: the machine and the versions, without which a number means nothing."""

import importlib.metadata
import os
import platform
from pathlib import Path


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
