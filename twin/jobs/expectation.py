"""How long a job is expected to run, from what is known when it is submitted."""

from __future__ import annotations

FIRST_GUESS_US = 24 * 3_600_000_000
"""Of the very first jobs, of which nothing is known: a day."""


class History:
    """The mean of the tenant's last two run times (Tsafrir, Etsion and Feitelson 2007), else of all that have ended."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, int]] = {}
        self._sum = self._count = 0

    def expect(self, tenant: str) -> int:
        """What is expected of the tenant's next job [us]."""
        if tenant in self._last:
            return sum(self._last[tenant]) // 2
        return self._sum // self._count if self._count else FIRST_GUESS_US

    def ended(self, tenant: str, run_us: int) -> None:
        """A job has ended after running for so long."""
        self._last[tenant] = (self._last.get(tenant, (run_us, run_us))[1], run_us)
        self._sum += run_us
        self._count += 1
