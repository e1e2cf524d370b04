"""A saved trace of one site-year with all units: its size, and how long it takes to write and to read.

python benchmarks/trace_size.py [--replications 5]
"""

import argparse
import tempfile
import time
from pathlib import Path

from machine import heading, verdict

from twin.scenario.load import load
from twin.simulator import Simulator
from twin.trace import Trace

BAR_MB = 2.0
CASES = (
    ("01_flagship", "cabinets_gensets"),
    ("01_flagship_weak", "cabinets_gensets"),
    ("01_flagship_weak", "cabinets"),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replications", type=int, default=5)
    replications = parser.parse_args().replications
    print(heading("A saved trace of one site-year, level units (largest of the replications)"))
    with tempfile.TemporaryDirectory() as folder:
        for scenario, design in CASES:
            simulator = Simulator(load(scenario), design)
            sizes_mb, points, write_s, read_s = [], [], [], []
            for k in range(replications):
                path = Path(folder) / f"{k}.h5"
                trace = simulator.run(k, "units")
                start = time.perf_counter()
                trace.save(path)
                written = time.perf_counter()
                same = Trace.open(path).equals(trace)
                read_s.append(time.perf_counter() - written)
                write_s.append(written - start)
                if not same:
                    raise SystemExit(f"{scenario} {design} {k}: the trace read back is another one")
                sizes_mb.append(path.stat().st_size / 1e6)
                points.append(sum(len(table["item"]) for table in trace.units.values()))
            print(f"{scenario} {design}: {verdict(max(sizes_mb), BAR_MB, 'MB', 3)}")
            print(f"    {max(points)} turning points; write {max(write_s):.2f} s, read {max(read_s):.2f} s")


if __name__ == "__main__":
    main()
