"""A site-year with all failure modes on: 128 cabinets, 16 rows, a UPS of 8 modules, 5 gensets, against its bar.

    python benchmarks/site_year_failures.py [--rounds 15]

Plain is the same plant with constant rates alone. The full one has lives by Weibull laws that repairs do not renew,
beta factors, hidden failures with monthly tests, static switches and standing gensets that fail, failures to pick up
together, two crews that travel and are waited for, spare parts, and two kinds of shocks.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from typing import Any

import numpy as np
from machine import heading, verdict

from twin import metrics
from twin.scenario.load import load
from twin.scenario.model import Scenario
from twin.simulator import Simulator

SCENARIO, DESIGN, SITE = "01_flagship", "cabinets_gensets", "campus"
BAR_MS = 60.0
CREWS = {"field": {"count": 2, "travel_h": {"law": "lognormal", "sigma": 0.5, "median": 2.0}}}
SPARES = {"cabinet": {"count": 4, "restock_h": {"law": "exponential", "mean": 336.0}}}
DORMANT = {"fraction": 0.3, "test_every_h": 730.0, "staggered": True}
CABINETS = {
    "failures": {
        "life_h": {"law": "weibull", "shape": 1.5, "mean": 15_000.0}, "age_kept_fraction": 0.3,
        "common_cause_fraction": 0.05,
        "repair_h": {"law": "lognormal", "sigma": 0.8, "median": 6.0}, "dormant": DORMANT, "crew": "field",
        "spare": "cabinet", "priority": 2,
    },
    "switch_failures": {
        "life_h": {"law": "exponential", "mean": 200_000.0}, "repair_h": 8.0, "common_cause_fraction": 0.1,
        "dormant": DORMANT, "crew": "field",
    },
    "transfer_failure_common_fraction": 0.1,
}  # fmt: skip
UPS = {
    "modules": {
        "n": 6, "r": 2, "rated_kw": 300.0,
        "failures": {
            "life_h": {"law": "exponential", "mean": 50_000.0}, "common_cause_fraction": 0.05, "crew": "field",
        },
    },
    "serves": ["core", "continuous_cooling"],
}  # fmt: skip
GENSETS = {
    "n": 4, "r": 1, "repair": {"crew": "field"},
    "standby_failures": {"life_h": {"law": "exponential", "mean": 20_000.0}, "dormant": DORMANT, "crew": "field"},
}  # fmt: skip
SHOCKS = {
    "flood": {"per_year": 0.05, "strikes": {"row-00?/cabinet-*": 0.5, "gensets/*": 0.5}},
    "heat": {"per_year": 2.0, "season": {"winter": 0.0}, "strikes": {"row-*/cabinet-*": 0.02}},
}


def plain(block: dict[str, Any]) -> dict[str, Any]:
    """A block without its failure model."""
    modes = ("failures", "switch_failures", "standby_failures", "repair", "transfer_failure_common_fraction")
    return {key: plain(value) if isinstance(value, dict) else value for key, value in block.items() if key not in modes}


def simulator(*, full: bool) -> Simulator:
    """The plant with constant rates alone, or with all failure modes."""
    study = load(SCENARIO)
    data: dict[str, Any] = json.loads(study.designs[DESIGN].model_dump_json())
    site = data["sites"][SITE]
    site["cluster"]["rows"] = 16
    take = (lambda block: block) if full else plain
    protection = site["protection"]
    protection["cabinets"] |= {"per_row": 8, "core": 0, "cooling": 0} | take(CABINETS)
    protection["core_ups"] = take(UPS)
    protection["gensets"] |= take(GENSETS)
    if full:
        site["shocks"] = SHOCKS
        data |= {"crews": CREWS, "spares": SPARES}
    scenario = Scenario.model_validate(data)
    return Simulator(replace(study, designs={DESIGN: scenario}, base=scenario), DESIGN)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    print(heading("A site-year with all failure modes on (thread CPU, medians)"))
    made = {"plain": simulator(full=False), "full": simulator(full=True)}
    took: dict[str, list[float]] = {name: [] for name in made}
    events: dict[str, list[int]] = {name: [] for name in made}
    for one in made.values():
        metrics.row(one.run(0, "ledger"))
    for replication in range(1, args.rounds + 1):
        for name, one in made.items():
            begin = time.thread_time()
            trace = one.run(replication, "ledger")
            metrics.row(trace)
            took[name].append(time.thread_time() - begin)
            events[name].append(len(np.unique(trace.events["time_us"])))
    for name, seconds in took.items():
        ms = 1e3 * statistics.median(seconds)
        print(
            f"    {name:6} {verdict(ms, BAR_MS, 'ms', 1)}, {statistics.mean(events[name]):.0f} ticks with events a year"
        )


if __name__ == "__main__":
    main()
