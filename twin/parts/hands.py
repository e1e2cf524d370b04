"""People who switch: each manual operation may go wrong, and what was switched is then dark until it is put right.

Operations are those at the beginning and end of planned work, a bypass by hand, and the return from a lock-out. One
draw an operation, keyed by what is operated (the work, the block, the set) and numbered in order of time for each.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pydantic import Field

from twin.chance.law import Law, compile_law
from twin.spec import Probability, Spec
from twin.world import record as r
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import Process, World


class HumanErrorSpec(Spec):
    """Errors in manual switching."""

    probability_per_operation: Probability = Field(default=0.003, description="0.001 to 0.01: a judgement, vary it")
    dark_min: Law = Field(default=30.0, validate_default=True, description="until what went dark is put right")


class Hands:
    """Errors of one site's switching."""

    def __init__(self, spec: HumanErrorSpec) -> None:
        self.spec = spec

    def declare(self, site: SiteBuilder) -> None:
        """One item, in whose name errors are made."""
        site.item("switching", "switching")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """From now on operations of this site may go wrong."""
        site.hands = FallibleHands(self.spec, world, site, ids[site.path("switching")])


class FallibleHands:
    """Draws an error for each operation."""

    def __init__(self, spec: HumanErrorSpec, world: World, site: Site, item: int) -> None:
        self._world, self._site, self.item = world, site, item
        self._probability = spec.probability_per_operation
        self._law = compile_law(spec.dark_min, to_h=1.0 / 60.0)
        self._operations: dict[str, int] = defaultdict(int)

    def err(self, name: str) -> int:
        """One operation on `name`: -1 where it goes well, else how long its consequence lasts [us]."""
        n = self._operations[name]
        self._operations[name] += 1
        u = self._world.stream(name, "switching_error").uniform_at(n)
        if not self._world.luck.fails("switching_error", self._probability, u):
            return -1
        return self._world.stream(name, "switching_duration").ticks_at(self._law, n)

    def switch(self, name: str, feeds: list[int], cause: int) -> None:
        """One operation on these feeds, for `name`; if it goes wrong they give nothing for a while."""
        length_us = self.err(name)
        if length_us >= 0:
            self._world.start(self._dark(feeds, length_us, cause))

    def _dark(self, feeds: list[int], length_us: int, cause: int) -> Process:
        site = self._site
        row = site.change(self.item, r.HUMAN_ERROR, length_us, SUPPLY, cause)
        for j in feeds:
            site.faults.feed(j, row, on=True)
        yield self._world.sleep(length_us)
        row = site.change(self.item, r.RESTORED, 1, SUPPLY, row)
        for j in feeds:
            site.faults.feed(j, row, on=False)
