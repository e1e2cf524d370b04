"""Which servers a job holds: best fit on one server, whole servers beyond, lowest server first.

Free servers are kept as bit masks by number of free GPUs, so that a start or an end costs a few integer operations,
whatever the size of the cluster.
"""

from __future__ import annotations


class Placement:
    """GPUs of rows of servers; closed rows take no job."""

    def __init__(self, rows: int, servers_per_row: int, gpus_per_server: int) -> None:
        self._per_row, self._size = servers_per_row, gpus_per_server
        self._free = [gpus_per_server] * (rows * servers_per_row)
        self._mask = [0] * (gpus_per_server + 1)
        self._mask[gpus_per_server] = (1 << (rows * servers_per_row)) - 1
        self._row_mask = [((1 << servers_per_row) - 1) << (row * servers_per_row) for row in range(rows)]
        self._open = (1 << (rows * servers_per_row)) - 1
        self._held: dict[int, list[tuple[int, int]]] = {}
        self.busy_in_row = [0] * rows
        self.busy_gpus = 0

    def take(self, job: int, gpus: int) -> bool:
        """Give `gpus` GPUs to a job, if they can be had; a job above one server's size gets whole servers first."""
        whole, part = divmod(gpus, self._size)
        full = self._mask[self._size] & self._open
        if whole and full.bit_count() < whole:
            return False
        held = []
        for _ in range(whole):
            lowest = full & -full
            full ^= lowest
            held.append((lowest.bit_length() - 1, self._size))
        if part:
            taken = 0
            for server, _ in held:
                taken |= 1 << server
            server = self._best_fit(part, taken)
            if server < 0:
                return False
            held.append((server, part))
        self._held[job] = held
        for server, count in held:
            self._move(server, -count)
        return True

    def _best_fit(self, gpus: int, taken: int) -> int:
        for free in range(gpus, self._size + 1):
            mask = self._mask[free] & self._open & ~taken
            if mask:
                return (mask & -mask).bit_length() - 1
        return -1

    def _move(self, server: int, gpus: int) -> None:
        bit = 1 << server
        self._mask[self._free[server]] ^= bit
        self._free[server] += gpus
        self._mask[self._free[server]] |= bit
        self.busy_in_row[server // self._per_row] -= gpus
        self.busy_gpus -= gpus

    def release(self, job: int) -> None:
        """A job gives its GPUs back."""
        for server, count in self._held.pop(job):
            self._move(server, count)

    def close(self, row: int) -> list[int]:
        """A row goes dark: it takes no job, and the jobs that held any of its servers lose all their GPUs.

        Returns:
            The jobs that died, in order.
        """
        self._open &= ~self._row_mask[row]
        first, end = row * self._per_row, (row + 1) * self._per_row
        dead = sorted(job for job, held in self._held.items() if any(first <= server < end for server, _ in held))
        for job in dead:
            self.release(job)
        return dead

    def open(self, row: int) -> None:
        """A row takes jobs again."""
        self._open |= self._row_mask[row]
