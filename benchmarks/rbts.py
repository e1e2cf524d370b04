"""RBTS Bus 2 with power flow on: milliseconds a simulated year, and its indices beside the published ones.

python benchmarks/rbts.py [--years 100] [--replications 180]

Thread CPU, metrics included, kernels warm; needs the record (TWIN_DATA, default ../shared/data). Cases A and E have
published indices; all six are told.
"""

import argparse
import json
import statistics
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import heading, verdict

from twin import metrics
from twin.scenario.load import load
from twin.simulator import Simulator

BAR_MS = 5.0
NAMES = {
    "SAIFI": ("saifi_per_year", 1.0),
    "SAIDI": ("saidi_h_per_year", 1.0),
    "ENS": ("unserved_kwh_per_year", 1e-3),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=float, default=100.0)
    parser.add_argument("--replications", type=int, default=180)
    args = parser.parse_args()
    print(heading(f"RBTS Bus 2, 37 buses, power flow on; bar {BAR_MS:g} ms a simulated year"))
    study = load("14_rbts_bus2")
    published = json.loads(Path(study.files[0].path).read_text(encoding="utf-8"))["indices"]
    for design, scenario in study.designs.items():
        horizon = scenario.horizon.model_copy(update={"hours": args.years * 8760.0})
        sized = scenario.model_copy(update={"horizon": horizon})
        made = Simulator(replace(study, designs={design: sized}, base=sized), design)
        metrics.row(made.run(0, "ledger"))
        spent_ms, rows = [], []
        for k in range(args.replications):
            start = time.thread_time()
            rows.append(metrics.row(made.run(k, "ledger"))[1])
            spent_ms.append(1e3 * (time.thread_time() - start) / args.years)
        print(f"{design}: {verdict(statistics.median(spent_ms), BAR_MS, 'ms a year')}")
        figures = dict(zip(metrics.NAMES, np.array(rows).T, strict=True))
        for name, (metric, scale) in NAMES.items():
            mean, error = figures[metric].mean() * scale, figures[metric].std(ddof=1) * scale / len(rows) ** 0.5
            known = published.get(design[-1].upper(), {}).get(name)
            beside = f"published {known:.5g}, z {(mean - known) / error:+.2f}" if known else "not published here"
            print(f"  {name} {mean:.5g}, standard error {error:.2g} ({error / mean:.1%}); {beside}")


if __name__ == "__main__":
    main()
