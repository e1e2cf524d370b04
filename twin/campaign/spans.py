"""Which replications to hand out next: missing ones in order, lost ones first, suspects alone."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from twin.campaign.rows import Span

BREAKS_ALLOWED = 4
"""A block that was under way each time workers died this often is tried alone, replication by replication."""


class Spans:
    """What is left to simulate.

    Of all blocks under way when a pool breaks only one is to blame. So none is blamed until it was there four times;
    then its replications run one at a time, with nothing beside them, until one breaks the pool on its own.
    """

    def __init__(self, missing: Sequence[Span]) -> None:
        self._missing = deque(missing)
        self._back: deque[Span] = deque()
        self._suspects: deque[Span] = deque()
        self._breaks: Counter[Span] = Counter()
        self.left = sum(last - first for first, last in missing)

    @property
    def is_alone(self) -> bool:
        """Whether suspects are left, which run one at a time."""
        return bool(self._suspects)

    def take(self, size: int) -> Span | None:
        """The next block, at most `size` replications of the missing ones; None if nothing is left."""
        if self._suspects:
            span = self._suspects[0]
        elif self._back:
            span = self._back.popleft()
        elif self._missing:
            first, last = self._missing.popleft()
            span = (first, min(first + size, last))
            if span[1] < last:
                self._missing.appendleft((span[1], last))
        else:
            return None
        self.left -= span[1] - span[0]
        return span

    def done(self, span: Span) -> None:
        """A block came back."""
        if self._suspects and self._suspects[0] == span:
            self._suspects.popleft()

    def give_back(self, lost: Sequence[Span], breaks: int = 1) -> int | None:
        """Blocks whose workers died, to be tried again.

        Args:
            lost: the blocks.
            breaks: how many workers each of them may have ended.

        Returns:
            The replication that broke its worker while nothing ran beside it, None where nobody is convicted.
        """
        for span in lost:
            self.left += span[1] - span[0]
            if self._suspects:
                if self._suspects[0] == span:
                    return span[0]
                self._back.append(span)
                continue
            self._breaks[span] += breaks
            if self._breaks[span] < BREAKS_ALLOWED:
                self._back.append(span)
        accused = [span for span in lost if self._breaks[span] >= BREAKS_ALLOWED]
        self._suspects.extend((k, k + 1) for span in sorted(accused) for k in range(*span))
        self._back = deque(sorted(self._back))
        return None
