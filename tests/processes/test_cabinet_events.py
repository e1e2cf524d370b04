"""Faults that take the bus along, thermal events that spread, pods that share, and cabinets that light a dark row."""

from typing import Any

import pytest
from simulation import CABINETS, MIN, H, S, Story, all_near, hall, near, outage, play

ROWS = ("row-001", "row-002")
LONG = {"core": 0, "rated_kwh": 1000.0}


def told(cabinets: dict[str, Any], *script: dict[str, Any], hours: float = 24.0, **site: Any) -> Story:
    site = {"grid": {"script": list(script)}, "protection": {"cabinets": {**CABINETS, **cabinets}}, **site}
    return play(hall(site=site, horizon={"hours": hours}))


def test_a_cabinet_s_fault_may_take_the_bus_of_its_row_along() -> None:
    """Every failure trips the bus for an hour; a row with a sound bus would not notice a failure at all."""
    story = told({**LONG, "cabinet_mtbf_h": 10.0, "cabinet_mttr_h": 4.0, "bus_trip": {"probability": 1.0}})
    failed = [tick for row in ROWS for tick, up in story.of(f"{row}/cabinet-01", "up") if not up]
    dark = [span for row in ROWS for span in story.dark(row)]
    assert failed
    assert sorted(start for start, _ in dark) == sorted(failed)
    assert all(end - start == H for start, end in dark if end < 24 * H)
    row = next(row for row in ROWS if story.dark(row))
    assert story.chain(row, "lit")[0] == f"{row}/cabinet-01 up 0"
    assert story.chain(row, "lit")[1].startswith(f"{row}/cabinet-01 strikes")
    never = told({**LONG, "cabinet_mtbf_h": 10.0, "cabinet_mttr_h": 4.0, "bus_trip": {"probability": 0.0}})
    assert [never.dark(row) for row in ROWS] == [[], []]


def test_a_thermal_event_that_always_spreads_burns_the_row_s_cabinets_and_no_others() -> None:
    thermal = {"per_gw_year": 2e7, "propagation_probability": 1.0, "down_h": 2000.0, "load_dark_h": 5.0}
    story = told({**LONG, "per_row": 4, "rated_kw": 40.0, "thermal": thermal}, hours=48.0)
    burnt = {row: [t for k in range(4) for t in story.at(f"{row}/cabinet-0{k + 1}", "thermal_event")] for row in ROWS}
    struck = [row for row in ROWS if burnt[row]]
    assert struck
    for row in struck:
        assert len(burnt[row]) == 4
        assert len(set(burnt[row])) == 1, "all in the instant of the first"
        assert story.dark(row)[0] == (burnt[row][0], min(burnt[row][0] + 5 * H, 48 * H))
        assert "thermal_event 1" in story.chain(row, "lit")[0]


def test_thermal_events_come_at_their_rate_and_spread_with_their_probability() -> None:
    """40 cabinets of 0.1 MW at 2,500 a GW and year: 10 a year; each neighbour catches it with 0.2, and so on."""
    thermal = {"per_gw_year": 2500.0, "propagation_probability": 0.2, "down_h": 1.0, "load_dark_h": 1.0}
    cabinets = {**CABINETS, "core": 0, "per_row": 20, "rated_kw": 100.0, "thermal": thermal}
    years = 40.0
    data = hall(site={"protection": {"cabinets": cabinets}}, jobs={}, horizon={"hours": 8760.0 * years})
    story = play(data, level="ledger")
    first = spread = 0
    events, burns = story.trace.events, story.whats.index("thermal_event")
    for row in range(len(events["item"])):
        if events["what"][row] == burns and events["value"][row] == 1:
            cause = int(events["cause"][row])
            caught = cause >= 0 and events["what"][cause] == burns
            first, spread = first + (not caught), spread + caught
    assert abs(first - 10.0 * years) <= 3.0 * (10.0 * years) ** 0.5
    # a chain to one side from place k: mean 0.2 + 0.04 + ..., cut at the ends of a row of twenty
    expected = sum(0.2**n for k in range(20) for side in (k, 19 - k) for n in range(1, side + 1)) / 20
    assert abs(spread / first - expected) <= 3.0 * (0.6 / first) ** 0.5


def test_rows_of_a_pod_share_their_cabinets_and_stand_or_fall_together() -> None:
    """Two rows of 100 kW with one cabinet each: alone a row of 250 kW and one of none; in a pod 250 kW for both."""
    alone = told({**LONG, "rated_kw": 125.0}, outage(1.0, duration_h=1.0))
    assert [alone.dark(row) for row in ROWS] == [[], []]
    pod = told({"rated_kw": 125.0, "pod_rows": 2}, outage(1.0, duration_h=1.0))
    for row in ROWS:
        assert all_near(pod.dark(row), [(H + round(0.855 * H), 2 * H)])
    weak = told({**LONG, "rated_kw": 99.0, "pod_rows": 2}, outage(1.0, duration_h=1.0))
    assert [weak.dark(row) for row in ROWS] == [[(H, 2 * H)]] * 2


def test_a_pod_outlives_the_failure_of_a_cabinet_that_a_row_alone_does_not() -> None:
    shocks = {"first": {"per_year": 8760.0 * 100.0, "strikes": {"*/cabinet-01": 1.0}}}
    common = {**LONG, "per_row": 2, "rated_kw": 70.0, "cabinet_mttr_h": 1e6}
    alone = told(common, outage(1.0, duration_h=1.0), shocks=shocks)
    assert [alone.dark(row) for row in ROWS] == [[(H, 2 * H)]] * 2
    pod = told({**common, "pod_rows": 2}, outage(1.0, duration_h=1.0), shocks=shocks)
    assert [pod.dark(row) for row in ROWS] == [[], []]


def test_a_pod_across_two_sections_is_refused() -> None:
    with pytest.raises(Exception, match="hang on two bus sections"):
        told({"core": 0, "pod_rows": 2}, grid={"feeders": {"A": {}, "B": {}}})


def test_cabinets_that_missed_the_transfer_light_their_row_again() -> None:
    slow = {**LONG, "transfer_ms": 100.0}
    assert told(slow, outage(1.0, duration_h=2.0)).dark("row-001") == [(H, 3 * H)]
    story = told({**slow, "black_start_min": 5.0}, outage(1.0, duration_h=2.0))
    assert [story.dark(row) for row in ROWS] == [[(H, H + 5 * MIN)]] * 2
    assert story.at("row-001/cabinets", "started_dark") == [H + 5 * MIN]
    assert story.power("import_kw", H + 10 * MIN) == 0.0
    before, after = story.stored_kwh("row-001/cabinet-01", H), story.stored_kwh("row-001/cabinet-01", 3 * H)
    assert before - after > 20.0


def test_cabinets_without_the_kw_or_the_energy_do_not_start() -> None:
    """An idle row takes 20 kW: 19 kW never start it, and cabinets that have run empty do not begin again."""
    weak = told({**LONG, "rated_kw": 19.0, "black_start_min": 5.0}, outage(1.0, duration_h=1.0))
    assert weak.dark("row-001") == [(H, 2 * H)]
    empty = told({"black_start_min": 5.0}, outage(1.0, duration_h=2.0))
    assert empty.at("row-001/cabinets", "started_dark") == []
    (span,) = empty.dark("row-001")
    assert near(span[0], H + round(0.855 * H))


def test_a_return_of_supply_before_the_start_leaves_nothing_to_start() -> None:
    slow = {**LONG, "transfer_ms": 100.0, "black_start_min": 5.0}
    story = told(slow, outage(1.0, duration_min=4.0), outage(2.0, duration_min=30.0))
    assert story.dark("row-001") == [(H, H + 4 * MIN), (2 * H, 2 * H + 5 * MIN)]
    assert story.at("row-001/cabinets", "started_dark") == [2 * H + 5 * 60 * S]
