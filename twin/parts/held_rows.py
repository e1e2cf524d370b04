"""The servers of a gang job by row, as facts of the plant: which rows it holds, and what its servers do there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from twin.parts.cluster import row_name
from twin.plant import fields as f

if TYPE_CHECKING:
    from twin.world.site import Site

NOTHING, BUSY, BOOTING = range(3)
"""What the job's servers do."""


class HeldRows:
    """The job's share of the rows; what other jobs do on the same rows stays.

    Args:
        site: where the rows are.
        servers: by row of the site, servers that the job holds.
        gpus_per_server: GPUs of a server.
    """

    def __init__(self, site: Site, servers: list[int], gpus_per_server: int) -> None:
        self._all = [site.plan.load_of[row_name(k)] for k in range(len(servers))]
        self._per_server, self._lit = gpus_per_server, site.fact[f.L_LIT]
        rows = slice(self._all[0], self._all[-1] + 1)
        self._quantity = site.quantity[:, rows]
        self._busy_fact, self._booting_fact = site.fact[f.L_BUSY_GPUS, rows], site.fact[f.L_BOOTING, rows]
        self._own = np.array(servers, np.int64)
        self._use, self._booting, self._shown = NOTHING, self._own, self._own
        self._take(self._own)

    def _take(self, servers: np.ndarray) -> None:
        """The job's servers are these, by row."""
        self._servers, self._busy = servers, servers * self._per_server
        self.loads = [row for row, count in zip(self._all, servers, strict=True) if count]
        """Load points of the rows that the job holds now."""
        self.share = float(servers.sum() / self._own.sum())
        """Servers that it holds now over those that it started with."""

    def dark(self) -> list[int]:
        """Rows that it holds and that are dark."""
        lit = self._lit
        return [row for row in self.loads if not lit[row]]

    def saves_kw(self, field: int) -> float:
        """What all its busy GPUs draw above idle, by a field of the load points: uncapped or capped [kW]."""
        return float((self._busy * self._quantity[field]).sum())

    def servers_on(self, rows: list[int]) -> int:
        """Servers that it holds on these rows."""
        return sum(int(self._servers[self._all.index(row)]) for row in rows)

    def use(self, use: int, rows: int | None = None) -> None:
        """What the servers do from now on; while they boot, perhaps only those of the first few rows."""
        if self._use == BUSY:
            self._busy_fact -= self._shown
        elif self._use == BOOTING:
            self._booting_fact -= self._booting
        if use == BUSY:
            self._shown = self._busy
            self._busy_fact += self._shown
        elif use == BOOTING:
            self._booting = self._servers if rows is None else self._first(rows)
            self._booting_fact += self._booting
        self._use = use

    def _first(self, rows: int) -> np.ndarray:
        held = np.flatnonzero(self._servers)[:rows]
        return np.where(np.isin(np.arange(self._servers.size), held), self._servers, 0)

    def move_to_spares(self, dark: list[int]) -> bool:
        """Put the servers of dark rows on lit rows that the job does not hold; whether there were enough of them."""
        standing_by = [row for row in self._all if self._lit[row] and row not in self.loads]
        if len(standing_by) < len(dark):
            return False
        place = {row: k for k, row in enumerate(self._all)}
        servers = self._servers.copy()
        for gone, spare in zip(dark, standing_by, strict=False):
            servers[place[spare]], servers[place[gone]] = servers[place[gone]], 0
        self._take(servers)
        return True

    def give_up(self, dark: list[int]) -> None:
        """Go on without these rows."""
        gone = np.isin(self._all, dark)
        self._take(np.where(gone, 0, self._servers))

    def all_lit(self) -> bool:
        """Whether the rows that it started with are lit."""
        return bool((self._lit[self._all] > 0)[self._own > 0].all())

    def take_back(self) -> None:
        """Hold again what it started with, if all of that is lit."""
        if self.all_lit():
            self._take(self._own)
