"""The switchgear of a campus network and its pieces that fail, from the network as it was laid out.

Section breakers at either end of a ring and ahead of the core's unit, disconnectors at both sides of the ring cables in
the units, a fuse above and a breaker below each transformer, a breaker at the head of each busway. The open span of a
ring is a tie. Storage stands at the board below a transformer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from twin.chance.law import CompiledLaw
from twin.powerflow.draft import Draft
from twin.powerflow.network import Network
from twin.world.failing import Failing
from twin.world.outages import Component, NetworkOutages
from twin.world.switchgear import FROM, TO, Device, Elements, Switchgear

KIND_OF = {
    "main_transformers": "transformer", "row_transformers": "transformer", "core_transformers": "transformer",
    "cooling_transformers": "transformer", "cables": "line", "row_busways": "busway",
}  # fmt: skip


@dataclass(frozen=True)
class OutageFigures:
    """What fails, and how it is switched: models by kind of piece, names below `path`."""

    path: str
    models: dict[str, Failing]
    switching: CompiledLaw
    fuse_fails: float
    breaker_fails: float


def campus_outages(
    draft: Draft, net: Network, section_bus: list[int], buses_of: dict[str, list[list[int]]], of: OutageFigures
) -> NetworkOutages:
    """Switchgear, components, boards and ways of a campus."""
    devices = list(_devices(draft, net, section_bus, of))
    ties = [
        branch
        for branch, role in enumerate(draft.roles)
        if role == "cables" and not net.in_service[branch]
    ]  # fmt: skip
    gear = Switchgear(net.from_bus, net.to_bus, net.buses, net.in_service, devices, ties)
    boards: dict[str, list[int]] = {}
    ways: dict[str, list[Elements]] = {}
    for load, by_section in buses_of.items():
        boards[load] = [_board(draft, net, buses) for buses in by_section]
        ways[load] = [
            gear.path(board, buses[-1]) if buses else frozenset()
            for board, buses in zip(boards[load], by_section, strict=True)
        ]
    return NetworkOutages(
        gear, section_bus, list(_components(draft, net, section_bus, gear, of)), of.switching, boards, ways,
        [f"{of.path}/{_span(draft, net, tie)}-tie" for tie in ties], [device.name for device in devices],
    )  # fmt: skip


def _devices(draft: Draft, net: Network, section_bus: list[int], of: OutageFigures) -> Iterator[Device]:
    """All devices, in order of branches."""
    boards = _row_boards(draft, net)
    for branch, role in enumerate(draft.roles):
        for end, bus in ((FROM, int(net.from_bus[branch])), (TO, int(net.to_bus[branch]))):
            name = f"{of.path}/{_span(draft, net, branch)}"
            kind = _device_kind(role, end, bus in section_bus, bus in boards)
            if kind == "fuse":
                yield Device(f"{name}/fuse", kind, branch, end, of.fuse_fails)
            elif kind is not None:
                fails = of.breaker_fails if kind == "breaker" else 0.0
                yield Device(f"{name}/{kind}-{end + 1}", kind, branch, end, fails)


def _device_kind(
    role: str, end: int, at_section: bool, at_board: bool
) -> Literal["breaker", "fuse", "disconnector"] | None:
    """What stands between a branch of this role and the bus at its end."""
    if role == "cables":
        return "breaker" if at_section else "disconnector"
    if role in {"infeed", "main_transformers"}:
        return "breaker"
    if role == "row_busways":
        return "breaker" if end == FROM and at_board else None
    if role.endswith("transformers"):
        return "fuse" if end == FROM else "breaker"
    return None


def _row_boards(draft: Draft, net: Network) -> set[int]:
    return {int(net.to_bus[branch]) for branch, role in enumerate(draft.roles) if role == "row_transformers"}


def _components(
    draft: Draft, net: Network, section_bus: list[int], gear: Switchgear, of: OutageFigures
) -> Iterator[Component]:
    """Every piece of a kind that fails; a busway with several taps is one piece."""
    boards = _row_boards(draft, net)
    for branch, role in enumerate(draft.roles):
        model, top = of.models.get(role), int(net.from_bus[branch])
        if model is not None and (role != "row_busways" or top in boards):
            feeder = section_bus.index(int(net.to_bus[branch])) if role == "main_transformers" else -1
            name = f"{of.path}/{_span(draft, net, branch)}"
            yield Component(name, KIND_OF[role], (gear.element(branch),), model, feeder)
    bus_bars, breakers = of.models.get("section_bus_bars"), of.models.get("breakers")
    if bus_bars is not None:
        for bus in section_bus:
            yield Component(f"{of.path}/{_slug(draft.names[bus])}", "bus_bar", (bus,), bus_bars)
    if breakers is not None:
        for device in gear.devices:
            if device.kind == "breaker" and draft.roles[device.branch] not in {"infeed", "main_transformers"}:
                bus = int((net.from_bus, net.to_bus)[device.end][device.branch])
                yield Component(device.name, "breaker", (gear.element(device.branch), bus), breakers)


def _board(draft: Draft, net: Network, buses: list[int]) -> int:
    """The bus below the transformer of a load point that draws at `buses`; -1 for none."""
    if not buses:
        return -1
    above = {
        int(net.to_bus[branch]): int(net.from_bus[branch])
        for branch, role in enumerate(draft.roles)
        if role == "row_busways"
    }
    here = buses[0]
    while here in above:
        here = above[here]
    return here


def _span(draft: Draft, net: Network, branch: int) -> str:
    """A branch's name: that of a transformer or busway is its lower bus's, a cable's both ends'."""
    one, other = (_slug(draft.names[int(ends[branch])]) for ends in (net.from_bus, net.to_bus))
    role = draft.roles[branch]
    if role in {"row_busways", "infeed"} or role.endswith("transformers"):
        return f"{other}/{KIND_OF.get(role, role)}"
    return f"{one}-to-{other}"


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")
