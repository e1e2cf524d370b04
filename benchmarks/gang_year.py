"""A gang-job year, of the twin and of a plain SimPy model of a GPU cluster's reliability without any power.

    python benchmarks/gang_year.py

AIReSim (arXiv 2603.07041) is on no package registry, so its kind of work is written here anew, as lean as SimPy
allows: one gang job, the next failure of all its servers drawn at once (the least of exponentials is exponential), a
bad share of servers that fail more often, automated and manual repair, spares, detection and restart. The twin's year
has the same job and as many hardware stops, and carries the electricity of rows and core besides.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from machine import heading, in_turn

import twin
from twin import metrics
from twin.simulator import Simulator

SERVERS, SPARES, PER_1000_SERVER_DAYS = 1250, 32, 3.79
DETECTION_H, RESTART_H, CHECKPOINT_H, YEAR_H = 2.0 / 60.0, 13.0 / 60.0, 0.25, 8760.0
BAD_SHARE, BAD_TIMES, MANUAL_SHARE = 0.1, 5.0, 0.2
AUTOMATED_REPAIR_H, MANUAL_REPAIR_H = 2.0, 24.0
ROUNDS = 21


class Cluster:
    """One replication of the peer's model: useful hours of the gang, its stops, and what each repair took."""

    def __init__(self, seed: int) -> None:
        self.env, self.rng = simpy.Environment(), np.random.Generator(np.random.Philox(seed))
        rate = PER_1000_SERVER_DAYS / 1000.0 / 24.0 / (1.0 + BAD_SHARE * (BAD_TIMES - 1.0))
        bad = self.rng.random(SERVERS + SPARES) < BAD_SHARE
        self.rate_per_h = np.where(bad, BAD_TIMES * rate, rate)
        self.running = list(range(SERVERS))
        self.spare = simpy.Store(self.env)
        self.spare.items.extend(range(SERVERS, SERVERS + SPARES))
        self.useful_h, self.stops, self.repair_h = 0.0, 0, 0.0
        self.env.process(self.job())

    def job(self) -> Generator[simpy.Event, Any, None]:
        """Train until a server fails, lose what came after the checkpoint, replace it, restart."""
        while True:
            rates = self.rate_per_h[self.running]
            total = np.cumsum(rates)
            lived_h = self.rng.exponential(1.0 / total[-1])
            yield self.env.timeout(lived_h)
            self.useful_h += lived_h // CHECKPOINT_H * CHECKPOINT_H
            self.stops += 1
            victim = int(np.searchsorted(total, self.rng.random() * total[-1]))
            self.env.process(self.repair(self.running[victim]))
            self.running[victim] = yield self.spare.get()
            yield self.env.timeout(DETECTION_H)
            yield self.env.timeout(RESTART_H)

    def repair(self, server: int) -> Generator[simpy.Event, Any, None]:
        """By a machine, or else by hand; then spare."""
        mean_h = MANUAL_REPAIR_H if self.rng.random() < MANUAL_SHARE else AUTOMATED_REPAIR_H
        took_h = self.rng.exponential(mean_h)
        yield self.env.timeout(took_h)
        self.repair_h += took_h
        yield self.spare.put(server)


def plain(seed: int) -> int:
    """One year of the peer's model; returns the gang's stops."""
    cluster = Cluster(seed)
    cluster.env.run(until=YEAR_H)
    return cluster.stops


def ours() -> Callable[[int], int]:
    """What simulates the twin's year and returns the gang's stops."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gang.yaml"
        path.write_text(f"""
name: gang
horizon: {{start: "2026-01-01", hours: 8760}}
sites:
  site:
    cluster:
      rows: 50
      servers_per_row: {(SERVERS + SPARES) // 50 + 1}
      gpus_per_server: 8
      server: {{rated_kw: 10.2, training_kw: 8, evaluation_dip_fraction: 0, idle_kw: 2.3, boot_kw: 3, capped_kw: 5.6,
               hold_up_ms: 20}}
      core: {{load_kw: 600}}
    grid: {{feeders: {{A: {{}}}}}}
jobs:
  training:
    kind: gang
    gpus: {8 * SERVERS}
    checkpoint: {{interval_min: 15, stall_s: 0, mode: blocking}}
    detection_min: 2
    warm_restart_min: 13
    restart_after_power_loss_h: {{core_kept: 0.75, core_lost: 1.5}}
    hardware: {{per_1000_server_days: {PER_1000_SERVER_DAYS}}}
""")
        simulator = Simulator(twin.load(path))

    def year(replication: int) -> int:
        names, values = metrics.row(simulator.run(replication, "ledger"))
        return int(values[names.index("job_interruptions_hardware_per_year")])

    return year


def paired(rounds: int = ROUNDS) -> tuple[list[float], list[float], float, float]:
    """CPU seconds of the twin's years and of the plain model's, taken in turn, and the stops a year of each."""
    year = ours()
    year(0), plain(0)
    stops: tuple[list[int], list[int]] = ([], [])
    runs = [lambda k: stops[0].append(year(k)), lambda k: stops[1].append(plain(k))]
    twin_s, plain_s = in_turn(runs, rounds)
    return twin_s, plain_s, statistics.mean(stops[0]), statistics.mean(stops[1])


def main() -> None:
    print(heading("A gang-job year of 10,000 GPUs (thread CPU, in turn)"))
    twin_s, plain_s, twin_stops, plain_stops = paired()
    ratio = statistics.median(a / b for a, b in zip(twin_s, plain_s, strict=True))
    print(f"stops a year: twin {twin_stops:.0f}, plain SimPy {plain_stops:.0f}")
    print(f"twin {statistics.median(twin_s):.4f} s, plain SimPy {statistics.median(plain_s):.4f} s: x{ratio:.2f}")


if __name__ == "__main__":
    main()
