"""Whoever repairs: crews that are too few for all at once, spare parts that have to come, ways that take time.

A repair takes its spare part first and then a crew, the first by priority and then by time of failure; the crew
travels, repairs, and is free again. Pools are shared by all sites. Luck is keyed by the failed item, never by the crew:
who waits for whom moves no draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simpy import Container, PriorityResource

from twin.chance.law import CompiledLaw
from twin.world import record as r

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import Process, World


@dataclass(frozen=True)
class CrewPool:
    """Crews of one kind: how many, and how long one is on its way [h]."""

    count: int
    travel: CompiledLaw


@dataclass(frozen=True)
class SparePool:
    """Spare parts of one kind: how many lie there, and how long a new one takes once one is used [h]."""

    count: int
    restock: CompiledLaw


@dataclass(frozen=True)
class Care:
    """What the repair of an item needs: a crew and a spare part by the names of their pools, and its priority."""

    crew: str | None
    spare: str | None
    priority: int = 1


class Repairs:
    """The crews and spare parts of one world."""

    def __init__(self, world: World, crews: Mapping[str, CrewPool], spares: Mapping[str, SparePool]) -> None:
        self._world = world
        self._crews = {name: (pool, PriorityResource(world.env, pool.count)) for name, pool in crews.items()}
        self._spares = {name: (pool, Container(world.env, init=pool.count)) for name, pool in spares.items()}

    def repair(
        self,
        site: Site,
        item: int,
        name: str,
        n: int,
        work_us: int,
        care: Care | None,
        row: int,
        done: Callable[[int], None],
    ) -> Process:
        """Repair number `n` of an item, from the moment its failure is known.

        Args:
            site: in whose record the crew's arrival is logged.
            item, name: the failed item; its name keys travel and repair.
            n: number of its repair, hence of its draws.
            work_us: the active repair, drawn [us].
            care: what the repair needs; None: nobody is waited for.
            row: the event that made the failure known, cause of what follows.
            done: called with the last event's row when the item is sound again.
        """
        world = self._world
        if care is not None and care.spare is not None:
            pool, parts = self._spares[care.spare]
            yield parts.get(1)
            world.start(self._restock(pool, parts, name, n))
        if care is None or care.crew is None:
            yield world.sleep(work_us)
        else:
            crews, resource = self._crews[care.crew]
            with resource.request(priority=care.priority) as request:
                yield request
                travel_us = world.stream(name, "travel").ticks_at(crews.travel, n) if crews.travel.mean > 0.0 else 0
                if travel_us:
                    yield world.sleep(travel_us)
                row = site.change(item, r.ATTENDED, 1, 0, row)
                yield world.sleep(work_us)
        done(row)

    def _restock(self, pool: SparePool, parts: Container, name: str, n: int) -> Process:
        """A part has been taken: a new one is ordered."""
        yield self._world.sleep(self._world.stream(name, "restock").ticks_at(pool.restock, n))
        yield parts.put(1)
