"""One table: the twin beside other tools, beside the floor and beside the optimum; each row says what was the same.

    pip install -e '.[peers]' && python benchmarks/side_by_side.py [--only power,gang] [--out FILE.md]

A tool that is not installed has a row that says so. Ratios are medians of runs taken in turn in one process (CPU), with
the least and the largest; what is told of one side alone stands in words.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import heading, in_turn

import twin

RESULTS = Path(__file__).parent / "results" / "side_by_side.md"
PEERS = ("power-grid-model", "lightsim2grid", "pandapower", "vessim")
CASES, LOOP_CASES, ROUNDS = 3000, 40, 11
ABOUT = """`python benchmarks/side_by_side.py` after `pip install -e '.[peers]'`: ratios are medians of runs taken in
turn in one process, CPU time of one thread, with the least and the largest."""
NOT_RUN = "AIReSim, RAPS and OpenDC are on no package registry and were not run."


@dataclass(frozen=True)
class Row:
    """One comparison: `ours` and `theirs` with units; what was the same, what was not."""

    work: str
    beside: str
    ours: str
    theirs: str
    finding: str
    same: str
    not_same: str


def faster(ours: list[float], theirs: list[float]) -> str:
    """How many times faster, with the range."""
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    middle, least, most = (
        f"{x:.1f}" if x < 10.0 else f"{x:,.0f}" for x in (statistics.median(ratios), ratios[0], ratios[-1])
    )
    return f"{middle} times faster ({least} to {most})"


def power() -> Iterator[Row]:
    """Radial batches against three power flows; every voltage of theirs must be ours within 1e-8."""
    for buses in (52, 500):
        yield from _flows(buses)


def _flows(buses: int) -> Iterator[Row]:
    """A campus of so many buses."""
    import power_flow  # noqa: PLC0415 - needs power-grid-model
    import power_peers  # noqa: PLC0415

    from twin.powerflow import solve  # noqa: PLC0415
    from twin.powerflow.campus import campus_of  # noqa: PLC0415

    built = campus_of(buses)
    p, q = power_flow.demands(built.p_kw, built.q_kvar, CASES)
    v = solve(built.net, p, q, tolerance=1e-8).v
    pgm = power_flow.peer(built.net, p, q, None)
    _agree("power-grid-model", pgm("newton_raphson", 1e-11, voltages=True), v)
    work = f"power flow, {buses} buses"
    same = f"{CASES} cases of a radial campus, balanced, constant power, 1e-8, flat start, one thread"
    runs = (lambda _: solve(built.net, p, q, tolerance=1e-8), lambda _: pgm(), lambda _: pgm("newton_raphson"))
    mine, current, newton = in_turn(runs, ROUNDS)
    theirs = [min(pair) for pair in zip(current, newton, strict=True)]
    missing = "it also solves three-phase and meshed networks, and is asked for magnitude and angle"
    beside = "power-grid-model, its faster exact method"
    yield Row(work, beside, *_paces(CASES, mine, theirs), faster(mine, theirs), same, missing)
    others = (
        ("lightsim2grid", "compiled Newton over a series", CASES, ROUNDS),
        ("pandapower", f"a Python loop, {LOOP_CASES} of the cases", LOOP_CASES, 3),
    )
    for name, what, cases, rounds in others:
        few = p[:cases], q[:cases]
        try:
            run = getattr(power_peers, name)(built.net, *few)
            _agree(name, run(), v[:cases])
        except ImportError:
            yield absent(work, name)
            continue
        mine, other = in_turn(
            (lambda _, few=few: solve(built.net, *few, tolerance=1e-8), lambda _, run=run: run()), rounds
        )
        paces = _paces(cases, mine, other)
        yield Row(work, f"{name}, {what}", *paces, faster(mine, other), same, "it takes meshed networks")


def _agree(name: str, found: np.ndarray, v: np.ndarray) -> None:
    """End where another tool finds other voltages."""
    if not np.abs(found - v).max() < 1e-8:
        raise SystemExit(f"{name} finds other voltages, by {np.abs(found - v).max():.1e}")


def _paces(cases: int, *spent: list[float]) -> list[str]:
    return [f"{cases / statistics.median(took):,.0f} flows/s" for took in spent]


def gang() -> Iterator[Row]:
    """A gang-job year against a lean SimPy model of AIReSim's kind."""
    import gang_year  # noqa: PLC0415

    twin_s, plain_s, twin_stops, plain_stops = gang_year.paired()
    yield Row(
        "gang-job year, 10,000 GPUs", "plain SimPy of AIReSim's kind (which is on no registry: ours, lean)",
        f"{1e3 * statistics.median(twin_s):.0f} ms", f"{1e3 * statistics.median(plain_s):.0f} ms",
        faster(twin_s, plain_s),
        "one gang job on 1,250 servers and spares, detection, restart, checkpoints; "
        f"{twin_stops:.0f} and {plain_stops:.0f} stops a year",
        "the twin carries power of 50 rows, core and grid, metering and a causal log; the other repairs in two ways",
    )  # fmt: skip


def microgrid() -> Iterator[Row]:
    """A microgrid year against vessim."""
    import microgrid_year  # noqa: PLC0415

    try:
        twin_s, vessim_s, twin_kwh, vessim_kwh = microgrid_year.paired()
    except ImportError:
        yield absent("microgrid year", "vessim")
        return
    yield Row(
        "microgrid year", "vessim, no recorder", f"{1e3 * statistics.median(twin_s):.0f} ms",
        f"{1e3 * statistics.median(vessim_s):,.0f} ms", faster(twin_s, vessim_s),
        f"load, PV, lossless battery, 35,040 steps; both import the same energy ({twin_kwh / vessim_kwh - 1.0:+.0e})",
        "vessim's step is free (any Python controller); the twin's plant runs between events, meters and logs",
    )  # fmt: skip


def floor() -> Iterator[Row]:
    """The flagship's site-year against SimPy with as many events and one compiled advance for each."""
    import site_year  # noqa: PLC0415

    for design in ("cabinets_gensets", "central_ups"):
        units, ticks, _, mine, least = site_year.paired(design, ROUNDS)
        ratios = sorted(a / b for a, b in zip(mine, least, strict=True))
        yield Row(
            f"site-year of the flagship, {design}", "the SimPy floor",
            *(f"{1e3 * statistics.median(took):.1f} ms" for took in (mine, least)),
            f"{statistics.median(ratios):.2f} times the floor ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            f"{statistics.mean(ticks):.0f} instants with events a year, {units} storage units",
            "the floor's events do nothing but one compiled advance",
        )  # fmt: skip


def ems() -> Iterator[Row]:
    """The default policy against the best that hindsight could make, eight generated sites."""
    from ems_sites import SITES, share, site  # noqa: PLC0415

    found = [share(*site(index, 1, 1.0), "default") for index in range(len(SITES))]
    shares, planning = zip(*found, strict=True)
    yield Row(
        "energy management, a year of eight sites", "linear program with perfect foresight (HiGHS)",
        f"{statistics.mean(shares):.1f} % of its saving", "100 %",
        f"{min(shares):.1f} to {max(shares):.1f} %; planning takes {statistics.median(planning):.1f} s of CPU a year",
        "load, PV, prices, demand charge, battery and its limits; traces checked to 1e-6",
        "the twin sees the past alone, and calendar and prices ahead; the program sees the whole year",
    )  # fmt: skip


def rare() -> Iterator[Row]:
    """All rows dark on the whole flagship, weighted, against crude Monte Carlo of the same work."""
    with ThreadPoolExecutor(1) as thread:
        result: Any = twin.run_campaign(
            "01_flagship", replications=40, designs=["central_ups", "cabinets_gensets"], rare=True,
            metrics=["all_rows_dark_per_year"], executor=thread,
        )  # fmt: skip
    for design in result.designs:
        found = result.estimate(design)
        natural_s, tuned_s = result.cpu_s[design]
        one, shown, finding = found.estimate, "no figure", f"refused: {found.refused}"
        if not found.refused:
            shown = f"{one.mean:.2g} a year ({one.low:.2g} to {one.high:.2g})"
            finding = f"{result.work_gain(design):,.0f} times the work"
        yield Row(
            f"all rows dark, {design}", "crude Monte Carlo",
            f"{shown}, {1e3 * tuned_s:.0f} ms a site-year",
            f"{1e3 * natural_s:.0f} ms a site-year", finding,
            "the same world, scenario and luck; p(1-p) t_crude / (variance t) with p of the weighted run",
            "40 weighted site-years after a pilot that is not counted; crude at this p is inferred, not run",
        )  # fmt: skip


def absent(work: str, name: str) -> Row:
    """A tool that could not be installed or imported."""
    return Row(work, name, "-", "-", "not installed here: not measured", "-", "-")


PARTS = {"power": power, "gang": gang, "microgrid": microgrid, "floor": floor, "ems": ems, "rare": rare}


def table(rows: list[Row]) -> str:
    """The page: Markdown."""
    versions = []
    for name in PEERS:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{name} not installed")
    title, machine = heading(f"# Side by side, {time.strftime('%Y-%m-%d')}").strip().split("\n")
    lines = [
        title, "", ABOUT, "", f"Machine: {machine}.", "", f"Peers: {', '.join(versions)}. {NOT_RUN}", "",
        "| work | beside | twin | the other | finding |", "| --- | --- | --- | --- | --- |",
        *(f"| {r.work} | {r.beside} | {r.ours} | {r.theirs} | {r.finding} |" for r in rows), "",
        "## What was the same, and what was not", "",
        *(f"- **{r.work}, {r.beside}**. The same: {r.same}. Not the same: {r.not_same}." for r in rows), "",
    ]  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Run all parts, or some; write the page when all ran."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--out", type=Path, help=f"the page; {RESULTS.name} in results/ when every part runs")
    asked = parser.parse_args()
    names, rows = asked.only.split(","), []
    for name in names:
        try:
            for row in PARTS[name]():
                print(f"{row.work} | {row.beside} | {row.ours} | {row.theirs} | {row.finding}", flush=True)
                rows.append(row)
        except ImportError as missing:
            rows.append(absent(name, str(missing.name)))
    out = asked.out or (RESULTS if set(names) == set(PARTS) else None)
    if out:
        out.write_text(table(rows))


if __name__ == "__main__":
    main()
