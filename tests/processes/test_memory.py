"""A world that is over leaves memory at once: nothing of it waits for the garbage collector."""

import gc

import pytest

from twin.scenario.load import load
from twin.simulator import Simulator
from twin.world.record import Record
from twin.world.site import Site
from twin.world.world import World


def _worlds() -> set[int]:
    return {id(one) for one in gc.get_objects() if isinstance(one, World | Site | Record)}


@pytest.mark.parametrize(
    ("scenario", "design"),
    [("17_failure_modes", "all_modes"), ("06_truck_fleet", "optimised"), ("22_backfill", "easy")],
)
def test_a_replication_leaves_no_world_to_the_collector(scenario: str, design: str) -> None:
    simulator = Simulator(load(scenario), design)
    simulator.run(0, "ledger")
    gc.collect()
    before = _worlds()
    gc.disable()
    try:
        simulator.run(1, "ledger")
        assert _worlds() <= before
    finally:
        gc.enable()
