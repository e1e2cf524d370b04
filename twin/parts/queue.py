"""Replay of a record of jobs on a site's servers, in an order, with or without backfill.

A job takes GPUs of one server if it fits (the fullest that can hold it), else whole servers. A job dies with any row it
holds, keeps its work up to the last checkpoint and goes back to the head of the queue, or before its equals; rows take
jobs again once their servers have booted. Who goes first, who may overtake, and which servers a job gets are rules of
`twin.jobs`, one file each. They see what is expected of a job, never how long it will run.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from twin.inputs.jobs.read import read_jobs
from twin.inputs.jobs.schema import Jobs
from twin.jobs.expectation import History
from twin.jobs.placement import Placement
from twin.jobs.scheduler import BACKFILL_DEPTH, Scheduler
from twin.parts.cluster import ClusterSpec, row_name
from twin.plant import fields as f
from twin.spec import Count, NonNegative, Positive, PositiveCount, Spec
from twin.units import TICKS_PER_S, ticks
from twin.world import record as r
from twin.world.site import LOAD, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World


class QueueSpec(Spec):
    """Jobs from a record: submit time, duration, GPUs."""

    kind: Literal["queue"]
    site: str | None = Field(default=None, description="the only site, if absent")
    file: str = Field(description="a job record of any layout that twin jobs reads")
    layout: str | None = Field(default=None, description="the record's layout; found in the file's head if absent")
    bad_rows: Literal["refuse", "leave_out"] = Field(
        default="refuse", description="rows that contradict themselves, and jobs larger than the cluster"
    )
    order: Literal["fifo", "priority", "shortest_first"] = Field(default="fifo", description="who is next")
    backfill: Literal["none", "easy", "conservative"] = Field(
        default="none", description="who may overtake a job that does not fit yet"
    )
    backfill_depth: PositiveCount = Field(
        default=BACKFILL_DEPTH, description="jobs behind the head of the queue that may overtake it"
    )
    expected_run_time: Literal["requested", "history", "exact"] = Field(
        default="requested",
        description="what order and backfill go by: the record's requested time, or, where it has none, as history: the"
        " mean of the tenant's last two run times; exact looks into the future and is a bound",
    )
    placement: Literal["first_fit", "pack", "spread"] = Field(
        default="first_fit", description="whole servers of a job: the lowest, in few pods of rows, or evenly over them"
    )
    rows_per_pod: PositiveCount = Field(default=1, description="what placement takes as one place")
    spare_servers_per_row: Count = Field(default=0, description="kept free of jobs")
    checkpoint_interval_min: Positive | None = Field(default=None, description="all work is lost without checkpoints")
    restart_min: NonNegative = Field(default=10.0, description="added to an interrupted job's remaining time")
    server_boot_min: NonNegative = Field(default=15.0, description="from a row's return of supply until it takes jobs")


class Queue:
    """A queue of recorded jobs on a site's cluster."""

    def __init__(self, name: str, spec: QueueSpec, cluster: ClusterSpec) -> None:
        self.name, self.spec, self.cluster = name, spec, cluster
        self.jobs = self._read()
        self.submit_us = [round(second * TICKS_PER_S) for second in self.jobs.submit_s.tolist()]
        self.duration_us = [max(1, round(second * TICKS_PER_S)) for second in self.jobs.duration_s.tolist()]
        self.gpus = self.jobs.gpus.tolist()

    def _read(self) -> Jobs:
        """The record's jobs.

        Raises:
            InputError: see `read_jobs`.
        """
        spec = self.spec
        return read_jobs(spec.file, spec.layout, gpus_max=self.cluster.gpus, bad_rows=spec.bad_rows)

    def declare(self, site: SiteBuilder) -> None:
        """One item for the whole queue."""
        site.item(f"jobs/{self.name}", "queue", gpus=self.cluster.gpus)

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The first submission is awaited."""
        queue = RunningQueue(self, world, site, ids)
        site.phases.append(queue.react)
        world.at_end(queue.close)


class RunningQueue:
    """The queue in one world. Per job: start, end, work left, and what was lost of it."""

    def __init__(self, queue: Queue, world: World, site: Site, ids: dict[str, int]) -> None:
        spec, cluster = queue.spec, queue.cluster
        self.queue, self.world, self.site = queue, world, site
        self._item = ids[site.path(f"jobs/{queue.name}")]
        self._loads = [site.plan.load_of[row_name(k)] for k in range(cluster.rows)]
        self._core = site.plan.load_of["core"]
        self._placement = Placement(
            cluster.rows, cluster.servers_per_row, cluster.gpus_per_server, spec.placement, spec.rows_per_pod,
            spec.spare_servers_per_row,
        )  # fmt: skip
        self._scheduler = Scheduler(self._placement, queue.gpus, spec.order, spec.backfill, spec.backfill_depth)
        self._history = History()
        self._priority = queue.jobs.priority.tolist()
        count = len(queue.gpus)
        self._expected_us = [0] * count
        self._left_us = list(queue.duration_us)
        self._resume_us = [-1] * count
        self._first_us, self._start_us, self._end_us = [-1] * count, [-1] * count, [-1] * count
        self._rolled_us, self._down_us, self._hits = [0] * count, [0] * count, [0] * count
        self._lost: dict[int, tuple[int, int, int, int]] = {}
        self._next = 0
        self._ends: list[tuple[int, int, int]] = []
        self._checkpoint_us = ticks(spec.checkpoint_interval_min / 60.0) if spec.checkpoint_interval_min else 0
        self._restart_us, self._boot_us = ticks(spec.restart_min / 60.0), ticks(spec.server_boot_min / 60.0)
        self._dark = [False] * cluster.rows
        self._boots: list[tuple[int, int]] = []
        self._alarm = world.alarm(self._tick)
        self._wake()

    def _wake(self) -> None:
        due = []
        if self._next < len(self.queue.submit_us):
            due.append(self.queue.submit_us[self._next])
        if self._ends:
            due.append(self._ends[0][0])
        if self._boots:
            due.append(min(self._boots)[0])
        if due:
            self._alarm.at(max(min(due), self.world.now))

    def _tick(self) -> None:
        """Ends, then boots, then submissions, then as many starts as fit; one change of load for all of them."""
        now, queue = self.world.now, self.queue
        moved = False
        while self._ends and self._ends[0][0] <= now:
            _, job, hits = heapq.heappop(self._ends)
            if hits == self._hits[job]:
                self._scheduler.release(job)
                self._history.ended(queue.jobs.tenant[job], queue.duration_us[job])
                self._left_us[job] = 0
                self._close_interruption(job, self._resume_us[job])
                moved = True
        for boot in sorted(self._boots):
            if boot[0] <= now:
                self._boots.remove(boot)
                self._placement.open_row(boot[1])
        submit = queue.submit_us
        while self._next < len(submit) and submit[self._next] <= now:
            self._submit(self._next)
            self._next += 1
        starts = self._scheduler.start(now)
        if moved or starts:
            self.site.change(self._item, r.PHASE, self._placement.busy_gpus, LOAD)
            for job in starts:
                self._begin(job, now)
            self._show()
        self._wake()

    def _submit(self, job: int) -> None:
        """Into the queue, with what is expected of the job by now."""
        queue, expected_us = self.queue, 0
        if queue.spec.expected_run_time == "exact":
            expected_us = queue.duration_us[job]
        elif queue.spec.expected_run_time == "requested" and not math.isnan(queue.jobs.requested_s[job]):
            expected_us = round(queue.jobs.requested_s[job] * TICKS_PER_S)
        else:
            expected_us = self._history.expect(queue.jobs.tenant[job])
        self._expected_us[job] = expected_us
        self._scheduler.submit(job, expected_us, self._priority[job])

    def _begin(self, job: int, now: int) -> None:
        if self._first_us[job] < 0:
            self._first_us[job] = now
        self._start_us[job] = now
        self._resume_us[job] = now + (self._restart_us if job in self._lost else 0)
        self._end_us[job] = self._resume_us[job] + self._left_us[job]
        heapq.heappush(self._ends, (self._end_us[job], job, self._hits[job]))

    def _close_interruption(self, job: int, end: int) -> None:
        """An interruption lasts until the job has restarted, or is hit again, or the horizon."""
        if job in self._lost:
            start, cause, level, rollback = self._lost.pop(job)
            self._down_us[job] += end - start
            self.world.record.interruptions.extend(
                (job, self._item, start, end, cause, level, self.queue.gpus[job], rollback)
            )

    def _show(self) -> None:
        fact = self.site.fact
        for row, load in enumerate(self._loads):
            fact[f.L_BUSY_GPUS, load] = self._placement.busy_in_row[row]

    def react(self) -> None:
        """Rows that have gone dark kill their jobs; rows that are back boot."""
        lit, now = self.site.fact[f.L_LIT], self.world.now
        core = bool(lit[self._core])
        killed: set[int] = set()
        for row, load in enumerate(self._loads):
            dark = not (lit[load] and core)
            if dark == self._dark[row]:
                continue
            self._dark[row] = dark
            if dark:
                self._boots = [boot for boot in self._boots if boot[1] != row]
                cause = self.site.load_row[self._core if not core else load]
                for job in self._scheduler.lose_row(row):
                    killed.add(job)
                    self._kill(job, now, cause, 1 if core else 2)
            else:
                self._boots.append((now + self._boot_us, row))
        if killed:
            self._requeue(sorted(killed))
            self._show()
            self.site.log(self._item, r.PHASE, self._placement.busy_gpus, self.site.trigger)
            self._alarm.at(now)
        else:
            self._wake()

    def _requeue(self, jobs: list[int]) -> None:
        """Back into the queue; expected of a job is now what was expected, less what it has kept, and a restart."""
        duration_us = self.queue.duration_us
        kept_us = [duration_us[job] - self._left_us[job] for job in jobs]
        expected_us = [
            self._restart_us + max(1, self._expected_us[job] - kept) for job, kept in zip(jobs, kept_us, strict=True)
        ]
        self._scheduler.requeue(jobs, expected_us, [self._priority[job] for job in jobs])

    def _kill(self, job: int, now: int, cause: int, level: int) -> None:
        """Keep the work up to the last checkpoint; a restart that was under way begins anew."""
        elapsed = max(0, now - self._resume_us[job])
        kept = elapsed // self._checkpoint_us * self._checkpoint_us if self._checkpoint_us else 0
        rollback = elapsed - kept
        self._close_interruption(job, min(now, self._resume_us[job]))
        self._rolled_us[job] += rollback
        self._hits[job] += 1
        self._left_us[job] -= kept
        self._start_us[job] = self._end_us[job] = -1
        self._lost[job] = (now, cause, level, rollback)

    def close(self) -> None:
        """The horizon: one row a job."""
        now, queue = self.world.horizon_us, self.queue
        for job in sorted(self._lost):
            running = self._start_us[job] >= 0
            self._close_interruption(job, min(now, self._resume_us[job]) if running else now)
        rows = self.world.record.jobs
        for job, gpus in enumerate(queue.gpus):
            done = self._left_us[job] == 0
            running = self._start_us[job] >= 0 and not done
            spent = max(0, now - self._resume_us[job]) if running else 0
            useful = queue.duration_us[job] - self._left_us[job] + spent
            rows.extend(
                (
                    self._item,
                    queue.submit_us[job],
                    self._first_us[job],
                    self._end_us[job] if done else -1,
                    gpus,
                    useful,
                    0,
                    self._rolled_us[job],
                    self._down_us[job],
                    self._hits[job],
                )
            )
