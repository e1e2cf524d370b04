"""The Philly record, 106 days and 70,775 jobs, replayed end to end: how many seconds it takes.

    python benchmarks/philly.py [--repeats 5] [--backfill easy]

Needs the record (TWIN_DATA, default ../shared/data). Loading and compiling are timed apart from the replay.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from machine import heading, verdict

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

SCENARIO = Path(__file__).resolve().parents[1] / "scenarios" / "03_philly_replay.yaml"
BAR_S = 5.0
BACKFILL_BAR_S = 15.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--backfill", choices=("none", "easy", "conservative"), default="none")
    asked = parser.parse_args()
    repeats, bar_s = asked.repeats, BAR_S if asked.backfill == "none" else BACKFILL_BAR_S
    print(heading("The Philly replay: simulation and metrics (wall)"))
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "philly.yaml"
        file.write_text(f"extends: {SCENARIO}\nname: philly\njobs.philly.backfill: {asked.backfill}\n")
        study = load(file)
    print(f"load    {time.perf_counter() - start:.2f} s (scenario; data files hashed, read with the first run)")
    for design in study.designs:
        start = time.perf_counter()
        simulator = Simulator(study, design)
        metrics.row(simulator.run(0, "ledger"))
        first_s = time.perf_counter() - start
        seconds = []
        for k in range(1, repeats + 1):
            start = time.perf_counter()
            trace = simulator.run(k, "ledger")
            metrics.row(trace)
            seconds.append(time.perf_counter() - start)
        jobs, events = len(trace.jobs["item"]), len(trace.events["item"])
        median_s = statistics.median(seconds)
        print(
            f"{design}: {verdict(median_s, bar_s, 's')}, {min(seconds):.2f}-{max(seconds):.2f}, first {first_s:.2f} s"
        )
        print(f"    {jobs} jobs, {events} events")


if __name__ == "__main__":
    main()
