"""The first `twin demo` ever, kernels still to be compiled, and later ones: wall time, and CPU time beside it.

python benchmarks/first_run.py
"""

import os
import subprocess
import sys
import tempfile
import time

from machine import heading, verdict

FIRST_BAR_S, LATER_BAR_S = 20.0, 3.0
COMMAND = [sys.executable, "-c", "import sys; from twin.cli import main; sys.exit(main())", "demo"]


def children_cpu_s() -> float:
    """CPU time of all child processes that have ended [s]; 0 where the system does not tell."""
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    print(heading("twin demo, as a process of its own (wall; on a busy machine look at the CPU time)"))
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"XDG_CACHE_HOME": folder, "NUMBA_CACHE_DIR": folder}
        for name, bar_s in (("first", FIRST_BAR_S), ("second", LATER_BAR_S), ("third", LATER_BAR_S)):
            start, before_s = time.perf_counter(), children_cpu_s()
            subprocess.run(COMMAND, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
            took_s = time.perf_counter() - start
            print(f"{name:7} {verdict(took_s, bar_s, 's')}, {children_cpu_s() - before_s:.1f} s of CPU")


if __name__ == "__main__":
    main()
