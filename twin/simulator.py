"""`simulate`: one replication of one design, from scenario to trace. The thirty lines that matter."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from twin.assemble import Blueprint
from twin.errors import InputError
from twin.plant import fields as f
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.schema_trace import SCHEMA_VERSION
from twin.trace import Trace
from twin.version import VERSION
from twin.world.luck import Luck
from twin.world.record import LEVELS, WHATS
from twin.world.site import Site
from twin.world.world import World


class Simulator:
    """Replications of one design: the blueprint is built once, each run copies its arrays."""

    def __init__(self, study: Study[Scenario], design: str | None = None) -> None:
        self.study = study
        self.design = next(iter(study.designs)) if design is None else design
        if self.design not in study.designs:
            known = ", ".join(study.designs)
            raise InputError(f"no design '{self.design}' in {study.name} (it has: {known})")
        self.blueprint = Blueprint(study.designs[self.design])

    def run(self, replication: int = 0, level: str = "units", luck: Luck | None = None) -> Trace:
        """Simulate one replication.

        Args:
            replication: number of the replication, 0 or more: with the seed it fixes all luck.
            level: what to record: "ledger" (events and monthly ledgers), "series" (and site powers), "units".
            luck: biased towards rare events (`twin.world.weights`), new for each run; None: nature's.

        Returns:
            The trace; it holds no reference to the simulation.
        """
        if level not in LEVELS:
            raise InputError(f"no level '{level}' (there are: {', '.join(LEVELS)})")
        if replication < 0:
            raise InputError(f"replication {replication} is negative")
        blueprint = self.blueprint
        seed = blueprint.scenario.seed
        world = World(
            seed=seed, replication=replication, horizon_us=blueprint.horizon_us, level=level,
            allow_code=self.study.allow_code, code=self.study.code, crews=blueprint.crews, spares=blueprint.spares,
            luck=luck,
        )  # fmt: skip
        try:
            sites = [Site(world, plan) for plan in blueprint.sites]
            world.sites += sites
            for site, parts in zip(sites, blueprint.parts, strict=True):
                for part in parts:
                    part.install(world, site, blueprint.ids)
            blueprint.install_shared(world, sites)
            world.run()
            return self._trace(world, sites, replication, level)
        finally:
            world.close()

    def _trace(self, world: World, sites: list[Site], replication: int, level: str) -> Trace:
        items = self.blueprint.items
        tables = world.record.tables()
        return Trace(
            meta=self._meta(replication, level),
            items={
                "name": [item.name for item in items],
                "kind": [item.kind for item in items],
                "site": np.array([item.site for item in items], np.int64),
                "weight_kw": np.array([item.weight_kw for item in items]),
                "gpus": np.array([item.gpus for item in items], np.int64),
            },
            **tables,
            series={s.name: s.tape.series() for s in sites} if level != "ledger" else {},
            units={s.name: _units(s, world.horizon_us) for s in sites} if level == "units" else {},
            ledger={s.name: _ledger(s, world.horizon_us) for s in sites},
            health={s.name: s.health for s in sites if s.health},
            cycles=world.luck.table(),
        )

    def _meta(self, replication: int, level: str) -> dict[str, Any]:
        return self._known | {"replication": replication, "level": level}

    @cached_property
    def _known(self) -> dict[str, Any]:
        """What all traces of the design say of themselves: to write the scenario out takes as long as a small run."""
        study, scenario = self.study, self.blueprint.scenario
        return {
            "schema_version": SCHEMA_VERSION,
            "twin_version": VERSION,
            "scenario": scenario.name,
            "question": scenario.question,
            "scenario_text": study.resolved_json(self.design),
            "digest": study.digest,
            "files": [{"name": file.name, "sha256": file.sha256} for file in study.files],
            "design": self.design,
            "seed": scenario.seed,
            "start": scenario.horizon.start,
            "horizon_us": self.blueprint.horizon_us,
            "currency": scenario.currency,
            "sites": [plan.name for plan in self.blueprint.sites],
            "value_per_gpu_h": [scenario.sites[plan.name].value_per_gpu_h for plan in self.blueprint.sites],
            "customers": self.blueprint.customers,
            "waits_unknown": self.blueprint.waits_unknown,
            "record_gpu_h": self.blueprint.record_gpu_h,
            "whats": list(WHATS),
            "kinds": sorted({item.kind for item in self.blueprint.items}),
        }


def _ledger(site: Site, horizon_us: int) -> dict[str, Any]:
    months = site.plan.month_us
    out: dict[str, Any] = {"start_us": months.copy(), "end_us": np.append(months[1:], horizon_us)}
    site.ledger[f.LEDGER_STORED_KWH, -1] = site.quantity[f.ENERGY_KWH].sum()
    out |= {name: site.ledger[k].copy() for k, name in enumerate(f.LEDGER_NAMES)}
    begin = site.plan.quantity[f.ENERGY_KWH].sum()
    out["stored_start_kwh"] = np.append(begin, site.ledger[f.LEDGER_STORED_KWH, :-1])
    return out


def _units(site: Site, horizon_us: int) -> dict[str, Any]:
    """Turning points with both ends, by unit then time."""
    time_us, item, energy_kwh = site.tape.points()
    fixed = np.flatnonzero(~site.plan.berth)
    count = fixed.size
    own = site.plan.unit_items[fixed]
    time_us = np.concatenate([np.zeros(count, np.int64), time_us, np.full(count, horizon_us)])
    item = np.concatenate([own, item, own])
    energy_kwh = np.concatenate(
        [site.plan.quantity[f.ENERGY_KWH, fixed], energy_kwh, site.quantity[f.ENERGY_KWH, fixed]]
    )
    order = np.lexsort((time_us, item))
    return {"time_us": time_us[order], "item": item[order], "energy_kwh": energy_kwh[order]}


def simulate(study: Study[Scenario], design: str | None = None, replication: int = 0, level: str = "units") -> Trace:
    """Simulate one replication of one design of a study; see `Simulator.run`."""
    return Simulator(study, design).run(replication, level)
