"""The application layer: scheduler and energy management exchange offers, and jobs are capped, paused or stopped.

A policy of `twin.jobs.application` is asked for every job when supply changes, when stored energy is about to last no
longer than a checkpoint takes, at the price's threshold, and at the begin and end of demand-response calls. It sees the
present alone. Jobs of at least `keep_priority` are left alone; pauses go to the lowest priority first, until they save
enough. A cap is one for all rows of the site, which jobs share: it holds only while no job is to go on without it.
Every decision is an event of the item `application`, and the cause of what it costs. Below the policy stand duties that
it cannot refuse, and that do not ask it, since they bind at once while a pause takes effect after the instant: the
import limit, and the cap on backup (`cluster.on_backup`).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from twin.jobs.application import POLICIES
from twin.jobs.application.view import CAP, GO_ON, PAUSE, STOP, Offer, Situation
from twin.parts.cluster import BackupCap
from twin.plant import fields as f
from twin.spec import NonNegative, Spec
from twin.units import NEVER, TICKS_PER_S, hours, ticks
from twin.world import record as r
from twin.world.site import Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.parties import RunningJob
    from twin.world.world import World

ITEM = "application"
REASON = "application"


class ApplicationSpec(Spec):
    """Who decides what jobs do for the sake of supply and price, and by what."""

    policy: Literal["ignore", "cap", "pause", "checkpoint_before_empty", "economic"] = Field(
        default="ignore", description="what jobs offer when energy is dear, short or asked back"
    )
    margin_min: NonNegative = Field(default=2.0, description="kept in hand before storage is empty, beside the write")
    dear_above_per_kwh: NonNegative | None = Field(
        default=None, description="price above which energy is dear; never, if absent"
    )
    keep_priority: float | None = Field(default=None, description="jobs of this priority or above are left alone")
    save_kw: NonNegative | None = Field(
        default=None,
        description="pauses go from the lowest priority on until they save so much; to all if absent, but in a call"
        " only until it is answered",
    )
    value_per_gpu_h: NonNegative | None = Field(default=None, description="the site's, if absent")

    @model_validator(mode="after")
    def _cap_is_for_all(self) -> Self:
        for key in ("keep_priority", "save_kw"):
            if self.policy == "cap" and getattr(self, key) is not None:
                raise ValueError(f"{key}: a cap is one for all rows of a site; leave it out, or pause")
        return self


class Application:
    """The application layer of one site."""

    def __init__(self, spec: ApplicationSpec, value_per_gpu_h: float) -> None:
        self.spec = spec
        self.value_per_gpu_h = value_per_gpu_h if spec.value_per_gpu_h is None else spec.value_per_gpu_h

    def declare(self, site: SiteBuilder) -> None:
        """One item, whose events are the decisions."""
        site.item(ITEM, "application")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Listen to supply, prices and calls; a policy that accepts nothing needs none of it."""
        if self.spec.policy == "ignore":
            return
        if site.cap is None:
            site.cap = BackupCap(None, world, site, ids)
        running = RunningApplication(self, world, site, ids[site.path(ITEM)])
        site.phases.append(running.react)
        site.on_call.append(running.call)


class RunningApplication:
    """Decisions of one world."""

    def __init__(self, application: Application, world: World, site: Site, item: int) -> None:
        self.spec, self._value = application.spec, application.value_per_gpu_h
        self._world, self._site, self._item = world, site, item
        self._decide = POLICIES[self.spec.policy]
        self._told: dict[str, int] = {}
        self._since_us, self._cause = NEVER, -1
        self._calls: list[tuple[int, int]] = []
        self._alarm = world.alarm(self._look)
        threshold = math.inf if self.spec.dear_above_per_kwh is None else self.spec.dear_above_per_kwh
        dear = site.edge[f.E_PRICE_PER_KWH] > threshold
        self._turns_us = site.plan.edge_us[np.flatnonzero(np.diff(dear.astype(np.int64), prepend=0))]
        if dear[0]:
            self._alarm.at(0)
        self._next_turn()

    def _next_turn(self) -> None:
        now = self._world.now
        later = self._turns_us[self._turns_us > now][:1].tolist()
        later += [tick for call in self._calls for tick in call if tick > now]
        if later:
            self._alarm.at(min(self._alarm.due, *later))

    def call(self, begin_us: int, end_us: int) -> None:
        """A call of demand response is announced."""
        self._calls = [one for one in self._calls if one[1] > self._world.now]
        self._calls.append((begin_us, end_us))
        self._next_turn()

    def react(self) -> None:
        """Supply has changed, or is still away: look at it once powers have been set."""
        site = self._site
        away = site.abnormal
        if away and self._since_us == NEVER:
            self._since_us, self._cause = site.now_us, site.trigger
        if away or self._since_us != NEVER:
            self._alarm.at(site.now_us)
        if not away:
            self._since_us = NEVER

    # ------------------------------------------------------------------ decisions
    def _look(self) -> None:
        """Ask the policy about every job; look again before the storage holds too little."""
        site, now = self._site, self._world.now
        site.settle()
        situation = self._situation(now)
        soonest_us = NEVER
        tell_cap, cap_row = False, -1
        for job, offer, told in self._decisions(situation):
            before = self._told.get(job.name, GO_ON)
            tell_cap |= told == CAP
            if told != before:
                row = self._tell(job, before, told)
                cap_row = row if CAP in {before, told} else cap_row
            if told != STOP and situation.dark_in_h < math.inf:
                left_us = ticks(situation.dark_in_h)
                lead_us = ticks(offer.write_h + situation.margin_h)
                # A policy that went on although time is short is asked again at half of what is left.
                again_us = left_us - lead_us if left_us > lead_us else max(left_us // 2, TICKS_PER_S)
                soonest_us = min(soonest_us, now + again_us)
        if site.cap is not None:
            site.cap.for_application(tell_cap, cap_row)
        if soonest_us != NEVER:
            self._alarm.at(soonest_us)
        self._next_turn()

    def _decisions(self, situation: Situation) -> list[tuple[RunningJob, Offer, int]]:
        """What each job is told: pauses from the lowest priority on until they save enough, a cap to all or to none."""
        keep, enough_kw = self.spec.keep_priority, self._enough_kw(situation)
        by_priority = sorted(self._site.jobs, key=lambda job: (job.priority, job.name))
        offered = [(job, job.offer()) for job in by_priority if keep is None or job.priority < keep]
        found = []
        for job, offer in offered:
            told = self._decide(situation, offer, self._told.get(job.name, GO_ON))
            if told == PAUSE and enough_kw <= 0.0:
                told = GO_ON
            if told == PAUSE and offer.gpus:
                enough_kw -= offer.pause_saves_kw
            found.append((job, offer, told))
        trains_on = len(offered) < len(by_priority) or any(told == GO_ON and offer.gpus for _, offer, told in found)
        if not trains_on:
            return found
        return [(job, offer, GO_ON if told == CAP else told) for job, offer, told in found]

    def _enough_kw(self, situation: Situation) -> float:
        """What pauses are to save: what the site says; in a call alone what import is above the call's limit [kW]."""
        site, now = self._site, self._world.now
        if self.spec.save_kw is not None:
            return self.spec.save_kw
        most_kw = [most_kw for begin, end, most_kw in site.calls if begin <= now < end]
        if not most_kw or self._is_dear(situation.price_per_kwh) or situation.on_storage:
            return math.inf
        paused_kw = sum(job.offer().pause_saves_kw for job in site.jobs if self._told.get(job.name) == PAUSE)
        return float(site.totals[f.IMPORT_KW]) + paused_kw - min(most_kw)

    def _is_dear(self, price_per_kwh: float) -> bool:
        return self.spec.dear_above_per_kwh is not None and price_per_kwh > self.spec.dear_above_per_kwh

    def _tell(self, job: RunningJob, before: int, told: int) -> int:
        """The decision is an event, and the cause of what follows; its row."""
        self._told[job.name] = told
        cause = self._cause if told != GO_ON else -1
        row = self._site.change(self._item, r.APPLICATION, told, 0, cause)
        if before == PAUSE:
            job.pause(on=False, cause=row)
        if before == STOP:
            job.resume(REASON, row)
        if told == PAUSE:
            job.pause(on=True, cause=row)
        if told == STOP:
            job.stop(REASON, row)
        return row

    def _situation(self, now: int) -> Situation:
        site = self._site
        dark_in_h = self._dark_in_h()
        column = int(np.searchsorted(site.plan.edge_us, now, side="right")) - 1
        price = float(site.edge[f.E_PRICE_PER_KWH, column])
        return Situation(
            on_storage=dark_in_h < math.inf,
            outage_h=hours(now - self._since_us) if self._since_us != NEVER else 0.0,
            dark_in_h=dark_in_h,
            margin_h=self.spec.margin_min / 60.0,
            dear=self._is_dear(price) or any(begin <= now < end for begin, end in self._calls),
            price_per_kwh=price,
            value_per_gpu_h=self._value,
        )

    def _dark_in_h(self) -> float:
        """At present powers, until the first storage that carries rows, core or cooling is empty, or rows trip [h]."""
        site = self._site
        fact, quantity = site.fact, site.quantity
        first = math.inf
        for j in np.flatnonzero(fact[f.F_STATE, : len(site.plan.feed_items)] == f.ON_STORAGE):
            units = slice(int(fact[f.F_FIRST, j]), int(fact[f.F_FIRST, j] + fact[f.F_COUNT, j]))
            rate_kw = quantity[f.RATE_KW, units]
            giving = rate_kw < 0.0
            if giving.any():
                room_kwh = (quantity[f.ENERGY_KWH, units] - quantity[f.U_MIN_KWH, units])[giving]
                first = min(first, float(room_kwh.sum() / -rate_kw[giving].sum()))
        heat_rate = float(site.totals[f.HEAT_RATE])
        if heat_rate > 0.0:
            first = min(first, (1.0 - float(site.totals[f.HEAT])) / heat_rate)
        return max(0.0, first)
