"""What PV and ageing add to a site-year of the flagship: thread CPU of plain, PV, ageing and both, in turns.

    python benchmarks/site_year_pv_ageing.py [--rounds 15]

PV of 2 MWp under drawn clouds is an edge an hour of daylight and a row of clouds a replication; ageing is a rainflow
count at every turning point of 128 cabinets and an event a month.
"""

import argparse
import json
import statistics
from dataclasses import replace
from typing import Any

from machine import heading, in_turn

from twin import metrics
from twin.scenario.load import load
from twin.scenario.model import Scenario
from twin.simulator import Simulator

SCENARIO, DESIGN, SITE = "01_flagship", "cabinets_gensets", "campus"
PLACE = {"latitude": 39.9, "longitude": 116.4, "timezone": "Asia/Shanghai"}
PV = {"peak_kw": 2000.0, "weather": {"clouds": {}}}


def simulator(*, pv: bool, ageing: bool) -> Simulator:
    """The design with PV, with cells that age, with both or neither."""
    study = load(SCENARIO)
    data: dict[str, Any] = json.loads(study.designs[DESIGN].model_dump_json())
    site = data["sites"][SITE]
    if pv:
        site |= {"location": PLACE, "pv": PV}
    if ageing:
        site["protection"]["cabinets"]["ageing"] = {}
    scenario = Scenario.model_validate(data)
    return Simulator(replace(study, designs={DESIGN: scenario}, base=scenario), DESIGN)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    print(heading(f"A site-year of {SCENARIO}, {DESIGN}, with PV and ageing (thread CPU, medians)"))
    made = {
        "plain": simulator(pv=False, ageing=False), "pv": simulator(pv=True, ageing=False),
        "ageing": simulator(pv=False, ageing=True), "pv and ageing": simulator(pv=True, ageing=True),
    }  # fmt: skip
    for one in made.values():
        metrics.row(one.run(0, "ledger"))
    took = in_turn([lambda k, one=one: metrics.row(one.run(k, "ledger")) for one in made.values()], args.rounds)
    for name, seconds in zip(made, took, strict=True):
        print(f"    {name:14} {1e3 * statistics.median(seconds):6.1f} ms")


if __name__ == "__main__":
    main()
