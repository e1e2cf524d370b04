"""A site's network from a few figures: feeders, main transformers, sections, MV rings open in the middle, LV busways.

Each section has rings of ring main units between two of its own breakers, open in the middle; a unit feeds the
transformers of some rows, one board and one busway a row. Core and cooling have a transformer on either section.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from twin.parts.campus_outages import OutageFigures, campus_outages
from twin.powerflow.draft import Draft
from twin.world.site_network import NetworkLimits, SiteNetwork


@dataclass(frozen=True)
class Plate:
    """A transformer's plate: kVA, impedance voltage, losses under load and without, tap above nominal."""

    rated_kva: float
    impedance_percent: float
    load_loss_kw: float
    no_load_loss_kw: float = 0.0
    tap_fraction: float = 0.0

    def ohm(self, kv: float) -> complex:
        """Series impedance at the side of `kv`."""
        z = self.impedance_percent / 100.0
        r = self.load_loss_kw / self.rated_kva
        return complex(r, math.sqrt(max(z * z - r * r, 0.0))) * 1000.0 * kv**2 / self.rated_kva


@dataclass(frozen=True)
class Way:
    """A cable or busway: ohms in all, ampere rating."""

    ohm: complex
    rating_a: float


@dataclass(frozen=True)
class SiteFigures:
    """What a campus is built from; `row_sections` gives the sections of each row, `main` is None for a supply at MV."""

    sections: int
    row_names: list[str]
    row_sections: list[list[int]]
    supply_kv: float
    mv_kv: float
    lv_kv: float
    source_ohm: complex
    feeder_rating_a: float
    main: Plate | None
    rings: int
    units_per_ring: int
    cable: Way
    row: Plate
    busway: Way
    taps: int
    core: Plate
    cooling: Plate
    gensets: bool
    limits: NetworkLimits
    outages: OutageFigures | None = None


def build_site(of: SiteFigures) -> SiteNetwork:
    """Lay out the network of a site; see the module's head for its form."""
    draft = Draft()
    utility = draft.bus("utility", of.supply_kv)
    infeed, section_bus = [], []
    for s in range(of.sections):
        name = "AB"[s]
        high = draft.bus(f"feeder {name}", of.supply_kv)
        infeed.append([draft.branch(utility, high, of.source_ohm, of.feeder_rating_a, role="infeed")])
        if of.main:
            infeed[s].append(draft.branches)
        if of.main:
            section_bus.append(draft.transformer(high, f"section {name}", of.mv_kv, of.main, "main_transformers"))
        else:
            section_bus.append(high)
    tie = draft.branch(section_bus[0], section_bus[1], 0j, math.inf, closed=False) if of.sections == 2 else -1
    genset_bus, genset_switch = -1, []
    if of.gensets:
        genset_bus = draft.bus("gensets", of.mv_kv)
        genset_switch = [draft.branch(genset_bus, bus, 0j, math.inf, closed=False) for bus in section_bus]
    units = [_rings(draft, of, s, section_bus[s]) for s in range(of.sections)]
    buses_of = _rows(draft, of, units)
    for s in range(of.sections):
        unit = draft.bus(f"core and cooling unit {'AB'[s]}", of.mv_kv)
        draft.branch(section_bus[s], unit, of.cable.ohm, of.cable.rating_a, role="cables")
        core = draft.transformer(unit, f"core board {'AB'[s]}", of.lv_kv, of.core, "core_transformers")
        cooling = draft.transformer(unit, f"cooling board {'AB'[s]}", of.lv_kv, of.cooling, "cooling_transformers")
        buses_of.setdefault("core", []).append([core])
        for load in ("continuous_cooling", "restartable_cooling", "house"):
            buses_of.setdefault(load, []).append([cooling])
    per_kw = of.busway.ohm / (1000.0 * of.lv_kv**2) * _spread(of.taps)
    net = draft.network()
    outages = campus_outages(draft, net, section_bus, buses_of, of.outages) if of.outages else None
    return SiteNetwork(
        net=net, outages=outages, names=draft.names, buses_of=buses_of, section_bus=section_bus, infeed=infeed,
        iron_kw=np.array(draft.iron_kw), tie=tie, genset_bus=genset_bus, genset_switch=genset_switch,
        busway_pu_per_kw=dict.fromkeys(of.row_names, per_kw), limits=of.limits,
    )  # fmt: skip


def _spread(taps: int) -> float:
    """Impedance that loses as much at the end as equal draws along the busway do: sum of squares of what flows."""
    return (taps + 1) * (2 * taps + 1) / (6.0 * taps * taps)


def _rings(draft: Draft, of: SiteFigures, s: int, section: int) -> list[int]:
    """The ring main units of a section, in rings from it and back to it, open in the middle."""
    mine = [ring for ring in range(of.rings) if ring % of.sections == s] or [s]
    units = []
    for ring in mine:
        chain = [draft.bus(f"ring {ring + 1} unit {u + 1}", of.mv_kv) for u in range(of.units_per_ring)]
        spans = list(zip([section, *chain], [*chain, section], strict=True))
        for n, (one, other) in enumerate(spans):
            is_open = n == len(spans) // 2
            draft.branch(one, other, of.cable.ohm, of.cable.rating_a, closed=not is_open, role="cables")
        units += chain
    return units


def _rows(draft: Draft, of: SiteFigures, units: list[list[int]]) -> dict[str, list[list[int]]]:
    """A transformer, a board and a busway for every row and cord; the rows of a section spread over its units."""
    buses_of: dict[str, list[list[int]]] = {}
    count = [sum(s in mine for mine in of.row_sections) for s in range(of.sections)]
    seen = [0] * of.sections
    for name, mine in zip(of.row_names, of.row_sections, strict=True):
        buses_of[name] = [[] for _ in range(of.sections)]
        for s in mine:
            unit = units[s][seen[s] * len(units[s]) // count[s]]
            seen[s] += 1
            cord = f" cord {'AB'[s]}" if len(mine) > 1 else ""
            bus = draft.transformer(unit, f"{name} board{cord}", of.lv_kv, of.row, "row_transformers")
            for tap in range(of.taps):
                along = draft.bus(f"{name} end{cord}" if of.taps == 1 else f"{name} tap {tap + 1}{cord}", of.lv_kv)
                draft.branch(bus, along, of.busway.ohm / of.taps, of.busway.rating_a, role="row_busways")
                buses_of[name][s].append(along)
                bus = along
    return buses_of
