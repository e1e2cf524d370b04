"""A gang-scheduled training job: it dies with any row it holds, goes back to its checkpoint, and restarts.

The job writes its *phase*, never kW: busy and booting servers of its rows are facts, load tables turn them into demand.
Lost work is the time since the last durable checkpoint; a restart takes a time by what was lost (one server; rows with
the core alive; the core too) and begins when rows, core and cooling are back. Hardware stops the job at the job's own
rate, a clock that runs while it trains.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from twin.parts.cluster import ClusterSpec, row_name
from twin.plant import fields as f
from twin.spec import Count, NonNegative, Positive, PositiveCount, Spec
from twin.units import TICKS_PER_H, TICKS_PER_S, ticks
from twin.world import record as r
from twin.world.site import LOAD, SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

WAITING, RESTARTING, TRAINING = range(3)
SERVER, ROWS, CORE = range(3)  # what was lost
NOTHING, BUSY, BOOTING = range(3)  # what the job's servers do


class CheckpointSpec(Spec):
    """Checkpoints: `interval_min` of training, then a stall; durable `write_s` after the stall began."""

    interval_min: Positive = 15.0
    stall_s: NonNegative = 15.0
    mode: Literal["asynchronous", "blocking"] = "asynchronous"
    write_s: NonNegative | None = Field(default=None, description="until durable, from the stall's start")


class RestartSpec(Spec):
    """Hours from the return of supply to training."""

    core_kept: Positive = 0.75
    core_lost: Positive = 1.5


class HardwareSpec(Spec):
    """Interruptions by the servers themselves."""

    per_1000_server_days: NonNegative = 3.79


class GangSpec(Spec):
    """One synchronous training job over all rows of its site."""

    kind: Literal["gang"]
    site: str | None = Field(default=None, description="the only site, if absent")
    gpus: PositiveCount
    spare_rows: Count = Field(default=0, description="rows of the site that stand by, lit and idle, for one that fails")
    checkpoint: CheckpointSpec = CheckpointSpec()
    detection_min: NonNegative = 2.0
    warm_restart_min: NonNegative = 13.0
    restart_after_power_loss_h: RestartSpec = RestartSpec()
    hardware: HardwareSpec = HardwareSpec()

    def servers(self, cluster: ClusterSpec) -> int:
        """Servers that the job holds."""
        return math.ceil(self.gpus / cluster.gpus_per_server)

    def interruptions_per_h(self, cluster: ClusterSpec) -> float:
        """Rate of hardware interruptions of the whole job [1/h]."""
        return self.hardware.per_1000_server_days * self.servers(cluster) / 24_000.0


class Gang:
    """A gang job on a site's cluster."""

    def __init__(self, name: str, spec: GangSpec, cluster: ClusterSpec, free: list[int]) -> None:
        self.name, self.spec, self.cluster = name, spec, cluster
        own = free[: len(free) - spec.spare_rows]
        self.servers = take_servers(spec.servers(cluster), own) + [0] * spec.spare_rows
        free[: len(own)] = own

    def declare(self, site: SiteBuilder) -> None:
        """The job, and the hardware under it."""
        site.item(f"jobs/{self.name}", "gang_job", gpus=self.spec.gpus)
        site.item(f"jobs/{self.name}/hardware", "hardware")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """The job trains from time zero."""
        job = RunningGang(self, world, site, ids)
        site.phases.append(job.react)
        site.capped.append(job.set_pace)
        world.at_end(job.close)


def take_servers(count: int, free: list[int]) -> list[int]:
    """Servers that a job takes from each row, one by one from the row with most free; `free` is lowered by them."""
    taken = [0] * len(free)
    for _ in range(count):
        row = free.index(max(free))
        free[row] -= 1
        taken[row] += 1
    return taken


class RunningGang:
    """The job's facts in one world: phase, progress since the last restart, its hardware clock."""

    def __init__(self, gang: Gang, world: World, site: Site, ids: dict[str, int]) -> None:
        spec, cluster = gang.spec, gang.cluster
        self.spec, self.world, self.site = spec, world, site
        name = site.path(f"jobs/{gang.name}")
        self._item, self._hardware_item = ids[name], ids[f"{name}/hardware"]
        self._spread(gang, site)
        checkpoint = spec.checkpoint
        self._interval_us = ticks(checkpoint.interval_min / 60.0)
        self._stall_us = round(checkpoint.stall_s * TICKS_PER_S)
        write_us = round((checkpoint.write_s or checkpoint.stall_s) * TICKS_PER_S)
        self._lag_us = max(0, write_us - self._stall_us) if checkpoint.mode == "asynchronous" else 0
        if checkpoint.mode == "blocking":
            self._stall_us = max(self._stall_us, write_us)
        self._restart_us = (
            ticks((spec.detection_min + spec.warm_restart_min) / 60.0),
            ticks(spec.restart_after_power_loss_h.core_kept),
            ticks(spec.restart_after_power_loss_h.core_lost),
        )
        self._pace_at_cap = cluster.server.throughput_at_cap_fraction
        self._per_us = spec.interruptions_per_h(cluster) / TICKS_PER_H
        self._draws = world.stream(name, "hardware")
        self._exponential = -math.log1p(-self._draws.uniform())
        self._restarted = world.alarm(self._train)
        self._fails = world.alarm(self._hardware)
        self._row = len(world.record.jobs) // len(r.JOB_COLUMNS)
        world.record.jobs.extend([0] * len(r.JOB_COLUMNS))
        self._useful = self._stalled = self._rolled_back = self._down = 0
        self._count = 0
        self._open: tuple[int, int, int, int] | None = None
        self._lost = SERVER
        self._pace = 1.0
        self._paces: list[tuple[int, float]] = [(0, 1.0)]
        self._phase = TRAINING
        self._since = 0
        self._held = NOTHING
        self._hold(BUSY)
        self._arm_hardware()

    def _spread(self, gang: Gang, site: Site) -> None:
        """Servers per row; the loads that the job depends on are the core and the rows that it holds."""
        self._core = site.plan.load_of["core"]
        rows = self._all_rows = [site.plan.load_of[row_name(k)] for k in range(gang.cluster.rows)]
        self._per_server = gang.cluster.gpus_per_server
        self._take(np.array(gang.servers, np.int64))
        if self.spec.spare_rows:
            site.log(self._item, r.ROWS_HELD, len(self._rows), -1)
        all_rows = slice(rows[0], rows[-1] + 1)
        self._busy_fact, self._booting_fact = site.fact[f.L_BUSY_GPUS, all_rows], site.fact[f.L_BOOTING, all_rows]

    def _take(self, servers: np.ndarray) -> None:
        """The job's servers are these, by row."""
        self._servers, self._busy = servers, servers * self._per_server
        self._rows = [row for row, count in zip(self._all_rows, servers, strict=True) if count]

    def _move_to_spares(self, dark: list[int]) -> bool:
        """Put the servers of dark rows on lit rows that the job does not hold; whether there were enough of them."""
        lit = self.site.fact[f.L_LIT]
        standing_by = [row for row in self._all_rows if lit[row] and row not in self._rows]
        if not self.spec.spare_rows or len(standing_by) < len(dark):
            return False
        place = {row: k for k, row in enumerate(self._all_rows)}
        servers = self._servers.copy()
        for gone, spare in zip(dark, standing_by, strict=False):
            servers[place[spare]], servers[place[gone]] = servers[place[gone]], 0
        self._take(servers)
        return True

    def _hold(self, use: int) -> None:
        """Change what the job's servers do; other jobs' share of the same rows stays."""
        if self._held == BUSY:
            self._busy_fact -= self._busy
        elif self._held == BOOTING:
            self._booting_fact -= self._servers
        if use == BUSY:
            self._busy_fact += self._busy
        elif use == BOOTING:
            self._booting_fact += self._servers
        self._held = use

    # ------------------------------------------------------------------ progress
    def set_pace(self, capped: bool) -> None:
        """A power cap begins or ends: from now on the job trains at another pace."""
        self._pace = self._pace_at_cap if capped else 1.0
        self._paces.append((self.site.now_us, self._pace))

    def _slowed_us(self, elapsed: int) -> float:
        """Training time that power caps cost within the first `elapsed` ticks since the restart."""
        if len(self._paces) == 1 and self._pace == 1.0:
            return 0.0
        end = self._since + elapsed
        lost = 0.0
        for k, (start, pace) in enumerate(self._paces):
            until = self._paces[k + 1][0] if k + 1 < len(self._paces) else end
            lost += (1.0 - pace) * max(0, min(until, end) - max(start, self._since))
        return lost * self._interval_us / (self._interval_us + self._stall_us)

    def _keep(self, elapsed: int, *, to_checkpoint: bool) -> int:
        """Book `elapsed` ticks of training since the restart; returns what going back to a checkpoint loses."""
        cycle = self._interval_us + self._stall_us
        rollback = 0
        if to_checkpoint:
            kept = max(0, elapsed - self._lag_us) // cycle
            rollback = elapsed - kept * cycle
            stalled = kept * self._stall_us
        else:
            whole, rest = divmod(elapsed, cycle)
            stalled = whole * self._stall_us + max(0, rest - self._interval_us)
        capped = round(self._slowed_us(elapsed - rollback))
        self._useful += elapsed - rollback - stalled - capped
        self._stalled += stalled
        self._rolled_back += rollback
        return rollback

    # ------------------------------------------------------------------ interruptions
    def _arm_hardware(self) -> None:
        if self._per_us > 0.0:
            at = self._exponential / self._per_us
            self._fails.at(self.site.now_us + max(1, int(min(at, self.world.horizon_us))))

    def _hardware(self) -> None:
        row = self.site.change(self._hardware_item, r.HARDWARE, 1, LOAD)
        self._exponential = -math.log1p(-self._draws.uniform())
        self._interrupt(SERVER, row, spent=False)
        self._phase = RESTARTING
        self._hold(NOTHING)
        self._restarted.at(self.site.now_us + self._restart_us[SERVER])

    def _interrupt(self, level: int, cause: int, *, spent: bool = True) -> None:
        """Training ends here: go back to the checkpoint, open an interruption."""
        now = self.site.now_us
        rollback = 0
        if self._phase == TRAINING:
            self._fails.stop()
            if spent:
                self._exponential -= (now - self._since) * self._per_us
            rollback = self._keep(now - self._since, to_checkpoint=True)
        self._close_interruption(now)
        self._open = (now, cause, level, rollback)
        self._count += 1
        self.site.log(self._item, r.PHASE, WAITING, cause)

    def _close_interruption(self, now: int) -> None:
        if self._open is not None:
            start, cause, level, rollback = self._open
            self.world.record.interruptions.extend(
                (self._row, self._item, start, now, cause, level, self.spec.gpus, rollback)
            )
            self._down += now - start
            self._open = None

    def react(self) -> None:
        """Rows and core as they now stand: die with them, or begin to restart when all is back."""
        lit = self.site.fact[f.L_LIT]
        core_dark = not lit[self._core]
        dark = [i for i in self._rows if not lit[i]]
        if core_dark or dark:
            self._without_power(core_dark, self._core if core_dark else dark[0])
            if not core_dark and self._move_to_spares(dark):
                self._lost = SERVER  # rows that stood by are up: a warm restart
                self.site.ask(SUPPLY)
        elif self._phase == WAITING and self._cool():
            self._phase = RESTARTING
            self._hold(BOOTING)
            self._restarted.at(self.site.now_us + self._restart_us[self._lost])
            self.site.log(self._item, r.PHASE, RESTARTING, self.site.trigger)

    def _without_power(self, core_dark: bool, load: int) -> None:
        level = CORE if core_dark else ROWS
        if self._phase != WAITING:
            self._lost = max(self._lost, level)
            self._interrupt(self._lost, self.site.load_row[load])
            self._restarted.stop()
            self._phase = WAITING
            self._hold(NOTHING)
        self._lost = max(self._lost, level)

    def _cool(self) -> bool:
        fact = self.site.fact
        chillers = self.site.plan.chillers
        if math.isinf(self.site.totals[f.TANK_H]):
            return True
        return bool(fact[f.L_RUNNING, chillers] and fact[f.L_LIT, self.site.plan.pumps])

    def _train(self) -> None:
        self.site.change(self._item, r.PHASE, TRAINING, LOAD, self._open[1] if self._open else -1)
        now = self.site.now_us
        self._close_interruption(now)
        self._phase, self._since, self._lost = TRAINING, now, SERVER
        self._paces = [(now, self._pace)]
        self._hold(BUSY)
        self._arm_hardware()

    def close(self) -> None:
        """The horizon: book what was done, write the job's row."""
        now = self.world.horizon_us
        if self._phase == TRAINING:
            self._keep(now - self._since, to_checkpoint=False)
        self._close_interruption(now)
        start = self._row * len(r.JOB_COLUMNS)
        values = (
            self._item, 0, 0, -1, self.spec.gpus, self._useful, self._stalled, self._rolled_back, self._down,
            self._count,
        )  # fmt: skip
        for k, value in enumerate(values):
            self.world.record.jobs[start + k] = value
