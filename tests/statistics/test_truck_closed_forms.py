"""Trucks against closed forms: late arrival with fixed energy, and trucks as servers (Erlang's and Engset's losses).

Dark hours with a UPS of T, a truck after V > T with energy for X more, and exponential outages of mean m: an outage of
length D is dark from T to V and from V + X on, so that an event costs
    E(min(D, V) - T)+ + E(D - V - X)+ = m (exp(-T/m) - exp(-V/m) + exp(-(V + X)/m)).
Erlang-B, c servers, offered a: B = (a^c / c!) / sum of a^k / k!. Engset, N sources, one server, alpha = service / idle:
call congestion (N - 1) alpha / (1 + (N - 1) alpha). Both clear blocked calls.
"""

import math
from typing import Any

import numpy as np
import pytest
from simulation import UPS, H, merged, simulator
from trucking import DEPOT, POINT, TRUCK, FleetStory, fleet

from twin.world.site import Site
from twin.world.world import Process, World

SE = 3.0


def test_dark_hours_of_a_truck_that_comes_after_a_fixed_delay_with_fixed_energy():
    mean, per_run, replications = 1.5, 150, 8
    script = [{"at_h": 24.0 * k + 6.0, "duration_h": {"law": "exponential", "mean": mean}} for k in range(per_run)]
    # 140 kW (no job): a UPS of ten minutes at 400 kW holds 66.67 kWh, T = 0.476 h; V = 10 + 60 + 30 min; 350 kWh, X = 2.5
    protection = {"ups": {**UPS, "loss_fraction": 0.0, "serves": ["rows", "core"], "recharge_multiple": 1.0}}
    hall = {
        "grid": {"script": script}, "protection": protection, "connection_points": {"plug": {"synchronised": True}},
    }  # fmt: skip
    data = fleet(sites={"hall": hall}, trucks={"one": {"rated_kwh": 350.0}}, horizon={"hours": 24.0 * per_run})
    made = simulator(data)
    first, late, carried = 66.666666666666 / 140, 100 / 60, 350 / 140
    hours = []
    for k in range(replications):
        story = FleetStory(made.run(k, "ledger"))
        spans = story.dark("hall/core")
        events = np.zeros(per_run)
        for start, end in spans:
            events[int((start / H - 6.0) // 24.0)] += (end - start) / H
        hours.append(events)
    found = np.concatenate(hours)
    expected = mean * (math.exp(-first / mean) - math.exp(-late / mean) + math.exp(-(late + carried) / mean))
    error = found.std(ddof=1) / math.sqrt(found.size)
    assert abs(found.mean() - expected) < SE * error
    assert error < 0.07 * expected


class Callers:
    """Sites that call for a truck after an exponential idle time; a call that finds no truck is cleared."""

    def __init__(self, idle_h: float, served_h: float, *, one_call_a_site: bool) -> None:
        self._idle_h, self._served_h, self._one = idle_h, served_h, one_call_a_site
        self.calls = self.blocked = 0

    def declare(self, site: Any) -> None:
        """Nothing of its own: a call is an event on the site's own grid."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process for every site but the depot."""
        self._sent = len(world.record.trips)
        for number, name in enumerate(sorted(other for other in ids if other.endswith("/house"))):
            caller = name.removesuffix("/house")
            if caller != "depot":
                world.start(self._call(world, caller, number))

    def _call(self, world: World, name: str, number: int) -> Process:
        gaps = world.stream(f"{name}/caller", "idle")
        while True:
            yield world.sleep(round(-math.log1p(-gaps.uniform()) * self._idle_h * H) + 1)
            site = next(one for one in world.sites if one.name == name)
            ordered = len([1 for k in range(world.record.count) if world.record.events[5 * k + 2] == ORDERED])
            world.start(site.grid.event(ITEM[name], gaps.n * 100 + number, (), 1_000_000, 0.0))
            yield world.sleep(2_000_000)
            after = len([1 for k in range(world.record.count) if world.record.events[5 * k + 2] == ORDERED])
            self.calls += 1
            if after == ordered:
                self.blocked += 1
            elif self._one:
                yield world.sleep(round(self._served_h * H) - 2_000_000)
