"""What a campaign costs besides its simulations: CPU of the engine, parallel efficiency, memory of each process.

    python benchmarks/campaign.py [--replications 150] [--workers 2] [--rounds 2]

A round is a campaign and, before and after it, a control: as many bare processes as workers, each of them simulating
and measuring one replication after the other for a while, with no engine at all. Efficiency is the campaign's pace over
the mean of the controls' beside it; it means something only where the controls themselves show free cores. CPU besides
the tasks is what parent and workers used beyond the blocks themselves, between the first result and the last; start is
what they use before. Blocks under way at both ends make it uncertain by about half a block for each worker.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from machine import heading, verdict

from twin.campaign.boot import THREADS
from twin.campaign.run import run_campaign
from twin.scenario.load import load

SCENARIO = "05_campus_network"
DESIGNS = ("central_ups", "cabinets", "cabinets_gensets")
OVERHEAD_BAR, EFFICIENCY_BAR, MEMORY_BAR_MB = 5.0, 0.9, 300.0
CONTROL = """
import sys, time
from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator
study, seconds = load(sys.argv[1]), float(sys.argv[2])
simulators = [Simulator(study, design) for design in sys.argv[3].split(",")]
for simulator in simulators:
    metrics.row(simulator.run(0, "ledger"))
print("ready", flush=True)
sys.stdin.readline()
begin, cpu, k = time.perf_counter(), time.process_time(), 0
while time.perf_counter() - begin < seconds:
    for simulator in simulators:
        metrics.row(simulator.run(k, "ledger"))
    k += 1
print(k / (time.perf_counter() - begin), (time.process_time() - cpu) / k)
"""


def control(workers: int, seconds: float) -> tuple[float, float]:
    """Replications (of all designs) a second of bare processes together, and CPU of one [s]."""
    environment = os.environ | dict.fromkeys(THREADS, "1")
    command = [sys.executable, "-c", CONTROL, SCENARIO, str(seconds), ",".join(DESIGNS)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    found = [subprocess.Popen(command, **pipes) for _ in range(workers)]
    for one in found:
        one.stdout.readline()
    for one in found:
        one.stdin.write("\n")
        one.stdin.flush()
    answers = [[float(word) for word in one.communicate()[0].split()] for one in found]
    return sum(pace for pace, _ in answers), sum(cpu for _, cpu in answers) / workers


class Sample(NamedTuple):
    """At one result: time, replications done, CPU of all processes, memory of the largest worker and of the parent."""

    time_s: float
    done: int
    cpu_s: float
    worker_mb: float
    parent_mb: float


class Watch(list[Sample]):
    """Told of progress: samples."""

    def __call__(self, state: Any) -> None:
        """Take note."""
        workers = children()
        cpu_s = time.process_time() + sum(cpu_of(pid) for pid in workers)
        largest_mb = max((memory_mb(pid) for pid in workers), default=float("nan"))
        self.append(Sample(time.perf_counter(), state.done, cpu_s, largest_mb, memory_mb(os.getpid())))

    @property
    def pace(self) -> float:
        """Replications a second between the first and the last result."""
        return (self[-1].done - self[0].done) / (self[-1].time_s - self[0].time_s)

    def besides_percent(self, replication_s: float) -> float:
        """CPU besides the tasks between the first and the last result, of all [%]."""
        all_s = self[-1].cpu_s - self[0].cpu_s
        return 100 * (1 - (self[-1].done - self[0].done) * replication_s / all_s)


def children() -> list[int]:
    """Worker processes of this one."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        found += [int(pid) for pid in (task / "children").read_text().split()]
    return [pid for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def cpu_of(pid: int) -> float:
    """CPU that a process has used [s]."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int) -> float:
    """Resident memory now [MB]."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), float("nan"))


def cpu_s() -> float:
    """CPU of this process and of all its children that have ended [s]."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def campaign(replications: int, workers: int) -> tuple[Watch, float, dict[str, float]]:
    """A campaign; its watch, all its CPU [s], and what its run file says."""
    import json  # noqa: PLC0415

    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.h5"
        before_s = cpu_s()
        run_campaign(
            load(SCENARIO), replications=replications, designs=DESIGNS, workers=workers, path=path, progress=watch
        )
        took = json.loads((Path(folder) / "r.run.json").read_text())["sessions"][0]
        return watch, cpu_s() - before_s, took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--replications", type=int, default=150, help="of each of the three designs")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--control", type=float, default=10.0, help="seconds of a control")
    args = parser.parse_args()
    print(heading(f"{SCENARIO}: {len(DESIGNS)} designs x {args.replications} site-years, {args.workers} workers"))
    _, start_s, took = campaign(args.workers, args.workers)
    start_s -= took["task_cpu_s"]
    alone, _ = control(1, args.control)
    for number in range(1, args.rounds + 1):
        before, _ = control(args.workers, args.control)
        watch, total_s, took = campaign(args.replications, args.workers)
        after, each_s = control(args.workers, args.control)
        paces = (before + after) / 2
        print(f"round {number}: {took['wall_s']:.1f} s, {took['tasks']} tasks, {took['restarts']} restarts")
        print(f"    control      {before:.2f} and {after:.2f} replications/s on {args.workers}, {alone:.2f} on one")
        ratio = f"efficiency {watch.pace / paces:.3f} (bar {EFFICIENCY_BAR})"
        print(f"    campaign     {watch.pace:.2f} replications/s, {ratio}")
        print(f"    a replication {took['task_cpu_s'] / args.replications:.3f} s of CPU, {each_s:.3f} s in the control")
        each_task_s = took["task_cpu_s"] / args.replications
        share = verdict(watch.besides_percent(each_task_s), OVERHEAD_BAR, "%")
        print(f"    CPU besides the tasks: start {start_s:.1f} s, then {share}")
        parent = f"{took['parent_cpu_s']:.2f} s, {100 * took['parent_cpu_s'] / total_s:.2f} % of all"
        print(f"    of it the parent's own, results to the disk and into the file: {parent}")
        for name in ("worker_mb", "parent_mb"):
            seen = [getattr(sample, name) for sample in watch]
            grown = seen[-1] - seen[len(seen) // 2]
            print(f"    {name:9} {verdict(max(seen), MEMORY_BAR_MB, 'MB', 0)}, grown by {grown:.1f} in the second half")


if __name__ == "__main__":
    main()
