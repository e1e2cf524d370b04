"""Attribution: chains of causes by hand, and the law that shares add up to the whole."""

import numpy as np
import pytest
from builders import H, trace_of
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, GENSETS, hall, outage, play

from twin import metrics
from twin.compare import compare_designs
from twin.metrics import causes
from twin.metrics.chain_estimates import estimate_chains, loss_outcomes
from twin.metrics.chains import losses_by_chain, outcome_values
from twin.metrics.names import CHAIN_ROOTS, OUTCOMES
from twin.world.record import WHATS

ITEMS = [
    ("grid/a", "sustained", 0.0, 0), ("feeder-a", "feeder", 0.0, 0), ("row-1/cabinets", "feed", 0.0, 0),
    ("gensets/genset-1", "genset", 0.0, 0), ("row-1", "row", 100.0, 8), ("jobs/gang", "gang_job", 0.0, 8),
    ("jobs/gang/hardware", "hardware", 0.0, 0), ("row-1/cabinets/cabinet-1", "cabinet", 0.0, 0),
]  # fmt: skip
STRUCK = [
    (1.0, 0, "strikes", 1, -1), (1.0, 1, "up", 0, 0), (1.0, 2, "picked_up", 1, 1), (1.5, 3, "failed_to_start", 1, 1),
    (2.0, 2, "empty", 1, 2), (2.0, 4, "lit", 0, 4), (5.0, 4, "lit", 1, 1),
]  # fmt: skip
JOB = (5, 0, 0, -1, 8, 0, 0, 0, 0, 1)


def stop(start_h, end_h, cause, gpus=8):
    return (0, 5, round(start_h * H), round(end_h * H), cause, 1, gpus, 0)


def by_chain(trace):
    table = losses_by_chain(trace)
    return dict(zip(table["chain"], table["lost_gpu_h"].tolist(), strict=True)), table


def test_a_chain_runs_from_the_grid_over_an_empty_battery_to_a_genset_that_did_not_start():
    trace = trace_of(ITEMS, STRUCK, [JOB], [stop(2.0, 6.0, 5)], whats=list(WHATS))
    found, table = by_chain(trace)
    chain = "sustained interruption > genset fails to start > storage empty"
    assert found.keys() == {chain, "power cap"}
    assert found[chain] == 32.0
    own = table["chain"].index(chain)
    assert table["job_interruptions"][own] == table["supply_interruptions"][own] == 1.0
    assert table["dark_h"][own] == 3.0
    group, lost = causes.groups(trace), causes.loss_gpu_h(trace)
    assert outcome_values(trace, group, lost)["lost_gpu_h_sustained_empty_per_year"] == 32.0


def test_a_genset_that_fails_after_the_row_went_dark_is_no_part_of_its_chain():
    events = [*STRUCK[:3], (2.0, 2, "empty", 1, 2), (2.0, 4, "lit", 0, 3), (3.0, 3, "failed_to_start", 1, 1)]
    trace = trace_of(ITEMS, events, [JOB], [stop(2.0, 6.0, 4)], whats=list(WHATS))
    assert "sustained interruption > storage empty" in by_chain(trace)[0]


def test_a_unit_that_was_down_for_reasons_of_its_own_is_named():
    events = [(0.5, 7, "up", 0, -1), *((at, *rest, cause + 1 if cause >= 0 else cause)
              for at, *rest, cause in [*STRUCK[:2], (1.0, 2, "overloaded", 1, 1), (1.0, 4, "lit", 0, 2)])]  # fmt: skip
    trace = trace_of(ITEMS, events, [JOB], [stop(1.0, 2.0, 4)], whats=list(WHATS))
    assert "sustained interruption > a unit down already > storage overloaded" in by_chain(trace)[0]


def test_roots_and_outcomes_name_every_group_but_hardware():
    assert CHAIN_ROOTS.keys() == set(causes.GROUPS) - {"hardware"}


@st.composite
def forests(draw):
    """Events with random causes among earlier ones, and interruptions with random causes."""
    count = draw(st.integers(1, 25))
    events = []
    for row in range(count):
        item = draw(st.integers(0, len(ITEMS) - 1))
        what = draw(st.sampled_from([
            "strikes", "up", "picked_up", "failed_to_pick_up", "overloaded", "empty", "failed_to_start", "lit",
            "tripped_on_heat", "human_error", "hardware",
        ]))  # fmt: skip
        events.append((row / 4.0, item, what, draw(st.integers(0, 1)), draw(st.integers(-1, row - 1))))
    stops = []
    for k in range(draw(st.integers(1, 12))):
        length, gpus = draw(st.floats(1e-3, 1e4)), draw(st.integers(1, 10**6))
        stops.append(stop(10.0 + k, 10.0 + k + length, draw(st.integers(-1, count - 1)), gpus))
    return events, stops


@settings(max_examples=60, deadline=None)
@given(forests())
def test_shares_add_up_to_the_whole_whatever_causes_what(forest):
    events, stops = forest
    trace = trace_of(ITEMS, events, [JOB], stops, whats=list(WHATS))
    table = losses_by_chain(trace)
    whole = causes.loss_gpu_h(trace).sum() + sum(lost.sum() for lost in causes.slowed_gpu_h(trace).values())
    assert table["lost_gpu_h"].sum() == pytest.approx(whole, rel=1e-9)
    assert table["lost_share"].sum() == pytest.approx(1.0, abs=1e-9)
    assert table["job_interruptions"].sum() == len(stops)
    group, lost = causes.groups(trace), causes.loss_gpu_h(trace)
    by_outcome = sum(outcome_values(trace, group, lost).values())
    assert by_outcome * trace.years == pytest.approx(lost[group != 0].sum(), rel=1e-9, abs=1e-9)
    dark = metrics.dark_spans(trace)
    hours = (dark.end_us - dark.start_us)[[ITEMS[item][1] == "row" for item in dark.item]].sum() / H
    assert table["dark_h"].sum() == pytest.approx(hours, rel=1e-9)


def test_a_simulated_year_is_attributed_to_the_last_gpu_hour():
    """All that the metrics say is lost has a chain, and each chain an interval over replications."""
    site = {
        "grid": {
            "feeders": {"A": {"sustained": {"per_year": 60.0, "duration_h": {"law": "exponential", "mean": 2.0}}}},
            "deep_sags": {"per_year": 60.0, "duration_ms": {"law": "uniform", "low": 10.0, "high": 500.0}},
        },
        "protection": {
            "cabinets": CABINETS | {"transfer_failure_probability": 0.2, "cabinet_mtbf_h": 500.0},
            "gensets": GENSETS | {"fail_to_start_probability": 0.5},
        },
    }
    traces = [play(hall(site=site, horizon={"hours": 8760.0}), replication=k, level="ledger").trace for k in range(3)]
    chains = estimate_chains(traces)
    lost = [dict(zip(*metrics.row(trace), strict=True))["lost_gpu_h_per_year"] for trace in traces]
    assert sum(one.lost_gpu_h.mean for one in chains) == pytest.approx(np.mean(lost), rel=1e-9)
    assert sum(one.lost_share for one in chains) == pytest.approx(1.0, abs=1e-9)
    steps = {step for one in chains for step in one.chain}
    assert {"sustained interruption", "sag", "storage empty", "storage does not pick up"} <= steps
    assert "genset fails to start" in steps
    assert all(one.lost_gpu_h.low <= one.lost_gpu_h.mean <= one.lost_gpu_h.high for one in chains)


def test_outcomes_of_a_comparison_add_up_to_its_loss():
    site = {"grid": {"script": [outage(1.0, duration_h=3.0), outage(10.0, duration_ms=200.0)]},
            "protection": {"cabinets": CABINETS | {"core": 0}}}  # fmt: skip
    rows = [metrics.row(play(hall(site=site), level="ledger").trace)[1] for _ in range(2)]
    comparison = compare_designs({"cabinets": np.array(rows)}, metrics.NAMES, None, 24.0 / 8760.0)
    found = loss_outcomes(comparison, "cabinets")
    assert sum(share for *_, share in found) == pytest.approx(1.0, abs=1e-9)
    assert {ended for _, ended, *_ in found} <= {*OUTCOMES.values(), ""}
