"""Blast radius from the layout alone, against the simulation of the same single fault."""

from functools import cache

import pytest
from simulation import CABINETS, NETWORK, UPS, H, hall, merged, play

from twin.check.carrying import check_design
from twin.scenario.model import Scenario

NEVER = {"failures_per_year": 1e-9, "mttr_h": 5.0}
KINDS = (
    "main_transformers", "section_bus_bars", "cables", "row_transformers", "row_busways", "core_transformers",
    "breakers",
)  # fmt: skip
MAIN = {"rated_kva": 1000.0, "impedance_percent": 6.0, "load_loss_kw": 8.0}
CASES = {
    "bare": {},
    "cabinets": {"cabinets": CABINETS},
    "core cabinet alone": {"cabinets": CABINETS | {"per_row": 0}},
    "slow switches": {"cabinets": CABINETS | {"transfer_ms": 100.0}},
}


def campus(protection):
    network = merged(NETWORK, {"supply_kv": 35.0, "main_transformers": MAIN, "failures": dict.fromkeys(KINDS, NEVER)})
    grid = {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 0.0}
    return {"network": network, "grid": grid, "protection": protection}


@cache
def blasts(case):
    (site,) = check_design(case, Scenario.model_validate(hall(site=campus(CASES[case])))).sites
    found = {}
    for one in site.blasts:
        for item in one.items:
            found.setdefault(item, {})[one.until] = one
    return found


def first_strike(case, item):
    """(rows dark at once, whether the core is, the same a second before the repair) of the first fault alone."""
    shocks = {"shocks": {"fault": {"per_year": 500.0, "strikes": {item: 1.0}}}}
    story = play(hall(site=campus(CASES[case]) | shocks, horizon={"hours": 500.0}), level="ledger")
    at = next(tick for tick, up in story.of(item, "up") if not up)
    dark = {load for load in ("row-001", "row-002", "core") if any(start == at for start, _ in story.dark(load))}
    late = {load for load in dark if any(start == at and end >= at + 2 * H for start, end in story.dark(load))}
    return dark, late


ITEMS = sorted(item for item in blasts("bare") if item.startswith("network/"))


@pytest.mark.parametrize("case", CASES)
def test_what_check_says_of_a_fault_alone_is_what_the_simulation_of_it_does(case):
    looked_at = blasts(case)
    assert looked_at.keys() >= set(ITEMS)
    for item in ITEMS[:: 1 if case == "bare" else 3]:
        told = looked_at[item]
        lasting = told.get("the repair") or told["the tie closes"]
        at_once = told.get("it is isolated", lasting)
        dark, late = first_strike(case, item)
        assert len(dark - {"core"}) == at_once.rows, item
        assert ("core" in dark) == at_once.core, item
        if lasting.until == "the repair":
            assert len(late - {"core"}) == lasting.rows, item


def test_a_ups_block_takes_the_loads_that_hang_on_it_alone():
    protection = {"ups": UPS | {"serves": ["rows"], "blocks": 2}}
    (site,) = check_design("ups", Scenario.model_validate(hall(site={"protection": protection}))).sites
    (block,) = [one for one in site.blasts if one.kind == "ups_block"]
    assert block.items == ("ups-1", "ups-2")
    assert (block.rows, block.kw, block.core) == (1, 100.0, False)
    feeder = next(one for one in site.blasts if one.kind == "feeder")
    assert feeder.on_storage_kw == 200.0
    assert feeder.core
