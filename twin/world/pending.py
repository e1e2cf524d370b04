"""Durations under way when the target is hit: what of them is known by then, and how long the first of them goes on.

Whoever draws a duration at its beginning has drawn more than the simulation has used of it: that it is not over yet,
and whether it will be within a load's hold-up time, which protection compares with the end of a break. Given just that,
the likelihood ratio of what happened so far counts the survival of what is under way,

    L_hit = E[L | known],

and the first of the durations under way ends, under nature, after

    G = integral over t > 0 of the product of S_i(x_i + t) / S_i(x_i) dt,

x_i being the age known of duration i and S_i its survival function. Both are what conditional Monte Carlo needs
(Asmussen and Glynn, "Stochastic Simulation", 2007, V.4): no noise from lengths that nobody has met yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from twin.chance.law import CompiledLaw
from twin.chance.proposal import Proposal, Tally, log_weight
from twin.chance.quantiles import cumulative_hazard
from twin.chance.residual import first_end_h
from twin.plant import fields as f
from twin.units import hours

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import World


@dataclass(frozen=True)
class Hit:
    """What is known when the target is hit.

    Attributes:
        tally: what was drawn and used by then.
        log_weight: of that.
        expected_h: until the first of the durations under way ends, by nature and given what is known; 0 without any.
        drawn_h: the same as it was drawn.
    """

    tally: Tally
    log_weight: float
    expected_h: float
    drawn_h: float


@dataclass(frozen=True)
class Drawn:
    """A duration that began: its group, law, unit-exponential hazard, first and last tick."""

    group: str
    law: CompiledLaw
    hazard: float
    start_us: int
    end_us: int


class Pending:
    """Durations drawn in one excursion."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._drawn: list[Drawn] = []
        self._sites: list[Site] = []

    def watch(self, site: Site) -> None:
        """A site whose protection compares breaks with hold-up times."""
        self._sites.append(site)

    def clear(self) -> None:
        """A new cycle begins."""
        self._drawn.clear()

    def begin(self, group: str, law: CompiledLaw, hazard: float, length_us: int) -> None:
        """A duration begins now."""
        now = self._world.now
        self._drawn.append(Drawn(group, law, hazard, now, now + length_us))

    def hit(self, tally: Tally, proposals: Sequence[Proposal]) -> Hit:
        """The target is hit now; `tally` holds all that was drawn, with the full lengths."""
        now = self._world.now
        known_us = now + self._hold_up_us()
        going = [one for one in self._drawn if one.end_us > known_us]
        lengths = {group: list(hazards) for group, hazards in tally.lengths.items()}
        outlived: dict[str, list[float]] = {}
        for one in going:
            lengths[one.group].remove(one.hazard)
            age_h = hours(known_us - one.start_us)
            used = float(cumulative_hazard(*one.law.columns, age_h))
            outlived.setdefault(one.group, []).append(min(used, one.hazard))
        known = replace(
            tally, used=dict(tally.used), fired=dict(tally.fired), failed=dict(tally.failed),
            worked=dict(tally.worked), lengths=lengths, outlived=outlived,
        )  # fmt: skip
        left_us = [one.end_us - now for one in self._drawn if one.end_us > now]
        drawn_h = hours(min(left_us)) if left_us else 0.0
        if len(left_us) > len(going):  # the first one's end is known already
            expected_h = drawn_h
        else:
            expected_h = hours(known_us - now) + self._first_h(going, known_us) if going else 0.0
        return Hit(known, log_weight(known, proposals), expected_h, drawn_h)

    def _hold_up_us(self) -> int:
        """How far ahead protection may have looked."""
        rows = [f.L_HOLD_UP_US, f.L_MAX_HOLD_UP_US]
        each = [site.quantity[rows, : len(site.plan.load_items)] for site in self._sites]
        return int(np.ceil(max((float(own.max()) for own in each if own.size), default=0.0)))

    @staticmethod
    def _first_h(going: Sequence[Drawn], known_us: int) -> float:
        codes = np.array([one.law.code for one in going], np.int64)
        a, b = (np.array([getattr(one.law, name) for one in going]) for name in ("a", "b"))
        tables = [one.law.table for one in going]
        ends = np.cumsum([len(one) for one in tables])
        ages_h = np.array([hours(known_us - one.start_us) for one in going])
        return float(first_end_h(codes, a, b, np.concatenate(tables), ends, ages_h))
