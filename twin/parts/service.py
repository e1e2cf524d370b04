"""Who is taken out of service for planned work: a board, a UPS block (to bypass), a cabinet, a genset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twin.plant import fields as f
from twin.world import record as r
from twin.world.site import SUPPLY, UNITS

if TYPE_CHECKING:
    from twin.world.site import Site


class Boards:
    """Boards of single load points: their feeds are away from the sections, whoever stands behind them or not.

    Not while a feed has no section: what carries the load then would have to carry it through the work as well.
    """

    concerns = SUPPLY

    def __init__(self, site: Site, loads: list[str]) -> None:
        self._site, self._loads, self.count = site, loads, len(loads)

    def load(self, k: int) -> str:
        """The board's load point."""
        return self._loads[k]

    def ready(self, k: int) -> bool:
        """While all its feeds have their sections."""
        plan = self._site.plan
        return _on_section(self._site, plan.feeds_of[plan.load_of[self._loads[k]]])

    def begin(self, k: int, event: int, until_us: int, row: int) -> list[int]:
        """Cut the feeds off."""
        fact, plan = self._site.fact, self._site.plan
        feeds = plan.feeds_of[plan.load_of[self._loads[k]]]
        for j in feeds:
            fact[f.F_AWAY_US, j] = max(int(fact[f.F_AWAY_US, j]), until_us)
            fact[f.F_EVENT, j] = event
        return feeds

    def end(self, k: int, row: int) -> None:
        """The plant lets the feeds back by itself."""


class UpsBlocks:
    """UPS blocks, which stand on static bypass meanwhile, exposed to every dip; not while a block is on its battery."""

    concerns = SUPPLY

    def __init__(self, site: Site) -> None:
        self._site = site
        self._blocks = [site.blocks[name] for name in sorted(site.blocks)]
        self.count = len(self._blocks)

    def load(self, k: int) -> str:
        """Nobody loses supply."""
        return ""

    def ready(self, k: int) -> bool:
        """While the block has its section."""
        return _on_section(self._site, [self._blocks[k].feed])

    def begin(self, k: int, event: int, until_us: int, row: int) -> list[int]:
        """To bypass."""
        self._blocks[k].bypass("work", row, on=True)
        return [self._blocks[k].feed]

    def end(self, k: int, row: int) -> None:
        """From bypass."""
        self._blocks[k].bypass("work", row, on=False)


class CabinetsInService:
    """Cabinets, one of which is off meanwhile; not while its feed has nothing but its cabinets."""

    concerns = UNITS

    def __init__(self, site: Site, columns: list[int], items: list[int]) -> None:
        self._site, self._columns, self._items, self.count = site, columns, items, len(columns)

    def load(self, k: int) -> str:
        """Nobody loses supply."""
        return ""

    def ready(self, k: int) -> bool:
        """While the feed has its section."""
        return _on_section(self._site, [int(self._site.fact[f.U_FEED, self._columns[k]])])

    def begin(self, k: int, event: int, until_us: int, row: int) -> list[int]:
        """Off."""
        self._site.log(self._items[k], r.MAINTENANCE, 1, row)
        self._site.faults.unit(self._columns[k], on=True)
        return [int(self._site.fact[f.U_FEED, self._columns[k]])]

    def end(self, k: int, row: int) -> None:
        """On again."""
        self._site.log(self._items[k], r.MAINTENANCE, 0, row)
        self._site.faults.unit(self._columns[k], on=False)


class GensetsInService:
    """Gensets, one of which cannot start meanwhile; not while the plant is called. A hand that errs leaves it off."""

    concerns = 0

    def __init__(self, site: Site) -> None:
        assert site.gensets is not None, "the scenario was validated"
        self._site, self._plant, self.count = site, site.gensets, site.gensets.sets

    def load(self, k: int) -> str:
        """Nobody loses supply."""
        return ""

    def ready(self, k: int) -> bool:
        """While the plant stands still."""
        return not self._plant.called

    def begin(self, k: int, event: int, until_us: int, row: int) -> list[int]:
        """Out until then."""
        self._plant.stand_down(k, until_us, row)
        return []

    def end(self, k: int, row: int) -> None:
        """Back, unless it was left off."""
        self._plant.stand_up(k, row)
        if self._site.hands.err(self._site.path(f"gensets/genset-{k + 1:02d}")) >= 0:
            self._plant.leave_off(k, row)


def _on_section(site: Site, feeds: list[int]) -> bool:
    """Whether all these feeds have their sections, so that planned work may begin."""
    return all(site.fact[f.F_STATE, j] == f.ON_SECTION for j in feeds)
