"""Spans of one run and what each must weigh: cycles of a site that is whole, has a fault, and is whole again.

An *excursion* begins with the first trigger (a supply event in force, a block that failed, anything not fed as it
should be) and ends when the last one has been gone for `rest_us`, so that storage is full again and no repeat of a
supply event is due. While it lasts one proposal holds, drawn from the mixture: clocks run at its speeds, on-demand
failures and durations are drawn by it, until the target is hit; from then on all is natural again. What was drawn is
tallied, and weighed when the excursion ends. While the site is whole its clocks run naturally, unless a proposal names
them with `ONSET` before the group: then that span has a weight too, and the excursion weighs both. So a run of any
length is cut into spans whose weights are bounded (cycles and A-cycles: Nicola, Shahabuddin and Nakayama, "Techniques
for fast simulation of models of highly dependable systems", IEEE Trans. Reliability 50, 2001).

When the target is hit, the durations still under way have been used only so far: what an excursion weighs *by then*
counts their survival, not their lengths, and how long the first of them goes on is known in expectation (`Hit`). Given
what happened up to then, the final weight has that one as its mean: estimates may take either, or both as controls.

What outlasts an excursion (wear of cells, the position of a season) is taken as it comes and not weighed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from simpy import Event

from twin.chance import quantiles
from twin.chance.law import CompiledLaw
from twin.chance.proposal import NOMINAL_SHARE, Proposal, Tally, log_weight
from twin.errors import InternalError
from twin.units import ticks
from twin.world.luck import Cycles, HazardRate, Luck, Source
from twin.world.pending import Hit, Pending
from twin.world.sped_clocks import ConstantRate, SpedClocks
from twin.world.switch_luck import SwitchLuck

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import Stream, World

NATURAL: str | None = None
ONSET, BIASED = "onset ", ""
"""Phases, as they stand before a group of clocks in speeds and tallies: whole and waiting for a first fault; degraded.
In the natural phase, once the target is hit, nothing is biased or tallied."""
_SHARES_CLOSE = 1e-9


class Weights(Luck):
    """The spans, proposals and tallies of one run; give it to `Simulator.run`, and read `spans` and `tallies` after.

    Args:
        proposals: their shares add up to 1.
        rest_h: how long all must be well before an excursion is over [h].
        is_hit: whether a site shows the target event, after which nothing is biased any more.
        tally_all: tally groups of clocks too that no proposal speeds up, as a pilot needs it.

    Attributes:
        spans: (start [us], end [us], log weight), contiguous from 0 to the horizon.
        tallies: of each span what was drawn; None where nothing could be biased.
        hits: of each span what was known when it met the target while biased; None where it did not.
        surplus: of each span of a whole site, clocks run out less hazard used, of those that are followed: mean 0.
    """

    is_biased = True

    def __init__(
        self,
        proposals: Sequence[Proposal],
        rest_h: float = 0.0,
        is_hit: Callable[[Site], bool] | None = None,
        *,
        tally_all: bool = False,
    ) -> None:
        if abs(math.fsum(one.share for one in proposals) - 1.0) > _SHARES_CLOSE:
            raise InternalError("the shares of all proposals must add up to 1")
        self.proposals, self._rest_us, self._is_hit = list(proposals), ticks(rest_h), is_hit
        self._tally_all = tally_all
        self._fast = {group for one in proposals for group in one.speed}
        self._weighs_onset = any(group.startswith(ONSET) for group in self._fast)
        self.spans: list[tuple[int, int, float]] = []
        self.tallies: list[Tally | None] = []
        self.hits: list[Hit | None] = []
        self.surplus: list[float] = []
        self._hit: Hit | None = None
        self._surplus = 0.0
        self.is_open = False
        self._phase: str | None = NATURAL
        self._proposal = Proposal()
        self._triggers: set[Hashable] = set()
        self._hold_us = self._start_us = 0
        self._tally = Tally()
        self._seen: set[tuple[str, float]] = set()
        self._listeners: list[Callable[[], None]] = []
        self._world: World

    def bind(self, world: World) -> None:
        """See `Luck`."""
        if self.spans or self.is_open:
            raise InternalError("the weights of one run serve no other")
        self._world = world
        self._choice = world.stream("", "proposal")
        self._alarm = world.alarm(self._rested)
        self._clocks = SpedClocks(world, lambda _: 1.0)
        self._pending = Pending(world)
        self._choose()

    # ------------------------------------------------------------------ where excursions begin and end
    def hold(self, until_us: int) -> None:
        """See `Luck`."""
        self._hold_us = max(self._hold_us, until_us)

    def degraded(self, key: Hashable, on: bool) -> None:
        """See `Luck`."""
        if on:
            if key not in self._triggers:
                self._triggers.add(key)
                self._alarm.stop()
                self._begin()
        elif key in self._triggers:
            self._triggers.remove(key)
            if not self._triggers:
                self._hold_us = max(self._hold_us, self._world.now + self._rest_us)
                self._rested()

    def _rested(self) -> None:
        if self._triggers or not self.is_open:
            return
        if self._world.now >= self._hold_us:
            self._end()
            self._choose()
        else:
            self._alarm.at(self._hold_us)

    def _choose(self) -> None:
        """A new cycle begins, whole."""
        u, self._proposal = self._choice.uniform(), self.proposals[-1]
        for one in self.proposals:
            if u < one.share:
                self._proposal = one
                break
            u -= one.share
        self._tally = Tally()
        self._pending.clear()
        self._seen.clear()
        self._enter(ONSET)

    def _begin(self) -> None:
        if self.is_open:
            return
        self.is_open = True
        self._enter(BIASED)
        self._first_faults()

    def _end(self) -> None:
        self._enter(NATURAL)
        self.is_open = False
        self._note(log_weight(self._tally, self.proposals), self._tally)

    def _first_faults(self) -> None:
        """A span of a whole site is over, with the first faults that clocks brought and the hazard that they used."""
        tally = self._tally
        self._surplus = math.fsum(tally.fired.values()) - math.fsum(tally.used.values())
        self._note(log_weight(tally, self.proposals) if self._weighs_onset else 0.0, None)
        self._surplus = 0.0

    def _note(self, weight: float, tally: Tally | None) -> None:
        now = self._world.now
        self.spans.append((self._start_us, now, weight))
        self.tallies.append(tally)
        self.hits.append(self._hit)
        self.surplus.append(self._surplus)
        self._start_us, self._hit = now, None

    def _enter(self, phase: str | None) -> None:
        """Tally what the clocks did in the phase that ends here, and run them as the next one has it."""
        for group, used, fired in self._clocks.take():
            if self._phase is not None:
                name, tally = self._phase + group, self._tally
                tally.used[name] = tally.used.get(name, 0.0) + used
                tally.fired[name] = tally.fired.get(name, 0) + fired
        self._phase = phase
        speeds = {} if phase is None else self._proposal.speed
        prefix = phase or ""
        self._clocks.turn(lambda group: speeds.get(prefix + group, 1.0))
        for listener in self._listeners:
            listener()

    def switches(self, site: Site) -> SwitchLuck:
        """See `Luck`."""
        self._pending.watch(site)
        return SwitchLuck(site, self)

    def look(self, site: Site) -> None:
        """A site has reacted: is it what we wait for?"""
        if self._phase == BIASED and self._is_hit is not None and self._is_hit(site):
            self._enter(NATURAL)
            self._hit = self._pending.hit(self._tally, self.proposals)

    def finish(self) -> None:
        """See `Luck`."""
        if self.is_open:
            self._end()
            return
        self._enter(NATURAL)
        self._first_faults()

    def release(self) -> None:
        """See `Luck`."""
        self._listeners.clear()
        for name in ("_world", "_alarm", "_choice", "_clocks", "_pending"):
            self.__dict__.pop(name, None)

    def at_hits(self) -> np.ndarray:
        """What `hits` and `surplus` say, shape (4, spans): log weight by then, hours expected, hours drawn, surplus."""
        nothing = (math.nan, math.nan, math.nan)
        each = [nothing if h is None else (h.log_weight, h.expected_h, h.drawn_h) for h in self.hits]
        return np.vstack([np.array(each).T, self.surplus])

    def table(self) -> Cycles:
        """See `Luck`."""
        columns = zip(*self.spans, strict=True)
        start, end, weight = (list(column) for column in columns)
        return {
            "start_us": np.array(start, np.int64),
            "end_us": np.array(end, np.int64),
            "log_weight": np.array(weight, np.float64),
        }

    # ------------------------------------------------------------------ clocks
    def speed(self, group: str) -> float:
        """See `Luck`."""
        return self._clocks.speed_of(group)

    def add_source(self, source: Source) -> None:
        """See `Luck`."""
        if self._tally_all or {source.group, ONSET + source.group} & self._fast:
            self._clocks.add(source)

    def on_change(self, listener: Callable[[], None]) -> None:
        """See `Luck`."""
        self._listeners.append(listener)

    def clocks(self, group: str, count: int, mean_h: float) -> None:
        """See `Luck`."""
        self._clocks.count(group, count, mean_h)

    def fire(self, group: str) -> None:
        """See `Luck`."""
        self._clocks.fire(group)

    def live(self, group: str, us: int, mean_h: float) -> Event:
        """See `Luck`."""
        return self.wait(group, self._world.now + us, ConstantRate(mean_h))

    def wait(self, group: str, due_us: int, rate: HazardRate) -> Event:
        """See `Luck`."""
        return self._clocks.sleep(group, due_us, rate)

    # ------------------------------------------------------------------ draws
    def fails(self, group: str, probability: float, u: float) -> bool:
        """See `Luck`."""
        if self._phase != BIASED or not 0.0 < probability < 1.0:
            return u < probability
        failed = u < self._proposal.probability.get(group, probability)
        if (group, u) not in self._seen:  # a draw looked at twice is one draw
            self._seen.add((group, u))
            self._tally.demand(group, probability, failed)
        return failed

    def probability(self, group: str, natural: float) -> float:
        """By which an on-demand failure is drawn at present."""
        return self._proposal.probability.get(group, natural) if self._phase == BIASED else natural

    def duration_us(self, group: str, draws: Stream, parts: Stream, law: CompiledLaw) -> int:
        """See `Luck`."""
        n = draws.n
        if self._phase != BIASED or law.code in (quantiles.FIXED, quantiles.SCRIPTED):
            return draws.ticks(law)
        hazard = -math.log1p(-draws.uniform())
        stretch = self._proposal.stretch.get(group)
        if stretch is not None and parts.uniform_at(n) >= NOMINAL_SHARE:
            hazard *= stretch
        self._tally.lengths.setdefault(group, []).append(hazard)
        code, a, b, table = law.columns
        length_us = max(1, ticks(float(quantiles.hazard_quantile(code, a, b, table, hazard, n))))
        if law.has_hazard:
            self._pending.begin(group, law, hazard, length_us)
        return length_us
