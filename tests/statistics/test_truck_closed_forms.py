"""Trucks against closed forms: late arrival with fixed energy, and trucks as servers (Erlang's and Engset's losses).

Dark hours with a UPS of T, a truck after V > T with energy for X more, and exponential outages of mean m: an outage of
length D is dark from T to V and from V + X on, so that it costs on average
    E(min(D, V) - T)+ + E(D - V - X)+ = m (exp(-T/m) - exp(-V/m) + exp(-(V + X)/m)).
Erlang-B, c servers, offered a: B = (a^c / c!) / sum of a^k / k!. Engset, N sources, one server, alpha = service / idle:
the call congestion (what callers see) is (N - 1) alpha / (1 + (N - 1) alpha). Both clear blocked calls.
"""

import math
from typing import Any

import numpy as np
import pytest
from simulation import UPS, H, simulator
from trucking import FleetStory, fleet

from twin.world import record as r
from twin.world.site import Site
from twin.world.world import Process, World

SE = 3.0


def test_dark_hours_of_a_truck_that_comes_after_a_fixed_delay_with_fixed_energy():
    mean, per_run, replications = 1.5, 150, 8
    script = [{"at_h": 24.0 * k + 6.0, "duration_h": {"law": "exponential", "mean": mean}} for k in range(per_run)]
    # without a job the hall takes 140 kW: T = 66.67 kWh / 140 kW, V = 10 + 60 + 30 min, X = 350 kWh / 140 kW
    protection = {"ups": {**UPS, "loss_fraction": 0.0, "serves": ["rows", "core"], "recharge_multiple": 1.0}}
    point = {"plug": {"synchronised": True, "serves": ["rows", "core"]}}
    hall = {"grid": {"script": script}, "protection": protection, "connection_points": point}
    made = simulator(
        fleet(sites={"hall": hall}, trucks={"one": {"rated_kwh": 350.0}}, horizon={"hours": 24.0 * per_run})
    )
    first, late, carried = 400.0 / 6 / 140, 100 / 60, 350 / 140
    found = np.zeros((replications, per_run))
    for k in range(replications):
        for start, end in FleetStory(made.run(k, "ledger")).dark("hall/core"):
            found[k, int((start / H - 6.0) // 24.0)] += (end - start) / H
    expected = mean * (math.exp(-first / mean) - math.exp(-late / mean) + math.exp(-(late + carried) / mean))
    error = found.std(ddof=1) / math.sqrt(found.size)
    assert abs(found.mean() - expected) < SE * error
    assert error < 0.05 * expected


class Callers:
    """Sites that call for a truck by an outage of a second; a call that finds no truck is cleared.

    `sources` 0: one Poisson stream of calls, each from a site that is not being served (Erlang); else so many sites
    that each call after an exponential idle time, and are not idle while they are served (Engset).
    """

    def __init__(self, idle_h: float, served_h: float, sources: int) -> None:
        self._idle_h, self._served_us, self._sources = idle_h, round(served_h * H), sources
        self.calls = self.blocked = 0

    def declare(self, site: Any) -> None:
        """Nothing of its own: a call is an event on the site's own grid."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process for each stream of calls."""
        self._ids = ids
        for number in range(max(1, self._sources)):
            world.start(self._calling(world, number))

    def _calling(self, world: World, number: int) -> Process:
        gaps = world.stream(f"caller-{number}", "idle")
        halls = [f"e{k}" for k in range(max(8, self._sources))]
        until = dict.fromkeys(halls, 0)
        while True:
            yield world.sleep(round(-math.log1p(-gaps.uniform()) * self._idle_h * H) + 1)
            name = halls[number] if self._sources else next(name for name in halls if until[name] <= world.now)
            served = yield from self._call(world, name, gaps.n)
            until[name] = world.now + self._served_us if served else 0
            if self._sources and served:
                yield world.sleep(self._served_us)

    def _call(self, world: World, name: str, number: int) -> Process:
        site: Any = next(one for one in world.sites if one.name == name)
        begin = world.now
        world.start(site.grid.event(self._ids[f"{name}/feeder-A"], number, (), 1_000_000, 0.0))
        yield world.sleep(1)
        events, row = world.record.events, world.record.count - 1
        while row >= 0 and events[5 * row] >= begin and events[5 * row + 2] != r.ORDERED:
            row -= 1
        served = row >= 0 and events[5 * row] >= begin
        self.calls += 1
        self.blocked += not served
        return served


def blocking(trucks: int, idle_h: float, served_h: float, sources: int, years: float) -> tuple[float, int]:
    """Share of calls that find no truck: it drives there and back for nothing, connecting at both ends."""
    halls = [f"e{k}" for k in range(max(8, sources))]
    one_way_km = 40.0 * (served_h / 2 - 1.0)
    point = {"connect_min": 30.0, "disconnect_min": 30.0, "berths": max(2, trucks)}
    plain = {"connection_points": {"plug": {**point, "berths": 1}}}
    data = fleet(
        *halls, sites={"depot": {"connection_points": {"yard": point}}} | dict.fromkeys(halls, plain),
        trucks={f"t{k}": {} for k in range(trucks)}, horizon={"hours": 8760.0 * years},
        roads={"distances_km": {"depot": dict.fromkeys(halls, one_way_km)}},
    )  # fmt: skip
    callers = Callers(idle_h, served_h, sources)
    simulator(data, callers).run(0, "ledger")
    return callers.blocked / callers.calls, callers.calls


def erlang_b(servers: int, offered: float) -> float:
    terms = [offered**k / math.factorial(k) for k in range(servers + 1)]
    return terms[-1] / sum(terms)


@pytest.mark.parametrize(
    ("trucks", "idle_h", "years"), [(1, 24.0, 5.0), pytest.param(2, 8760 / 80, 150.0, marks=pytest.mark.slow)]
)
def test_trucks_as_servers_lose_calls_as_erlang_says(trucks, idle_h, years):
    expected = erlang_b(trucks, 12.0 / idle_h)
    if trucks == 2:
        assert expected == pytest.approx(0.00538, abs=5e-6)
    found, calls = blocking(trucks, idle_h, 12.0, 0, years)
    assert abs(found - expected) < SE * math.sqrt(expected * (1 - expected) / calls)


def test_one_truck_for_five_sites_loses_calls_as_engset_says():
    alpha = 24.0 / 500.0
    expected = 4 * alpha / (1 + 4 * alpha)
    assert expected == pytest.approx(0.161, abs=1e-3)
    found, calls = blocking(1, 500.0, 24.0, 5, 25.0)
    error = math.sqrt(expected * (1 - expected) / calls)
    assert abs(found - expected) < SE * error
    assert abs(found - 5 * alpha / (1 + 5 * alpha)) > error  # not the share of time that it is away
