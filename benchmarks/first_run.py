"""The first `twin demo` ever, kernels still to be compiled, and a later one (wall).

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


def main() -> None:
    print(heading("twin demo, as a process of its own (wall)"))
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"XDG_CACHE_HOME": folder, "NUMBA_CACHE_DIR": folder}
        for name, bar_s in (("first", FIRST_BAR_S), ("second", LATER_BAR_S), ("third", LATER_BAR_S)):
            start = time.perf_counter()
            subprocess.run(COMMAND, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
            print(f"{name:7} {verdict(time.perf_counter() - start, bar_s, 's')}")


if __name__ == "__main__":
    main()
