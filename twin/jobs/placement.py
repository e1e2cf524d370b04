"""Which servers jobs hold, and which may be taken at all: rows go dark, servers fail, spares wait for that."""

from __future__ import annotations

from twin.jobs.placements import PLACEMENTS
from twin.jobs.servers import Held, Servers


class Placement(Servers):
    """GPUs of rows of servers; closed rows, failed servers and waiting spares take no job.

    Args:
        rows, servers_per_row, gpus_per_server: the cluster.
        layout: name of the rule in `twin.jobs.placements`.
        rows_per_pod: what the layout takes as one place.
        spare_servers_per_row: of its own servers of each row, the last ones wait.
        own: by row, servers that jobs may take at all, the first ones; all of them if absent.
    """

    __slots__ = ("_alien", "_closed", "_everywhere", "_failed", "_groups", "_layout", "_per_row", "_row_mask",
                 "_spare", "_spares_per_row", "busy_gpus", "busy_in_row", "held", "open", "servers")  # fmt: skip

    def __init__(
        self,
        rows: int,
        servers_per_row: int,
        gpus_per_server: int,
        layout: str = "first_fit",
        rows_per_pod: int = 1,
        spare_servers_per_row: int = 0,
        own: list[int] | None = None,
    ) -> None:
        self.servers = rows * servers_per_row
        self._everywhere = (1 << self.servers) - 1
        super().__init__(gpus_per_server, [gpus_per_server] * self.servers, [*[0] * gpus_per_server, self._everywhere])
        self._per_row, self._layout = servers_per_row, PLACEMENTS[layout]
        self._spares_per_row = spare_servers_per_row
        row = (1 << servers_per_row) - 1
        self._row_mask = [row << (k * servers_per_row) for k in range(rows)]
        self._groups = [sum(self._row_mask[k : k + rows_per_pod]) for k in range(0, rows, rows_per_pod)]
        self._closed = self._failed = self._spare = self._alien = 0
        for k in range(rows):
            end = k * servers_per_row + (servers_per_row if own is None else own[k])
            self._spare |= _mask(max(k * servers_per_row, end - spare_servers_per_row), end)
            self._alien |= _mask(end, (k + 1) * servers_per_row)
        self.open = self._everywhere & ~(self._spare | self._alien)
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
        """A server is out for repair; a spare of its row, if one waits, takes its place, unless it was one itself."""
        self._failed |= 1 << server
        spare = self._spare & self._row_mask[server // self._per_row]
        self._spare ^= spare & (1 << server) or spare & -spare
        self._reopen()

    def mend(self, server: int) -> None:
        """A server is repaired; it waits as a spare where its row lacks one, else it takes jobs."""
        self._failed &= ~(1 << server)
        if self.spares(server // self._per_row) < self._spares_per_row:
            self._spare |= 1 << server
        self._reopen()

    def at_risk(self, server: int) -> bool:
        """Whether a server of its own could fail now: it has not, and its row takes jobs."""
        return not (self._failed | self._closed | self._alien) >> server & 1

    def on_server(self, server: int) -> list[int]:
        """The jobs that hold any GPU of a server, in order."""
        return sorted(job for job, held in self.held.items() if any(one == server for one, _ in held))

    def sound_on(self, row: int) -> list[int]:
        """Its own servers of a row that have not failed, in order."""
        sound = self._row_mask[row] & ~(self._failed | self._alien)
        return [server for server in range(row * self._per_row, (row + 1) * self._per_row) if sound >> server & 1]

    def spares(self, row: int) -> int:
        """Sound spares that wait in a row."""
        return (self._spare & self._row_mask[row]).bit_count()

    def _reopen(self) -> None:
        self.open = self._everywhere & ~(self._closed | self._failed | self._spare | self._alien)


def _mask(first: int, end: int) -> int:
    return (1 << end) - (1 << first)
