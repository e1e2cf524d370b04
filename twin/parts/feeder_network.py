"""Radial feeders with main sections, laterals and load points from a record: a distribution system with its customers.

Each feeder has a breaker at its head. Its main sections may have a disconnector at their sending end, its laterals a
fuse; a normally open tie joins the ends of two feeders. Rates and times are the record's; times are exponential unless
said otherwise. Everything stands at one voltage: a transformer fails, but it has no impedance here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from twin.chance.law import compile_law, exponential
from twin.errors import InputError, Problem
from twin.inputs.feeder_record import FeederRecord, Lateral, read_feeders
from twin.parts.load_points import add_load_point
from twin.powerflow.draft import Draft
from twin.spec import Kilovolts, NonNegative, Positive, PositiveCount, Probability
from twin.units import HOURS_PER_YEAR
from twin.world.failing import Failing
from twin.world.outages import Component, NetworkOutages
from twin.world.site_network import NetworkLimits, SiteNetwork
from twin.world.switchgear import FROM, Device, Switchgear

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder


class FeederNetworkSpec(NetworkLimits):
    """Feeders and load points from a record in the layout of rbts_bus2.json, failing and repaired by its data."""

    kind: Literal["feeders"] = Field(description="a distribution system with customers, from a record")
    file: str = Field(description="JSON in the layout of rbts_bus2.json")
    supply_kv: Kilovolts = Field(default=11.0, description="of the feeders, line to line; RBTS Bus 2 has 11")
    r_ohm_per_km: NonNegative = Field(
        default=0.4, description="resistance of every section (assumed: the record has none)"
    )
    x_ohm_per_km: NonNegative = Field(
        default=0.4, description="reactance of every section (assumed: the record has none)"
    )
    rating_a: Positive = Field(
        default=1e9, description="current at which a section's loading is 1; so large that none shows if absent"
    )
    disconnectors: bool = Field(default=True, description="one at the sending end of every main section")
    fuses: bool = Field(default=True, description="one in every lateral")
    fuse_fails_to_operate_probability: Probability = Field(
        default=0.0, description="of a fuse when it is called; the next device up then clears"
    )
    ties: list[Annotated[list[PositiveCount], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, description="pairs of feeders, by number, whose ends a normally open tie joins"
    )
    transformers: Literal["repaired", "replaced"] = Field(
        default="repaired", description="a failed one is repaired, or replaced in the record's replacement time"
    )
    repair_times: Literal["exponential", "fixed"] = Field(
        default="exponential", description="switching always takes the record's time"
    )

    def build(self, site: SiteBuilder, gensets: bool) -> SiteNetwork:
        """Read the record and lay out network, load points and what fails.

        Raises:
            InputError: the record cannot be read, or a tie names a feeder that is not there.
        """
        record = read_feeders(self.file)
        wrong = [tie for tie in self.ties if max(tie) > len(record.feeders) or tie[0] == tie[1]]
        if wrong:
            message = f"a tie joins two of the {len(record.feeders)} feeders, not {wrong[0][0]} and {wrong[0][1]}"
            raise InputError(Problem(message, self.file, key="network.ties"))
        if site.sections != 1:
            raise InputError(Problem("such a network has one source: give the grid one feeder", key="network"))
        width = len(str(max(record.load_points)))
        for number, (load_kw, customers) in sorted(record.load_points.items()):
            add_load_point(site, f"lp-{number:0{width}d}", load_kw, customers)
        return _Layout(self, record, site, width).network()


@dataclass
class _Layout:
    """A network as it is laid out, section by section."""

    spec: FeederNetworkSpec
    record: FeederRecord
    site: SiteBuilder
    width: int
    draft: Draft = field(default_factory=Draft)
    devices: list[Device] = field(default_factory=list)
    boards: dict[str, int] = field(default_factory=dict)
    pieces: list[tuple[str, str, int, bool]] = field(default_factory=list)
    """(name, kind, branch or bus, whether it is a branch)."""
    per_year: list[float] = field(default_factory=list)

    def network(self) -> SiteNetwork:
        """All feeders and ties."""
        spec, draft = self.spec, self.draft
        source = draft.bus("source", spec.supply_kv)
        ends = [self._feeder(number + 1, source) for number in range(len(self.record.feeders))]
        ties = [draft.branch(ends[a - 1], ends[b - 1], 0j, spec.rating_a, closed=False) for a, b in spec.ties]
        net = draft.network()
        gear = Switchgear(net.from_bus, net.to_bus, net.buses, net.in_service, self.devices, ties)
        boards = {name: [bus] for name, bus in self.boards.items()}
        return SiteNetwork(
            net=net, names=draft.names, buses_of={name: [[bus]] for name, bus in self.boards.items()},
            section_bus=[source], infeed=[[]], iron_kw=np.zeros(net.buses), limits=spec,
            outages=NetworkOutages(
                gear, [source], self._components(gear), compile_law(self.record.rates["switching_h"]), boards, {},
                [self.site.path(f"network/tie-{a}-{b}") for a, b in spec.ties],
                [device.name for device in self.devices],
            ),
        )  # fmt: skip

    def _feeder(self, number: int, source: int) -> int:
        """One feeder; returns the bus at its end."""
        here = source
        for k, section in enumerate(self.record.feeders[number - 1], start=1):
            name = f"feeder-{number}/section-{k}"
            bus = self._line(name, here, section.length_km)
            branch = self.draft.branches - 1
            if k == 1:
                self._device(f"feeder-{number}/breaker", "breaker", branch)
            elif self.spec.disconnectors:
                self._device(f"{name}/disconnector", "disconnector", branch)
            for lateral in section.laterals:
                self._lateral(f"feeder-{number}", bus, lateral)
            here = bus
        return here

    def _lateral(self, feeder: str, bus: int, lateral: Lateral) -> None:
        load = f"lp-{lateral.load_point:0{self.width}d}"
        end = self._line(f"{feeder}/lateral-{lateral.load_point:0{self.width}d}", bus, lateral.length_km)
        self.boards[load] = end
        if self.spec.fuses:
            probability = self.spec.fuse_fails_to_operate_probability
            self._device(f"{feeder}/fuse-{load[3:]}", "fuse", self.draft.branches - 1, probability)
        if lateral.transformer:
            name = f"{feeder}/transformer-{load[3:]}"
            self.pieces.append((name, "transformer", end, False))
            self.per_year.append(self.record.rates["transformer_failure_rate"])

    def _line(self, name: str, here: int, length_km: float) -> int:
        spec = self.spec
        bus = self.draft.bus(name, spec.supply_kv)
        ohm = complex(spec.r_ohm_per_km, spec.x_ohm_per_km) * length_km
        branch = self.draft.branch(here, bus, ohm, spec.rating_a)
        self.pieces.append((name, "line", branch, True))
        self.per_year.append(self.record.rates["line_failure_rate"] * length_km)
        return bus

    def _device(self, name: str, kind: Literal["breaker", "fuse", "disconnector"], branch: int, p: float = 0.0) -> None:
        self.devices.append(Device(self.site.path(f"network/{name}"), kind, branch, FROM, p))

    def _components(self, gear: Switchgear) -> list[Component]:
        rates = self.record.rates
        replaced = self.spec.transformers == "replaced"
        down_h = {
            "line": rates["line_repair_h"],
            "transformer": rates["transformer_replace_h" if replaced else "transformer_repair_h"],
        }
        law = exponential if self.spec.repair_times == "exponential" else compile_law
        repair = {kind: law(hours) for kind, hours in down_h.items()}
        models: dict[tuple[str, float], Failing] = {}
        found = []
        for (name, kind, place, is_branch), rate in zip(self.pieces, self.per_year, strict=True):
            model = models.setdefault((kind, rate), Failing(exponential(HOURS_PER_YEAR / rate), repair[kind]))
            elements = (gear.element(place) if is_branch else place,)
            found.append(Component(self.site.path(f"network/{name}"), kind, elements, model))
        return found
