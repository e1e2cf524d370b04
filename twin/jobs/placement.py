"""Which servers jobs hold, and which may be taken at all: rows go dark, servers fail, spares wait for that."""

from __future__ import annotations

from twin.jobs.placements import PLACEMENTS
from twin.jobs.servers import Held, Servers


class Placement(Servers):
    """GPUs of rows of servers; closed rows, failed servers and waiting spares take no job."""

    __slots__ = ("_closed", "_everywhere", "_failed", "_groups", "_layout", "_per_row", "_row_mask", "_spare",
                 "busy_gpus", "busy_in_row", "held", "open", "servers")  # fmt: skip

    def __init__(
        self,
        rows: int,
        servers_per_row: int,
        gpus_per_server: int,
        layout: str = "first_fit",
        rows_per_pod: int = 1,
        spare_servers_per_row: int = 0,
    ) -> None:
        self.servers = rows * servers_per_row
        self._everywhere = (1 << self.servers) - 1
        super().__init__(gpus_per_server, [gpus_per_server] * self.servers, [*[0] * gpus_per_server, self._everywhere])
        self._per_row, self._layout = servers_per_row, PLACEMENTS[layout]
        row = (1 << servers_per_row) - 1
        self._row_mask = [row << (k * servers_per_row) for k in range(rows)]
        self._groups = [sum(self._row_mask[k : k + rows_per_pod]) for k in range(0, rows, rows_per_pod)]
        self._closed = self._failed = self._spare = 0
        for k in range(rows):
            for server in range((k + 1) * servers_per_row - spare_servers_per_row, (k + 1) * servers_per_row):
                self._spare |= 1 << server
        self.open = self._everywhere & ~self._spare
        """Mask of servers that may take a job."""
        self.held: dict[int, Held] = {}
        """By job, what it holds."""
        self.busy_in_row = [0] * rows
        self.busy_gpus = 0

    # ------------------------------------------------------------------ jobs
    def take(self, job: int, gpus: int) -> bool:
        """Give `gpus` GPUs to a job, if they can be had; a job above one server's size gets whole servers first."""
        held = self.search(gpus, self, self.open, self.open)
        if held is None:
            return False
        self.give(job, held)
        return True

    def search(self, gpus: int, servers: Servers, full: int, some: int) -> Held | None:
        """Where a job would go by this cluster's layout, on `servers` as they are free at some time."""
        return servers.find(gpus, full, some, self._layout, self._groups)

    def give(self, job: int, held: Held) -> None:
        """Let a job hold servers that `search` has found."""
        self.held[job] = held
        self.move(held, -1)
        self._count(held, 1)

    def release(self, job: int) -> None:
        """A job gives its GPUs back."""
        held = self.held.pop(job)
        self.move(held, 1)
        self._count(held, -1)

    def _count(self, held: Held, sign: int) -> None:
        for server, gpus in held:
            self.busy_in_row[server // self._per_row] += sign * gpus
            self.busy_gpus += sign * gpus

    # ------------------------------------------------------------------ rows and servers
    def on_row(self, row: int) -> list[int]:
        """The jobs that hold any server of a row, in order."""
        first, end = row * self._per_row, (row + 1) * self._per_row
        return sorted(job for job, held in self.held.items() if any(first <= server < end for server, _ in held))

    def close(self, row: int) -> list[int]:
        """A row goes dark: it takes no job, and the jobs that held any of its servers lose all their GPUs.

        Returns:
            The jobs that died, in order.
        """
        self.bar(row)
        dead = self.on_row(row)
        for job in dead:
            self.release(job)
        return dead

    def bar(self, row: int) -> None:
        """A row takes no job from now on; those that run there go on."""
        self._closed |= self._row_mask[row]
        self._reopen()

    def open_row(self, row: int) -> None:
        """A row takes jobs again."""
        self._closed &= ~self._row_mask[row]
        self._reopen()

    def fail(self, server: int) -> None:
        """A server is out for repair; a spare of its row, if one waits, takes its place."""
        self._failed |= 1 << server
        spare = self._spare & self._row_mask[server // self._per_row]
        self._spare ^= spare & -spare
        self._reopen()

    def mend(self, server: int, spare: bool) -> None:
        """A server is repaired; it waits as the row's spare, or takes jobs."""
        self._failed &= ~(1 << server)
        if spare:
            self._spare |= 1 << server
        self._reopen()

    def spares(self, row: int) -> int:
        """Sound spares that wait in a row."""
        return (self._spare & self._row_mask[row]).bit_count()

    def _reopen(self) -> None:
        self.open = self._everywhere & ~(self._closed | self._failed | self._spare)
