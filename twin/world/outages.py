"""What fails in a site's network, and what each set of dead zones means for its load points and its power flow."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.chance.law import CompiledLaw
from twin.world.failing import Failing
from twin.world.switchgear import Elements, Switchgear

KEPT_EFFECTS = 4096


@dataclass(frozen=True)
class Component:
    """A piece of network that fails and is repaired.

    Attributes:
        name: full item name, the key of its draws.
        kind: line, transformer, bus_bar or breaker.
        elements: where a fault in it lies: its branch or bus, a breaker's both sides.
        model: how it fails and is repaired; those of one model object share a family of clocks.
        feeder: section whose incoming feeder it takes, -1 where it lies below the sections.
    """

    name: str
    kind: str
    elements: tuple[int, ...]
    model: Failing
    feeder: int = -1


@dataclass(frozen=True)
class Effect:
    """What follows from dead zones.

    Attributes:
        ties: normally open ties that are closed.
        sections: by load point (short name), the sections through which its board is energised, as a mask.
        lost: load points that are cut off from their own board: no storage there can carry them.
        branches: branches that cannot carry power.
    """

    ties: frozenset[int]
    sections: dict[str, int]
    lost: frozenset[str]
    branches: tuple[int, ...]


@dataclass
class NetworkOutages:
    """All that replications share of a network's failures.

    Attributes:
        gear: the graph with its devices and ties.
        section_bus: by section.
        components: what fails.
        switching: how long it takes to isolate a fault and to close ties.
        boards: by load point and section, the bus of its board, -1 where it has no cord there.
        ways: by load point and section, the elements from its board to itself (with the board), none where its
            storage stands beside it.
        tie_names, device_names: full item names, in the order of `gear.ties` and `gear.devices`.
    """

    gear: Switchgear
    section_bus: list[int]
    components: list[Component]
    switching: CompiledLaw
    boards: dict[str, list[int]]
    ways: dict[str, list[Elements]]
    tie_names: list[str]
    device_names: list[str]
    _effects: dict[tuple[Elements, frozenset[int] | None], Effect] = field(default_factory=dict)

    def effect(self, gone: Elements, ties: frozenset[int] | None) -> Effect:
        """What the dead elements `gone` mean; `ties` as in `Switchgear.supplied`."""
        key = (gone, ties)
        if key not in self._effects:
            if len(self._effects) >= KEPT_EFFECTS:
                self._effects.clear()
            self._effects[key] = self._worked_out(gone, ties)
        return self._effects[key]

    def _worked_out(self, gone: Elements, ties: frozenset[int] | None) -> Effect:
        supplied = self.gear.supplied(self.section_bus, gone, ties)
        sections = {
            load: sum(1 << s for s, board in enumerate(boards) if board in supplied.live)
            for load, boards in self.boards.items()
        }
        lost = {
            load for load, ways in self.ways.items() if any(ways) and all(way & gone for way in ways if way)
        }  # fmt: skip
        return Effect(supplied.ties, sections, frozenset(lost), self.gear.open_branches(gone))
