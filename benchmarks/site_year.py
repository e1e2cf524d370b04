"""One 10,240-GPU site-year against the floor, in pairs; memory, growth and the modules that a worker imports.

    python benchmarks/site_year.py [--pairs 21] [--designs cabinets_gensets,...] [--growth 1000]

A pair is one year of the twin (level "ledger" and the metrics row, trace not saved) and one year of `probe_floor.py`'s
compiled figure, one after the other on the same core, in thread CPU. The floor gets as many changes as the twin's years
have distinct ticks with an event (facts that flip in one instant count once: they share one reaction), and as many
cabinets as the design has storage units. Memory is that of a fresh process that simulates and imports nothing else.
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, in_turn, verdict

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

SCENARIO = "01_flagship"
DESIGNS = "cabinets_gensets,central_ups,cabinets,utility_only"
RATIO_BAR, RATIO_AIM = 2.2, 1.7
CPU_BAR_S, CPU_AIM_S = 0.06, 0.035
PEAK_BAR_MB, GROWTH_BAR_MB = 300.0, 20.0
FORBIDDEN = ("pandas", "pvlib", "scipy")
NUMBA_ALONE = "import json, sys, numba; numba.njit(lambda x: x + 1)(1); print(json.dumps(sorted(sys.modules)))"


def one_year(simulator: Simulator, replication: int) -> int:
    """A site-year as a campaign's worker runs it; returns its distinct ticks with an event."""
    trace = simulator.run(replication, "ledger")
    metrics.row(trace)
    return len(np.unique(trace.events["time_us"]))


def paired(design: str, count: int) -> tuple[int, list[int], list[int], list[float], list[float]]:
    """Twin and floor in turn: storage units, ticks and changes of every year, seconds of the twin and of the floor."""
    import probe_floor  # noqa: PLC0415 - the worker below must not carry it

    simulator = Simulator(load(SCENARIO), design)
    units = sum(len(np.unique(table["item"])) for table in simulator.run(0, "units").units.values())
    changes = probe_floor.changes_besides(statistics.mean(one_year(simulator, k) for k in range(3)), units)
    probe_floor.year(0, units, changes)
    ticks: list[int] = []
    floor_changes: list[int] = []
    gc.collect()
    twin_s, floor_s = in_turn(
        [
            lambda k: ticks.append(one_year(simulator, k)),
            lambda k: floor_changes.append(probe_floor.year(k, units, changes)),
        ],
        count,
    )
    return units, ticks, floor_changes, twin_s, floor_s


def pairs(design: str, count: int) -> None:
    """Times twin and floor alternately, and prints both and their ratio."""
    units, ticks, floor_changes, twin_s, floor_s = paired(design, count)
    ratios = sorted(one / two for one, two in zip(twin_s, floor_s, strict=True))
    ratio = statistics.median(ratios)
    print(f"{design}: {units} storage units, {statistics.mean(ticks):.0f} ticks with events a year")
    print(f"    twin   {verdict(statistics.median(twin_s), CPU_BAR_S, 's', 4)}, aim {CPU_AIM_S} s")
    print(f"    floor  {statistics.median(floor_s):.4f} s, {statistics.mean(floor_changes):.0f} changes a year")
    print(
        f"    ratio  {verdict(ratio, RATIO_BAR, 'x')}, aim {RATIO_AIM}x; {count} pairs {ratios[0]:.2f}-{ratios[-1]:.2f}"
    )


def status_mb(field: str) -> float:
    """Memory of this process [MB], where the system tells: VmRSS is now, VmHWM the peak.

    The peak that `resource` tells is no less than that of the parent at the start: it is handed down with the process.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def worker(design: str, replications: int) -> None:
    """What a fresh process needs: prints its memory after 20 years and after all, and its modules."""
    simulator = Simulator(load(SCENARIO), design)
    for k in range(20):
        one_year(simulator, k)
    gc.collect()
    after_20_mb = status_mb("VmRSS")
    for k in range(20, 20 + replications):
        one_year(simulator, k)
    gc.collect()
    seen = {
        "after_20": after_20_mb,
        "end": status_mb("VmRSS"),
        "peak": status_mb("VmHWM"),
        "modules": sorted(sys.modules),
    }
    print(json.dumps(seen))


def answer_of(*arguments: str) -> Any:
    """What a fresh interpreter prints, as JSON."""
    return json.loads(subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True).stdout)


def fresh_process(design: str, replications: int) -> None:
    """Prints memory and imports of a worker; those that numba alone makes are numba's."""
    seen = answer_of(__file__, "--worker", design, "--growth", str(replications))
    own = set(seen["modules"]) - set(answer_of("-c", NUMBA_ALONE))
    found = sorted(name for name in own if name.split(".")[0] in FORBIDDEN)
    print(f"a fresh process, {design}, {replications} replications after the first 20")
    print(f"    peak    {verdict(seen['peak'], PEAK_BAR_MB, 'MB', 0)}")
    print(f"    growth  {verdict(seen['end'] - seen['after_20'], GROWTH_BAR_MB, 'MB', 1)}")
    print(f"    imports of {', '.join(FORBIDDEN)} besides numba's own: {', '.join(found) or 'none'}")
    if found:
        sys.exit("a worker must not import these")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=21)
    parser.add_argument("--designs", default=DESIGNS)
    parser.add_argument("--growth", type=int, default=1000, help="replications over which memory may grow")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.growth)
        return
    print(heading(f"One site-year of {SCENARIO} against the floor (thread CPU, medians)"))
    designs = args.designs.split(",")
    for design in designs:
        pairs(design, args.pairs)
    fresh_process(designs[0], args.growth)


if __name__ == "__main__":
    main()
