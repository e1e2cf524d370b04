"""Shocks: named events that strike listed items at once, each with a probability (a flood, a fire, a bad firmware).

A shock comes at a constant or seasonal rate and brings down every listed item that its own draw tells it to; each is
then repaired by its own model. Marshall and Olkin, "A multivariate exponential distribution", JASA 62 (1967): with
probability 1 a shock is a common cause, below 1 a binomial failure rate.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from twin.chance.law import compile_law, exponential
from twin.errors import InputError
from twin.parts.failures import SeasonalLaw, compile_life
from twin.parts.supply_events import SeasonSpec
from twin.spec import PerYear, Probability, Spec
from twin.units import HOURS_PER_YEAR
from twin.world import record as r
from twin.world.failing import Failing
from twin.world.family import Family

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import Stream, World


class ShockSpec(Spec):
    """One kind of shock."""

    per_year: PerYear = Field(gt=0, description="mean number of shocks a year, at a seasonal factor of 1")
    season: SeasonSpec | None = None
    strikes: dict[str, Probability] = Field(
        min_length=1,
        description="by item, or items by pattern as row-*/cabinet-*: the probability that a shock brings each down",
    )


class Shocks:
    """All shocks of a site; declared after the parts whose items they strike."""

    def __init__(self, shocks: dict[str, ShockSpec], start_month: int) -> None:
        self._shocks, self._start_month = dict(sorted(shocks.items())), start_month
        self._struck: dict[str, list[tuple[str, float]]] = {}

    def declare(self, site: SiteBuilder) -> None:
        """One item for each shock; patterns are matched here.

        Raises:
            InputError: a pattern matches no item that can fail by a shock.
        """
        for name, shock in self._shocks.items():
            full = site.item(f"shocks/{name}", "shock")
            struck: dict[str, float] = {}
            for pattern, probability in shock.strikes.items():
                found = [item for item in site.breakable if fnmatchcase(site.short(item), pattern)]
                if not found:
                    known = ", ".join(sorted({site.short(item) for item in site.breakable})[:6]) or "none"
                    raise InputError(
                        f"sites.{site.name}.shocks.{name}.strikes: '{pattern}' matches no item that can be struck"
                        f" (there are: {known} ...)"
                    )
                struck |= dict.fromkeys(found, probability)
            self._struck[full] = sorted(struck.items())

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """A clock for each shock."""
        for name, shock in zip(self._struck, self._shocks.values(), strict=True):
            mean_h = HOURS_PER_YEAR / shock.per_year
            if shock.season is None:
                life = exponential(mean_h)
            else:
                factors = shock.season.model_dump(exclude={"source"})
                life = compile_life(SeasonalLaw(law="seasonal", mean=mean_h, **factors), self._start_month)
            coming = Coming(world, site, ids[name], name, self._struck[name])
            Family(world, site, [name], [ids[name]], Failing(life, compile_law(0.0)), coming.flip)


class Coming:
    """A shock in one world: whom it strikes next is drawn for each item, by the names of both."""

    def __init__(self, world: World, site: Site, item: int, name: str, struck: list[tuple[str, float]]) -> None:
        self._world, self._site, self._item = world, site, item
        self._name = name.rsplit("/", 1)[-1]
        self._draws: list[tuple[str, Stream, float]] = [
            (full, world.stream(full, name), probability) for full, probability in struck
        ]

    def flip(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        """The clock of the shock has run out (down), or begins anew (up)."""
        if up[0]:
            return cause
        fails = self._world.luck.fails
        hit = [full for full, draws, q in self._draws if fails(f"{self._name} {q:g}", q, draws.uniform())]
        row = self._site.change(self._item, r.STRIKES, len(hit), 0, cause)
        for full in hit:
            family, i = self._world.struck[full]
            family.strike(i, row)
        return row
