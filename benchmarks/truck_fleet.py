"""Ten trucks over twenty sites, one year, outages and arbitrage on, power flow off.

    python benchmarks/truck_fleet.py [--years 9] [--policy roaming_arbitrage] [--profile]

Every site is a small edge site with a three-period tariff, three outages a year of its own, ten short breaks, and one
regional storm for a quarter of them. Thread CPU of whole years at level "ledger" with the metrics row; the first two
are left out, since they compile.
"""

import argparse
import cProfile
import pstats
import statistics
import time
from pathlib import Path
from typing import Any

from machine import heading, verdict

from twin import metrics
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator

CPU_BAR_S = 0.3
SITES, TRUCKS = 20, 10
VALLEY, FLAT, PEAK = 0.35, 0.65, 1.05
HOURLY = [*[VALLEY] * 8, *[PEAK] * 3, *[FLAT] * 2, *[PEAK] * 4, *[FLAT] * 4, *[PEAK] * 1, *[VALLEY] * 2]
LOGNORMAL = {"law": "lognormal", "median": 1.8, "sigma": 1.0}


def site(number: int) -> dict[str, Any]:
    """One edge site; prices differ a little from site to site."""
    factor = 1.0 + 0.02 * number
    feeder = {
        "sustained": {"per_year": 3.0, "duration_h": LOGNORMAL},
        "momentary": {"per_year": 10.0, "duration_s": 1.0},
    }
    return {
        "cluster": {
            "rows": 2, "servers_per_row": 15, "server": {"rated_kw": 12.0, "training_kw": 10.0, "idle_kw": 2.0},
            "core": {"load_kw": 20.0},
        },
        "grid": {"feeders": {"A": feeder}},
        "price_per_kwh": {"hourly": [round(price * factor, 4) for price in HOURLY]},
        "connection_points": {"plug": {"limit_kw": 500.0, "berths": 2, "synchronised": True}},
        "plugged_trucks": {
            "charge_at_price_per_kwh": VALLEY * factor, "discharge_at_price_per_kwh": PEAK * factor * 0.99,
            "reserve_fraction": 0.5,
        },
        "value_per_gpu_h": 14.0,
    }  # fmt: skip


def scenario(policy: str) -> Scenario:
    """The whole fleet."""
    names = [f"e{k:02d}" for k in range(SITES)]
    truck = {"rated_kw": 500.0, "rated_kwh": 1000.0}
    distances = {name: {names[k + 1]: 8.0} for k, name in enumerate(names[:-1])}
    return Scenario.model_validate(
        {
            "name": "truck_fleet",
            "sites": {name: site(k) for k, name in enumerate(names)},
            "jobs": {
                f"job-{name}": {"kind": "gang", "site": name, "gpus": 240, "hardware": {"per_1000_server_days": 3.8}}
                for name in names
            },
            "trucks": {f"t{k}": {**truck, "home": names[2 * k]} for k in range(TRUCKS)},
            "roads": {"distances_km": distances, "speed_kmh": {"law": "uniform", "low": 25, "high": 55}},
            "fleet": {"policy": policy},
            "regions": {
                "north": {"sites": names[:5], "storm": {"per_year": 2.0, "duration_h": LOGNORMAL, "notice_h": 24.0}}
            },
        },
        strict=False,
    )


def simulator(policy: str) -> Simulator:
    """A simulator of that scenario, without a file."""
    made = scenario(policy)
    study = Study(
        path=Path("truck_fleet.yaml"), text="", name=made.name, base=made, designs={"base": made}, design_ranges={},
        design_sources={}, design_positions={}, files=(), missing=(), digest="",
    )  # fmt: skip
    return Simulator(study)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=9)
    parser.add_argument("--policy", default="roaming_arbitrage")
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    made = simulator(args.policy)
    trips, spent = [], []
    for k in range(args.years + 2):
        begin = time.thread_time()
        trace = made.run(k, "ledger")
        metrics.row(trace)
        spent.append(time.thread_time() - begin)
        trips.append(len(trace.trips["item"]))
    print(heading(f"{TRUCKS} trucks, {SITES} sites, one year, {args.policy} (thread CPU, median of {args.years})"))
    events = len(trace.events["time_us"])
    print(f"    {statistics.mean(trips):.0f} trips a year, {events} events in the last")
    print(f"    a year  {verdict(statistics.median(spent[2:]), CPU_BAR_S, 's', 3)}")
    if args.profile:
        with cProfile.Profile() as profile:
            made.run(0, "ledger")
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
