"""What a gang job does in one world: it trains, dies with a row, waits for supply, restarts, or is stopped on purpose.

The job writes its *phase*, never kW: busy and booting servers of its rows are facts, load tables turn them into demand.
Lost work is the time since the last durable checkpoint; a restart takes a time by what was lost (one server; rows with
the core alive; the core too) and begins when rows, core and cooling are back. Hardware stops the job at the job's own
rate, a clock that runs while it trains. A stop on purpose saves first, with the GPUs idle, and loses nothing but time.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twin.jobs.application.view import Offer
from twin.jobs.progress import Progress
from twin.parts.gang_account import GangAccount
from twin.parts.gang_restart import CORE, ROWS, SERVER, GangRestart
from twin.parts.held_rows import BUSY, NOTHING, HeldRows
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_H, TICKS_PER_S, hours, ticks
from twin.world import record as r
from twin.world.site import LOAD, SUPPLY, Site

if TYPE_CHECKING:
    from twin.parts.gang import Gang
    from twin.world.world import World

WAITING, RESTARTING, TRAINING, SAVING, STOPPED, DONE = range(6)


class RunningGang:
    """The job's facts in one world: phase, progress since the last restart, its hardware clock."""

    def __init__(self, gang: Gang, world: World, site: Site, ids: dict[str, int]) -> None:
        spec, cluster = gang.spec, gang.cluster
        self.name, self.priority = gang.name, spec.priority
        self.spec, self.world, self.site = spec, world, site
        name = site.path(f"jobs/{gang.name}")
        self._item, self._hardware_item = ids[name], ids[f"{name}/hardware"]
        self._core = site.plan.load_of["core"]
        self.rows = HeldRows(site, gang.servers, cluster.gpus_per_server)
        if spec.spare_rows:
            site.log(self._item, r.ROWS_HELD, len(self.rows.loads), -1)
        self._per_us = spec.interruptions_per_h(cluster) / TICKS_PER_H
        checkpoint = spec.checkpoint
        stall_us, self.write_us = (
            round(checkpoint.stalling_s * TICKS_PER_S),
            max(1, round(checkpoint.writing_s * TICKS_PER_S)),
        )
        lag_us = round(checkpoint.writing_s * TICKS_PER_S) - stall_us if checkpoint.mode == "asynchronous" else 0
        interval_us = ticks(checkpoint.between_h(spec.interruptions_per_h(cluster)))
        self.progress = Progress(interval_us, stall_us, max(0, lag_us))
        self._restart = GangRestart(spec, name, self._item, self.rows, world, site, self._train)
        self._pace_at_cap = cluster.server.throughput_at_cap_fraction
        self._work_us = ticks(spec.work_h) if spec.work_h else NEVER
        self._draws = world.stream(name, "hardware")
        self._exponential = -math.log1p(-self._draws.uniform())
        self._fails, self._finished = world.alarm(self._hardware), world.alarm(self._finish)
        self._saved, self._regrown = world.alarm(self._on_saved), world.alarm(self._regrow)
        slowest = spec.slowest_fraction(cluster, world.stream(name, "speeds"))
        self._account = GangAccount(world.record, self._item, spec.gpus, slowest)
        self._lost, self._why, self._given_up = SERVER, -1, -1
        self._stopped_for: set[str] = set()
        self._paused = self._capped = self._growing = False
        self.phase = WAITING
        self._begin(0)

    # ------------------------------------------------------------------ training
    def _begin(self, now: int) -> None:
        self.phase, self._lost = TRAINING, SERVER
        self.progress.begin(now)
        self.rows.use(NOTHING if self._paused else BUSY)
        if self._per_us > 0.0:
            after_us = int(min(self._exponential / (self._per_us * self.rows.share), self.world.horizon_us))
            self._fails.at(now + max(1, after_us))
        if self._work_us != NEVER:
            self._expect_the_end(now)

    def restarts_us(self) -> int:
        """When it will train again; NEVER while it trains, or waits for it is not known what."""
        return self._restart.due_us

    def _train(self) -> None:
        self.site.change(self._item, r.PHASE, TRAINING, LOAD, self._account.cause)
        now = self.site.now_us
        self._account.resume(now)
        self._begin(now)

    def cap(self, capped: bool) -> None:
        """A power cap begins or ends: from now on the job trains at another pace."""
        self._capped = capped
        self._set_pace()

    def pause(self, on: bool, cause: int) -> None:
        """Stand still in memory with idle GPUs, checkpoints going on, or train again."""
        self._paused = on
        self.site.change(self._item, r.PAUSED, int(on), LOAD, cause)
        self._set_pace()
        if self.phase == TRAINING:
            self.rows.use(NOTHING if on else BUSY)

    def _set_pace(self) -> None:
        pace = self._pace_at_cap if self._capped else 1.0
        self.progress.set_pace(self.site.now_us, 0.0 if self._paused else pace, self.rows.share)
        if self.phase == TRAINING and self._work_us != NEVER:
            self._expect_the_end(self.site.now_us)

    def _expect_the_end(self, now: int) -> None:
        end_us = self.progress.finish_us(now, self._account.left_us(self._work_us))
        if end_us is None:
            self._finished.stop()
        else:
            self._finished.at(max(end_us, now))

    def _finish(self) -> None:
        """All its work is done and saved; under a changing pace that may turn out to be later."""
        now = self.world.now
        booked = self.progress.ended(now, self._account.left_us(self._work_us))
        if booked is None:
            self._expect_the_end(now)
            return
        self._account.end(now)
        self._account.keep(booked)
        self._fails.stop()
        self._leave(DONE, self.site.change(self._item, r.PHASE, DONE, LOAD))

    def _leave(self, phase: int, cause: int) -> None:
        """The GPUs do nothing in this phase."""
        self.phase = phase
        self.rows.use(NOTHING)
        self._why = cause

    def _keep(self, until: int, *, to_checkpoint: bool) -> int:
        """Book the training from the restart to `until`; returns what going back to a checkpoint loses."""
        return self._account.keep(self.progress.book(until, to_checkpoint=to_checkpoint))

    def _spend(self) -> None:
        """The hardware clock stands still from here on."""
        self._fails.stop()
        self._finished.stop()
        self._exponential -= (self.site.now_us - self.progress.since) * self._per_us * self.rows.share

    # ------------------------------------------------------------------ interruptions
    def _hardware(self) -> None:
        """The hardware clock has run out while the job trained: a warm restart, and a new clock."""
        site, account = self.site, self._account
        row = site.change(self._hardware_item, r.HARDWARE, 1, LOAD)
        now = site.now_us
        self._finished.stop()
        account.interrupt(now, row, SERVER, account.keep(self.progress.book(now, to_checkpoint=True)))
        site.log(self._item, r.PHASE, WAITING, row)
        self._exponential = -math.log1p(-self._draws.uniform())
        self._leave(RESTARTING, row)
        self._restart.fail()
        self._restart.begin(self._restart.after_us(SERVER))

    def _interrupt(self, level: int, cause: int) -> None:
        """Training ends here: go back to the checkpoint, open an interruption."""
        now, rollback = self.site.now_us, 0
        if self.phase == TRAINING:
            self._spend()
            rollback = self._keep(now, to_checkpoint=True)
        elif self.phase == SAVING:
            self._saved.stop()
            self._growing = False
            rollback = self._keep(self._saving_us, to_checkpoint=True)
            self._account.stall(now - self._saving_us)
        self._account.interrupt(now, cause, level, rollback)
        self.site.log(self._item, r.PHASE, WAITING, cause)

    def react(self) -> None:
        """Rows and core as they now stand: die with them, or begin to restart when all is back."""
        if self.phase == DONE:
            return
        core_dark = not self.site.fact[f.L_LIT, self._core]
        dark = self.rows.dark()
        if core_dark or dark:
            self._without_power(core_dark, dark)
        elif self.phase == WAITING and not self._stopped_for and self._cool():
            if self.spec.minimum_rows and self._lost != SERVER:
                self._take_back(self.site.trigger)
            self.phase = RESTARTING
            self._restart.boot(self._lost, self._account.cause)
            self.site.log(self._item, r.PHASE, RESTARTING, self.site.trigger)
        elif self.phase == TRAINING and self.rows.share < 1.0:
            if not self.rows.all_lit():
                self._regrown.stop()
            elif self._regrown.due == NEVER:
                self._regrown.at(self.site.now_us + self._restart.after_us(ROWS))

    def _without_power(self, core_dark: bool, dark: list[int]) -> None:
        level = CORE if core_dark else ROWS
        self._restart.lose_power(dark)
        if self.phase == STOPPED:
            self._account.worsen(level)
            self.phase = WAITING
        elif self.phase != WAITING:
            self._lost = max(self._lost, level)
            self._interrupt(self._lost, self.site.load_row[self._core if core_dark else dark[0]])
            self._restart.stop()
            self._leave(WAITING, -1)
            self.site.surprise()
        self._lost = max(self._lost, level)
        if core_dark:
            return
        if self.spec.spare_rows and self.rows.move_to_spares(dark):
            self._lost = SERVER  # rows that stood by are up: a warm restart
            self.site.ask(SUPPLY)
        elif self.spec.minimum_rows and len(self.rows.loads) - len(dark) >= self.spec.minimum_rows:
            self.rows.give_up(dark)
            self._set_pace()
            self._lost = SERVER
            self._given_up = self.site.load_row[dark[0]]
            self.site.log(self._item, r.ROWS_HELD, len(self.rows.loads), self._given_up)
            self.site.ask(SUPPLY)

    def _take_back(self, cause: int) -> None:
        """Hold all its rows again, where they are lit."""
        share = self.rows.share
        self.rows.take_back()
        self._set_pace()
        if self.rows.share > share:
            self.site.log(self._item, r.ROWS_HELD, len(self.rows.loads), cause)

    def _cool(self) -> bool:
        fact = self.site.fact
        chillers = self.site.plan.chillers
        if math.isinf(self.site.totals[f.TANK_H]):
            return True
        return bool(fact[f.L_RUNNING, chillers] and fact[f.L_LIT, self.site.plan.pumps])

    # ------------------------------------------------------------------ on purpose
    def stop(self, reason: str, cause: int) -> None:
        """Save, then stand by until `resume` is called with the same reason; a restart under way is broken off."""
        self._stopped_for.add(reason)
        if self.phase == TRAINING:
            self._save(cause)
        elif self.phase == RESTARTING:
            self._restart.stop()
            self._leave(STOPPED, self.site.change(self._item, r.PHASE, STOPPED, LOAD, cause))

    def resume(self, reason: str, cause: int) -> None:
        """Restart, where nothing else holds the job back."""
        self._stopped_for.discard(reason)
        if self._stopped_for:
            return
        if self.phase == STOPPED:
            self._leave(RESTARTING, self.site.change(self._item, r.PHASE, RESTARTING, LOAD, cause))
            self._restart.begin(self._restart.warm_us if self._lost == SERVER else self._restart.after_us(self._lost))
        elif self.phase == WAITING:
            self.site.ask(SUPPLY)

    def offer(self) -> Offer:
        """As it stands now."""
        rows = self.rows
        return Offer(
            name=self.name,
            gpus=self.spec.gpus if self.phase in {TRAINING, SAVING, STOPPED} else 0,
            exposed_h=hours(self.progress.exposed_us(self.world.now)) if self.phase == TRAINING else 0.0,
            write_h=hours(self.write_us),
            restart_h=hours(self._restart.warm_us),
            pause_saves_kw=rows.saves_kw(f.L_PER_GPU_KW),
            cap_saves_kw=rows.saves_kw(f.L_PER_GPU_KW) - rows.saves_kw(f.L_PER_GPU_CAPPED_KW),
            cap_slows_fraction=1.0 - self._pace_at_cap,
        )

    def _save(self, cause: int) -> None:
        """A checkpoint at once, with the GPUs idle until it is durable."""
        self.site.change(self._item, r.PHASE, SAVING, LOAD, cause)
        self._leave(SAVING, cause)
        self._spend()
        self._saving_us = self.site.now_us
        self._saved.at(self._saving_us + self.write_us)

    def _on_saved(self) -> None:
        stopped, regrow, cause = bool(self._stopped_for), self._growing, self._why
        phase = STOPPED if stopped else RESTARTING if regrow else TRAINING
        self.site.change(self._item, r.PHASE, phase, LOAD, cause)
        now = self.site.now_us
        self._keep(self._saving_us, to_checkpoint=False)
        self._account.stall(now - self._saving_us)
        self._growing = False
        if phase == TRAINING:
            self._begin(now)
            return
        self._account.interrupt(now, cause, SERVER, 0)
        if regrow:
            self._take_back(cause)
        self._leave(phase, cause)
        if phase == RESTARTING:
            self._restart.begin(self._restart.warm_us)

    def _regrow(self) -> None:
        """Rows that were given up are back and have booted: take them in, by a checkpoint and a warm restart."""
        if self.phase == TRAINING and self.rows.all_lit():
            self._growing = True
            self._save(self._given_up)

    def close(self) -> None:
        """The horizon: book what was done, write the job's row."""
        now = self.world.horizon_us
        if self.phase == TRAINING:
            self._keep(now, to_checkpoint=False)
        elif self.phase == SAVING:
            self._keep(self._saving_us, to_checkpoint=False)
            self._account.stall(now - self._saving_us)
        self._account.close(now)
