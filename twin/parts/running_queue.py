"""Replay of a record of jobs on a site's servers, in an order, with or without backfill.

A job takes GPUs of one server if it fits (the fullest that can hold it), else whole servers. A job dies with any row it
holds, keeps its work up to the last checkpoint and goes back to the head of the queue, or before its equals; rows take
jobs again once their servers have booted. Who goes first, who may overtake, and which servers a job gets are rules of
`twin.jobs`, one file each. They see what is expected of a job, never how long it will run. A stop on purpose saves all
jobs first, and starts none until it is over; a pause freezes them where they are; a power cap slows them down.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twin.jobs.application.view import Offer
from twin.jobs.expectation import History
from twin.jobs.outlook import QueueAhead, busy_ahead
from twin.jobs.placement import Placement
from twin.jobs.runs import Runs
from twin.jobs.scheduler import Scheduler
from twin.parts.cluster import row_name
from twin.parts.hardware import FailingServers
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_S, hours, ticks
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
            spec.spare_servers_per_row, queue.servers,
        )  # fmt: skip
        self._shown = [0] * cluster.rows
        self._scheduler = Scheduler(self._placement, queue.gpus, spec.order, spec.backfill, spec.backfill_depth)
        self._history = History()
        self._priorities = queue.jobs.priority.tolist()
        self._expected_us = [0] * len(queue.gpus)
        stall_us = round(spec.checkpoint_stall_s * TICKS_PER_S)
        self._runs = Runs(queue.duration_us, queue.intervals_us(), stall_us, ticks(spec.restart_min / 60.0))
        self._down_us = [0] * len(queue.gpus)
        self._lost: dict[int, tuple[int, int, int, int]] = {}
        self._next = 0
        self._boot_us = ticks(spec.server_boot_min / 60.0)
        self._dark = [False] * cluster.rows
        self._boots: list[tuple[int, int]] = []
        self.write_us = max(1, round(spec.checkpoint_write_s * TICKS_PER_S))
        self._stopped_for: set[str] = set()
        self._paused = self._saving = self._capped = False
        self._why = self._saving_us = -1
        self._pace_at_cap = cluster.server.throughput_at_cap_fraction
        self._saved = world.alarm(self._on_saved)
        self._slowed_kw = tuple(
            cluster.gpus * float(site.quantity[field, self._loads[0]])
            for field in (f.L_PER_GPU_KW, f.L_PER_GPU_CAPPED_KW)
        )
        self._alarm = world.alarm(self._tick)
        self._hardware = None
        if spec.hardware is not None:
            path = site.path(f"jobs/{queue.name}")
            self._hardware = FailingServers(
                spec.hardware, path, ids[f"{path}/hardware"], world, site, self._placement, self._lose_server,
                self._look,
            )  # fmt: skip
        self._wake()

    def _wake(self) -> None:
        due = []
        if self._next < len(self.queue.submit_us):
            due.append(self.queue.submit_us[self._next])
        if self._runs.next_end_us() != NEVER:
            due.append(self._runs.next_end_us())
        if self._boots:
            due.append(min(self._boots)[0])
        if due:
            self._alarm.at(max(min(due), self.world.now))

    def _tick(self) -> None:
        """Ends, then boots, then submissions, then as many starts as fit; one change of load for all of them."""
        now, queue = self.world.now, self.queue
        moved = False
        for job, resumed_us in self._runs.take_ended(now):
            self._scheduler.release(job)
            self._history.ended(queue.jobs.tenant[job], queue.duration_us[job])
            self._close_interruption(job, resumed_us)
            moved = True
        for boot in sorted(self._boots):
            if boot[0] <= now:
                self._boots.remove(boot)
                self._placement.open_row(boot[1])
                if self._hardware is not None:
                    self._hardware.boot(boot[1])
        submit = queue.submit_us
        while self._next < len(submit) and submit[self._next] <= now:
            self._submit(self._next)
            self._next += 1
        starts = [] if self._held_back else self._scheduler.start(now)
        if moved or starts:
            self.site.change(self._item, r.PHASE, self._placement.busy_gpus, LOAD)
            for job in starts:
                self._runs.begin(job, now)
            self._show()
        self._wake()

    def _submit(self, job: int) -> None:
        """Into the queue, with what is expected of the job by now."""
        queue, expected_us = self.queue, 0
        if queue.spec.expected_run_time == "exact":
            expected_us = self._runs.undisturbed_us(job)
        elif queue.spec.expected_run_time == "requested" and not math.isnan(queue.jobs.requested_s[job]):
            expected_us = round(queue.jobs.requested_s[job] * TICKS_PER_S)
        else:
            expected_us = self._history.expect(queue.jobs.tenant[job])
        self._expected_us[job] = expected_us
        self._scheduler.submit(job, expected_us, self._priorities[job])

    def _close_interruption(self, job: int, end: int) -> None:
        """An interruption lasts until the job has restarted, or is hit again, or the horizon."""
        if job in self._lost:
            start, cause, level, rollback = self._lost.pop(job)
            self._down_us[job] += end - start
            self.world.record.interruptions.extend(
                (job, self._item, start, end, cause, level, self.queue.gpus[job], rollback)
            )

    def _show(self) -> None:
        fact, idle = self.site.fact, self._runs.pace == 0.0
        for row, load in enumerate(self._loads):
            busy = 0 if idle else self._placement.busy_in_row[row]
            fact[f.L_BUSY_GPUS, load] += busy - self._shown[row]
            self._shown[row] = busy

    def ahead(self) -> QueueAhead | None:
        """What it expects of itself; None while jobs are paused, capped or kept from starting."""
        if self._held_back or self._capped:
            return None
        gpus, scheduler, placement = self.queue.gpus, self._scheduler, self._placement
        steps, known_us = busy_ahead(
            self.world.now, placement.open.bit_count() * placement.size,
            [(end_us, gpus[job]) for end_us, job in scheduler.ending()],
            [(scheduler.expected_us[job], gpus[job]) for job in scheduler.queued()],
            overtake=self.queue.spec.backfill != "none",
        )  # fmt: skip
        return QueueAhead(steps, known_us, self._slowed_kw[0] / self.queue.cluster.gpus)

    # ------------------------------------------------------------------ on purpose
    @property
    def _held_back(self) -> bool:
        return bool(self._stopped_for) or self._paused or self._saving

    def offer(self) -> Offer:
        """As it stands now: all running jobs as one; what they would lose is the mean by GPUs."""
        placement, now = self._placement, self.world.now
        busy = placement.busy_gpus
        exposed = sum(self._runs.exposed_us(job, now) * self.queue.gpus[job] for job in self._runs.running)
        share = busy / self.queue.cluster.gpus  # of the kW of all rows
        full_kw, capped_kw = self._slowed_kw
        return Offer(
            name=self.name,
            gpus=busy,
            exposed_h=hours(exposed) / busy if busy else 0.0,
            write_h=hours(self.write_us),
            restart_h=hours(self._runs.restart_us),
            pause_saves_kw=share * full_kw,
            cap_saves_kw=share * (full_kw - capped_kw),
            cap_slows_fraction=1.0 - self._pace_at_cap,
        )

    def stop(self, reason: str, cause: int) -> None:
        """Save all running jobs, then let none run until `resume` is called with the same reason."""
        self._stopped_for.add(reason)
        if not self._saving and self._placement.held:
            self._saving, self._why, self._saving_us = True, cause, self.world.now
            self.site.change(self._item, r.PHASE, 0, LOAD, cause)
            self._set_pace()
            self._saved.at(self.world.now + self.write_us)

    def _on_saved(self) -> None:
        """All that has been done is durable: the jobs wait in the queue, with nothing lost but time."""
        now, running = self.world.now, sorted(self._placement.held)
        self.site.change(self._item, r.PHASE, 0, LOAD, self._why)
        for job in running:
            self._scheduler.release(job)
            self._kill(job, now, self._why, 0, saved=True)
        self._saving = False
        self._requeue(running)
        self._set_pace()
        self._look()

    def resume(self, reason: str, cause: int) -> None:
        """Start jobs again, where nothing else holds them back."""
        self._stopped_for.discard(reason)
        self._look()

    def pause(self, on: bool, cause: int) -> None:
        """Freeze all running jobs with idle GPUs, or let them go on; none starts or ends meanwhile."""
        self._paused = on
        self.site.change(self._item, r.PAUSED, int(on), LOAD, cause)
        self._set_pace()
        self._look()

    def cap(self, capped: bool) -> None:
        """A power cap begins or ends: from now on all jobs train at another pace."""
        self._capped = capped
        self._set_pace()
        self._wake()

    def _set_pace(self) -> None:
        """All jobs train at full pace, more slowly under a cap, or stand still."""
        pace = 0.0 if self._paused or self._saving else self._pace_at_cap if self._capped else 1.0
        self._runs.set_pace(self.world.now, pace)
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
            self._look()
        else:
            self._wake()

    def _lose_server(self, server: int, cause: int) -> None:
        """A server fails: its jobs die, whatever else they hold."""
        jobs, now = self._scheduler.lose_server(server), self.world.now
        for job in jobs:
            self._kill(job, now, cause, 0)
        if jobs:
            self._requeue(jobs)
            self._show()
            self.site.log(self._item, r.PHASE, self._placement.busy_gpus, cause)
            self._look()

    def _look(self) -> None:
        """See once more who may start, at the end of this instant."""
        self._alarm.at(self.world.now)

    def _requeue(self, jobs: list[int]) -> None:
        """Back into the queue; expected of a job is now what was expected, less what it has kept, and a restart."""
        runs = self._runs
        expected_us = [runs.restart_us + max(1, self._expected_us[job] - runs.useful_us[job]) for job in jobs]
        self._scheduler.requeue(jobs, expected_us, [self._priorities[job] for job in jobs])

    def _kill(self, job: int, now: int, cause: int, level: int, *, saved: bool = False) -> None:
        """Keep the work up to the last checkpoint, or all if it was saved; a restart under way begins anew."""
        resumed_us, rollback = self._runs.stop(job, self._trained_until(now), now, saved=saved)
        self._close_interruption(job, min(now, resumed_us))
        self._lost[job] = (now, cause, level, rollback)

    def _trained_until(self, now: int) -> int:
        return self._saving_us if self._saving else now

    def close(self) -> None:
        """The horizon: one row a job."""
        now, queue, runs = self.world.horizon_us, self.queue, self._runs
        for job in sorted(self._lost):
            run = runs.running.get(job)
            self._close_interruption(job, min(now, run.since) if run else now)
        runs.close(self._trained_until(now), now)
        rows = self.world.record.jobs
        for job, gpus in enumerate(queue.gpus):
            rows.extend(
                (
                    self._item,
                    queue.submit_us[job],
                    runs.first_us[job],
                    runs.end_us[job],
                    gpus,
                    runs.useful_us[job],
                    runs.stalled_us[job],
                    runs.rolled_us[job],
                    self._down_us[job],
                    runs.hits[job],
                    self._tenants.get(queue.jobs.tenant[job], -1),
                )
            )
