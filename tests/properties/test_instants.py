"""Looking more often changes nothing, and no order of simultaneous facts does."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import GENSETS, UPS, Breaks, H, Story, hall, merged, outage, play, simulator
from strategies import scenarios

from twin.world.site import LOAD, SUPPLY, UNITS, Site
from twin.world.world import Process, World


class Onlooker:
    """A part that settles the site, or asks for reactions, at given ticks and changes nothing."""

    def __init__(self, ticks: list[int], concerns: int) -> None:
        self._ticks, self._concerns = sorted(set(ticks)), concerns

    def declare(self, site: Any) -> None:
        """Nothing."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """One process looks at every tick."""

        def run() -> Process:
            for tick in self._ticks:
                if tick > world.now:
                    yield world.sleep(tick - world.now)
                site.settle()
                if self._concerns:
                    site.ask(self._concerns)

        world.start(run())


class Shuffle:
    """A part that makes SimPy pop the events of one tick and priority in random order."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def declare(self, site: Any) -> None:
        """Nothing."""

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Replace SimPy's running number, the last key of its queue, by random ones."""
        world.env._eid = numbers(self._seed)  # type: ignore[assignment]


def numbers(seed: int) -> Iterator[int]:
    rng = random.Random(seed)
    while True:
        yield rng.getrandbits(60)


def same_events(one: Story, two: Story) -> None:
    for name, column in one.trace.events.items():
        np.testing.assert_array_equal(column, two.trace.events[name], err_msg=name)
    for name, column in one.trace.jobs.items():
        np.testing.assert_array_equal(column, two.trace.jobs[name], err_msg=name)


def same_energies(one: Story, two: Story) -> None:
    for name, column in one.ledger.items():
        np.testing.assert_allclose(column, two.ledger[name], rtol=1e-10, atol=1e-9, err_msg=name)


TICKS = st.lists(st.one_of(st.integers(0, 36 * H - 1), st.integers(0, 35).map(lambda hour: hour * H)), max_size=40)


@settings(max_examples=40, deadline=None)
@given(scenarios(), TICKS)
def test_extra_settles_leave_every_event_on_its_tick(data: dict[str, Any], ticks: list[int]) -> None:
    calm, watched = play(data, level="ledger"), play(data, Onlooker(ticks, 0), level="ledger")
    same_events(calm, watched)
    same_energies(calm, watched)


@settings(max_examples=60, deadline=None)
@given(scenarios(), TICKS, st.sampled_from([LOAD, UNITS, SUPPLY, LOAD | UNITS | SUPPLY]))
def test_extra_reactions_leave_every_event_on_its_tick(data: dict[str, Any], ticks: list[int], concerns: int) -> None:
    calm, watched = play(data, level="ledger"), play(data, Onlooker(ticks, concerns), level="ledger")
    same_events(calm, watched)
    same_energies(calm, watched)


@pytest.mark.parametrize("before", [0, 1, 2, 3])
@pytest.mark.parametrize("concerns", [LOAD, SUPPLY])
def test_a_reaction_just_before_the_tank_is_empty_changes_nothing(before: int, concerns: int) -> None:
    """Sets stop in the tick that was announced, however near to it somebody looks."""
    gensets = {**GENSETS, "fuel": {"tank_l": 300.0, "per_kwh_l": 0.37, "delivery_after_h": 20.0}}
    site = {"protection": {"gensets": gensets, "ups": UPS}, "grid": {"script": [outage(1.0, duration_h=9.0)]}}
    calm = play(hall(site=site))
    (dry,) = calm.at("gensets", "empty")
    watched = play(hall(site=site), Onlooker([dry - before], concerns))
    same_events(calm, watched)
    same_energies(calm, watched)


@settings(max_examples=30, deadline=None)
@given(scenarios(), st.booleans())
def test_time_never_falls_along_the_events(data: dict[str, Any], drain_job: bool) -> None:
    """Also where work on a feeder drains the job, and another source of facts moves in between."""
    planned = {"per_year": 8760.0 / 7.0, "duration_h": 2.0, "drain_job": drain_job}
    work = {"script": [{"at_h": 5.0, "on": "row-001", "duration_h": 1.0, "drain_job": drain_job}]}
    (name,) = data["sites"]
    site = {"grid": {"feeders": {"A": {"planned": planned}, "B": {}}}}
    if not data["sites"][name].get("protection"):
        site["planned_work"] = work
    story = play(merged(data, {"sites": {name: site}}), level="ledger")
    assert (np.diff(story.trace.events["time_us"]) >= 0).all()


BEFORE = {
    "up": 1,
    "energised": 1,
    "closed": 0,
    "lit": 1,
    "running": 1,
    "bypass": 0,
    "capped": 0,
    "online": 0,
    "phase": -1,
}
"""Facts that hold a value, and the value at the start; all other events are happenings."""


def outcome(story: Story) -> list[tuple[Any, ...]]:
    """Events without their order inside an instant: of a fact only values that last and differ from before."""
    events, names = story.trace.events, story.trace.items["name"]
    rows = range(events["time_us"].size)
    keys = [(int(events["time_us"][row]), names[events["item"][row]], story.whats[events["what"][row]]) for row in rows]
    last = {key: int(events["value"][row]) for row, key in enumerate(keys)}
    held: dict[tuple[str, str], int] = {}
    out = []
    for (tick, item, what), value in sorted(last.items()):
        if what in BEFORE and held.get((item, what), BEFORE[what]) == value:
            continue
        held[item, what] = value
        out.append((tick, item, what, value))
    return out


@settings(max_examples=80, deadline=None)
@given(scenarios(), st.integers(0, 10**9))
def test_all_orders_of_simultaneous_facts_give_one_outcome(data: dict[str, Any], seed: int) -> None:
    plain = play(data, level="ledger")
    shuffled = Story(simulator(data, first=[Shuffle(seed)]).run(0, "ledger"))
    assert outcome(plain) == outcome(shuffled)
    same_energies(plain, shuffled)
    for name, column in plain.trace.jobs.items():
        np.testing.assert_array_equal(column, shuffled.trace.jobs[name], err_msg=name)


def test_an_event_that_begins_as_another_ends_on_its_feeder_has_one_outcome() -> None:
    """A is lost twice for ten seconds, end to start: the tie opens in between, or it does not, but always the same."""
    script = [outage(1.0, duration_s=9.0, feeders=["A"]), outage(1.0 + 9.0 / 3600, duration_s=9.0, feeders=["A"])]
    grid = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 0.0, "script": script}
    data = hall(site={"grid": grid})
    found = {repr(outcome(Story(simulator(data, first=[Shuffle(seed)]).run(0, "ledger")))) for seed in range(20)}
    assert len(found) == 1


def test_cabinets_that_come_back_at_the_tick_of_the_outage_count_in_any_order() -> None:
    """Five of a row's cabinets are mended, one breaks and both feeders go at one tick, in 30 orders."""
    cluster = {"rows": 1, "servers_per_row": 30}
    cabinets = {
        "per_row": 5,
        "core": 1,
        "rated_kw": 125.0,
        "rated_kwh": 100.0,
        "auxiliary_kw": 1.0,
        "cabinet_mtbf_h": 1e12,
    }
    script = [
        outage(2.0, duration_h=1.0, feeders=["A"]),
        outage(2.0, duration_min=5.0, feeders=["B"]),
        outage(3.5, duration_s=5.0),
    ]
    grid = {"feeders": {"A": {}, "B": {}}, "script": script}
    data = hall(site=merged({"cluster": cluster, "grid": grid}, {"protection": {"cabinets": cabinets}}), jobs={})
    flips = [(0, f"row-001/cabinet-0{k}", 0) for k in range(1, 5)]
    flips += [(2 * H, f"row-001/cabinet-0{k}", 1) for k in range(1, 4)] + [(2 * H, "row-001/cabinet-05", 0)]
    found = set()
    for seed in range(30):
        parts = [Breaks(flip) for flip in flips]
        story = Story(simulator(data, *parts, first=[Shuffle(seed)]).run(0, "ledger"))
        found.add(repr(outcome(story)))
    assert len(found) == 1
