"""What fails in a network from a file: its branches and buses by kind, and the switchgear that the scenario lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from twin.chance.law import compile_law
from twin.parts.network_failures import OperationSpec, PieceFailuresSpec
from twin.powerflow.network import Network
from twin.spec import Spec
from twin.world.failing import Failing
from twin.world.outages import Component, NetworkOutages
from twin.world.switchgear import FROM, TO, Device, Switchgear

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder

Pair = Annotated[list[int], Field(min_length=2, max_length=2)]


class DeviceSpec(Spec):
    """A switch at one end of a branch."""

    kind: Literal["breaker", "fuse", "disconnector"] = Field(
        description="breaker and fuse clear a fault, a disconnector only isolates it"
    )
    bus: int = Field(description="number of the bus beside which it stands")
    toward: int = Field(description="number of the bus at the branch's other end")


class FileFailuresSpec(OperationSpec):
    """Failures by kind; a load point on several buses is supplied while the first of them is."""

    lines: PieceFailuresSpec | None = Field(default=None, description="each branch between buses of one voltage")
    transformers: PieceFailuresSpec | None = Field(default=None, description="each branch between two voltages")
    bus_bars: PieceFailuresSpec | None = Field(default=None, description="each bus but the supply's")
    devices: list[DeviceSpec] = Field(default_factory=list, description="a fault is cleared and isolated by these")
    ties: list[Pair] = Field(default_factory=list, description="open branches that may be closed to restore supply")

    def pairs(self) -> list[tuple[str, list[int]]]:
        """(key, ends) of every branch that is named."""
        named = [(f"devices.{k}", [one.bus, one.toward]) for k, one in enumerate(self.devices)]
        return named + [(f"ties.{k}", pair) for k, pair in enumerate(self.ties)]


@dataclass(frozen=True)
class Placed:
    """A network from a file and where the site stands in it: its bus numbers, branches by pair of them, its loads."""

    net: Network
    numbers: list[int]
    branch: dict[tuple[int, ...], int]
    boards: dict[str, list[int]]
    section_bus: list[int]


def file_outages(spec: FileFailuresSpec, of: Placed, site: SiteBuilder) -> NetworkOutages:
    """Switchgear and components; every branch that `spec` names is there."""
    net = of.net
    devices = []
    for one in spec.devices:
        branch = of.branch[one.bus, one.toward]
        end = FROM if of.numbers[int(net.from_bus[branch])] == one.bus else TO
        probability = {
            "breaker": spec.breaker_fails_to_operate_probability, "fuse": spec.fuse_fails_to_operate_probability,
        }.get(one.kind, 0.0)  # fmt: skip
        name = site.path(f"network/{one.kind}-{one.bus}-{one.toward}")
        devices.append(Device(name, one.kind, branch, end, probability))
    ties = [of.branch[tuple(pair)] for pair in spec.ties]
    gear = Switchgear(net.from_bus, net.to_bus, net.buses, net.in_service, devices, ties)
    return NetworkOutages(
        gear, of.section_bus, list(_components(spec, of, site, gear)), compile_law(spec.switching_h), of.boards, {},
        [site.path(f"network/tie-{a}-{b}") for a, b in spec.ties], [device.name for device in devices],
    )  # fmt: skip


def _components(spec: FileFailuresSpec, of: Placed, site: SiteBuilder, gear: Switchgear) -> Iterator[Component]:
    net, models = of.net, {kind: _model(getattr(spec, kind), site) for kind in ("lines", "transformers", "bus_bars")}
    seen: dict[str, int] = {}
    for branch in range(net.branches):
        one, other = int(net.from_bus[branch]), int(net.to_bus[branch])
        kind = "line" if np.isclose(net.base_kv[one], net.base_kv[other]) else "transformer"
        model = models[f"{kind}s"]
        if model is not None:
            name = f"network/{kind}-{of.numbers[one]}-{of.numbers[other]}"
            seen[name] = seen.get(name, 0) + 1
            name += f"-{seen[name]}" if seen[name] > 1 else ""
            yield Component(site.path(name), kind, (gear.element(branch),), model)
    bars = models["bus_bars"]
    for bus in range(net.buses):
        if bars is not None and bus != net.slack:
            yield Component(site.path(f"network/bus-{of.numbers[bus]}"), "bus_bar", (bus,), bars)


def _model(spec: PieceFailuresSpec | None, site: SiteBuilder) -> Failing | None:
    return spec.model(site.start_month) if spec is not None else None
