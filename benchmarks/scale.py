"""How time and memory grow: replications of a small scenario, sites of a thousand cabinets each, workers.

    python benchmarks/scale.py replications [--most 100000]   # campaigns of 1,000 to 100,000 replications
    python benchmarks/scale.py cabinets [--most 100]          # 1 to 100 sites of 1,000 cabinets, one week
    python benchmarks/scale.py workers [--replications 300]   # 1 and 2 local processes; the same on a Dask cluster
    python benchmarks/scale.py all --plot benchmarks/results/scale.svg

Exponents are least squares of log time over log size; 1 is linear. Memory is the largest of any process.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from campaign import Watch, cpu_s, memory_mb
from machine import heading

import twin
from twin import metrics
from twin.campaign.boot import THREADS
from twin.simulator import Simulator

SMALL = """
name: small
horizon: {start: "2026-01-01", hours: 720}
sites:
  hall:
    cluster: {rows: 2, servers_per_row: 10, gpus_per_server: 8, core: {load_kw: 100}, server: SERVER}
    grid: {feeders: {A: {sustained: {per_year: 12, duration_h: {law: exponential, mean: 1}}}}}
    protection: {cabinets: {per_row: 2, core: 1, rated_kw: 125, rated_kwh: 100, cabinet_mtbf_h: 8760}}
jobs: {training: {kind: gang, gpus: 160, checkpoint: {interval_min: 15}, hardware: {per_1000_server_days: 20}}}
"""
LARGE = """
name: large
horizon: {start: "2026-01-01", hours: 168}
sites:
  site-000: &site
    cluster: {rows: 100, servers_per_row: 10, gpus_per_server: 8, core: {load_kw: 100}, server: SERVER}
    grid: {feeders: {A: {sustained: {per_year: 12, duration_h: {law: exponential, mean: 1}}}}}
    protection: {cabinets: {per_row: 10, rated_kw: 125, rated_kwh: 100, cabinet_mtbf_h: 8760}}
"""
SERVER = (
    "{rated_kw: 12, training_kw: 10, evaluation_dip_fraction: 0, idle_kw: 2, boot_kw: 3, capped_kw: 7, hold_up_ms: 20}"
)
Points = list[tuple[float, float, float]]
"""Size, seconds, memory [MB]."""


def study(text: str) -> Any:
    """A scenario of a few lines."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(text.replace("SERVER", SERVER))
        return twin.load(path)


def exponent(points: Points) -> float:
    """Slope of log time over log size."""
    sizes, seconds, _ = np.array(points).T
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def replications(most: int) -> Points:
    """Whole campaigns, results file included: CPU of all processes beyond a short one's, and memory of the largest."""
    small, points = study(SMALL), []
    _campaign(small, 50)
    _, start_s, _ = _campaign(small, 50)
    print(f"start and end of a campaign, and 50 replications: {start_s:.1f} s CPU, taken off below", flush=True)
    for count in [n for n in (1000, 3000, 10_000, 30_000, 100_000) if n <= most]:
        watch, whole_s, written = _campaign(small, count)
        seconds = whole_s - start_s
        memory = max(max(one.worker_mb, one.parent_mb) for one in watch)
        later = [one for one in watch if one.done >= count // 2]
        grown = max(one.worker_mb for one in later) - later[0].worker_mb
        parent = watch[-1].parent_mb - later[0].parent_mb
        points.append((count - 50.0, seconds, memory))
        print(
            f"{count:7,} replications  {seconds:7.1f} s CPU, {watch[-1].time_s - watch[0].time_s:6.1f} s wall  "
            f"largest {memory:.0f} MB, grown by {grown:.1f} (workers) and {parent:.1f} (parent) in the second half  "
            f"file {written:.2f} MB",
            flush=True,
        )
    print(f"exponent {exponent(points):.3f}")
    return points


def _campaign(small: Any, count: int) -> tuple[Watch, float, float]:
    """One campaign on two processes; its watch, CPU [s] and the size of its file [MB]."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        path, before = Path(folder) / "r.h5", cpu_s()
        twin.run_campaign(small, replications=count, workers=2, path=path, progress=watch)
        return watch, cpu_s() - before, path.stat().st_size / 1e6


def cabinets(most: int) -> Points:
    """One replication of a week, metrics included, after one to warm up: CPU and memory of a fresh process."""
    points = []
    for count in [n for n in (1, 3, 10, 30, 100) if n <= most]:
        told = subprocess.run(
            [sys.executable, __file__, "--week", str(count)], check=True, capture_output=True, text=True
        )
        load_s, build_s, seconds, events, memory = map(float, told.stdout.split())
        points.append((1000.0 * count, seconds, memory))
        print(
            f"{count:4} sites, {1000 * count:7,} cabinets  load {load_s:.2f} s, build {build_s:.2f} s, "
            f"a week {seconds:.3f} s CPU with {events:,.0f} events  {memory:.0f} MB",
            flush=True,
        )
    print(f"exponent {exponent(points):.3f}; of the upper half {exponent(points[len(points) // 2 :]):.3f}")
    return points


def week(count: int) -> None:
    """In a fresh process: prints seconds to load, to build, of the median week, its events and the memory."""
    text = LARGE + "".join(f"  site-{k:03d}: *site\n" for k in range(1, count))
    took, begin = [], time.process_time()
    large = study(text)
    loaded = time.process_time()
    simulator = Simulator(large)
    built = time.process_time()
    for k in range(6):
        began = time.process_time()
        trace = simulator.run(k, "ledger")
        metrics.row(trace)
        took.append(time.process_time() - began)
    print(loaded - begin, built - loaded, np.median(took[1:]), len(trace.events["time_us"]), memory_mb(os.getpid()))


def workers(count: int) -> None:
    """The flagship on one and on two local processes, then on Dask clusters of as many separate processes."""
    flagship = twin.load("01_flagship")

    def pace(replications: int = count, **engine: Any) -> float:
        watch = Watch()
        twin.run_campaign(flagship, replications=replications, designs=["cabinets"], progress=watch, **engine)
        return watch.pace

    def dask(processes: int) -> float:
        with cluster(processes) as address:
            pace(4 * processes, scheduler=address)
            return pace(scheduler=address)

    engines: tuple[tuple[str, Callable[[int], float]], ...] = (("local", lambda n: pace(workers=n)), ("Dask", dask))
    for name, run in engines:
        one, two = run(1), run(2)
        print(f"{name:6} one {one:.1f} replications/s, two {two:.1f}: efficiency {two / one / 2:.2f}", flush=True)


@contextmanager
def cluster(processes: int) -> Iterator[str]:
    """A Dask scheduler and its workers on this machine, each a process of its own; its address."""
    quiet = os.environ | dict.fromkeys(THREADS, "1") | {"PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as out:
            command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
            begun = [subprocess.Popen([*command, "--no-dashboard"], env=quiet, cwd=folder, stdout=out, stderr=out)]
            try:
                while not (found := re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text())):
                    if begun[0].poll() is not None:
                        raise SystemExit(log.read_text())
                    time.sleep(0.1)
                worker = [sys.executable, "-m", "distributed.cli.dask_worker", found[0], "--nthreads", "1"]
                for _ in range(processes):
                    command = [*worker, "--no-dashboard", "--no-nanny"]
                    begun.append(subprocess.Popen(command, env=quiet, cwd=folder, stdout=out, stderr=out))
                yield found[0]
            finally:
                for process in reversed(begun):
                    process.kill()
                    process.wait()


def plot(path: Path, found: dict[str, Points]) -> None:
    """Time and memory over size, with the fitted line."""
    import matplotlib as mpl  # noqa: PLC0415 - no worker carries it
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.0, 3.6), layout="constrained")
    for axes, (name, points) in zip(np.atleast_1d(figure.subplots(1, len(found))), found.items(), strict=True):
        sizes, seconds, memory = np.array(points).T
        slope = exponent(points)
        line = np.exp(np.mean(np.log(seconds)) + slope * (np.log(sizes) - np.mean(np.log(sizes))))
        axes.loglog(sizes, seconds, "o", color="C0", label="CPU")
        axes.loglog(sizes, line, "-", color="C0", lw=1.0, label=f"size to the power of {slope:.2f}")
        axes.set(xlabel=name, ylabel="CPU [s]")
        beside = axes.twinx()
        beside.semilogx(sizes, memory, "s--", color="C1", lw=1.0, label="memory")
        beside.set(ylabel="largest process [MB]", ylim=(0.0, 1.4 * memory.max()))
        axes.legend(
            handles=[*axes.get_legend_handles_labels()[0], *beside.get_legend_handles_labels()[0]], loc="upper left"
        )
    with mpl.rc_context({"svg.fonttype": "none"}):  # text stays text
        figure.savefig(path)


def main() -> None:
    """Run one part, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", default="all", choices=("replications", "cabinets", "workers", "all"))
    parser.add_argument("--most", type=int, help="largest size")
    parser.add_argument("--replications", type=int, default=300, help="of the part `workers`")
    parser.add_argument("--plot", type=Path, help="SVG or PNG of time and memory over size")
    parser.add_argument("--week", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.week:
        week(asked.week)
        return
    print(heading(f"scale: {asked.part}"), flush=True)
    found: dict[str, Points] = {}
    if asked.part in ("replications", "all"):
        found["replications"] = replications(asked.most or 100_000)
    if asked.part in ("cabinets", "all"):
        found["cabinets"] = cabinets(asked.most or 100)
    if asked.part in ("workers", "all"):
        workers(asked.replications)
    if asked.plot and found:
        plot(asked.plot, found)


if __name__ == "__main__":
    main()
