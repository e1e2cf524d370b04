"""The site's energy management: a policy looks at the past and plans, the plant carries the plan out.

A policy is asked at midnight, at `replan_h` through the day (the day's cap then stands), when supply is restored and
when a call is announced. What it sees is the past net load, prices, the month's peak and what is stored: no future. It
plans for all cabinets as one; they share its thresholds. A policy of one's own is a Python file with a class `Policy`
that has `plan(view)`; it runs only where the user allows code (`--allow-code`), and never in `check`. Where a policy
fails or returns no usable plan, the capped rule takes its place until the next.
"""

from __future__ import annotations

import importlib.util
import os
import struct
from collections import deque
from hashlib import blake2b
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from twin.ems import policies
from twin.ems.policies.capped import Capped
from twin.ems.storage import Storage
from twin.ems.view import PLAN_H, Floats, Plan, Policy, View
from twin.errors import InputError, Problem
from twin.plant import fields as f
from twin.plant.plan import begin_slot, rounded
from twin.spec import Fraction, NonNegative, Spec
from twin.units import TICKS_PER_H
from twin.world import record as r
from twin.world.alarm import Alarm
from twin.world.site import LOAD, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

SLOT_US = TICKS_PER_H
QUARTERS = 4
ITEM = "ems"
PAST_SLOTS = 60 * 24
"""How far back a policy sees."""
SHARED_MOST = 8192
"""Plans kept for sharing: five years at four a day, 16 MB."""


class EmsRechargeSpec(Spec):
    """Recharge of what an outage has taken from the reserve."""

    may_raise_peak: bool = Field(default=False, description="charges above the cap until the reserve is full again")


class EmsSpec(Spec):
    """Who plans for the cabinets beside the grid, and how."""

    policy: Literal["default", "capped", "naive"] = "default"
    policy_file: str | None = Field(
        default=None, description="a Python file with a class Policy, instead; it runs with --allow-code alone"
    )
    backup_reserve_fraction: Fraction = Field(default=0.0, description="of the rated energy, kept for outages")
    recharge: EmsRechargeSpec = EmsRechargeSpec()
    replan_h: Literal[1, 2, 3, 4, 6, 8, 12, 24] = Field(default=6, description="between plans, from midnight on")
    demand_price_per_kw_month: NonNegative | None = Field(
        default=None, description="of the month's largest import; that of the tariff if absent"
    )
    free_demand_kw: NonNegative = Field(default=0.0, description="import below this adds nothing to the month's demand")
    wear_price_per_kwh: NonNegative = Field(default=0.0, description="what discharging a kWh costs in wear")


def load_policy(file: str) -> Policy:
    """An instance of the class `Policy` in a file, which is run for it.

    Raises:
        InputError: there is no such file, or no such class in it.
    """
    if not os.path.isfile(file):
        raise InputError(Problem("no such policy file", file=file))
    spec = importlib.util.spec_from_file_location("twin_policy", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = getattr(module, "Policy", None)
    if made is None or not hasattr(made, "plan"):
        raise InputError(Problem("has no class Policy with a method plan(view)", file=file))
    own: Policy = made()
    return own


class Ems:
    """The management of one site. Plans whose inputs are equal to the bit are made once and shared by replications."""

    def __init__(self, spec: EmsSpec, demand_price: float = 0.0, free_demand_kw: float = 0.0) -> None:
        self.spec, self.demand_price, self.free_demand_kw = spec, demand_price, free_demand_kw
        self.policy: Policy | None = None if spec.policy_file else policies.POLICIES[spec.policy]()
        self.made: dict[bytes, tuple[Floats, float, bool]] = {}
        """By digest of the inputs: the plant's rows, the day's cap, whether the policy failed."""

    def declare(self, site: SiteBuilder) -> None:
        """One item, whose events tell when the policy failed."""
        site.planned = True
        site.item(ITEM, "ems")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Plan from time zero on.

        Raises:
            InputError: the policy is a file, and no code was allowed to run, or it holds no policy.
        """
        if self.policy is None:
            file = str(self.spec.policy_file)
            if not world.allow_code:
                remedy = "read it, then say --allow-code, or allow_code=True in Python"
                raise InputError(Problem("is code that this scenario wants to run", file=file, remedy=remedy))
            self.policy = load_policy(file)
        running = RunningEms(self, world, site, ids[site.path(ITEM)])
        site.planner = running.plan
        site.plan_due = True


class RunningEms:
    """One world's plans, and the past that they are made from."""

    def __init__(self, ems: Ems, world: World, site: Site, item: int) -> None:
        assert ems.policy is not None
        self.ems, self.spec, self.site, self.item = ems, ems.spec, site, item
        self._policy = ems.policy
        self._every = ems.spec.replan_h if getattr(ems.policy, "within_day", True) else 24
        slots = -(-world.horizon_us // SLOT_US)
        self._history = np.zeros(slots + PLAN_H)
        self._known = 0  # slots of it that are over
        self._past = PastDigest(PAST_SLOTS)
        self._price = hourly_price(site, slots + PLAN_H)
        self._ours = np.flatnonzero(site.fact[f.U_USE] & f.FOLLOWS)
        self._cap_kw, self._cap_day = np.nan, -1
        self._alarm: Alarm = world.alarm(self._ring)

    def _ring(self) -> None:
        self.site.plan_due = True
        self.site.ask(LOAD)

    # ------------------------------------------------------------------ the phase
    def plan(self) -> None:
        """Look, decide, write; a plan made before from the same inputs is taken as it is."""
        site = self.site
        self._remember()
        hour = site.now_us // SLOT_US
        self._alarm.at((hour // self._every + 1) * self._every * SLOT_US)
        up = site.fact[f.U_UP, self._ours]
        stored_kwh = float(np.dot(site.quantity[f.ENERGY_KWH, self._ours], up))
        month = int(np.searchsorted(site.plan.month_us, site.now_us, side="right")) - 1
        peak_kw = max(rounded(float(site.ledger[f.LEDGER_PEAK_KW, month])), self.ems.free_demand_kw)
        cap_kw = self._cap_kw if hour // 24 == self._cap_day else np.nan
        able = site.quantity[[f.U_MIN_KWH, f.U_MAX_KWH, f.U_RATED_KW]][:, self._ours].sum(axis=1).tolist()
        known = repr((hour, able, stored_kwh, peak_kw, cap_kw, site.import_limit_kw, site.calls, site.totals[f.NET_KW]))
        key = known.encode() + up.tobytes() + self._past.token
        found = self.ems.made.get(key)
        if found is None:
            found = self._make(hour, month, stored_kwh, peak_kw, cap_kw)
            if len(self.ems.made) < SHARED_MOST:
                self.ems.made[key] = found
        rows, day_cap_kw, failed = found
        if failed:
            site.log(self.item, r.FELL_BACK, 1, site.trigger)
        if np.isnan(cap_kw):
            self._cap_day, self._cap_kw = hour // 24, day_cap_kw
        self._book(rows, peak_kw)

    def _remember(self) -> None:
        """Take what the slots of the last plan have turned out to be."""
        site = self.site
        if not site.clock[f.PLAN_SLOTS]:
            return
        first = f.PLAN + f.P_SEEN_KW * f.PLAN_MOST
        over = site.now_us // SLOT_US - self._known
        if over:
            seen = site.totals[first : first + over]
            self._history[self._known : self._known + over] = seen
            self._past.add(seen)
            self._known += over

    def _make(
        self, hour: int, month: int, stored_kwh: float, peak_kw: float, cap_kw: float
    ) -> tuple[Floats, float, bool]:
        """A new plan: the plant's rows, the day's cap, whether the policy failed."""
        sound = self._ours[self.site.fact[f.U_UP, self._ours] == 1]
        least, most = self.site.quantity[[f.U_MIN_KWH, f.U_MAX_KWH]][:, sound].sum(axis=1)
        if most <= least:
            return np.zeros(f.P_SEEN_KW * PLAN_H), np.nan, False
        view = self._view(hour, month, sound, stored_kwh, peak_kw, cap_kw)
        plan, failed = self._ask(view)
        return self._rows(self._recovery(view, plan), view, least, most), plan.cap_kw, failed

    def _view(self, hour: int, month: int, sound: np.ndarray, stored_kwh: float, peak_kw: float, cap_kw: float) -> View:
        """What the policy sees."""
        site, spec = self.site, self.spec
        quantity = site.quantity[:, sound]
        month_us = site.plan.month_us
        end_us = month_us[month + 1] if month + 1 < month_us.size else site.world.horizon_us
        left = max(1, -(-int(end_us - hour * SLOT_US) // SLOT_US))
        rated = quantity[f.U_RATED_KWH]
        reserve = np.minimum(spec.backup_reserve_fraction * rated, quantity[f.U_MAX_KWH])
        least = np.maximum(quantity[f.U_MIN_KWH], reserve)
        efficiency = float(np.average(quantity[f.U_EFFICIENCY], weights=rated))
        charge_kw = min(float(quantity[f.U_RECHARGE_KW].sum()), float(site.totals[f.RECHARGE_LIMIT_KW]))
        storage = Storage(
            float(quantity[f.U_MAX_KWH].sum()), charge_kw, float(quantity[f.U_RATED_KW].sum()), efficiency, efficiency,
            1.0, spec.wear_price_per_kwh, SLOT_US / TICKS_PER_H,
        )  # fmt: skip
        past = self._history[max(0, self._known - PAST_SLOTS) : self._known]
        return View(
            past if self._known else np.array([site.totals[f.NET_KW]]), self._price[hour : hour + max(left, PLAN_H)],
            np.full(PLAN_H, float(least.sum())), self._calls(hour), np.full(PLAN_H, np.nan), storage, stored_kwh,
            peak_kw, self.ems.demand_price, site.import_limit_kw, left, cap_kw,
        )  # fmt: skip

    def _calls(self, hour: int) -> Floats:
        """Caps from announced calls, on every slot that they touch [kW]."""
        caps = np.full(PLAN_H, np.inf)
        for begin_us, end_us, cap_kw in self.site.calls:
            first, last = begin_us // SLOT_US - hour, -(-end_us // SLOT_US) - hour
            if last > 0 and first < PLAN_H:
                caps[max(first, 0) : last] = np.minimum(caps[max(first, 0) : last], cap_kw)
        return caps

    def _ask(self, view: View) -> tuple[Plan, bool]:
        """The policy's plan, or the capped rule's where it has none; whether that is so."""
        try:
            plan = self._policy.plan(view)
        except (ArithmeticError, ValueError, IndexError):
            plan = None
        if plan is None or not all(
            np.shape(row) == (PLAN_H,) and not np.isnan(row).any()
            for row in (plan.up_kwh, plan.down_kwh, plan.import_cap_kw, plan.reserve_kwh)
        ):
            return Capped().plan(view), True
        return plan, False

    def _recovery(self, view: View, plan: Plan) -> Plan:
        """Where recharge may raise the peak, no cap holds until the reserve is full again."""
        if not self.spec.recharge.may_raise_peak or view.stored_kwh >= view.floor_kwh[0] - 1e-6:
            return plan
        missing = float(view.floor_kwh[0]) - view.stored_kwh
        slots = int(np.ceil(missing / view.storage.charge_efficiency / view.storage.charge_kw)) + 1
        cap = plan.import_cap_kw.copy()
        cap[:slots] = np.minimum(view.connection_kw, view.call_kw[:slots])
        return Plan(plan.up_kwh, plan.down_kwh, cap, plan.reserve_kwh, plan.cap_kw)

    def _rows(self, plan: Plan, view: View, least: float, most: float) -> Floats:
        """The plan as the plant's rows, one after the other, energies as shares of the window."""
        reserve_kwh = np.maximum(plan.reserve_kwh, view.floor_kwh)
        kwh = np.stack([plan.up_kwh, plan.down_kwh, reserve_kwh])
        up, down, reserve = np.clip((kwh - least) / (most - least), 0.0, 1.0)
        return np.concatenate([up, down, plan.import_cap_kw, view.call_kw, reserve])

    def _book(self, rows: Floats, peak_kw: float) -> None:
        """Into the plant's block, from the slot at hand on."""
        site, clock = self.site, self.site.clock
        site.totals[f.PLAN : f.PLAN + rows.size] = rows
        if not clock[f.PLAN_SLOTS]:
            site.totals[f.SLOT_NET_KWH] = 0.0
        clock[f.PLAN_SLOTS], clock[f.PLAN_SLOT], clock[f.PLAN_SLOT_US] = PLAN_H, 0, SLOT_US
        clock[f.PLAN_EDGE_US] = (site.now_us // SLOT_US + 1) * SLOT_US
        site.totals[f.PAID_KW] = peak_kw
        begin_slot(site.fact, site.quantity, clock, site.totals)


class PastDigest:
    """A digest of the last values and their places, kept while values come and go in blocks."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._parts: deque[tuple[int, int]] = deque()
        self._count = self._sum = 0

    def add(self, values: Floats) -> None:
        """Values more; blocks out of reach fall out."""
        part = blake2b(struct.pack("<q", self._count) + values.tobytes(), digest_size=16).digest()
        self._parts.append((int.from_bytes(part, "little"), self._count + values.size))
        self._sum ^= self._parts[-1][0]
        self._count += values.size
        while self._parts[0][1] <= self._count - self._length:
            self._sum ^= self._parts.popleft()[0]

    @property
    def token(self) -> bytes:
        """Equal where all values in reach are."""
        return self._sum.to_bytes(16, "little")


def hourly_price(site: Site, slots: int) -> Floats:
    """Mean price of every hour; beyond the horizon the last day again."""
    at_us = np.arange(slots * QUARTERS) * (SLOT_US // QUARTERS)
    column = np.searchsorted(site.plan.edge_us, at_us, side="right") - 1
    price: Floats = site.plan.edge[f.E_PRICE_PER_KWH, column].reshape(slots, QUARTERS).mean(axis=1)
    end = -(-site.world.horizon_us // SLOT_US)
    if end >= 24:
        price[end:] = np.resize(price[end - 24 : end], price.size - end)
    return price
