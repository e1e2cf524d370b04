"""A campus of 128 cabinets, 16 rows, 5 gensets and 8 UPS modules with all failure modes on, against its bar.

    python benchmarks/failure_modes.py [--years 21]

Years of the designs of `17_failure_modes` (level "ledger" and the metrics row, nothing saved) take turns on one core,
in thread CPU; medians.
"""

import argparse
import gc
import statistics
import time

from machine import heading, verdict

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

SCENARIO = "17_failure_modes"
CPU_BAR_S = 0.06


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=21)
    years = parser.parse_args().years
    study = load(SCENARIO)
    simulators = {design: Simulator(study, design) for design in study.designs}
    spent_s: dict[str, list[float]] = {design: [] for design in simulators}
    events: dict[str, list[int]] = {design: [] for design in simulators}
    for simulator in simulators.values():
        metrics.row(simulator.run(0, "ledger"))
    gc.collect()
    for k in range(1, years + 1):
        for design, simulator in simulators.items():
            begin = time.thread_time()
            trace = simulator.run(k, "ledger")
            metrics.row(trace)
            spent_s[design].append(time.thread_time() - begin)
            events[design].append(len(trace.events["item"]))
    print(heading(f"One site-year of {SCENARIO} (thread CPU, medians of {years})"))
    for design, spent in spent_s.items():
        print(f"{design}: {statistics.mean(events[design]):.0f} events a year")
        print(f"    {verdict(statistics.median(spent), CPU_BAR_S, 's', 4)}; {min(spent):.4f}-{max(spent):.4f} s")


if __name__ == "__main__":
    main()
