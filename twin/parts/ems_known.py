"""What a site's energy management knows: prices, its past, what it would draw if nothing failed, what is announced."""

from __future__ import annotations

import math
import struct
from collections import deque
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from twin.ems.view import PLAN_H, Floats
from twin.errors import InternalError
from twin.jobs.outlook import mean_busy
from twin.plant import fields as f
from twin.plant.advance import OK, SETTLE, TURN, advance, rare_parts
from twin.units import TICKS_PER_H

if TYPE_CHECKING:
    from twin.world.site import Site

SLOT_US = TICKS_PER_H
QUARTERS = 4
WEEK_DAYS = 7
NO_TAPE = np.zeros(0, np.int64), np.zeros((0, 0))


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


def net_without_failures_kw(site: Site, slots: int) -> Floats:
    """Mean net load of every slot if no fact ever flipped after the jobs have begun: the plant itself, storage at rest.

    The same in all replications; of its past no more is used than of any past.
    """
    plan = site.plan
    fact, quantity, clock, totals = plan.fact.copy(), plan.quantity.copy(), plan.clock.copy(), plan.site.copy()
    fact[f.L_BUSY_GPUS] = site.fact[f.L_BUSY_GPUS]
    totals[f.RAMP_LIMIT_KW] = 0.0
    rows = totals[f.PLAN :].reshape(-1, f.PLAN_MOST)
    rows[[f.P_DOWN, f.P_RESERVE]] = 1.0
    rows[[f.P_CAP_KW, f.P_CALL_KW]] = np.inf
    blocks = (
        rare_parts(fact, clock, totals), fact, quantity, plan.link, clock, totals, np.zeros_like(site.ledger),
        plan.edge_us, plan.edge, *NO_TAPE,
    )  # fmt: skip
    out = np.zeros(slots + PLAN_H)
    for hour in range(0, slots, PLAN_H):
        clock[f.PLAN_SLOTS], clock[f.PLAN_SLOT], clock[f.PLAN_SLOT_US], clock[f.MOVED] = PLAN_H, 0, SLOT_US, 1
        clock[f.PLAN_EDGE_US] = (hour + 1) * SLOT_US
        totals[f.SLOT_NET_KWH] = 0.0
        if hour == 0:
            advance(0, TURN, *blocks)
        if advance((hour + PLAN_H) * SLOT_US, SETTLE, *blocks) != OK:
            raise InternalError(f"site {site.name}: its load without failures could not be walked")
        out[hour : hour + PLAN_H] = rows[f.P_SEEN_KW]
    return out


def departures(net_kw: Floats, every: int, enough_kwh: float) -> list[int]:
    """Hours, `every` apart, when the load since the last has been off that of the days before by so much energy.

    Of the days before the last seven count at the same hours. Midnights, when a plan is made anyway, are left out.
    """
    by_day = net_kw[: net_kw.size // 24 * 24].reshape(-1, 24)
    found = []
    for day in range(1, len(by_day)):
        away_kw = by_day[day] - by_day[max(0, day - WEEK_DAYS) : day].mean(axis=0)
        block_kwh = away_kw.reshape(-1, every).sum(axis=1)[:-1]
        found += (24 * day + every * (1 + np.flatnonzero(np.abs(block_kwh) > enough_kwh))).tolist()
    return found


def jobs_alone(site: Site) -> bool:
    """Whether nothing but jobs, facts and the month's cooling moves a site's load."""
    moving = site.plan.edge[[f.E_HOUSE_FRACTION, f.E_UTILISATION_FRACTION]]
    return not site.clock[f.PV] and bool((moving == moving[:, :1]).all())


def queue_kw(site: Site, hour: int) -> Floats | None:
    """Net load as far as a queue of jobs makes it, by the expected ends of its jobs; None where it cannot say.

    A job more draws at the meter what the feeds add on the way to it, and its share of the cooling.
    """
    ahead = site.queue_ahead() if site.queue_ahead is not None else None
    if ahead is None or site.trigger >= 0:  # a fact flips: powers are old
        return None
    busy = mean_busy(ahead.steps, ahead.known_us, hour, PLAN_H, SLOT_US)
    if busy[0] is None:
        return None
    feeds = slice(0, int(site.clock[f.FEEDS]))
    demand_kw, input_kw = (float(site.quantity[row, feeds].sum()) for row in (f.F_DEMAND_KW, f.F_INPUT_KW))
    cooling = float(site.edge[f.E_COOLING_FRACTION, site.clock[f.EDGE]])
    per_gpu_kw = ahead.kw_per_gpu * (1.0 + cooling) * (input_kw / demand_kw if demand_kw > 0.0 else 1.0)
    more = np.array([math.nan if one is None else one - ahead.steps[0][1] for one in busy])
    known: Floats = site.totals[f.NET_KW] + per_gpu_kw * more
    return known


def announced_kw(site: Site, hour: int, net_kw: Floats) -> tuple[Floats, Floats]:
    """Announced planned work: for which share of every coming slot its load is away, and what is left then.

    A job that holds the row stops with it. Durations are those expected. Work on feeders changes no load.

    Returns:
        (slots,) shares of the slots; (slots,) net load while the work lasts [kW].
    """
    share, left = np.zeros(PLAN_H), net_kw.copy()
    for notice in site.world.notices:
        if not notice.load or notice.site != site.name or notice.end_h <= hour or notice.start_h >= hour + PLAN_H:
            continue
        kw = net_kw - _without(site, notice.load)
        at = np.arange(hour, hour + PLAN_H)
        own = np.clip(np.minimum(at + 1, notice.end_h) - np.maximum(at, notice.start_h), 0.0, 1.0)
        share, left = np.maximum(share, own), np.where(own > 0.0, np.minimum(left, kw), left)
    return share, left


def _without(site: Site, load: str) -> float:
    """What goes with one load point: its load, the jobs' on all rows if they hold it, the cooling of both [kW]."""
    i = site.plan.load_of[load]
    fact, quantity = site.fact, site.quantity
    busy_kw = fact[f.L_BUSY_GPUS] * quantity[f.L_PER_GPU_KW]
    gone_kw = float(quantity[f.L_POTENTIAL_KW, i])
    if fact[f.L_BUSY_GPUS, i] or fact[f.L_KIND, i] == f.CORE:
        gone_kw += float(busy_kw.sum() - busy_kw[i])
    if fact[f.L_KIND, i] in (f.ROW, f.CORE):
        gone_kw *= 1.0 + float(site.edge[f.E_COOLING_FRACTION, site.clock[f.EDGE]])
    return gone_kw


def call_caps_kw(calls: Iterable[tuple[int, int, float]], hour: int) -> Floats:
    """Caps of announced calls on every coming slot that they touch; inf where there is none [kW].

    Args:
        calls: begin and end [us], and the cap.
        hour: of the plan's first slot.
    """
    caps = np.full(PLAN_H, np.inf)
    for begin_us, end_us, cap_kw in calls:
        first, last = begin_us // SLOT_US - hour, -(-end_us // SLOT_US) - hour
        if last > 0 and first < PLAN_H:
            caps[max(first, 0) : last] = np.minimum(caps[max(first, 0) : last], cap_kw)
    return caps
