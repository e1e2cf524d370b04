"""Spans of one run and what each must weigh: natural while the site is whole, biased from a first fault on.

An *excursion* begins with the first trigger (a supply event in force, a block that failed, anything not fed as it
should be) and ends when the last one has been gone for `rest_us`, so that storage is full again and no repeat of a
supply event is due. While it lasts one proposal holds, drawn from the mixture: clocks run at its speeds, on-demand
failures and durations are drawn by it, until the target is hit; from then on all is natural again. What was drawn is
tallied, and weighed when the excursion ends. The spans between weigh 1. So a run of any length is cut into spans whose
weights are bounded (cycles and A-cycles: Nicola, Shahabuddin and Nakayama, "Techniques for fast simulation of models of
highly dependable systems", IEEE Trans. Reliability 50, 2001).

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
from twin.units import TICKS_PER_H, ticks
from twin.world.luck import Cycles, Luck, Source
from twin.world.switch_luck import SwitchLuck

if TYPE_CHECKING:
    from twin.world.site import Site
    from twin.world.world import Stream, World

NATURAL = Proposal()
_SHARES_CLOSE = 1e-9


class Weights(Luck):
    """The spans, proposals and tallies of one run; give it to `Simulator.run`, and read `spans` and `tallies` after.

    Args:
        proposals: their shares add up to 1.
        rest_h: how long all must be well before an excursion is over [h].
        is_hit: whether a site shows the target event, after which nothing is biased any more.

    Attributes:
        spans: (start [us], end [us], log weight), contiguous from 0 to the horizon.
        tallies: of each span what was drawn; None where nothing could be biased.
    """

    is_biased = True

    def __init__(
        self, proposals: Sequence[Proposal], rest_h: float = 0.0, is_hit: Callable[[Site], bool] | None = None
    ) -> None:
        if abs(math.fsum(one.share for one in proposals) - 1.0) > _SHARES_CLOSE:
            raise InternalError("the shares of all proposals must add up to 1")
        self.proposals, self._rest_us, self._is_hit = list(proposals), ticks(rest_h), is_hit
        self.spans: list[tuple[int, int, float]] = []
        self.tallies: list[Tally | None] = []
        self.is_open = False
        self._biased, self._proposal = False, NATURAL
        self._triggers: set[Hashable] = set()
        self._hold_us = self._start_us = self._settled_us = 0
        self._tally = Tally()
        self._seen: set[tuple[str, float]] = set()
        self._rates: dict[str, float] = {}
        self._sleepers: dict[Sleeper, float] = {}
        self._sources: list[Source] = []
        self._before: list[tuple[float, int]] = []
        self._listeners: list[Callable[[], None]] = []
        self._world: World

    def bind(self, world: World) -> None:
        """See `Luck`."""
        if self.spans or self.is_open:
            raise InternalError("the weights of one run serve no other")
        self._world = world
        self._choice = world.stream("", "proposal")
        self._alarm = world.alarm(self._rested)

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
            self._end(self._world.now)
        else:
            self._alarm.at(self._hold_us)

    def _begin(self) -> None:
        if self.is_open:
            return
        now = self._world.now
        self.spans.append((self._start_us, now, 0.0))
        self.tallies.append(None)
        u, self._proposal = self._choice.uniform(), self.proposals[-1]
        for one in self.proposals:
            if u < one.share:
                self._proposal = one
                break
            u -= one.share
        self._tally, self._start_us = Tally(), now
        self._seen.clear()
        self.is_open = True
        self._bias(True)

    def _bias(self, on: bool) -> None:
        """From now on draw by the proposal, or by nature."""
        if on == self._biased:
            return
        now = self._world.now
        if on:
            self._before = [source.used() for source in self._sources]
        else:
            self._settle()
            for source, (used, fired) in zip(self._sources, self._before, strict=True):
                used_now, fired_now = source.used()
                self._add(source.group, used_now - used, fired_now - fired)
        before = {sleeper: self.speed(sleeper.group) for sleeper in self._sleepers}
        self._biased, self._settled_us = on, now
        for sleeper, speed in before.items():
            sleeper.retime(speed, self.speed(sleeper.group))
        for source in self._sources:
            speed = self._proposal.speed.get(source.group, 1.0)
            if speed != 1.0:
                source.run_at(speed if on else 1.0)
        for listener in self._listeners:
            listener()

    def _end(self, now: int) -> None:
        self._bias(False)
        self.is_open = False
        self.spans.append((self._start_us, now, log_weight(self._tally, self.proposals)))
        self.tallies.append(self._tally)
        self._start_us = now

    def switches(self, site: Site) -> SwitchLuck:
        """See `Luck`."""
        return SwitchLuck(site, self)

    def look(self, site: Site) -> None:
        """A site has reacted: is it what we wait for?"""
        if self._biased and self._is_hit is not None and self._is_hit(site):
            self._bias(False)

    def finish(self) -> None:
        """See `Luck`."""
        now = self._world.now
        if self.is_open:
            self._end(now)
        elif self._start_us < now or not self.spans:
            self.spans.append((self._start_us, now, 0.0))
            self.tallies.append(None)

    def release(self) -> None:
        """See `Luck`."""
        self._sleepers.clear()
        self._sources.clear()
        self._listeners.clear()
        for name in ("_world", "_alarm", "_choice"):
            self.__dict__.pop(name, None)

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
        return self._proposal.speed.get(group, 1.0) if self._biased else 1.0

    def add_source(self, source: Source) -> None:
        """See `Luck`."""
        self._sources.append(source)

    def on_change(self, listener: Callable[[], None]) -> None:
        """See `Luck`."""
        self._listeners.append(listener)

    def clocks(self, group: str, count: int, mean_h: float) -> None:
        """See `Luck`."""
        self._run(group, count / (mean_h * TICKS_PER_H))

    def _run(self, group: str, rate_per_us: float) -> None:
        self._settle()
        self._rates[group] = self._rates.get(group, 0.0) + rate_per_us

    def fire(self, group: str) -> None:
        """See `Luck`."""
        if self._biased:
            self._add(group, 0.0, 1)

    def live(self, group: str, us: int, mean_h: float) -> Event:
        """See `Luck`."""
        sleeper = Sleeper(self._world, group, us, self._woken)
        rate_per_us = 1.0 / (mean_h * TICKS_PER_H)
        self._sleepers[sleeper] = rate_per_us
        self._run(group, rate_per_us)
        sleeper.retime(1.0, self.speed(group))
        return sleeper.event

    def _woken(self, sleeper: Sleeper) -> None:
        self.fire(sleeper.group)
        self._run(sleeper.group, -self._sleepers.pop(sleeper))

    def _settle(self) -> None:
        now = self._world.now
        if self._biased and now > self._settled_us:
            for group, rate in self._rates.items():
                self._add(group, rate * (now - self._settled_us), 0)
        self._settled_us = now

    def _add(self, group: str, used: float, fired: int) -> None:
        tally = self._tally
        tally.used[group] = tally.used.get(group, 0.0) + used
        tally.fired[group] = tally.fired.get(group, 0) + fired

    # ------------------------------------------------------------------ draws
    def fails(self, group: str, probability: float, u: float) -> bool:
        """See `Luck`."""
        if not self._biased or not 0.0 < probability < 1.0:
            return u < probability
        failed = u < self._proposal.probability.get(group, probability)
        if (group, u) not in self._seen:  # a draw looked at twice is one draw
            self._seen.add((group, u))
            self._tally.demand(group, probability, failed)
        return failed

    def probability(self, group: str, natural: float) -> float:
        """By which an on-demand failure is drawn at present."""
        return self._proposal.probability.get(group, natural) if self._biased else natural

    def duration_us(self, group: str, draws: Stream, parts: Stream, law: CompiledLaw) -> int:
        """See `Luck`."""
        n = draws.n
        if not self._biased or law.code in (quantiles.FIXED, quantiles.SCRIPTED):
            return draws.ticks(law)
        hazard = -math.log1p(-draws.uniform())
        stretch = self._proposal.stretch.get(group)
        if stretch is not None and parts.uniform_at(n) >= NOMINAL_SHARE:
            hazard *= stretch
        self._tally.lengths.setdefault(group, []).append(hazard)
        code, a, b, table = law.columns
        return max(1, ticks(float(quantiles.hazard_quantile(code, a, b, table, hazard, n))))


class Sleeper:
    """A process that sleeps until its clock runs out, at a speed that may change meanwhile."""

    __slots__ = ("_alarm", "_due_us", "_woken", "_world", "event", "group")

    def __init__(self, world: World, group: str, us: int, woken: Callable[[Sleeper], None]) -> None:
        self._world, self.group, self._woken = world, group, woken
        self.event = Event(world.env)
        self._due_us = world.now + us
        self._alarm = world.alarm(self._ring)

    def retime(self, before: float, after: float) -> None:
        """What is left of the life takes `before / after` times as long."""
        now = self._world.now
        left = self._due_us - now
        if before != after:
            left = max(round(left * before / after), 1)
        self._due_us = now + left
        self._alarm.at(self._due_us)

    def _ring(self) -> None:
        self._woken(self)
        self.event.succeed()
