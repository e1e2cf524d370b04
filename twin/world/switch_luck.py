"""The luck of static switches under importance sampling: which probability the plant draws by, and what it drew.

The plant draws in compiled code, by the probability that stands in its block. Here that number follows the proposal,
and after each pass of protection the attempts that were made are found by their count and drawn again to know their
outcome: a draw is a pure function, so it costs nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.chance.philox import uniform
from twin.plant import fields as f
from twin.plant.lights import ATTEMPTS, event_of

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.weights import Weights


class SwitchLuck:
    """The switches of one site, in groups of equal probability."""

    def __init__(self, site: Site, weights: Weights) -> None:
        self._site, self._weights = site, weights
        natural = site.quantity[f.F_FAIL_PROBABILITY, : len(site.plan.feed_items)].copy()
        self._natural = [float(probability) for probability in natural]
        self._groups = [f"transfer {probability:g}" for probability in self._natural]
        self._drawn = [j for j, q in enumerate(self._natural) if 0.0 < q < 1.0]
        common = site.quantity[f.F_FAIL_COMMON, : len(natural)]
        self._common = [float(probability) for probability in common]
        self._common_groups = [f"transfer together {probability:g}" for probability in self._common]
        self._drawn_together = [j for j, q in enumerate(self._common) if 0.0 < q < 1.0]
        self._attempts = site.fact[f.F_ATTEMPT, : len(natural)].copy()
        weights.on_change(self._follow)

    def _follow(self) -> None:
        for j in self._drawn:
            probability = self._weights.probability(self._groups[j], self._natural[j])
            self._site.quantity[f.F_FAIL_PROBABILITY, j] = probability
        for j in self._drawn_together:
            probability = self._weights.probability(self._common_groups[j], self._common[j])
            self._site.quantity[f.F_FAIL_COMMON, j] = probability

    def account(self) -> None:
        """Tally what the pass of protection just made drew."""
        if not self._drawn and not self._drawn_together:
            return
        site, weights = self._site, self._weights
        now = site.fact[f.F_ATTEMPT, : len(self._natural)]
        if weights.is_open:
            for j in np.flatnonzero(now > self._attempts):
                event = int(event_of(j, site.fact, site.section))
                for attempt in range(self._attempts[j], now[j]):
                    n = event * ATTEMPTS + min(attempt, ATTEMPTS - 1)
                    keys, replication = site.plan.feed_key[:, j], site.world.replication
                    own = float(uniform(keys[0], replication, n))
                    if not weights.fails(self._groups[j], self._natural[j], own):  # else the common draw is not asked
                        together = float(uniform(keys[2], replication, n))
                        weights.fails(self._common_groups[j], self._common[j], together)
        self._attempts[:] = now

    def look(self) -> None:
        """Tell whether the site is well, and whether it shows the target."""
        self._weights.degraded(self._site.name, self._site.abnormal)
        self._weights.look(self._site)
