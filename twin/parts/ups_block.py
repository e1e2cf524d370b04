"""One UPS block at run time: its modules and static bypass, failures of its output, lock-out, planned bypass."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from twin.chance.law import compile_law, exponential
from twin.plant import fields as f
from twin.units import NEVER, TICKS_PER_S, ticks
from twin.world import record as r
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.parts.ups import LockOutSpec, UpsSpec
    from twin.world.world import Process, World


class RunningBlock:
    """A block's facts: why it is on bypass, why its output is dead, and how often it has gone to battery lately."""

    def __init__(self, spec: UpsSpec, world: World, site: Site, name: str, ids: dict[str, int]) -> None:
        self.spec, self.world, self.site = spec, world, site
        self.name = site.path(name)
        self.item, self.feed = ids[self.name], site.plan.feed_of[name]
        self._bypassed_for: set[str] = set()

    def modules(self, up: int, row: int) -> None:
        """The number of sound modules has changed: new limit, perhaps to or from static bypass."""
        limit = up * self.spec.modules.rated_kw
        self.site.quantity[f.F_LIMIT_KW, self.feed] = limit
        self.bypass("modules", row, on=up < self.spec.modules.n)

    def bypass(self, reason: str, row: int, *, on: bool) -> None:
        """One more reason to be on static bypass, or one less."""
        if on:
            self._bypassed_for.add(reason)
        else:
            self._bypassed_for.discard(reason)
        fact = self.site.fact
        now_on = int(bool(self._bypassed_for))
        if now_on != fact[f.F_BYPASS, self.feed]:
            self.site.change(self.item, r.BYPASS, now_on, SUPPLY, row)
            fact[f.F_BYPASS, self.feed] = now_on

    def fail(self) -> Process:
        """Fails, is bypassed by hand, is repaired, and again."""
        lives, repairs = self.world.stream(self.name, "failure"), self.world.stream(self.name, "restoration")
        parts, luck = self.world.stream(self.name, "restoration_part"), self.world.luck
        life = exponential(self.spec.block_mtbf_h)
        restoration = compile_law(self.spec.block_mttr_h)
        faults, by_hand = self.site.faults, ticks(self.spec.bypass_by_hand_h)
        while True:
            yield luck.live("ups_block", lives.ticks(life), life.mean)
            luck.degraded(self.item, True)
            repair = luck.duration_us("ups_block_repair", repairs, parts, restoration)
            row = self.site.change(self.item, r.UP, 0, SUPPLY)
            faults.feed(self.feed, row, on=True)
            if by_hand < repair:
                yield self.world.sleep(max(1, by_hand))
                self.bypass("failed", row, on=True)
                faults.feed(self.feed, row, on=False)
                self.site.hands.switch(self.name, [self.feed], row)
                yield self.world.sleep(repair - by_hand)
                self.site.change(self.item, r.UP, 1, SUPPLY, row)
            else:
                yield self.world.sleep(repair)
                row = self.site.change(self.item, r.UP, 1, SUPPLY, row)
                faults.feed(self.feed, row, on=False)
            self.bypass("failed", row, on=False)
            luck.degraded(self.item, False)


class LockOut:
    """Counts a block's transfers to battery; too many within the window, and it stays there, or on bypass, till freed.

    On battery it ignores section and gensets until somebody returns it; the battery may be empty by then.
    """

    def __init__(self, spec: LockOutSpec, world: World, block: RunningBlock) -> None:
        self._spec, self._block, self._site = spec, block, block.site
        self._window_us = round(spec.within_s * TICKS_PER_S)
        self._return_us = ticks(spec.manual_return_h)
        self._times: deque[int] = deque(maxlen=spec.transfers)
        self._was_on_battery = False
        self._row = -1
        self._alarm = world.alarm(self._free)

    def react(self) -> None:
        """After protection: has the block just gone to battery once too often?"""
        site, j = self._site, self._block.feed
        on_battery = site.fact[f.F_STATE, j] == f.ON_STORAGE
        went, self._was_on_battery = on_battery and not self._was_on_battery, on_battery
        if not went or self._alarm.due != NEVER:
            return
        now = site.now_us
        self._times.append(now)
        if len(self._times) < self._spec.transfers or now - self._times[0] > self._window_us:
            return
        self._times.clear()
        self._row = site.log(self._block.item, r.LOCKED_OUT, 1, site.feed_row[j])
        if self._spec.stays_on == "battery":
            site.fact[f.F_AWAY_US, j] = max(int(site.fact[f.F_AWAY_US, j]), now + self._return_us)
            site.fact[f.F_EVENT, j] = site.section[f.S_EVENT].max()
            site.ask(SUPPLY)
        else:
            self._block.bypass("locked_out", self._row, on=True)
        self._alarm.at(now + self._return_us)

    def _free(self) -> None:
        self._site.change(self._block.item, r.LOCKED_OUT, 0, SUPPLY, self._row)
        self._block.bypass("locked_out", self._row, on=False)
        self._site.hands.switch(self._block.name, [self._block.feed], self._row)
