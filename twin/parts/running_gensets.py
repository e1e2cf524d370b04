"""What a genset plant does in one world: it is called, starts set by set, runs, fails, is refuelled, and stops.

Steps ahead of a running plant (a set comes on line, trips, or fails) wait in one list behind one alarm.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from twin.chance.law import compile_law
from twin.parts.fuel import FuelTank
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_S, ticks
from twin.world import record as r
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.parts.gensets import GensetsSpec
    from twin.world.world import World

EVENT_BITS, ATTEMPTS_MOST = 57, 31
"""Draws of a second start during one event (after fuel has come) are numbered above those of the first."""
OFF, STARTING, RUNNING = range(3)
TRIED, AWAY, LEFT_OFF = 1, 2, 3
"""Values of FAILED_TO_START: it did not start; it was down or in service when called; somebody had left it off."""
START, FAIL, SWITCH, TRIP = range(4)  # steps ahead of a running plant


class RunningGensets:
    """State of the plant in one world."""

    def __init__(self, spec: GensetsSpec, world: World, site: Site, ids: dict[str, int]) -> None:
        self.spec, self.world, self.site = spec, world, site
        prefix = site.path("gensets")
        self._plant = ids[prefix]
        names = self.names = [f"{prefix}/genset-{k + 1:02d}" for k in range(spec.n + spec.r)]
        self.items = [ids[name] for name in names]
        self._sound = [True] * len(names)
        """Not brought down by a failure in stand-by or a shock; a failure on demand is `_down_until`."""
        self._care = spec.repair.care()
        self._fails = [world.stream(name, "fail_to_start") for name in names]
        self._trips = [world.stream(name, "fail_to_load") for name in names]
        self._lives = [world.stream(name, "fail_to_run") for name in names]
        self._repairs = [world.stream(name, "repair") for name in names]
        self._common = world.stream(prefix, "common_cause")
        self._repair_law = compile_law(spec.mttr_h)
        self._down_until = [0] * len(names)
        self._in_service_until = [0] * len(names)
        served = site.fact[f.F_GENSET] == 1
        self._masks = sorted({int(mask) for mask in site.fact[f.F_SECTIONS, served]})
        self._state, self._online, self._event = OFF, 0, 0
        self._connected = False
        self._loss_us, self._row = 0, -1
        self._steps: list[tuple[int, int, int]] = []
        self._alarm = world.alarm(self._step)
        self._stop_alarm = world.alarm(self._stop)
        self._speed = 1.0
        world.luck.on_change(self._retime)
        self._tank = FuelTank(spec.fuel, world, site, self._plant) if spec.fuel else None
        self._last_event, self._attempt = -1, 0
        self._left_off: set[int] = set()

    @property
    def settled(self) -> bool:
        """Whether every set that will come on line has done so."""
        return self._state == RUNNING and self._connected and not any(kind == START for _, kind, _ in self._steps)

    @property
    def called(self) -> bool:
        """Whether the plant has been asked for."""
        return self._state != OFF

    def needed(self, k: int) -> bool:
        """Whether set k has been told to start: a loss that was never confirmed asks nothing of it."""
        return self._state == RUNNING

    def flip(self, flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
        """Sets have failed in stand-by or by a shock, or are sound again; one that runs or starts is lost."""
        row = cause
        for k in flipped.tolist():
            row = self.site.change(self.items[k], r.UP, int(up[k]), SUPPLY, cause)
            self._sound[k] = bool(up[k])
            own = [kind for _, kind, of in self._steps if of == k]
            if own and not up[k]:
                self._steps = [step for step in self._steps if step[2] != k]
                if FAIL in own and START not in own:
                    self._set_online(self._online - 1, row)
        return row

    def react(self) -> None:
        """Start when a served feed has lost the grid; stop, after a while, when none has."""
        grid = self.site.section[f.S_GRID]
        on = sum(1 << s for s in range(grid.size) if grid[s])
        needed = any(not mask & on for mask in self._masks)
        if needed:
            self._called()
        elif self._state == STARTING:
            self._state = OFF
            self._alarm.stop()
        elif self._state == RUNNING and self._stop_alarm.due == NEVER:
            self._released()

    @property
    def sets(self) -> int:
        """How many sets it has."""
        return len(self.items)

    def stand_down(self, k: int, until_us: int, row: int) -> None:
        """Set k is taken out of service until then; what it lacks besides is another matter."""
        self.site.log(self.items[k], r.MAINTENANCE, 1, row)
        self._in_service_until[k] = until_us

    def stand_up(self, k: int, row: int) -> None:
        """Set k is given back; its time in service is over in this tick."""
        self.site.log(self.items[k], r.MAINTENANCE, 0, row)

    def leave_off(self, k: int, row: int) -> None:
        """Set k was left switched off: it will not start when it is next called."""
        self.site.log(self.items[k], r.HUMAN_ERROR, 1, row)
        self._left_off.add(k)

    def run_dry(self) -> None:
        """The tank is empty: the sets stop in this instant, and wait for fuel."""
        self._row = self.site.log(self._plant, r.EMPTY, 1, self._row)
        if self._tank is not None:
            self._tank.dry = True
        self._steps.clear()
        self._alarm.stop()
        self._stop_alarm.stop()
        self.world.luck.clocks("genset_run", -self._online, self.spec.mttf_running_h)
        self.world.luck.degraded(self._plant, False)
        self._state, self._online = OFF, 0
        self.site.log(self._plant, r.ONLINE, 0, self._row)
        self._connect(False)

    def _called(self) -> None:
        """A feed needs the plant: start it, or switch the loads back to sets that still run."""
        if self._tank is not None and self._tank.dry:
            return
        now, confirm_us = self.site.now_us, round(self.spec.confirm_s * TICKS_PER_S)
        if self._state == OFF:
            self._state, self._loss_us, self._row = STARTING, now, self.site.trigger
            self._alarm.at(now + confirm_us)
        elif self._stop_alarm.due != NEVER:
            self._stop_alarm.stop()
            self._row = self.site.trigger
            self._steps = sorted([*self._steps, (now + confirm_us, SWITCH, -1)])
            self._next()

    def _released(self) -> None:
        """The grid is back and the loads with it; sets that run go on for a while, in case it fails again."""
        self._connect(False)
        self._steps = [step for step in self._steps if step[1] != SWITCH]
        if self._online or any(kind == START for _, kind, _ in self._steps):
            self._stop_alarm.at(self.site.now_us + round(self.spec.retransfer_min * 60 * TICKS_PER_S))
        else:
            self._steps.clear()
            self._alarm.stop()
            self._state = OFF
            self.world.luck.degraded(self._plant, False)

    def _connect(self, on: bool) -> None:
        self._connected = on
        if self._tank is not None:
            self._tank.run(self._online)
        self.site.totals[f.GENSET_READY_KW] = self._online * self.spec.rated_kw if on else 0.0

    def _start(self) -> None:
        """Draw which sets start and when each will fail: one draw of each kind per set and supply event."""
        self._state, self._connected = RUNNING, True
        now, spec = self.world.now, self.spec
        section = self.site.section
        event = int(section[f.S_EVENT, section[f.S_GRID] == 0].max())
        self._attempt = self._attempt + 1 if event == self._last_event else 0
        self._last_event = event
        n = self._event = event | min(self._attempt, ATTEMPTS_MOST) << EVENT_BITS
        row = self.site.change(self._plant, r.PHASE, RUNNING, 0, self._row)
        self._row = row
        self.world.luck.degraded(self._plant, True)
        if self._tank is not None:
            self._tank.order(row)
        if self.world.luck.fails("genset_plant", spec.plant_common_cause_probability, self._common.uniform_at(n)):
            self._row = self.site.change(self._plant, r.FAILED_TO_START, TRIED, 0, row)
            return
        every = (spec.all_load_s - spec.start_s) / max(1, len(self.items) - 1)
        slot = 0
        for k, item in enumerate(self.items):
            if now < max(self._down_until[k], self._in_service_until[k]) or not self._sound[k]:
                self.site.change(item, r.FAILED_TO_START, AWAY, SUPPLY, row)  # who is hidden is found in the reaction
                continue
            if k in self._left_off:
                self._left_off.discard(k)
                self.site.change(item, r.FAILED_TO_START, LEFT_OFF, 0, row)
                continue
            if self.world.luck.fails("genset_start", spec.fail_to_start_probability, self._fails[k].uniform_at(n)):
                self._row = self.site.change(item, r.FAILED_TO_START, TRIED, 0, row)
                self._repair(k, self._row)
                continue
            at = self._loss_us + round((spec.start_s + slot * every) * TICKS_PER_S)
            if self.world.luck.fails("genset_load", spec.fail_to_load_probability, self._trips[k].uniform_at(n)):
                self._steps.append((at, TRIP, k))
                slot += 1
                continue
            life = ticks(-math.log1p(-self._lives[k].uniform_at(n)) * spec.mttf_running_h / self._speed)
            self._steps += [(at, START, k), (at + max(1, life), FAIL, k)]
            slot += 1
        self._steps.sort()
        self._next()

    def _repair(self, k: int, row: int = -1) -> None:
        """Set k is out until repaired; `row` made it known."""
        work_us = self._repairs[k].ticks_at(self._repair_law, self._event)
        if self._care is None:
            self._down_until[k] = self.world.now + work_us
            self.world.luck.hold(self._down_until[k])
            return
        self._down_until[k] = NEVER
        self.world.luck.degraded(self.names[k], True)

        def done(last: int) -> None:
            self._down_until[k] = self.world.now
            self.world.luck.degraded(self.names[k], False)
            self.site.change(self.items[k], r.UP, int(self._sound[k]), 0, last)

        self.world.start(
            self.world.repairs.repair(
                self.site, self.items[k], self.names[k], self._event, work_us, self._care, row, done
            )
        )

    def _next(self) -> None:
        if self._steps:
            self._alarm.at(self._steps[0][0])

    def _step(self) -> None:
        if self._state == STARTING:
            self._start()
            return
        while self._steps and self._steps[0][0] <= self.world.now:
            _, kind, k = self._steps.pop(0)
            if kind == START:
                self._set_online(self._online + 1, self._row)
            elif kind == SWITCH:
                self.site.change(self._plant, r.ONLINE, self._online, SUPPLY, self._row)
                self._connect(True)
            elif kind == TRIP:
                self._row = self.site.change(self.items[k], r.FAILED_TO_LOAD, 1, SUPPLY, self._row)
                self._repair(k, self._row)
            else:
                self.world.luck.fire("genset_run")
                row = self.site.change(self.items[k], r.FAILED_TO_RUN, 1, SUPPLY, self._row)
                self._repair(k, row)
                self._set_online(self._online - 1, row)
        self._next()

    def _set_online(self, count: int, cause: int) -> None:
        self.site.change(self._plant, r.ONLINE, count, SUPPLY, cause)
        self.world.luck.clocks("genset_run", count - self._online, self.spec.mttf_running_h)
        self._online = count
        self._connect(self._connected)

    def _stop(self) -> None:
        self._steps.clear()
        self._alarm.stop()
        self._state = OFF
        self._set_online(0, self.site.change(self._plant, r.PHASE, OFF, SUPPLY, self._row))
        self.world.luck.degraded(self._plant, False)

    def _retime(self) -> None:
        """Sets fail at another speed from now on, or from their start on."""
        before, self._speed = self._speed, self.world.luck.speed("genset_run")
        if before == self._speed:
            return
        begin = {k: at for at, kind, k in self._steps if kind == START}
        for place, (at, kind, k) in enumerate(self._steps):
            if kind == FAIL:
                since = begin.get(k, self.world.now)
                self._steps[place] = (since + max(round((at - since) * before / self._speed), 1), kind, k)
        self._steps.sort()
        self._next()
