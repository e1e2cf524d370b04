"""Rare events: what importance sampling gains over crude Monte Carlo, work-normalised.

    python benchmarks/rare_events.py pair            # 1oo2 of 250,000 h and 8 h; bar: within 2 % in 10 s on one core
    python benchmarks/rare_events.py flagship        # all rows dark, two designs; bar: 50 times crude, same work
    python benchmarks/rare_events.py crude           # both feeders fail 30 times as often: weighted and crude
    python benchmarks/rare_events.py levels          # connectivity, + charge, + power flow on the same luck
    python benchmarks/rare_events.py paired          # one more cabinet a row on the same luck; bar: variance over 5

Gain: p (1 - p) t_crude / (variance t), with p and variance from the weighted run and CPU times of this session. Last
figures: benchmarks/results/rare_events.md.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
from machine import heading

import twin
from twin.campaign.rare.columns import COLUMNS, rare_row
from twin.campaign.rare.estimate import rate
from twin.campaign.rare.pilot import tune
from twin.campaign.rare.settings import run_weighted
from twin.scenario.study import Study
from twin.simulator import Simulator

ALL_DARK, CORE_DARK = "all_rows_dark_per_year", "core_dark_h_per_year"


def pair(seed: int) -> None:
    """1oo2 through the whole simulator: an in-line core on two blocks that nobody bypasses.

    Two runs with one seed share their replications, however many each gets done: another opinion needs another seed.
    """
    study = twin.load("20_nine_nines")
    designs = {name: one.model_copy(update={"seed": seed}) for name, one in study.designs.items()}
    made = Simulator(replace(study, base=study.base.model_copy(update={"seed": seed}), designs=designs))
    made.run(0, "ledger")
    began = time.process_time()
    settings = tune(made, CORE_DARK).settings
    pilot_s, rows, k = time.process_time() - began, [], 0
    while time.process_time() - began < 10.0:
        rows.append(run_weighted(made, k, settings))
        k += 1
    found = rate(np.array(rows), COLUMNS, CORE_DARK)
    exact = (8.0 / 250_008.0) ** 2
    mean, error = found.estimate.mean / 8760.0, found.estimate.standard_error / 8760.0
    print(
        f"U {mean:.4e} +- {error / mean:.2%}, exact {exact:.4e}: off by {mean / exact - 1.0:+.2%}; {found.hits} hits in"
    )
    print(f"10 s CPU, the pilot's {pilot_s:.1f} s included; variance gain {found.gain:.4g}")


def flagship(replications: int) -> None:
    """All rows dark, weighted."""
    _weighted(twin.load("01_flagship"), replications)


def crude(replications: int) -> None:
    """Both feeders fail 30 times as often, the gensets' plant 10 times: crude sees enough there."""
    study = _often(twin.load("01_flagship"), 30.0)
    _weighted(study, replications)
    for design in ("central_ups", "cabinets_gensets"):
        made = Simulator(study, design)
        count = sum(rare_row(made.run(k, "ledger"))[0] for k in range(4 * replications))
        print(f"{design}: crude {count / (4 * replications):.4g} a year, {count:.0f} events")


def _weighted(study: Study[Any], replications: int) -> None:
    with ThreadPoolExecutor(1) as thread:
        result: Any = twin.run_campaign(
            study, replications=replications, designs=["central_ups", "cabinets_gensets"], rare=True,
            metrics=[ALL_DARK], executor=thread,
        )  # fmt: skip
    for design in result.designs:
        one = result.estimate(design)
        natural_s, tuned_s = result.cpu_s[design]
        mean, error = result.mean_weight(design)
        print(
            f"{design}: {one.estimate.mean:.4g} a year, {one.estimate.low:.3g} to {one.estimate.high:.3g}; "
            f"{one.hits} hits, effective {one.effective_hits:.0f}, largest {one.weight_share_max:.2%}; mean weight "
            f"{mean:.4f} +- {error:.4f}; {one.refused or 'reported'}\n  gain by variance {one.gain:.4g}, "
            f"work-normalised {result.work_gain(design):.4g} ({1e3 * natural_s:.0f} and {1e3 * tuned_s:.0f} ms each)"
        )


def _often(study: Study[Any], times: float) -> Study[Any]:
    """The same with both feeders failing so many times as often, and the gensets' plant a third as many times."""

    def more(design: Any) -> Any:
        data = design.model_dump(mode="json")
        site = data["sites"]["campus"]
        site["grid"]["both_feeders"]["per_year"] *= times
        gensets = site["protection"]["gensets"]
        gensets["plant_common_cause_probability"] *= times / 3.0
        return type(design).model_validate(data)

    names = ("central_ups", "cabinets_gensets")
    return replace(study, designs={name: more(study.designs[name]) for name in names})


def levels(replications: int) -> None:
    """The flagship's cabinets with endless batteries and no network, with their charge, and with power flow."""
    study = twin.load("05_campus_network")
    designs = {}
    for name, has_network, times in (("connectivity", False, 1000.0), ("charge", False, 1.0), ("flow", True, 1.0)):
        data = study.designs["cabinets"].model_dump(mode="json", exclude_none=True)
        site = data["sites"]["campus"]
        site["protection"]["cabinets"]["rated_kwh"] *= times
        if not has_network:
            del site["network"]
        designs[name] = type(study.base).model_validate(data)
    found = twin.run_levels(
        replace(study, designs=designs), list(designs), "lost_gpu_h_power_per_year", replications=[replications] * 3
    )
    for one in found.levels:
        print(f"{one.design}: variance {one.variance:.4g}, {1e3 * one.cost_s:.1f} ms a replication of the term")
    mean, error = found.estimate.mean, found.estimate.standard_error
    print(f"lost GPU-hours a year {mean:.4g} +- {error:.3g}; gain {found.gain:.3g}; never differed: {found.unseen}")


def paired(replications: int) -> None:
    """What common random numbers buy for one more cabinet a row."""
    study = twin.load("01_flagship_weak")
    data = study.designs["cabinets"].model_dump(mode="json")
    data["sites"]["campus"]["protection"]["cabinets"]["per_row"] += 1
    more = type(study.base).model_validate(data)
    ranges = {**study.design_ranges, "one_more": study.design_ranges["cabinets"]}
    study = replace(study, designs={"cabinets": study.designs["cabinets"], "one_more": more}, design_ranges=ranges)
    with ThreadPoolExecutor(1) as thread:
        result = twin.run_campaign(study, replications=replications, executor=thread)
    table = result.compare("one_more", "cabinets")
    for metric in ("lost_gpu_h_per_year", "lost_gpu_h_power_per_year", "row_dark_h_per_year"):
        row = table.loc[metric]
        change = f"{row['difference']:.4g} +- {row['standard_error']:.3g}"
        print(f"{metric}: {change}, variance over {row['variance_ratio']:.3g}")


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("pair", "flagship", "crude", "levels", "paired"))
    parser.add_argument("-n", "--replications", type=int, default=400)
    parser.add_argument("--seed", type=int, default=5, help="of `pair`")
    asked = parser.parse_args()
    print(heading(f"rare events: {asked.part}"))
    if asked.part == "pair":
        pair(asked.seed)
    else:
        parts = {"flagship": flagship, "crude": crude, "levels": levels, "paired": paired}
        parts[asked.part](asked.replications)


if __name__ == "__main__":
    main()
