"""Replay of a record of jobs on a site's servers, in an order, with or without backfill.

A job takes GPUs of one server if it fits (the fullest that can hold it), else whole servers. A job dies with any row it
holds, keeps its work up to the last checkpoint and goes back to the head of the queue, or before its equals; rows take
jobs again once their servers have booted. Who goes first, who may overtake, and which servers a job gets are rules of
`twin.jobs`, one file each. They see what is expected of a job, never how long it will run. A stop on purpose saves all
jobs first, and starts none until it is over; a pause freezes them where they are.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

from twin.jobs.application.view import Offer
from twin.jobs.expectation import History
from twin.jobs.placement import Placement
from twin.jobs.scheduler import Scheduler
from twin.parts.cluster import row_name
from twin.plant import fields as f
from twin.units import TICKS_PER_S, hours, ticks
from twin.world import record as r
from twin.world.site import LOAD, Site

if TYPE_CHECKING:
    from twin.parts.queue import Queue
    from twin.world.world import World


class RunningQueue:
    """The queue in one world. Per job: start, end, work left, and what was lost of it."""

    def __init__(self, queue: Queue, world: World, site: Site, ids: dict[str, int]) -> None:
        spec, cluster = queue.spec, queue.cluster
        self.name, self.priority = queue.name, spec.priority
        self.queue, self.world, self.site = queue, world, site
        self._item = ids[site.path(f"jobs/{queue.name}")]
        self._tenants = {name: ids[site.path(queue.tenant_item(name))] for name in queue.tenants}
        self._loads = [site.plan.load_of[row_name(k)] for k in range(cluster.rows)]
        self._core = site.plan.load_of["core"]
        self._placement = Placement(
            cluster.rows, cluster.servers_per_row, cluster.gpus_per_server, spec.placement, spec.rows_per_pod,
            spec.spare_servers_per_row,
        )  # fmt: skip
        self._scheduler = Scheduler(self._placement, queue.gpus, spec.order, spec.backfill, spec.backfill_depth)
        self._history = History()
        self._priorities = queue.jobs.priority.tolist()
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
        self._keeps = [self._checkpoint_us > 0 and able != 0 for able in queue.jobs.checkpointable.tolist()]
        self.write_us = max(1, round(spec.checkpoint_write_s * TICKS_PER_S))
        self._stopped_for: set[str] = set()
        self._paused = self._saving = False
        self._why = self._frozen_us = -1
        self._saved = world.alarm(self._on_saved)
        self._slowed_kw = tuple(
            cluster.gpus * float(site.quantity[field, self._loads[0]])
            for field in (f.L_PER_GPU_KW, f.L_PER_GPU_CAPPED_KW)
        )
        self._alarm = world.alarm(self._tick)
        self._wake()

    def _wake(self) -> None:
        due = []
        if self._next < len(self.queue.submit_us):
            due.append(self.queue.submit_us[self._next])
        if self._ends and self._frozen_us < 0:
            due.append(self._ends[0][0])
        if self._boots:
            due.append(min(self._boots)[0])
        if due:
            self._alarm.at(max(min(due), self.world.now))

    def _tick(self) -> None:
        """Ends, then boots, then submissions, then as many starts as fit; one change of load for all of them."""
        now, queue = self.world.now, self.queue
        moved = False
        while self._ends and self._ends[0][0] <= now and self._frozen_us < 0:
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
        starts = [] if self._held_back else self._scheduler.start(now)
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
        self._scheduler.submit(job, expected_us, self._priorities[job])

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
            fact[f.L_BUSY_GPUS, load] = 0 if self._frozen_us >= 0 else self._placement.busy_in_row[row]

    # ------------------------------------------------------------------ on purpose
    @property
    def _held_back(self) -> bool:
        return bool(self._stopped_for) or self._paused or self._saving

    def offer(self) -> Offer:
        """As it stands now: all running jobs as one; what they would lose is the mean by GPUs."""
        placement, now = self._placement, self.world.now
        busy = placement.busy_gpus
        exposed = sum(self._exposed_us(job, now) * self.queue.gpus[job] for job in placement.held)
        share = busy / self.queue.cluster.gpus
        full_kw, capped_kw = self._slowed_kw
        return Offer(
            name=self.name,
            gpus=busy,
            exposed_h=hours(exposed) / busy if busy else 0.0,
            write_h=hours(self.write_us),
            restart_h=hours(self._restart_us),
            pause_saves_kw=share * full_kw,
            cap_saves_kw=share * (full_kw - capped_kw),
            cap_slows_fraction=1.0 - self.queue.cluster.server.throughput_at_cap_fraction,
        )

    def _exposed_us(self, job: int, now: int) -> int:
        elapsed = self._elapsed_us(job, now)
        return elapsed % self._checkpoint_us if self._keeps[job] else elapsed

    def stop(self, reason: str, cause: int) -> None:
        """Save all running jobs, then let none run until `resume` is called with the same reason."""
        self._stopped_for.add(reason)
        if not self._saving and self._placement.held:
            self._saving, self._why = True, cause
            self.site.change(self._item, r.PHASE, 0, LOAD, cause)
            self._freeze(on=True)
            self._saved.at(self.world.now + self.write_us)

    def _on_saved(self) -> None:
        """All that has been done is durable: the jobs wait in the queue, with nothing lost but time."""
        now, running = self.world.now, sorted(self._placement.held)
        self.site.change(self._item, r.PHASE, 0, LOAD, self._why)
        for job in running:
            self._scheduler.release(job)
            self._kill(job, now, self._why, 0, saved=True)
        self._saving, self._frozen_us = False, -1
        self._requeue(running)
        self._show()
        self._alarm.at(now)

    def resume(self, reason: str, cause: int) -> None:
        """Start jobs again, where nothing else holds them back."""
        self._stopped_for.discard(reason)
        self._alarm.at(self.world.now)

    def pause(self, on: bool, cause: int) -> None:
        """Freeze all running jobs with idle GPUs, or let them go on; none starts or ends meanwhile."""
        self._paused = on
        self.site.change(self._item, r.PAUSED, int(on), LOAD, cause)
        if not self._saving:
            self._freeze(on=on)
        self._alarm.at(self.world.now)

    def _freeze(self, *, on: bool) -> None:
        now = self.world.now
        if on and self._frozen_us < 0:
            self._frozen_us = now
        elif not on and self._frozen_us >= 0:
            delay_us, self._frozen_us = now - self._frozen_us, -1
            for job in self._placement.held:
                self._resume_us[job] += delay_us
                self._end_us[job] += delay_us
            self._ends = [(self._end_us[job], job, self._hits[job]) for job in self._placement.held]
            heapq.heapify(self._ends)
        self._show()

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
        self._scheduler.requeue(jobs, expected_us, [self._priorities[job] for job in jobs])

    def _kill(self, job: int, now: int, cause: int, level: int, *, saved: bool = False) -> None:
        """Keep the work up to the last checkpoint, or all if it was saved; a restart under way begins anew."""
        elapsed = self._elapsed_us(job, now)
        rollback = elapsed if not self._keeps[job] else 0 if saved else elapsed % self._checkpoint_us
        self._close_interruption(job, min(now, self._resume_us[job]))
        self._rolled_us[job] += rollback
        self._hits[job] += 1
        self._left_us[job] -= elapsed - rollback
        self._start_us[job] = self._end_us[job] = -1
        self._lost[job] = (now, cause, level, rollback)

    def _elapsed_us(self, job: int, now: int) -> int:
        """Work of a running job since its last start."""
        return max(0, (self._frozen_us if self._frozen_us >= 0 else now) - self._resume_us[job])

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
            spent = self._elapsed_us(job, now) if running else 0
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
                    self._tenants.get(queue.jobs.tenant[job], -1),
                )
            )
