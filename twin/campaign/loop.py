"""The loop of a campaign: a bounded window of tasks, each result on the disk first, then counted, then looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Literal

from twin.campaign.engines import Engine, check_canary
from twin.campaign.journal import Journal
from twin.campaign.plan import Plan, chunk_size
from twin.campaign.rows import Rows, Span
from twin.campaign.spans import BREAKS_ALLOWED, Spans
from twin.campaign.stop import looks
from twin.campaign.task import Block
from twin.errors import HaltedError

_DRAIN_S = 10.0
"""How long the futures of a broken pool may take to say so."""

_TASKS_IN_TIME = 20
"""Before a clock ends a campaign, each worker shall have done so many tasks, for those under way are lost."""


@dataclass(frozen=True)
class State:
    """How far a campaign is, for progress bars."""

    done: int
    complete: int
    total: int
    next_look: int
    elapsed_s: float
    done_before: int
    restarts: int
    rows: Rows
    plan: Plan

    @property
    def left_s(self) -> float | None:
        """Time until all replications are done at the pace so far [s]."""
        fresh = self.done - self.done_before
        return self.elapsed_s / fresh * (self.total - self.done) if fresh else None


@dataclass(frozen=True)
class Ending:
    """Where a campaign stopped: after how many replications of the range, and why."""

    count: int
    by: Literal["count", "interval", "time"]


Progress = Callable[[State], None]


class Loop:
    """Runs a plan on an engine; `restarts`, `task_wall_s`, `task_cpu_s` and `tasks` say what it took."""

    def __init__(self, plan: Plan, rows: Rows, journal: Journal, engine: Engine, progress: Progress | None) -> None:
        self._plan, self._rows, self._journal, self._engine = plan, rows, journal, engine
        self._progress = progress
        self._canary = str(journal.identity["canary"])
        self._spans = Spans(rows.missing())
        self._flying: dict[Future[Block], Span] = {}
        self._replication_s: float | None = None
        limit_s = plan.until_time_s
        self._target_s = engine.target_s if limit_s is None else min(engine.target_s, limit_s / _TASKS_IN_TIME)
        self._began_s, self._done_before = time.monotonic(), rows.done
        self._looks = Looks(plan, rows)
        self.restarts = self.tasks = 0
        self.task_wall_s = self.task_cpu_s = 0.0

    def run(self) -> Ending:
        """Simulate until the plan is met.

        Raises:
            HaltedError: no disk space, no workers, or a replication that ends its worker.
        """
        try:
            while (ending := self._ending()) is None:
                self._fill()
                self._collect()
            return ending
        finally:
            for future in self._flying:
                future.cancel()

    def _ending(self) -> Ending | None:
        found = self._looks.ending()
        limit_s = self._plan.until_time_s
        if found is None and limit_s is not None and time.monotonic() - self._began_s >= limit_s:
            count = self._looks.passed or self._rows.complete
            if not count:
                raise HaltedError(f"not one replication was complete after {limit_s:g} s; allow more with --until-time")
            return Ending(count, "time")
        return found

    def _fill(self) -> None:
        slots = self._engine.slots
        window = 1 if self._spans.is_alone else 2 * slots + 2
        while len(self._flying) < window:
            size = chunk_size(self._replication_s, self._target_s, self._spans.left, slots)
            span = self._spans.take(size)
            if span is None:
                return
            try:
                future = self._engine.submit(*span)
            except self._engine.lost:
                self._spans.give_back([span], 0)  # those under way say more when they are collected
                if not self._flying:
                    self._lost([])
                return
            except BrokenExecutor as error:
                raise _not_ours(error) from error
            self._flying[future] = span

    def _collect(self) -> None:
        if not self._flying:
            return
        finished, _ = wait(self._flying, timeout=self._patience_s(), return_when=FIRST_COMPLETED)
        blocks, lost, deadly = self._sorted(finished)
        if lost and self._engine.is_whole:
            finished, unknown = wait(self._flying, timeout=_DRAIN_S)
            more, gone, _ = self._sorted(finished)
            blocks, lost = blocks + more, lost + gone + [self._flying[future] for future in unknown]
            self._flying.clear()
        self._keep(blocks)
        if lost:
            self._lost(lost)
        if deadly:
            self._convict(self._spans.give_back(deadly, BREAKS_ALLOWED))
            self.restarts += 1

    def _patience_s(self) -> float | None:
        limit_s = self._plan.until_time_s
        return None if limit_s is None else max(limit_s - (time.monotonic() - self._began_s), 0.01)

    def _sorted(self, finished: set[Future[Block]]) -> tuple[list[Block], list[Span], list[Span]]:
        """Results, blocks whose worker is gone, and blocks that ended several; other errors are raised."""
        blocks: list[Block] = []
        lost: list[Span] = []
        deadly: list[Span] = []
        for future in finished:
            span = self._flying.pop(future)
            try:
                blocks.append(future.result())
            except self._engine.lost:
                lost.append(span)
            except self._engine.deadly:
                deadly.append(span)
            except BrokenExecutor as error:
                raise _not_ours(error) from error
        return blocks, lost, deadly

    def _keep(self, blocks: list[Block]) -> None:
        if not blocks:
            return
        for block in blocks:
            check_canary(block.canary, self._canary)
        blocks.sort(key=lambda block: block.first)
        self._journal.append((block.first, block.rows) for block in blocks)
        for block in blocks:
            self._rows.put(block.first, block.rows)
            self._spans.done((block.first, block.last))
            each_s = block.wall_s / len(block.rows)
            self._replication_s = 0.7 * (self._replication_s or each_s) + 0.3 * each_s
            self.tasks += 1
            self.task_wall_s += block.wall_s
            self.task_cpu_s += block.cpu_s
        if self._progress is not None:
            self._progress(self.state())

    def _lost(self, spans: list[Span]) -> None:
        self.restarts += 1
        self._convict(self._spans.give_back(spans))
        self._engine.rebuild()

    def _convict(self, replication: int | None) -> None:
        if replication is not None:
            raise HaltedError(
                f"replication {replication} ends the process that simulates it (memory, or a crash in compiled code); "
                f"all others so far are kept. Look at it alone: twin run SCENARIO --replication {replication}"
            )

    def state(self) -> State:
        """How far it is."""
        rows = self._rows
        return State(
            rows.done,
            rows.complete,
            rows.end - rows.first,
            self._looks.next,
            time.monotonic() - self._began_s,
            self._done_before,
            self.restarts,
            rows,
            self._plan,
        )


def _not_ours(error: BaseException) -> HaltedError:
    return HaltedError(f"the executor broke ({error}); what was done is kept: go on with --resume on a new one")


class Looks:
    """The looks that the complete beginning has passed, and what the rule said there."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self._plan, self._rows = plan, rows
        self._schedule = list(looks(plan.end - plan.first))
        self._place = 0
        self.passed = 0

    @property
    def next(self) -> int:
        """The number of complete replications that the next look waits for."""
        return self._schedule[min(self._place, len(self._schedule) - 1)]

    def ending(self) -> Ending | None:
        """Where the campaign stops, None while it goes on."""
        while self._place < len(self._schedule) and self._schedule[self._place] <= self._rows.complete:
            look = self._schedule[self._place]
            if self._plan.is_enough(self._rows.beginning(look)):
                return Ending(look, "interval")
            self._place, self.passed = self._place + 1, look
        return Ending(self.passed, "count") if self._place == len(self._schedule) else None
