"""One world's plans: when a policy is asked, what it is shown, and how its plan gets into the plant.

It is asked at midnight, when supply is restored and when a call is announced; besides when something happens that the
last plan did not foresee, a quarter of an hour after it (so that a flurry makes one plan): a new import limit, storage
that has failed or is back, a load that is off what was foreseen, for so long that the energy is more than
`surprise_fraction` of full storage: as long as the jobs that stand still know, else as long again as it has lasted.

A site whose load without failures is the same in all replications is shown that load's past; what interruptions took
off the real one says nothing of tomorrow. So replications see equal pasts, share plans, and an outage plans its
aftermath alone. It is asked again every `replan_h` only where that load has been off what the days before were, which
is so in all replications; when supply is back, or a surprise has passed, and nothing that a plan hangs on differs from
what today's plan was made from, that plan stands. Any other site is shown its own past, and asked every `replan_h`.
What would keep a plan from being shared is rounded before the plan is made (`ems_rounding`).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from twin.ems.policies.capped import Capped
from twin.ems.storage import Storage
from twin.ems.view import PLAN_H, Floats, Plan, Policy, View
from twin.parts import ems_rounding as rounding
from twin.parts.ems_known import (
    SLOT_US,
    PastDigest,
    announced_kw,
    call_caps_kw,
    departures,
    hourly_price,
    jobs_alone,
    net_without_failures_kw,
    queue_kw,
)
from twin.parts.ems_rows import plant_rows, recovery
from twin.parts.own_code import own_error
from twin.plant import fields as f
from twin.plant.plan import begin_slot, rounded, sound_storage
from twin.units import NEVER, TICKS_PER_H
from twin.world import record as r
from twin.world.site import LOAD

if TYPE_CHECKING:
    from twin.parts.ems import Ems
    from twin.world.alarm import Alarm
    from twin.world.site import Site
    from twin.world.world import World

ITEM = "ems"
PAST_SLOTS = 60 * 24
"""How far back a policy sees."""
SHARED_MOST = 8192
"""Plans kept for sharing: five years at four a day, 16 MB."""
CALM_US = TICKS_PER_H // 4
"""From a surprise to the plan that answers it."""
WEEKS_SLOTS = 28 * 24
"""How far back it looks for what the rest of a month will draw."""
SHORTEST_MONTH_H, MONTH_H = 28 * 24, 730.0
LONG_H = 24
"""A departure is looked at again every hour where so many of them would matter."""
Made = tuple[Floats, float, bool]
"""The plant's rows, the day's cap, whether the policy failed."""
SIZES = (f.U_MIN_KWH, f.U_MAX_KWH, f.U_RATED_KWH, f.U_RATED_KW, f.U_RECHARGE_KW)


class RunningEms:
    """One world's plans, and the past that they are made from."""

    def __init__(self, ems: Ems, policy: Policy, world: World, site: Site, item: int) -> None:
        self.ems, self.spec, self.site, self.item, self._policy = ems, ems.spec, site, item, policy
        self._reads_stored = getattr(policy, "reads_stored", True) or ems.spec.recharge.may_raise_peak
        self._every = ems.spec.replan_h if getattr(policy, "within_day", True) and not ems.steady else 24
        self._since_us = 0
        slots = -(-world.horizon_us // SLOT_US)
        self._history = np.zeros(slots + PLAN_H)
        self._over = 0  # slots of it that are over
        self._past = PastDigest(PAST_SLOTS)
        self._price = hourly_price(site, slots + PLAN_H)
        ours = np.flatnonzero(site.fact[f.U_USE] & f.FOLLOWS)
        self._ours: slice | np.ndarray = ours
        if ours.size == ours[-1] - ours[0] + 1:
            self._ours = slice(int(ours[0]), int(ours[-1]) + 1)
        self._new = site.plan.quantity[:, self._ours][list(SIZES)].sum(axis=1)
        self._new_window_kwh = float(self._new[1] - self._new[0])
        self._enough_kwh = self.spec.surprise_fraction * self._new_window_kwh
        self._cap_kw, self._cap_day = np.nan, -1
        self._planned = (0, -1.0, math.nan)
        """Of the last plan: its first slot, the share of sound storage, the import limit."""
        self._stands: tuple[object, ...] = ()
        """What the last plan was made from but for its hour, where it is to stand until one of these differs."""
        self._known_kw: Floats | None = None
        self._jobs_alone = jobs_alone(site)
        self._alarm: Alarm = world.alarm(self._ring)
        self._calm: Alarm = world.alarm(self._look)

    # ------------------------------------------------------------------ when
    def surprised(self, units_alone: bool) -> None:
        """Something happened: look at it once it has calmed down; units alone matter by the share of sound storage."""
        if self._calm.due == NEVER and not (units_alone and self._sound()[2] == self._planned[1]):
            self._since_us = self.site.now_us
            self._calm.at(self.site.now_us + CALM_US)

    def _ring(self) -> None:
        self.site.plan_due = True
        self.site.ask(LOAD)

    def _look(self) -> None:
        """Whether what has happened changes the plan."""
        site = self.site
        site.settle()
        same = (self._sound()[2], site.import_limit_kw) == self._planned[1:]
        away_kw = abs(self._away_kw())
        if not same or away_kw * self._away_h() > self._enough_kwh:
            self._ring()
        elif away_kw * LONG_H > self._enough_kwh:
            self._calm.at(site.now_us + SLOT_US)

    def _away_kw(self) -> float:
        """What the site draws now above what it would without failures [kW]; 0 where that is not known."""
        if self.ems.without_failures_kw is None or not self.site.clock[f.PLAN_SLOTS]:
            return 0.0
        return float(self.site.totals[f.NET_KW] - self.ems.without_failures_kw[self.site.now_us // SLOT_US])

    def _away_h(self) -> float:
        """How long that will last: as the jobs know, else as long again as since a surprise, within the plan [h]."""
        ends_us = [end for job in self.site.restarts if (end := job()) != NEVER]
        if ends_us:
            return (max(ends_us) - self.site.now_us) / TICKS_PER_H
        return min(max((self.site.now_us - self._since_us) / TICKS_PER_H, 1.0), PLAN_H)

    # ------------------------------------------------------------------ the phase
    def plan(self) -> None:
        """Look, decide, write; a plan made before from the same inputs is taken as it is."""
        site, ems = self.site, self.ems
        if ems.steady and ems.without_failures_kw is None:
            ems.without_failures_kw = net_without_failures_kw(site, -(-site.world.horizon_us // SLOT_US))
            if getattr(self._policy, "within_day", True):
                ems.departures = departures(ems.without_failures_kw, self.spec.replan_h, self._enough_kwh)
        self._remember()
        hour = site.now_us // SLOT_US
        later = ems.departures[bisect_right(ems.departures, hour) :][:1]
        self._alarm.at(min([(hour // self._every + 1) * self._every, *later]) * SLOT_US)
        stored, most, sound = self._sound()
        stored_share = rounding.stored_share(stored, most, for_cap_alone=not self._reads_stored)
        month = int(site.edge[f.E_MONTH, site.clock[f.EDGE]])
        paid_kw = max(rounded(float(site.ledger[f.LEDGER_PEAK_KW, month])), ems.free_demand_kw)
        peak_kw = max(rounding.peak_kw(paid_kw, float(self._new[4])), ems.free_demand_kw)
        demand_price = self._demand_price(hour, month)
        cap_kw = self._cap_kw if hour // 24 == self._cap_day else None
        if not (cap_kw is None or self._reads_stored):
            stored_share = 1.0
        self._known_kw = self._known(hour)
        known = None if self._known_kw is None else self._known_kw.tobytes()
        past: object = None
        if not ems.steady:
            past = self._past.token if self._over else float(site.totals[f.NET_KW])
        bill = peak_kw, demand_price, cap_kw
        inputs = sound, stored_share, *bill, site.import_limit_kw, tuple(site.calls), known, past
        if (inputs, later) == self._stands:
            self._carry_on(paid_kw)
            return
        key = hour, inputs
        found = ems.made.get(key)
        if found is None:
            found = self._make(hour, month, sound, stored_share, *bill)
            if len(ems.made) < SHARED_MOST:
                ems.made[key] = found
        rows, day_cap_kw, failed = found
        if failed:
            site.log(self.item, r.FELL_BACK, 1, site.trigger)
        if cap_kw is None and sound > 0.0:
            self._cap_day, self._cap_kw = hour // 24, float(np.floor(day_cap_kw * 1e3 + 1e-3)) / 1e3
        self._planned = (hour, sound, site.import_limit_kw)
        self._stands = ()
        if ems.steady and not self._reads_stored and known is None:  # what is known is so by the hour
            self._stands = (sound, 1.0, peak_kw, demand_price, self._cap_kw, *inputs[5:]), later
        self._book(rows, paid_kw)

    def _remember(self) -> None:
        """Take what the slots of the last plan have turned out to be."""
        site = self.site
        if self.ems.steady or not site.clock[f.PLAN_SLOTS]:
            return
        first = f.PLAN + f.P_SEEN_KW * f.PLAN_MOST + self._over - self._planned[0]
        over = site.now_us // SLOT_US - self._over
        if over:
            seen = site.totals[first : first + over]
            self._history[self._over : self._over + over] = seen
            self._past.add(seen)
            self._over += over

    def _past_kw(self, hour: int, slots: int) -> Floats:
        """Net load of the last slots, at least one."""
        past = self._history if self.ems.without_failures_kw is None else self.ems.without_failures_kw
        past = past[max(0, hour - slots) : max(hour, int(self.ems.steady))]
        return past if past.size else np.array([self.site.totals[f.NET_KW]])

    def _demand_price(self, hour: int, month: int) -> float:
        """Of a kW more: with the discount where the month, as it goes on, uses the transformers well enough.

        A month that the horizon cuts needs its share of the kWh.
        """
        ems = self.ems
        if ems.discount_factor == 1.0:
            return ems.demand_price
        least_kwh = ems.least_kwh.get(month)
        if least_kwh is None:
            month_h = (self._month_end_us(month) - int(self.site.plan.month_us[month])) / TICKS_PER_H
            least_kwh = ems.discount_from_kwh * (1.0 if month_h >= SHORTEST_MONTH_H else month_h / MONTH_H)
            ems.least_kwh[month] = least_kwh
        drawn_kw = ems.drawn_kw.get(hour)
        if drawn_kw is None:
            drawn_kw = float(np.maximum(self._past_kw(hour, WEEKS_SLOTS), 0.0).mean())
            if ems.steady:
                ems.drawn_kw[hour] = drawn_kw
        kwh = float(self.site.ledger[f.IMPORT_KW, month]) + drawn_kw * self._slots_left(hour, month)
        return ems.demand_price * (ems.discount_factor if kwh >= least_kwh else 1.0)

    def _sound(self) -> tuple[float, float, float]:
        """Of sound storage: what it stores, the most of it [kWh], its window over that of all as delivered, rounded."""
        site = self.site
        stored, most, window = sound_storage(site.fact, site.quantity, site.clock)
        share = rounding.sound_share(window / self._new_window_kwh, self._planned[1]) if most > 0.0 else 0.0
        return stored, most, share

    def _known(self, hour: int) -> Floats | None:
        """Net load of the coming slots where it is known: jobs that stand still, announced work; None if nowhere."""
        ems, site = self.ems, self.site
        if ems.without_failures_kw is None:
            return queue_kw(site, hour) if self._jobs_alone else None
        away_kw = 0.0 if site.trigger >= 0 else self._away_kw()  # a fact flips: powers are old
        away_h = self._away_h() if away_kw else 0.0
        matters = abs(away_kw) * away_h > self._enough_kwh
        if not matters and not site.world.notices:
            return None
        net_kw = ems.without_failures_kw[hour : hour + PLAN_H]
        known = np.full(PLAN_H, np.nan)
        if matters:
            until_h = site.now_us / TICKS_PER_H + away_h
            share = np.clip(until_h - np.arange(hour, hour + PLAN_H), 0.0, 1.0)
            known[share > 0.0] = rounded((net_kw + share * away_kw)[share > 0.0])
        share, left_kw = announced_kw(site, hour, net_kw)
        known[share > 0.0] = rounded((net_kw + share * (left_kw - net_kw))[share > 0.0])
        return None if np.isnan(known).all() else known

    # ------------------------------------------------------------------ a plan that nobody has made before
    def _make(
        self,
        hour: int,
        month: int,
        sound: float,
        stored: float,
        peak_kw: float,
        demand_price: float,
        cap_kw: float | None,
    ) -> Made:
        if sound <= 0.0:
            return np.zeros(f.P_SEEN_KW * PLAN_H), np.nan, False
        view = self._view(hour, month, sound, stored)
        view = replace(view, peak_kw=peak_kw, demand_price=demand_price, cap_kw=np.nan if cap_kw is None else cap_kw)
        plan, failed = self._ask(view)
        if self.spec.recharge.may_raise_peak:
            plan = recovery(plan, view)
        rows = plant_rows(plan, view, *(sound * self._new[:2]).tolist())
        if self.spec.charge_from == "pv":
            rows[:PLAN_H] = 0.0
        return rows, plan.cap_kw, failed

    def _slots_left(self, hour: int, month: int) -> int:
        return max(1, -(-int(self._month_end_us(month) - hour * SLOT_US) // SLOT_US))

    def _month_end_us(self, month: int) -> int:
        month_us = self.site.plan.month_us
        return int(month_us[month + 1]) if month + 1 < month_us.size else self.site.world.horizon_us

    def _view(self, hour: int, month: int, sound: float, stored: float) -> View:
        """What the policy sees, but for what the month's demand costs."""
        site, spec = self.site, self.spec
        left = self._slots_left(hour, month)
        least_kwh, top_kwh, rated_kwh, rated_kw, recharge_kw = (sound * self._new).tolist()
        quantity = site.plan.quantity[:, self._ours]
        efficiency = float(np.average(quantity[f.U_EFFICIENCY], weights=quantity[f.U_RATED_KWH]))
        storage = Storage(
            top_kwh, min(recharge_kw, float(site.totals[f.RECHARGE_LIMIT_KW])), rated_kw, efficiency, efficiency,
            1.0, spec.wear_price_per_kwh, SLOT_US / TICKS_PER_H, float(spec.charge_from != "pv"),
            float(site.totals[f.IMPORT_FLOOR_KW]),
        )  # fmt: skip
        floor_kwh = min(max(least_kwh, spec.backup_reserve_fraction * rated_kwh), top_kwh)
        return View(
            self._past_kw(hour, PAST_SLOTS), self._price[hour : hour + max(left, PLAN_H)],
            np.full(PLAN_H, floor_kwh), call_caps_kw(self.site.calls, hour),
            np.full(PLAN_H, np.nan) if self._known_kw is None else self._known_kw,
            storage, stored * top_kwh, 0.0, 0.0, site.import_limit_kw, left,
        )  # fmt: skip

    def _ask(self, view: View) -> tuple[Plan, bool]:
        """The policy's plan, or the capped rule's where it has none; whether that is so.

        Raises:
            InputError: the user's own policy has a bug.
        """
        try:
            plan = self._policy.plan(view)
            rows = None if plan is None else (plan.up_kwh, plan.down_kwh, plan.import_cap_kw, plan.reserve_kwh)
            usable = rows is not None and all(np.shape(row) == (PLAN_H,) and not np.isnan(row).any() for row in rows)
        except (ArithmeticError, ValueError, IndexError):
            usable = False
        except Exception as error:
            if self.spec.policy_file is None:
                raise
            raise own_error(error, self.spec.policy_file) from error
        return (plan, False) if usable else (Capped().plan(view), True)

    def _book(self, rows: Floats, peak_kw: float) -> None:
        """Into the plant's block, from the slot at hand on; aged cells keep the reserve of the nameplate."""
        site, clock = self.site, self.site.clock
        site.totals[f.PLAN : f.PLAN + rows.size] = rows
        if clock[f.AGEING] and (up := site.fact[f.U_UP, self._ours]).any():
            least, most, rated = site.quantity[list(SIZES[:3])][:, self._ours][:, up == 1]
            reserve = np.clip(self.spec.backup_reserve_fraction * rated, least, most)
            kept = site.totals[f.PLAN + f.P_RESERVE * f.PLAN_MOST :][: f.PLAN_MOST]
            np.maximum(kept, float((reserve - least).sum() / (most - least).sum()), out=kept)
        if not clock[f.PLAN_SLOTS]:
            site.totals[f.SLOT_NET_KWH] = 0.0
        clock[f.PLAN_SLOTS], clock[f.PLAN_SLOT], clock[f.PLAN_SLOT_US] = PLAN_H, 0, SLOT_US
        clock[f.PLAN_EDGE_US] = (site.now_us // SLOT_US + 1) * SLOT_US
        self._carry_on(peak_kw)

    def _carry_on(self, peak_kw: float) -> None:
        """The rest of the slot at hand by what is stored, and by the month's peak, as they are now."""
        site = self.site
        site.totals[f.PAID_KW], site.clock[f.MOVED] = peak_kw, 1
        begin_slot(site.fact, site.quantity, site.clock, site.totals)
