"""Which part of a network a fault takes: protection trips the smallest zone, switching narrows it, open ties restore.

A network's elements are its buses (0 to buses - 1) and its branches (buses + branch). A device stands between a branch
and the bus at one of its ends: a breaker or a fuse opens by itself, a disconnector is opened by people. A fault is
cleared by the nearest closed breakers and fuses all around (one that fails to operate leaves it to those behind); after
the switching time it is isolated by the nearest devices of any kind, the rest is energised again, and normally open
ties take over what is sound and dead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

FROM, TO = 0, 1
Elements = frozenset[int]
NOTHING: Elements = frozenset()


@dataclass(frozen=True)
class Device:
    """A switch between a branch and the bus at its end (FROM or TO)."""

    name: str
    kind: Literal["breaker", "fuse", "disconnector"]
    branch: int
    end: int
    fails_to_operate: float = 0.0
    """Probability, each time that a fault asks it to open."""

    @property
    def protects(self) -> bool:
        """Whether it opens by itself on a fault."""
        return self.kind != "disconnector"


@dataclass(frozen=True)
class Supplied:
    """What is energised, and how: elements that a source reaches, ties closed for it."""

    live: Elements
    ties: frozenset[int]


@dataclass
class Switchgear:
    """The graph of one network with its devices and normally open ties; nothing in it moves."""

    from_bus: npt.NDArray[np.int64]
    to_bus: npt.NDArray[np.int64]
    buses: int
    closed: npt.NDArray[np.bool_]
    devices: list[Device] = field(default_factory=list)
    ties: list[int] = field(default_factory=list)
    """Branches, normally open, that may be closed to restore supply, in this order."""

    def __post_init__(self) -> None:
        device_at = {(device.branch, device.end): number for number, device in enumerate(self.devices)}
        self._around: list[list[tuple[int, int, int]]] = [[] for _ in range(self.buses + self.closed.size)]
        for branch, ends in enumerate(zip(self.from_bus.tolist(), self.to_bus.tolist(), strict=True)):
            for end, bus in enumerate(ends):
                device = device_at.get((branch, end), -1)
                self._around[bus].append((self.buses + branch, branch, device))
                self._around[self.buses + branch].append((bus, branch, device))

    def element(self, branch: int) -> int:
        """The element of a branch."""
        return self.buses + branch

    def cleared(
        self,
        fault: Iterable[int],
        ties: frozenset[int],
        stuck: frozenset[int] = NOTHING,
        opened: frozenset[int] = NOTHING,
    ) -> Elements:
        """The zone that protection makes dead.

        Args:
            fault: elements at fault.
            ties: normally open branches that are closed.
            stuck: devices (numbers) that fail to operate.
            opened: devices that stand open for other faults already.
        """
        protecting = {n for n, device in enumerate(self.devices) if device.protects}
        return self._flood(fault, ties, protecting - stuck | opened)

    def isolated(self, fault: Iterable[int]) -> Elements:
        """The zone that stays dead until the repair, bounded by the nearest devices of any kind."""
        return self._flood(fault, NOTHING, set(range(len(self.devices))))

    def asked(
        self, zone: Elements, sources: Iterable[int], ties: frozenset[int], gone: Elements = NOTHING
    ) -> list[int]:
        """Numbers of the breakers and fuses that carry fault current: at the zone's border, a source beyond."""
        border = [n for n in self.border(zone) if self.devices[n].protects]
        live = self._flood(set(sources) - zone - gone, ties, set(), zone | gone) if border else NOTHING
        return [n for n in border if live.intersection(self._sides(self.devices[n]))]

    def border(self, zone: Elements) -> list[int]:
        """Numbers of the devices between a zone and the rest."""
        return [n for n, device in enumerate(self.devices) if len(zone.intersection(self._sides(device))) == 1]

    def supplied(self, sources: Iterable[int], gone: Elements, ties: frozenset[int] | None) -> Supplied:
        """What the sources reach without the elements in `gone`.

        Args:
            sources: live buses.
            ties: those that are closed; None: close, one after the other, each that joins a dead part to a live one.
        """
        held = ties or NOTHING
        live = self._flood(set(sources) - gone, held, set(), gone)
        while ties is None:
            helpful = next((tie for tie in self.ties if tie not in held and self._helps(tie, live, gone)), -1)
            if helpful < 0:
                break
            held |= {helpful}
            live = self._flood(live, held, set(), gone)
        return Supplied(live, held)

    def open_branches(self, gone: Elements) -> tuple[int, ...]:
        """Branches that cannot carry: their own element is in `gone`, or a bus at one of their ends."""
        return tuple(
            branch
            for branch in range(self.closed.size)
            if {self.buses + branch, int(self.from_bus[branch]), int(self.to_bus[branch])} & gone
        )

    def path(self, top: int, end: int) -> Elements:
        """Elements from bus `top` to bus `end` in normal state, both included; only `end` where there is no way."""
        before, front = {top: top}, [top]
        while front:
            for here in front:
                if here == end:
                    return _back(before, end)
            after = []
            for here in front:
                for other, branch, _ in self._around[here]:
                    if other not in before and self.closed[branch]:
                        before[other] = here
                        after.append(other)
            front = after
        return frozenset({end})

    def _sides(self, device: Device) -> tuple[int, int]:
        """The elements on either side of a device."""
        return self.buses + device.branch, int((self.from_bus, self.to_bus)[device.end][device.branch])

    def _helps(self, tie: int, live: Elements, gone: Elements) -> bool:
        ends = int(self.from_bus[tie]), int(self.to_bus[tie])
        return not {*ends, self.buses + tie} & gone and (ends[0] in live) != (ends[1] in live)

    def _flood(
        self, start: Iterable[int], ties: frozenset[int], barriers: set[int], gone: Elements = NOTHING
    ) -> Elements:
        """Elements joined to `start` over closed branches, past no device in `barriers` and no element in `gone`."""
        found = set(start)
        front = list(found)
        while front:
            for other, branch, device in self._around[front.pop()]:
                passes = (self.closed[branch] or branch in ties) and device not in barriers
                if passes and other not in found and other not in gone:
                    found.add(other)
                    front.append(other)
        return frozenset(found)


def _back(before: dict[int, int], end: int) -> Elements:
    """The way back to where a search began, whose element is its own predecessor."""
    found = [end]
    while before[found[-1]] != found[-1]:
        found.append(before[found[-1]])
    return frozenset(found)
