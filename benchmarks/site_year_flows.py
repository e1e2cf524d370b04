"""A whole site-year with a power flow every quarter of an hour, against power-grid-model on those flows alone.

pip install power-grid-model; python benchmarks/site_year_flows.py [--pairs 7]

The site-year is 05_campus_network with a house load that changes every 15 minutes (35,040 flows and those of events),
on its own network and on one of about 141 buses (six taps on each row's busway, more ring main units). The peer gets
the very demand of those flows, all cases at once, one thread, its fastest exact method at 1e-8. Thread CPU, in pairs.
"""

import argparse
import gc
import statistics
import time
from dataclasses import replace

import numpy as np
from machine import heading
from power_flow import peer

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

SCENARIO, BAR, AIM = "05_campus_network", 1 / 5, 1 / 10
LARGER = {"row_taps": 6, "rings": {"count": 6, "units_per_ring": 3}}


def simulator(design: str, larger: bool) -> Simulator:
    """The design with a house load of 96 different quarter-hours, perhaps on the larger network."""
    study = load(SCENARIO)
    scenario = study.designs[design]
    site = scenario.sites["campus"]
    profile = site.house_load_profile.model_copy(update={"interpolation": "linear"})
    values = np.random.default_rng(3).uniform(0.4, 1.0, 24).round(3).tolist()
    network = site.network
    if larger:
        rings = network.rings.model_copy(update=LARGER["rings"])
        network = network.model_copy(update={"row_taps": LARGER["row_taps"], "rings": rings})
    profile = profile.model_copy(update={"hourly": values})
    site = site.model_copy(update={"house_load_profile": profile, "network": network})
    scenario = scenario.model_copy(update={"sites": {"campus": site}})
    return Simulator(replace(study, designs={design: scenario}, base=scenario), design)


def flows_of(made: Simulator) -> tuple[np.ndarray, np.ndarray]:
    """All demand that a year's power flows in the normal state see."""
    plan = made.blueprint.sites[0].flows
    seen, inner = [], plan.demand

    def watched(state, draw_kw):  # noqa: ANN001, ANN202
        out = inner(state, draw_kw)
        if state is plan.state(plan.normal):
            seen.append(out)
        return out

    plan.demand = watched
    made.run(0, "ledger")
    plan.demand = inner
    return np.concatenate([p for p, _ in seen]), np.concatenate([q for _, q in seen])


def column(design: str, larger: bool, pairs: int) -> None:
    """One line: both times and their ratio."""
    made = simulator(design, larger)
    plan = made.blueprint.sites[0].flows
    p_kw, q_kvar = flows_of(made)
    theirs = peer(plan.network.net, p_kw, q_kvar, None)
    theirs()
    methods = {name: [] for name in ("iterative_current", "newton_raphson")}
    ours, ratios = [], []
    for k in range(pairs):
        gc.collect()
        start = time.thread_time()
        metrics.row(made.run(k, "ledger"))
        ours.append(time.thread_time() - start)
        for method, spent in methods.items():
            start = time.thread_time()
            theirs(method)
            spent.append(time.thread_time() - start)
        ratios.append(ours[-1] / min(spent[-1] for spent in methods.values()))
    best = min(statistics.median(spent) for spent in methods.values())
    ratio = statistics.median(ratios)
    word = "under the aim" if ratio < AIM else "under the bar" if ratio < BAR else "OVER the bar"
    print(
        f"{design}, {plan.network.net.buses} buses, {len(p_kw):,} flows: year {statistics.median(ours):.3f} s, "
        f"peer's flows {best:.3f} s, ratio {ratio:.3f} ({min(ratios):.3f} to {max(ratios):.3f}); {word}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--designs", default="utility_only,cabinets,cabinets_gensets,central_ups")
    args = parser.parse_args()
    print(heading(f"A site-year with flows against power-grid-model's flows alone; bar {BAR:g}, aim {AIM:g}"))
    for design in args.designs.split(","):
        for larger in (False, True):
            column(design, larger, args.pairs)


if __name__ == "__main__":
    main()
