"""A site's plant at run time, *settle, change, dispatch, record*: the one door for changes, one reaction an instant.

Parts call `change(...)`: the plant is settled to now, the fact is logged with its cause, a reaction is asked for.
The reaction comes once all facts of the instant have flipped (the world calls it when no event of the instant is left)
and runs in causal order: bounds, supply, protection, the parts' phases (starts, cooling, cap, jobs), load and dispatch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import InternalError
from twin.plant import advance as a
from twin.plant import fields as f
from twin.plant import protect as p
from twin.world.aftermath import tell as tell_aftermath
from twin.world.carried import CarriedByPoints
from twin.world.crossings import Crossings
from twin.world.faults import Faults
from twin.world.flows import SiteFlows
from twin.world.parties import Bypassable, GensetPlant, PowerCap, RunningJob, SiteSupply, SureHands, Switching
from twin.world.tape import Tape

if TYPE_CHECKING:
    from twin.jobs.outlook import QueueAhead
    from twin.world.blueprint import SiteBlueprint
    from twin.world.world import World

LOAD, UNITS, SUPPLY, BOUNDS = 1, 2, 4, 8
"""What a change concerns: demands only; a storage unit; sections, feeds or gensets; a level at its bound."""
MOST_PASSES = 20
CLAMPED_MOST_KWH = 1e-9


class Site:
    """One plant on the world's clock. Blocks are copies of the blueprint's; facts in them belong to the parts."""

    def __init__(self, world: World, plan: SiteBlueprint) -> None:
        self.world = world
        self.plan, self.name = plan, plan.name
        self.record = world.record
        self.fact, self.quantity = plan.fact.copy(), plan.quantity.copy()
        self.section = plan.section.copy()
        self.faults = Faults(self.fact)
        self.clock, self.totals = plan.clock.copy(), plan.site.copy()
        self.ledger = np.zeros((f.LEDGER_ROWS, plan.month_us.size))
        self.edge = (
            plan.edge if plan.pv is None else plan.pv.edges(plan.edge, plan.edge_us, world.seed, world.replication)
        )
        flows = plan.flows
        keep = world.record.level != "ledger"
        solver = SiteFlows(flows, self.ledger, plan.month_us, keep=keep) if flows else None
        self.tape = Tape(world.record.level, self.clock, solver, plan.unit_items)
        self._bind(plan)
        self.rare: bool | None = True
        """Whether kernels need the parts that few sites have; known once all parts are installed."""
        self.supply: Callable[[], None] | None = None
        self.phases: list[Callable[[], None]] = []
        self.capped: list[Callable[[bool], None]] = []
        self.jobs: list[RunningJob] = []
        """Jobs that can be stopped on purpose: for planned work, or by the application layer."""
        self.on_call: list[Callable[[int, int], None]] = []
        """Told of every announced call of demand response: begin and end [us]."""
        self.gensets: GensetPlant | None = None
        self.grid: SiteSupply | None = None
        self.hands: Switching = SureHands()
        self.blocks: dict[str, Bypassable] = {}
        """UPS blocks by name, for planned work on them."""
        self.watched: Callable[[], None] | None = None
        """Called when a feed or a load point has flipped: a fleet decides at the end of the instant."""
        self._points = CarriedByPoints(world, self, self._protect_blocks, lambda: self.ask(SUPPLY))
        self.switches = len(self._points) > 0
        """Whether feeds may be carried by a connection point, or be cut off from their sections one by one."""
        self.cap: PowerCap | None = None
        self.limit: Callable[[], bool] | None = None
        """Holds import within its limit after every dispatch; true where the next edge must be looked at, too."""
        self.planner: Callable[[], None] | None = None
        """Writes a new plan for the storage; runs in a reaction once `plan_due` is set."""
        self.plan_due = False
        self.surprised: Callable[[bool], None] | None = None
        """Told of what no plan foresaw, and whether it is units alone: units, limits, jobs that stop or go on."""
        self.restarts: list[Callable[[], int]] = []
        """Of every job the tick at which it trains again, as far as it knows; NEVER where it trains or cannot say."""
        self.queue_ahead: Callable[[], QueueAhead | None] | None = None
        """What the site's queue of jobs expects of itself."""
        self.calls: list[tuple[int, int, float]] = []
        """Announced calls of demand response: begin and end [us], most import [kW]."""
        self.health: dict[str, np.ndarray] = {}
        """The trace's table of storage health, once the horizon is reached; empty where no cells age."""
        self.import_limit_kw = float(self.totals[f.IMPORT_LIMIT_KW])
        self.shed_row = [-1] * len(plan.load_items)
        self.load_row = [-1] * len(plan.load_items)
        self.feed_row = [-1] * len(plan.feed_items)
        self.section_row = [-1] * plan.section.shape[1]
        """Row of the last flip of each section's own feeder."""
        self.abnormal = False
        self.spare_kw = 0.0
        self._out = np.zeros((2, 4 * (len(plan.feed_items) + len(plan.load_items))), np.int64)
        self._dirty = 0
        self._asked = False
        self.now_us = 0
        """The tick of the instant at hand."""
        self._settled_us = self._steady_until_us = 0
        self._passes, self._pass_us = 0, -1
        self._trigger_item, self._trigger_row, self._trigger_us = 1 << 60, -1, -1
        self._crossings = Crossings(self)
        self._switches = world.luck.switches(self)

    def _bind(self, plan: SiteBlueprint) -> None:
        head = (self.fact, self.quantity, plan.link, self.clock)
        tape = (self.tape.time_us, self.tape.values)
        self._blocks: tuple[Any, ...] = (
            *head, self.totals, self.ledger, plan.edge_us, self.edge, *tape,
        )  # fmt: skip
        self._protect_blocks: tuple[Any, ...] = (*head, self.section)

    # ------------------------------------------------------------------ the door
    def settle(self) -> None:
        """Bring the plant exactly to now. Nobody reads a level without this."""
        now = self.world.now
        if now == self._settled_us:
            return
        code = a.advance(now, a.SETTLE, self.rare, *self._blocks)
        while code == a.TAPE_FULL:
            self.tape.flush()
            code = a.advance(now, a.SETTLE, self.rare, *self._blocks)
        self._check(code, now)
        self._settled_us = self.now_us = now

    def change(self, item: int, what: int, value: int, concerns: int, cause: int = -1) -> int:
        """A fact is about to flip: settle, log it with its cause, ask for a reaction. The caller writes the fact next.

        Up to the next edge or bound no kernel reads a fact, so that far the settling is left to the reaction.

        Returns:
            The event's row, to be named as the cause of what follows from it.
        """
        now = self.now_us = self.world.now
        if now > self._steady_until_us:
            self.settle()
        row = self.record.event(now, item, what, value, cause)
        if now != self._trigger_us or item < self._trigger_item:
            self._trigger_item, self._trigger_row, self._trigger_us = item, row, now
        if concerns:
            self.ask(concerns)
        return row

    def log(self, item: int, what: int, value: int, cause: int) -> int:
        """Log a consequence in the instant of a change or inside a reaction."""
        assert self.now_us == self.world.now, "no change and no reaction has come before in this instant"
        return self.record.event(self.now_us, item, what, value, cause)

    def ask(self, concerns: int) -> None:
        """Ask for a reaction at the end of this instant; asking twice costs nothing."""
        self._dirty |= concerns
        if not self._asked:
            self._asked = True
            self.world.dirty.append(self)

    @property
    def trigger(self) -> int:
        """Row of the change that this reaction answers, -1 for none; of several in one instant the first by item."""
        return self._trigger_row if self._trigger_us == self.now_us else -1

    def begin(self) -> None:
        """Set every power before anything can strike, and ask for the reaction of time zero."""
        self.rare = a.rare_parts(self.fact, self.clock, self.totals)
        self._turn(0)
        self.ask(LOAD | UNITS | SUPPLY)

    # ------------------------------------------------------------------ the reaction
    def react(self) -> None:
        """The instant is over: answer all that has flipped in it, once."""
        self._asked = False
        now = self.now_us = self.world.now
        if now == self._pass_us:
            self._passes += 1
            if self._passes > MOST_PASSES:
                raise InternalError(f"site {self.name} does not settle at {now} us (concerns {self._dirty:b})")
        else:
            self._passes, self._pass_us = 1, now
        dirty, self._dirty = self._dirty, 0
        if dirty != LOAD or self.abnormal:
            self._answer(dirty, now)
        else:
            if self.planner is not None:
                self._plan()
            self._turn(now)
        if self.limit is not None and self.limit():
            self._crossings.watch_next_edge()

    def _answer(self, dirty: int, now: int) -> None:
        """More than a demand has moved, or supply is not as usual: every phase, in causal order."""
        self.clock[f.MOVED] = 1
        if dirty & UNITS:
            self.surprise(units_alone=dirty == UNITS and not self.abnormal)
        if dirty & (SUPPLY | BOUNDS) or self.abnormal:
            self.settle()
            if dirty & BOUNDS:
                row = self._crossings.answer()
                if row >= 0:
                    self._trigger_item, self._trigger_row, self._trigger_us = -1, row, now
            if self.supply is not None:
                self.supply()
            self._protect()
            for phase in self.phases:
                phase()
            self._plan()
            self._turn(now)
            self.abnormal |= bool(self.totals[f.HEAT_RATE] > 0.0 or self.totals[f.FUEL_RATE_L_PER_H] < 0.0)
        else:
            self._plan()
            self._turn(now)
        if self.abnormal:
            if self._protect():
                self.ask(SUPPLY)
            else:
                self._crossings.look_ahead()

    def announce(self, begin_us: int, end_us: int, cap_kw: float) -> None:
        """A call of demand response is known from now on: import stays below `cap_kw` while it lasts."""
        for tell in self.on_call:
            tell(begin_us, end_us)
        self.calls = [call for call in self.calls if call[1] > self.world.now]
        self.calls.append((begin_us, end_us, cap_kw))
        if self.planner is None:
            return
        self.plan_due = True
        self.ask(LOAD)

    def surprise(self, *, units_alone: bool = False) -> None:
        """Something has happened that no plan foresaw: whoever plans will look at it."""
        if self.surprised is not None:
            self.surprised(units_alone)

    def _plan(self) -> None:
        if self.planner is not None and self.plan_due:
            self.plan_due = False
            self.settle()
            self.planner()

    def _turn(self, now: int) -> None:
        until = a.advance(now, a.TURN, self.rare, *self._blocks)
        while until == a.TAPE_FULL:
            self.tape.flush()
            until = a.advance(now, a.TURN, self.rare, *self._blocks)
        if until < 0:
            self._check(until, now)
        self._settled_us, self._steady_until_us = now, until

    def _check(self, code: int, now: int) -> None:
        if code == a.UNANNOUNCED:
            raise InternalError(f"site {self.name}: a level met its bound unannounced before {now} us")

    def _protect(self) -> int:
        """Settle feeds and loads on the facts as they stand; returns how many flipped."""
        self.spare_kw = p.connect_gensets(*self._protect_blocks, self.totals)
        if self.switches:
            self._points.connect()
        count = p.protect(
            self.now_us, self.plan.feed_key, self.world.replication, self.rare, *self._protect_blocks, self.totals,
            self._out,
        )  # fmt: skip
        if count:
            tell_aftermath(self, self._out[:, :count].tolist())
        if self._switches is not None:
            self._switches.account()
        self.abnormal = bool(
            (self.fact[f.F_STATE, : len(self.feed_row)] != f.ON_SECTION).any()
            or self.fact[f.F_ON_GENSET].any()
            or (self.switches and (self.fact[f.F_ON_POINT] + self.fact[f.F_AWAY_US]).any())
            or (self.fact[f.L_LIT, : len(self.load_row)] + self.fact[f.L_SHED, : len(self.load_row)] == 0).any()
            or self.totals[f.HEAT_RATE] > 0.0
            or self.totals[f.FUEL_RATE_L_PER_H] < 0.0
        )
        if not self.abnormal:
            self._crossings.stop()
        if self._switches is not None:
            self._switches.look()
        if count and self.watched is not None:
            self.watched()
        return int(count)

    def on_bound(self) -> None:
        """A level may have met its bound, or import its limit: look."""
        self.settle()
        self.ask(BOUNDS if self.abnormal else LOAD)

    def path(self, name: str) -> str:
        """The full item name of a part of this site."""
        return f"{self.name}/{name}"

    def imported_kwh(self) -> float:
        """What the grid's meter has counted up to now, losses of the network included [kWh]."""
        self.settle()
        self.tape.flush()
        return float(self.ledger[f.IMPORT_KW].sum()) + self.tape.open_loss_kwh(self.now_us)

    def on_cap(self, on: bool) -> None:
        """Tell the jobs that the power cap begins or ends."""
        for tell in self.capped:
            tell(on)

    def verify(self) -> None:
        """End the record; nothing was carried by nobody: clamped energy stays below 1e-9 kWh a month."""
        self.tape.finish(self.world.horizon_us)
        clamped = float(self.ledger[f.CLAMPED_KW].max())
        if clamped > CLAMPED_MOST_KWH:
            raise InternalError(f"site {self.name}: {clamped} kWh were carried by nobody")

    def close(self) -> None:
        """Let go of everything that points back here."""
        self.phases.clear()
        self.supply = None
        self.capped.clear()
        self.restarts.clear()
        self.queue_ahead = None
        self.blocks.clear()
        self.hands = SureHands()
        self.jobs.clear()
        self.on_call.clear()
        self.gensets = self.grid = self.watched = self.cap = self.limit = self.planner = self.surprised = None
        self.__dict__.pop("_crossings", None)
        self.__dict__.pop("_points", None)
        self.__dict__.pop("_switches", None)
