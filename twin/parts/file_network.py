"""A network from a file as a site's: load points, sections, feeders' branches and tie, by the file's own numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from twin.errors import InputError, Problem
from twin.parts.file_failures import FileFailuresSpec, Placed, file_outages
from twin.powerflow.files import Case, read_matpower, read_pandapower
from twin.world.site_network import NetworkLimits, SiteNetwork

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder


class FileNetworkSpec(NetworkLimits):
    """A network from MATPOWER case text (.m) or pandapower JSON (.json); the file's own demand is left out."""

    kind: Literal["file"] = Field(description="a network from a file")
    file: str = Field(description="MATPOWER case text (.m) or pandapower JSON (.json)")
    bus_of: dict[str, list[int]] = Field(
        min_length=1, description="bus numbers of the file at which a load point draws, or pv feeds in, equally"
    )
    section_bus: list[int] = Field(min_length=1, max_length=2, description="by feeder in name order: its section's bus")
    infeed: list[Annotated[list[int], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, description="by feeder in name order: ends of the branch that it closes"
    )
    tie: list[int] | None = Field(default=None, min_length=2, max_length=2, description="ends of the sections' tie")
    failures: FileFailuresSpec | None = Field(default=None, description="of its pieces; without it nothing fails")

    def build(self, site: SiteBuilder, gensets: bool) -> SiteNetwork:
        """Read the network and find the load points' buses.

        Raises:
            InputError: the file cannot be read, or names of load points, buses or branches are not there.
        """
        case = (read_pandapower if self.file.endswith(".json") else read_matpower)(self.file)
        return _placed(self, case, site)


def _placed(spec: FileNetworkSpec, case: Case, site: SiteBuilder) -> SiteNetwork:
    """The site's network.

    Raises:
        InputError: naming every load point, bus and branch that is not there.
    """
    number = {int(own): place for place, own in enumerate(case.bus_number)}
    loads = {site.short(name) for name in site.loads} | ({"pv"} if site.pv else set())
    branch = _branches(spec, case, number)
    faults = _faults(spec, number, loads, site.sections)
    problems = [Problem(message, spec.file, key=f"network.{key}") for key, message in faults]
    named = spec.failures.pairs() if spec.failures else []
    problems += [
        Problem(f"no branch joins the buses {pair[0]} and {pair[1]}", spec.file, key=f"network.failures.{key}")
        for key, pair in named
        if branch[tuple(pair)] < 0
    ]
    problems += [
        Problem(f"no branch joins the buses {pair[0]} and {pair[1]}", spec.file, key="network.infeed and tie")
        for pair in _site_pairs(spec)
        if branch[tuple(pair)] < 0
    ]
    if problems:
        raise InputError(problems)
    buses_of = {name: [[number[bus] for bus in buses]] * site.sections for name, buses in spec.bus_of.items()}
    section_bus = [number[bus] for bus in spec.section_bus]
    outages = None
    if spec.failures is not None:
        boards = {name: [buses[0] for buses in by_section] for name, by_section in buses_of.items()}
        placed = Placed(case.net, [int(own) for own in case.bus_number], branch, boards, section_bus)
        outages = file_outages(spec.failures, placed, site)
    return SiteNetwork(
        outages=outages,
        net=case.net,
        names=[str(own) for own in case.bus_number],
        buses_of=buses_of,
        section_bus=section_bus,
        infeed=[[branch[tuple(pair)]] for pair in spec.infeed] or [[] for _ in range(site.sections)],
        iron_kw=np.zeros(case.net.buses),
        tie=branch[tuple(spec.tie)] if spec.tie else -1,
        limits=spec,
    )


def _branches(spec: FileNetworkSpec, case: Case, number: dict[int, int]) -> dict[tuple[int, ...], int]:
    """By pair of bus numbers the branch between them, -1 for none."""
    ends = zip(case.net.from_bus.tolist(), case.net.to_bus.tolist(), strict=True)
    known = {frozenset(pair): place for place, pair in enumerate(ends)}
    wanted = [*_site_pairs(spec), *(pair for _, pair in (spec.failures.pairs() if spec.failures else []))]
    return {tuple(pair): known.get(frozenset(number.get(bus, -1) for bus in pair), -1) for pair in wanted}


def _site_pairs(spec: FileNetworkSpec) -> list[list[int]]:
    return [*spec.infeed, *([spec.tie] if spec.tie else [])]


def _faults(spec: FileNetworkSpec, number: dict[int, int], loads: set[str], sections: int) -> list[tuple[str, str]]:
    """(key, message) of what does not fit the file or the site."""
    faults = [("bus_of", f"there is no load point '{name}'") for name in sorted(spec.bus_of.keys() - loads)]
    faults += [
        ("bus_of", f"{name}: there is no bus {bus}")
        for name, buses in spec.bus_of.items()
        for bus in buses
        if bus not in number
    ]
    faults += [("section_bus", f"there is no bus {bus}") for bus in spec.section_bus if bus not in number]
    missing = sorted(name for name in loads if name.startswith("row-") and name not in spec.bus_of)
    if missing:
        faults.append(("bus_of", f"no bus for {', '.join(missing[:5])}{' ...' if missing[5:] else ''}"))
    if len(spec.section_bus) != sections:
        faults.append(("section_bus", f"has {len(spec.section_bus)} buses, the grid has {sections} feeders"))
    if len(spec.infeed) != sections and (spec.infeed or sections > 1):
        faults.append(("infeed", f"has {len(spec.infeed)} branches, the grid has {sections} feeders"))
    return faults
