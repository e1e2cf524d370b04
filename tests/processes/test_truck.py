"""One truck, one dark hall: it arrives late, carries, runs empty; every instant by hand, to the microsecond."""

import numpy as np
from simulation import MIN, H, S, all_near, near, outage
from trucking import fleet, play_fleet

from twin.metrics import cause_chain
from twin.trace import Trace


def dark_hall(hours: float, **hall):
    """The hall loses its only feeder at 10:00."""
    script = {"grid": {"script": [outage(10.0, duration_h=hours)]}}
    return fleet(sites={"hall": {**script, **hall}})


def test_a_truck_arrives_late_carries_and_runs_empty():
    story = play_fleet(dark_hall(8.0))
    # 10:00 ordered, unplugged; 10:10 on the road; 11:10 there; 11:40 plugged in; 140 kW (no job) last 1000 / 140 h
    assert story.of("trucks/one", "phase") == [
        (10 * H, 1), (10 * H, 2), (10 * H + 10 * MIN, 4), (11 * H + 10 * MIN, 7), (11 * H + 40 * MIN, 0),
        (18 * H + 10 * S, 1), (18 * H + 10 * S, 2), (18 * H + 10 * S + 10 * MIN, 4),
        (19 * H + 10 * S + 10 * MIN, 7), (19 * H + 10 * S + 40 * MIN, 0),
    ]  # fmt: skip
    # the way back to the grid is dark for the changeover of 10 s, and not before is the truck free
    assert story.dark("hall/row-001") == [(10 * H, 11 * H + 40 * MIN), (18 * H, 18 * H + 10 * S)]
    assert near(round(story.truck_kwh("one", 18 * H) * 1e6), round((1000 - 140 * (6 + 1 / 3)) * 1e6))


def test_a_truck_that_runs_empty_leaves_the_hall_dark_until_the_grid_is_back():
    story = play_fleet(dark_hall(20.0))
    lit = 11 * H + 40 * MIN
    empty = lit + 1000 / 140 * H
    assert all_near(story.dark("hall/row-001"), [(10 * H, lit), (empty, 30 * H)])
    assert all_near(story.dark("hall/core"), [(10 * H, lit), (empty, 30 * H)])
    assert near(int(story.truck_kwh("one", int(empty) + S)), 0)
    (out,) = [trip for trip in story.table("trips") if trip["reason"] == 1]
    assert (out["ordered_us"], out["depart_us"], out["arrive_us"]) == (10 * H, 10 * H + 10 * MIN, 11 * H + 10 * MIN)
    assert (out["plugged_us"], out["in_time"], out["km"]) == (lit, 1, 40.0)


def test_a_truck_that_comes_after_the_end_goes_home_and_counts_as_too_late():
    story = play_fleet(dark_hall(1.5))
    assert story.dark("hall/row-001") == [(10 * H, 11 * H + 30 * MIN)]
    first, back = story.table("trips")
    assert (first["plugged_us"], first["in_time"]) == (11 * H + 40 * MIN, 0)
    assert (back["reason"], back["in_time"]) == (0, -1)


def test_the_ledger_of_every_site_closes_over_what_trucks_bring_and_take():
    story = play_fleet(dark_hall(20.0))
    for site in ("depot", "hall"):
        ledger = {name: column.sum() for name, column in story.trace.ledger[site].items()}
        moved = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
        handed = ledger["truck_in_kwh"] - ledger["truck_out_kwh"]
        assert abs(ledger["stored_end_kwh"] - ledger["stored_start_kwh"] - moved - handed) < 1e-9


def test_a_trace_with_trucks_is_the_same_from_disk(tmp_path):
    trace = play_fleet(dark_hall(8.0)).trace
    trace.save(tmp_path / "fleet.h5")
    assert Trace.open(tmp_path / "fleet.h5").equals(trace)


def test_what_a_truck_did_stands_in_cause_chains_in_words():
    story = play_fleet(dark_hall(8.0))
    events = story.trace.events
    lit = np.flatnonzero(
        (events["item"] == story._id("hall/core"))
        & (events["what"] == story.whats.index("lit"))
        & (events["value"] == 1)
    )
    chain = cause_chain(story.trace, int(lit[0]))
    assert chain[0] == "hall/grid/script-0001 strikes"
    assert "trucks/one is ordered away" in chain
    assert chain[-3:] == ["trucks/one is plugged in", "hall/core/feed restored", "hall/core is energised again"]
