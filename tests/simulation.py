"""Small worlds for tests: scenarios as dicts over one plain hall, traces as stories to the microsecond."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twin.plant import fields as f
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.simulator import Simulator
from twin.trace import Trace
from twin.world import record
from twin.world.site import SUPPLY, UNITS, Site
from twin.world.world import Process, World

MS, S, MIN, H = 1_000, 1_000_000, 60_000_000, 3_600_000_000

HALL: dict[str, Any] = {
    "name": "hall",
    "horizon": {"start": "2026-01-01", "hours": 24.0},
    "sites": {
        "hall": {
            "cluster": {
                "rows": 2,
                "servers_per_row": 10,
                "gpus_per_server": 8,
                "server": {
                    "rated_kw": 12.0, "training_kw": 10.0, "evaluation_dip_fraction": 0.0, "idle_kw": 2.0,
                    "boot_kw": 3.0, "capped_kw": 7.0, "throughput_at_cap_fraction": 0.8, "hold_up_ms": 20.0,
                },
                "core": {"load_kw": 100.0},
            },
            "grid": {"feeders": {"A": {}}},
        }
    },
    "jobs": {
        "training": {
            "kind": "gang",
            "gpus": 160,
            "checkpoint": {"interval_min": 15.0, "stall_s": 0.0, "mode": "blocking"},
            "restart_after_power_loss_h": {"core_kept": 0.75, "core_lost": 1.5},
            "hardware": {"per_1000_server_days": 0.0},
        }
    },
}  # fmt: skip
"""Two rows of 100 kW training (20 kW idle, 30 kW booting, 70 kW capped), a core of 100 kW, one gang job; no luck."""

CABINETS: dict[str, Any] = {
    "per_row": 1, "core": 1, "rated_kw": 125.0, "rated_kwh": 100.0, "soc_min_fraction": 0.05, "soc_max_fraction": 0.95,
    "efficiency_one_way": 0.95, "auxiliary_kw": 0.0, "transfer_ms": 5.0, "transfer_failure_probability": 0.0,
    "cabinet_mtbf_h": 1e12,
}  # fmt: skip
"""90 kWh above the floor, 85.5 kWh at the load's side, 125 kW: 100 kW last 0.855 h."""

UPS: dict[str, Any] = {
    "modules": {"n": 4, "r": 1, "rated_kw": 100.0, "mtbf_h": 1e12}, "loss_fraction": 0.05, "autonomy_min": 10.0,
    "block_mtbf_h": 1e12, "fail_on_demand_probability": 0.0,
}  # fmt: skip
"""400 kW for ten minutes: 66.67 kWh, lossless on battery; 300 kW last 13 min 20 s."""

GENSETS: dict[str, Any] = {
    "n": 1, "r": 0, "rated_kw": 2000.0, "confirm_s": 3.0, "start_s": 15.0, "all_load_s": 120.0,
    "fail_to_start_probability": 0.0, "plant_common_cause_probability": 0.0, "mttf_running_h": 1e12, "mttr_h": 37.0,
    "retransfer_min": 15.0,
}  # fmt: skip

COOLING: dict[str, Any] = {
    "fraction_of_it": {"winter": 0.2, "spring": 0.2, "summer": 0.2, "autumn": 0.2}, "continuous_kw": 20.0,
    "ride_through_s": 60.0, "chilled_water_tank_min": 15.0, "restart_min": 5.0,
}  # fmt: skip
"""Pumps of 20 kW, chillers of 40 kW at 300 kW IT."""

NETWORK: dict[str, Any] = {
    "kind": "campus", "supply_kv": 10.0, "mv_kv": 10.0, "source_short_circuit_kva": 50_000.0,
    "rings": {
        "count": 2, "units_per_ring": 2,
        "cable": {"r_ohm_per_km": 0.3, "x_ohm_per_km": 0.1, "length_m": 300.0, "rating_a": 100.0},
    },
    "row_transformers": {
        "rated_kva": 160.0, "impedance_percent": 4.0, "load_loss_kw": 2.0, "no_load_loss_kw": 0.3,
    },
    "row_busway": {"r_ohm_per_km": 0.2, "x_ohm_per_km": 0.1, "length_m": 40.0, "rating_a": 250.0},
    "core_transformers": {"rated_kva": 250.0, "impedance_percent": 4.0, "load_loss_kw": 3.0},
    "cooling_transformers": {"rated_kva": 250.0, "impedance_percent": 4.0, "load_loss_kw": 3.0},
}  # fmt: skip
"""A 10 kV supply, two rings of two units, 100 kW rows on 160 kVA and 40 m of busway: a loss of 3 % and more."""


def merged(base: Any, change: Any) -> Any:
    """`base` with `change` laid over it: mappings merge, everything else replaces; nothing is shared with either."""
    if isinstance(base, dict) and isinstance(change, dict):
        return {key: merged(base.get(key), change.get(key, base.get(key))) for key in {**base, **change}}
    if isinstance(change, dict):
        return {key: merged(None, value) for key, value in change.items()}
    return change


def hall(*, site: Any = None, **top: Any) -> dict[str, Any]:
    """The plain hall, with changes to its only site and at the top."""
    data = merged(HALL, {"sites": {"hall": site or {}}})
    for key, value in top.items():
        data[key] = value if key == "jobs" else merged(data.get(key), value)
    return data


def job(**changes: Any) -> dict[str, Any]:
    """The hall's gang job with changes, as a `jobs` block."""
    return {"training": merged(HALL["jobs"]["training"], changes)}


def outage(at_h: float, **rest: Any) -> dict[str, Any]:
    """A scripted event; durations as `duration_s=90.0`."""
    return {"at_h": at_h, **rest}


def simulator(data: dict[str, Any], *extra: Any, first: Sequence[Any] = ()) -> Simulator:
    """A simulator of a scenario given as data; `extra` parts go to the end of its first site's, `first` ahead."""
    scenario = Scenario.model_validate(data)
    study = Study(
        path=Path("hall.yaml"), text="", name=scenario.name, base=scenario, designs={"base": scenario},
        design_ranges={}, design_sources={}, design_positions={}, files=(), missing=(), digest="", allow_code=True,
    )  # fmt: skip
    made = Simulator(study)
    made.blueprint.parts[0][:] = [*first, *made.blueprint.parts[0], *extra]
    return made


def play(data: dict[str, Any], *extra: Any, replication: int = 0, level: str = "units") -> "Story":
    """One replication as a story, with `extra` parts at the site."""
    return Story(simulator(data, *extra).run(replication, level))


def near(found: int, expected: float) -> bool:
    """Within two ticks: a level's bound is announced at the tick before it is met."""
    return abs(found - expected) <= 2


def all_near(found: list[tuple[int, int]], expected: list[tuple[float, float]]) -> bool:
    """Whether intervals agree within two ticks at both ends."""
    return len(found) == len(expected) and all(
        near(one[0], two[0]) and near(one[1], two[1]) for one, two in zip(found, expected, strict=True)
    )


class Story:
    """A trace, asked by name: who was dark when, what happened to whom, and why."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.site = trace.meta["sites"][0]
        self.whats = trace.meta["whats"]
        self.ledger = trace.ledger[self.site]

    def _id(self, item: str) -> int:
        return self.trace.items["name"].index(f"{self.site}/{item}")

    def of(self, item: str, what: str) -> list[tuple[int, int]]:
        """(tick, value) of all events of one kind of an item."""
        events = self.trace.events
        own = (events["item"] == self._id(item)) & (events["what"] == self.whats.index(what))
        return list(zip(events["time_us"][own].tolist(), events["value"][own].tolist(), strict=True))

    def at(self, item: str, what: str) -> list[int]:
        """Ticks of all events of one kind of an item."""
        return [tick for tick, _ in self.of(item, what)]

    def dark(self, item: str) -> list[tuple[int, int]]:
        """Dark intervals of a load point, the last one perhaps to the horizon; those of no length left out."""
        spans, since = [], None
        for tick, value in self.of(item, "lit"):
            if value == 0 and since is None:
                since = tick
            elif value == 1 and since is not None:
                spans.append((since, tick))
                since = None
        if since is not None:
            spans.append((since, self.trace.meta["horizon_us"]))
        return [span for span in spans if span[0] != span[1]]

    def chain(self, item: str, what: str, value: int = 0, number: int = 0) -> list[str]:
        """The causes of one event of an item, root first, as "item what value"; the site's name left out."""
        events = self.trace.events
        wanted = (events["item"] == self._id(item)) & (events["what"] == self.whats.index(what))
        row = int(np.flatnonzero(wanted & (events["value"] == value))[number])
        return self.causes(row)

    def causes(self, row: int) -> list[str]:
        """The chain that ends with event `row`, root first."""
        events, links = self.trace.events, []
        while row >= 0:
            name = self.trace.items["name"][events["item"][row]].split("/", 1)[1]
            links.append(f"{name} {self.whats[events['what'][row]]} {events['value'][row]}")
            row = int(events["cause"][row])
        return links[::-1]

    def job(self, row: int = 0) -> dict[str, int]:
        """One row of the jobs table."""
        return {name: int(column[row]) for name, column in self.trace.jobs.items()}

    def interruptions(self) -> list[tuple[int, int, int, int]]:
        """(start, end, level, rollback) of every interruption of jobs."""
        table = self.trace.interruptions
        columns = (table[name].tolist() for name in ("start_us", "end_us", "level", "rollback_us"))
        return list(zip(*columns, strict=True))

    def stored_kwh(self, item: str, tick: int) -> float:
        """Energy in a unit at a tick."""
        return float(self.trace.stored_kwh(self.site, f"{self.site}/{item}", tick / H))

    def power(self, name: str, tick: int) -> float:
        """A site power [kW] that holds from a tick."""
        series = self.trace.series[self.site]
        return float(series[name][np.searchsorted(series["time_us"], tick, side="right") - 1])


class Breaks:
    """A part that breaks and mends cabinets by script: (tick, item, up). It goes through the same door as all parts."""

    def __init__(self, *script: tuple[int, str, int]) -> None:
        self._script = sorted(script)

    def declare(self, site: Any) -> None:
        """Nothing of its own."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process plays the script."""
        column = {int(item): i for i, item in enumerate(site.plan.unit_items)}

        def run() -> Process:
            for tick, name, up in self._script:
                if tick > world.now:
                    yield world.sleep(tick - world.now)
                item = ids[site.plan.name + "/" + name]
                i = column[item]
                site.change(item, record.UP, up, UNITS | SUPPLY)
                site.fact[f.U_UP, i] = up
                site.fact[f.F_VERSION, site.fact[f.U_FEED, i]] += 1

        world.start(run())


class Pokes:
    """A part that asks for a reaction again and again, so many microseconds apart, though nothing has changed."""

    def __init__(self, every_us: int) -> None:
        self._every_us = every_us

    def declare(self, site: Any) -> None:
        """Nothing of its own."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process asks."""

        def run() -> Process:
            while True:
                yield world.sleep(self._every_us)
                site.ask(1)

        world.start(run())
