"""Run a policy on a case, through the twin's own plant, check the trace, and score it against the best in hindsight.

    python benchmarks/ems_score.py CASE.npz --trace OUT.npz [--step 1|0.25] [--policy default|capped|naive|FILE.py]

The score is the share of the saving that a schedule would have made that knew the whole year. Exits 1 when the trace
breaks a law: power balance, stored energy, power, floor, no export, grid limit, each to 1e-6.
"""

from __future__ import annotations

import argparse
import sys

import ems_plant
import ems_rule
from ems_bound import least_bill
from ems_case import baseline, bill, broken, read, resampled, write


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("case")
    ask.add_argument("--trace", required=True, help="file to write")
    ask.add_argument("--step", type=float, choices=(1.0, 0.25), help="hours; that of the case if absent")
    ask.add_argument("--policy", default="default")
    ask.add_argument("--engine", choices=("plant", "rule"), help="rule: without the plant")
    asked = ask.parse_args()
    case = read(asked.case)
    if asked.step is not None and asked.step != case["step_h"]:
        case = resampled(case, asked.step)
        print(f"the case is resampled to {asked.step:g} h; so is the trace")
    engine = asked.engine or "plant"
    unknown = ems_plant.unknown(case)
    if unknown and engine == "plant":
        print(f"the twin's cabinets do not know {', '.join(unknown)}: the rule is stepped without the plant")
        engine = "rule"
    trace, planning_s = (ems_plant if engine == "plant" else ems_rule).run(case, asked.policy)
    write(asked.trace, trace)
    faults = broken(case, trace)
    for fault in faults:
        print(f"broken: {fault}", file=sys.stderr)
    if faults:
        return 1
    cost = bill(case, trace["grid_kw"], trace["dis_kw"], trace["x_kw"])
    without, least = baseline(case), least_bill(case, float(trace["soc_kwh"][-1]))
    print(
        f"bill without battery {without:14.2f}\nbill of this trace   {cost:14.2f}\nleast in hindsight   {least:14.2f}"
    )
    if without > least:
        print(f"score {100.0 * (without - cost) / (without - least):.2f} % of the saving that hindsight makes")
    print(f"{engine}, policy {asked.policy}, step {case['step_h']:g} h: planning took {planning_s:.2f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
