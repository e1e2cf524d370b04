"""The world of one replication: SimPy's clock, the sites on it, the record, the keys of its draws."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from simpy import Environment, Event
from simpy.events import Timeout

from twin.chance.law import CompiledLaw
from twin.chance.philox import stream_key, uniform
from twin.errors import InternalError
from twin.units import NEVER, hours, ticks
from twin.world.alarm import Alarm
from twin.world.luck import Luck
from twin.world.record import Record
from twin.world.repairs import CrewPool, Repairs, SparePool

if TYPE_CHECKING:
    from twin.world.family import Family

Process = Generator[Event, None, None]


@dataclass(frozen=True)
class Notice:
    """Supply will be away: where, from when, and for how long by what is known beforehand; no load named: from all."""

    item: int
    site: str
    start_h: float
    expected_h: float
    row: int
    load: str = ""

    @property
    def end_h(self) -> float:
        """When it is expected to be over [h]."""
        return self.start_h + self.expected_h


class Reacting(Protocol):
    """What the world asks of a site."""

    name: str

    def begin(self) -> None:
        """Before anything happens."""

    def react(self) -> None:
        """The instant is over."""

    def settle(self) -> None:
        """Bring the plant to now."""

    def verify(self) -> None:
        """Check the promises that hold for a whole run."""

    def close(self) -> None:
        """Let go of everything that points back."""


class Touched(Protocol):
    """Whoever must react at the end of an instant."""

    name: str

    def react(self) -> None:
        """The instant is over."""


class Decider:
    """Stands for who decides over several sites: its name sorts behind theirs, and it waits while any must react."""

    name = "\uffff"

    def __init__(self, world: World) -> None:
        self._world = world

    def react(self) -> None:
        """Decide, or wait for another round."""
        world = self._world
        if world.dirty:
            world.dirty.append(self)
        elif world.decide is not None:
            world.decide()


class Stream:
    """Draws of one item for one purpose: draw n is a pure function of (seed, item, purpose, replication, n)."""

    __slots__ = ("_key", "_replication", "n")

    def __init__(self, key: np.uint64, replication: np.uint64) -> None:
        self._key = key
        self._replication = replication
        self.n = 0

    def uniform(self) -> float:
        """The next uniform in (0, 1)."""
        n = self.n
        self.n = n + 1
        return float(uniform(self._key, self._replication, n))

    def uniform_at(self, n: int) -> float:
        """The uniform number `n`, whatever was drawn before."""
        return float(uniform(self._key, self._replication, n))

    def ticks(self, law: CompiledLaw) -> int:
        """The next draw of a law of hours, as ticks, at least one [us]."""
        n = self.n
        self.n = n + 1
        return max(1, ticks(law.draw(self._key, self._replication, n)))

    def ticks_at(self, law: CompiledLaw, n: int) -> int:
        """Draw number `n` of a law of hours, as ticks [us]."""
        return max(1, ticks(law.draw(self._key, self._replication, n)))


class World:
    """Clock, sites and record of one replication; `run()` plays it to the horizon."""

    def __init__(
        self,
        *,
        seed: int,
        replication: int,
        horizon_us: int,
        level: str,
        allow_code: bool = False,
        code: Mapping[str, str] | None = None,
        crews: Mapping[str, CrewPool] | None = None,
        spares: Mapping[str, SparePool] | None = None,
        luck: Luck | None = None,
    ) -> None:
        self.env = Environment()
        self.now = 0
        """The present tick [us]."""
        self.seed = seed
        self.replication = np.uint64(replication)
        self.horizon_us = horizon_us
        self.record = Record(level)
        self.allow_code = allow_code
        """Whether Python files that the scenario names may run."""
        self.code = code or {}
        """Their text by path, where it has travelled here; else they are read."""
        self.sites: list[Reacting] = []
        self.dirty: list[Touched] = []
        """Sites that must react at the end of this instant."""
        self.decide: Callable[[], None] | None = None
        """Decides over several sites, once all of them have reacted; what it flips starts the instant over."""
        self._decider = Decider(self)
        self.notices: list[Notice] = []
        """What has been announced so far and is not over: planned work, forecast storms."""
        self.repairs = Repairs(self, crews or {}, spares or {})
        self.families: list[Family] = []
        """All failure clocks, in the order in which their parts were installed."""
        self.struck: dict[str, tuple[Family, int]] = {}
        """By full item name: whom a shock may bring down, and as which member."""
        self._closing: list[Callable[[], None]] = []
        self._alarms: list[Alarm] = []
        self._processes: list[Process] = []
        self.luck = luck or Luck()
        """Nature's, or biased towards rare events."""
        self.luck.bind(self)

    def stream(self, item: str, purpose: str) -> Stream:
        """The draws of `item` for `purpose`; keys are names, so one more item moves nobody else's luck."""
        return Stream(stream_key(self.seed, item, purpose), self.replication)

    def sleep(self, us: int) -> Event:
        """An event that comes `us` ticks from now; beyond the horizon it never comes and costs nothing."""
        if us >= self.horizon_us - self.now:
            return Event(self.env)
        return Timeout(self.env, int(us))

    def alarm(self, ring: Callable[[], None]) -> Alarm:
        """A movable timeout."""
        alarm = Alarm(self, ring)
        self._alarms.append(alarm)
        return alarm

    def start(self, process: Process) -> None:
        """Let a process live on this clock."""
        self._processes.append(process)
        self.env.process(process)

    def at_end(self, close: Callable[[], None]) -> None:
        """Call `close` at the horizon, sites settled, before the tables are taken."""
        self._closing.append(close)

    def run(self) -> None:
        """Play to the horizon, settle every site, let the parts write their last rows."""
        if not 0 < self.horizon_us < NEVER:
            raise InternalError(f"the horizon of {self.horizon_us} us is out of range")
        for site in self.sites:
            site.begin()
        self._play()
        self.luck.finish()
        for site in self.sites:
            site.settle()
            site.verify()
        for close in self._closing:
            close()

    def _play(self) -> None:
        """SimPy's loop, with one addition: when an instant has no event left, each site that it touched reacts once."""
        env, dirty = self.env, self.dirty
        over: list[Event] = []
        Timeout(env, self.horizon_us).callbacks.append(over.append)
        step, queue = env.step, env._queue
        while not over:
            due = queue[0][0]
            if dirty and due > self.now:
                touched = dirty[:] if len(dirty) == 1 else sorted(dirty, key=_site_name)
                dirty.clear()
                for site in touched:
                    site.react()
            else:
                self.now = int(due)
                step()

    def ask_to_decide(self) -> None:
        """Have whoever decides over several sites do so, once no site of this instant has to react any more."""
        if self.decide is not None and self._decider not in self.dirty:
            self.dirty.append(self._decider)

    def announce(self, notice: Notice) -> None:
        """Make a notice known to those who decide; over when its end has passed."""
        now_h = hours(self.now)
        self.notices = [old for old in self.notices if old.end_h > now_h and old is not notice]
        self.notices.append(notice)
        self.ask_to_decide()

    def close(self) -> None:
        """Cut the cycles between world, sites and parts, so that memory returns at once, not at the gc's next round."""
        for site in self.sites:
            site.close()
        self.sites.clear()
        self.dirty.clear()
        self.decide = None
        self.families.clear()
        self.struck.clear()
        self.__dict__.pop("_decider", None)
        self.__dict__.pop("repairs", None)
        self._closing.clear()
        self.luck.release()
        for alarm in self._alarms:
            alarm.release()
        self._alarms.clear()
        for process in self._processes:
            process.close()
        self._processes.clear()
        self.env._queue.clear()


def _site_name(site: Touched) -> str:
    return site.name
