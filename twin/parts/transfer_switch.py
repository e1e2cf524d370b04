"""Static transfer switches: a load hangs on one of two feeds, and is moved to the other when that one goes.

The move takes a drawn time, which is compared with the load's hold-up, and may fail; both are drawn once per switch and
event. A switch that fails to move stays on its dead source until that is back, or until it is moved by hand. The switch
itself fails, too: its load is then dark until the switch is bypassed or repaired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, field_validator

from twin.chance.law import Law, TabledLaw, compile_law
from twin.parts.failures import SeenFailuresSpec, failing
from twin.plant import fields as f
from twin.plant.lights import DROPPED, FREE
from twin.spec import NonNegative, Positive, Probability, Spec
from twin.units import NEVER, TICKS_PER_S, ticks
from twin.world import record as r
from twin.world.declared import LoadSwitch
from twin.world.failing import Group
from twin.world.family import Family
from twin.world.site import SUPPLY, Site

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.world import World

RECONNECT_US = TICKS_PER_S
"""A load that the switch moved too late for its hold-up is off for this long: it has dropped."""


class TransferSwitchSpec(Spec):
    """A static transfer switch before each load."""

    transfer_ms: Law = Field(
        default=4.0,
        validate_default=True,
        description="compared with the load's hold-up at each event; up to 4 ms is usual for a static switch",
    )
    transfer_failure_probability: Probability = Field(
        default=0.001, description="that it does not move when called; drawn once for each event (assumed)"
    )
    by_hand_min: NonNegative = Field(default=30.0, description="until a switch that failed to move is moved by hand")
    mtbf_h: Positive = Field(default=1.0e6, description="of the switch; its load is dark meanwhile")
    mttr_h: Law = Field(default=1.0, validate_default=True, description="until its load is bypassed past it")
    failures: SeenFailuresSpec | None = Field(
        default=None, description="of a switch, beyond its MTBF and MTTR; a common cause strikes all switches"
    )

    @field_validator("transfer_ms")
    @classmethod
    def _two_parameters(cls, law: Law) -> Law:
        if isinstance(law, TabledLaw):
            raise ValueError(f"a switch's time is a law of parameters, not {law.law}")  # noqa: TRY004
        return law

    def of_load(self) -> LoadSwitch:
        """Compiled."""
        return LoadSwitch(compile_law(self.transfer_ms, to_h=1 / 3.6e6), self.transfer_failure_probability)


class TransferSwitches:
    """The switches of some loads of a site."""

    def __init__(self, owner: str, spec: TransferSwitchSpec, loads: list[str]) -> None:
        self.spec, self._loads = spec, loads
        self._common = f"{owner}/transfer_switches/common_cause"

    def declare(self, site: SiteBuilder) -> None:
        """One switch a load."""
        for load in self._loads:
            site.item(f"{load}/switch", "static_switch", breakable=True)
            site.loads[site.path(load)].switch = self.spec.of_load()
        if self.spec.failures and self.spec.failures.common_cause_fraction > 0.0:
            site.item(self._common, "common_cause")

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """A family of failures, and the hand that moves a switch which did not move itself."""
        names = [site.path(f"{load}/switch") for load in self._loads]
        items = [ids[name] for name in names]
        loads = [site.plan.load_of[load] for load in self._loads]

        def flip(flipped: np.ndarray, up: np.ndarray, cause: int) -> int:
            row = cause
            for k in flipped:
                row = site.change(items[k], r.UP, int(up[k]), SUPPLY, cause)
                site.faults.load(loads[k], on=not up[k])
            return row

        spec, common = self.spec, site.path(self._common)
        model = failing(spec.failures, spec.mtbf_h, spec.mttr_h, site.plan.start_month)
        groups = [Group(ids[common], common, list(range(len(names))))] if model.common_fraction > 0.0 else []
        Family(world, site, names, items, model, flip, groups=groups)
        site.phases.append(ByHand(spec, world, site, loads).react)


class ByHand:
    """Frees switches that are stuck, after a time."""

    def __init__(self, spec: TransferSwitchSpec, world: World, site: Site, loads: list[int]) -> None:
        self._site, self._loads = site, loads
        self._by_hand_us = ticks(spec.by_hand_min / 60.0)
        self._due = dict.fromkeys(loads, NEVER)
        self._alarm = world.alarm(self._free)

    def react(self) -> None:
        """Note which switches are stuck, and when each will be freed."""
        stuck, now = self._site.fact[f.L_STUCK], self._site.now_us
        for i in self._loads:
            if stuck[i] == FREE:
                self._due[i] = NEVER
            elif self._due[i] == NEVER:
                self._due[i] = now + (RECONNECT_US if stuck[i] == DROPPED else max(1, self._by_hand_us))
        due = min(self._due.values())
        if due < NEVER:
            self._alarm.at(due)
        else:
            self._alarm.stop()

    def _free(self) -> None:
        site, now = self._site, self._site.world.now
        for i, due in self._due.items():
            if due <= now:
                site.settle()
                site.now_us = now
                self._due[i] = NEVER
                site.fact[f.L_STUCK, i] = FREE
        site.ask(SUPPLY)
