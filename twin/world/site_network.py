"""A site's distribution network as the plant uses it: where load points draw, and what each supply state closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from pydantic import Field

from twin.plant.fields import DEAD_SECTION, FAULT_STATE, GENSETS_FEED, OWN_FEEDER, SECTION_BITS, THROUGH_TIE
from twin.powerflow.network import Network, Source
from twin.spec import Spec
from twin.world.outages import NetworkOutages

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def supply_state(sections: Sequence[int]) -> int:
    """The number of a supply state, from how each section is fed; `SiteNetwork.switching` reads it."""
    return sum(what << SECTION_BITS * s for s, what in enumerate(sections))


class NetworkLimits(Spec):
    """What holds for a whole network."""

    power_factor: float = Field(default=0.98, gt=0, le=1, description="of all load points, lagging")
    min_voltage_pu: float = Field(default=0.93, gt=0, lt=1, description="below it a bus counts as under voltage")
    source_voltage_pu: float = Field(default=1.0, ge=0.8, le=1.2, description="at the utility")


@dataclass(frozen=True)
class Switching:
    """One supply state: closed branches, sources, and how each section is fed (DEAD, or by grid or gensets)."""

    closed: npt.NDArray[np.bool_]
    sources: list[Source]
    on_grid: list[bool]
    on_gensets: list[bool]


@dataclass
class SiteNetwork:
    """A network and the site's place in it.

    Attributes:
        net: as it stands in normal operation; the slack is the utility.
        names: of the buses.
        buses_of: by load point and section, the buses that share its draw (none where it has no cord there).
        section_bus: the bus of each section; loads whose own bus is dead draw here.
        infeed: by section, the branches that are closed while its feeder is up.
        tie: branch between the sections, -1 for none.
        genset_bus, genset_switch: where gensets feed, and by section the branch to it; -1 and empty for none.
        iron_kw: (buses,) no-load losses of transformers, drawn while the bus is energised.
        busway_pu_per_kw: by load point, series impedance between its storage and itself, per unit on a base of 1 kVA.
        limits: power factor, and the voltages that count.
        outages: what fails in it, None where nothing does.
    """

    net: Network
    names: list[str]
    buses_of: dict[str, list[list[int]]]
    section_bus: list[int]
    infeed: list[list[int]]
    iron_kw: Floats
    tie: int = -1
    genset_bus: int = -1
    genset_switch: list[int] = field(default_factory=list)
    busway_pu_per_kw: dict[str, complex] = field(default_factory=dict)
    limits: NetworkLimits = field(default_factory=NetworkLimits)
    outages: NetworkOutages | None = None
    _faulted: dict[tuple[tuple[int, ...], frozenset[int]], int] = field(default_factory=lambda: {((), frozenset()): 0})
    _open: list[tuple[tuple[int, ...], frozenset[int]]] = field(default_factory=lambda: [((), frozenset())])

    def faulted(self, branches: tuple[int, ...], ties: frozenset[int]) -> int:
        """What a supply state gets where these branches cannot carry and these ties are closed."""
        key = branches, ties
        number = self._faulted.setdefault(key, len(self._open))
        if number == len(self._open):
            self._open.append(key)
        return number * FAULT_STATE

    @cached_property
    def tan_phi(self) -> float:
        """Reactive over active power of every load point."""
        return float(np.tan(np.arccos(self.limits.power_factor)))

    def switching(self, state: int) -> Switching:
        """What is closed and who feeds in a supply state."""
        sections = [state >> SECTION_BITS * s & 3 for s in range(len(self.section_bus))]
        closed = self.net.in_service.copy()
        broken, ties = self._open[state // FAULT_STATE]
        closed[list(ties)] = True
        on_grid = [what != DEAD_SECTION for what in sections]
        on_gensets = [bool(state & GENSETS_FEED) and what == DEAD_SECTION for what in sections]
        for s, what in enumerate(sections):
            closed[self.infeed[s]] = what == OWN_FEEDER
            if self.genset_switch:
                closed[self.genset_switch[s]] = on_gensets[s]
        if self.tie >= 0:
            closed[self.tie] = THROUGH_TIE in sections
        closed[list(broken)] = False
        sources: list[Source] = [(self.net.slack, self.limits.source_voltage_pu, 0.0)] if any(on_grid) else []
        if any(on_gensets):
            buses = {self.genset_bus if self.genset_bus >= 0 else self.section_bus[on_gensets.index(True)]}
            sources += [(bus, 1.0, 0.0) for bus in sorted(buses)]
        return Switching(closed, sources, on_grid, on_gensets)

    def places(self, load: str, sections: int, switching: Switching, energised: npt.NDArray[np.bool_]) -> Floats:
        """Shares of the buses at which a load point draws through a feed on `sections` (a mask), (buses,).

        Sections on the grid come first; a load whose own buses are dead draws at a live section (its feed's input).
        """
        share = np.zeros(self.net.buses)
        mine = [s for s in range(len(self.section_bus)) if sections >> s & 1]
        fed = [s for s in mine if switching.on_grid[s]] or [s for s in mine if switching.on_gensets[s]]
        own = [[bus for bus in self.buses_of.get(load, [[]] * len(self.section_bus))[s] if energised[bus]] for s in fed]
        if not any(own):
            own = [[self.section_bus[s]] for s in fed]
        own = [buses for buses in own if buses]
        for buses in own:
            share[buses] += 1.0 / len(own) / len(buses)
        return share

    def energised(self, switching: Switching) -> npt.NDArray[np.bool_]:
        """(buses,) which buses a supply state reaches."""
        if not switching.sources:
            return np.zeros(self.net.buses, bool)
        reached: npt.NDArray[np.bool_] = self.net.topology(switching.closed, switching.sources).position >= 0
        return reached

    def source_of(self, switching: Switching) -> Ints:
        """(buses,) number of the source that feeds each bus, -1 where none does."""
        topology = self.net.topology(switching.closed, switching.sources)
        root = np.arange(topology.order.size)
        for k in range(root.size):
            if topology.parent[k] >= 0:
                root[k] = root[topology.parent[k]]
        place = {int(position): number for number, position in enumerate(topology.roots)}
        found = np.full(self.net.buses, -1, np.int64)
        found[topology.order] = [place[int(k)] for k in root]
        return found
