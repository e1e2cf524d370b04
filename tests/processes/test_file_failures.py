"""Faults in a network from a file, with customers at its buses: zones, switching and a tie by hand."""

import pytest
from simulation import H, hall, play

from twin import metrics
from twin.errors import InputError

CASE = """function mpc = feeders
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;
 2 1 0 0 0 0 1 1 0 10 1 1.1 0.9;
 3 1 0 0 0 0 1 1 0 10 1 1.1 0.9;
 4 1 0 0 0 0 1 1 0 0.4 1 1.1 0.9;
 5 1 0 0 0 0 1 1 0 10 1 1.1 0.9;
];
mpc.gen = [1 0 0 10 -10 1 1 1 10 0];
mpc.branch = [
 1 2 0.01 0.01 0 0 0 0 0 0 1 -360 360;
 2 3 0.01 0.01 0 0 0 0 0 0 1 -360 360;
 3 4 0.05 0.06 0 0 0 0 1 0 1 -360 360;
 1 5 0.01 0.01 0 0 0 0 0 0 1 -360 360;
 5 3 0.01 0.01 0 0 0 0 0 0 0 -360 360;
];
"""
RARE = {"failures_per_year": 1e-9, "mttr_h": 4.0}
POINTS = {"village": {"load_kw": 100.0, "customers": 90}, "mill": {"load_kw": 300.0, "customers": 1},
          "town": {"load_kw": 200.0, "customers": 909}}  # fmt: skip
BUS_OF = {"village": [2], "mill": [4], "town": [5], "row-001": [5], "row-002": [5], "core": [5]}


@pytest.fixture
def network(tmp_path):
    """Two feeders from bus 1: 1-2-3 with a mill behind a transformer at 4, and 1-5; an open tie 5-3."""
    file = tmp_path / "feeders.m"
    file.write_text(CASE)
    devices = [
        {"kind": "breaker", "bus": 1, "toward": 2}, {"kind": "breaker", "bus": 1, "toward": 5},
        {"kind": "disconnector", "bus": 2, "toward": 3}, {"kind": "fuse", "bus": 3, "toward": 4},
    ]  # fmt: skip
    failures = {
        "switching_h": 1.0, "lines": RARE, "transformers": RARE, "bus_bars": RARE, "devices": devices, "ties": [[5, 3]],
    }  # fmt: skip
    return {"kind": "file", "file": str(file), "bus_of": BUS_OF, "section_bus": [1], "failures": failures}


def struck(network, item, **more):
    site = {"network": network | more, "load_points": POINTS,
            "shocks": {"fault": {"per_year": 200.0, "strikes": {f"network/{item}": 1.0}}}}  # fmt: skip
    story = play(hall(site=site, horizon={"hours": 1000.0}), level="series")
    at = next(tick for tick, up in story.of(f"network/{item}", "up") if not up)
    first = {name: [(s - at, e - at) for s, e in story.dark(name) if s >= at][:1] for name in POINTS}
    return story, first


def test_a_fault_at_the_head_waits_for_switching_below_and_for_the_repair_in_its_own_section(network):
    story, first = struck(network, "line-1-2")
    assert first == {"village": [(0, 4 * H)], "mill": [(0, H)], "town": []}
    assert story.of("network/tie-5-3", "closed")[0][1] == 1


def test_without_its_tie_the_mill_waits_for_the_repair(network):
    _, first = struck(network, "line-1-2", failures=network["failures"] | {"ties": []})
    assert first == {"village": [(0, 4 * H)], "mill": [(0, 4 * H)], "town": []}


def test_a_fuse_keeps_a_transformer_s_fault_to_itself_and_a_bus_bar_s_stays_until_it_is_repaired(network):
    assert struck(network, "transformer-3-4")[1] == {"village": [], "mill": [(0, 4 * H)], "town": []}
    assert struck(network, "bus-3")[1] == {"village": [(0, H)], "mill": [(0, 4 * H)], "town": []}


def test_customers_are_the_weight_of_the_indices(network):
    story, _ = struck(network, "transformer-3-4")
    figures = dict(zip(*metrics.row(story.trace), strict=True))
    dark = story.dark("mill")
    assert figures["customers"] == 1000
    assert figures["saifi_per_year"] == pytest.approx(len(dark) / 1000.0 * 8760.0 / 1000.0)
    indices = metrics.load_point_indices(story.trace)
    place = indices["name"].index("hall/mill")
    assert indices["dark_h_per_year"][place] == pytest.approx(sum(e - s for s, e in dark) / H * 8.76)
    assert indices["unserved_kwh_per_year"][place] == pytest.approx(300.0 * indices["dark_h_per_year"][place])


def test_branches_that_are_not_there_are_named(network):
    failures = network["failures"] | {"ties": [[2, 5]]}
    with pytest.raises(InputError, match="no branch joins the buses 2 and 5"):
        play(hall(site={"network": network | {"failures": failures}, "load_points": POINTS}))
