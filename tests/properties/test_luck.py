"""Draws are keyed by name: neighbours, designs, order of entries and other replications move nobody's luck."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, GENSETS, UPS, H, Story, hall, job, merged, outage, play, simulator
from strategies import scenarios

from twin.chance.law import ExponentialLaw, compile_law
from twin.units import ticks
from twin.world.world import Stream, World

MORTAL = {
    **CABINETS, "per_row": 2, "core": 1, "cabinet_mtbf_h": 30.0, "cabinet_mttr_h": {"law": "exponential", "mean": 3.0},
}  # fmt: skip
WEEK = {"hours": 168.0}
BUSY_GRID: dict[str, Any] = {
    "feeders": {
        "A": {"sustained": {"per_year": 300.0, "duration_h": {"law": "lognormal", "median": 0.5, "sigma": 1.0}}},
        "B": {"momentary": {"per_year": 300.0, "duration_s": {"law": "uniform", "low": 0.3, "high": 3.0}}},
    },
    "both_feeders": {"per_year": 100.0, "duration_h": 1.0, "repeat_probability": 0.3},
    "deep_sags": {"per_year": 300.0, "duration_ms": 100.0, "residual_voltage_fraction": 0.5},
}


def happenings(story: Story, what: str) -> dict[str, list[tuple[int, int]]]:
    """(tick, value) of every event of a kind, by item."""
    events, names = story.trace.events, story.trace.items["name"]
    out: dict[str, list[tuple[int, int]]] = {}
    for row in np.flatnonzero(events["what"] == story.whats.index(what)):
        item = names[events["item"][row]]
        out.setdefault(item, []).append((int(events["time_us"][row]), int(events["value"][row])))
    return out


def test_a_family_draws_what_single_processes_would() -> None:
    data = hall(site={"protection": {"cabinets": MORTAL}}, horizon=WEEK)
    found = happenings(play(data, replication=3), "up")
    world = World(seed=1, replication=3, horizon_us=168 * H, level="ledger")
    life = compile_law(ExponentialLaw(law="exponential", mean=30.0))
    repair = compile_law(ExponentialLaw(law="exponential", mean=3.0))
    names = ["hall/core/cabinet-01", *(f"hall/row-00{row}/cabinet-0{k}" for row in (1, 2) for k in (1, 2))]
    for name in names:
        lives, repairs = world.stream(name, "failure"), world.stream(name, "restoration")
        assert found[name] == alternate(lives, repairs, life, repair)


def alternate(lives: Stream, repairs: Stream, life: Any, repair: Any) -> list[tuple[int, int]]:
    """What a process of one cabinet would do until the week is over."""
    tick, out = 0, []
    while True:
        tick += lives.ticks(life)
        if tick >= 168 * H:
            return out
        out.append((tick, 0))
        tick += repairs.ticks(repair)
        if tick >= 168 * H:
            return out
        out.append((tick, 1))


def reverse(data: Any) -> Any:
    """The same mappings with their entries in reverse order."""
    if isinstance(data, dict):
        return {key: reverse(value) for key, value in reversed(list(data.items()))}
    return data


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_the_order_of_entries_changes_nothing(data: dict[str, Any]) -> None:
    one, two = play(data).trace, play(reverse(data)).trace
    for table in ("items", "events", "jobs", "interruptions", "series", "units", "ledger"):
        assert repr_of(getattr(one, table)) == repr_of(getattr(two, table)), table


def repr_of(table: Any) -> Any:
    if isinstance(table, dict):
        return {key: repr_of(value) for key, value in table.items()}
    return repr(table.tolist()) if isinstance(table, np.ndarray) else table  # nan is nan


def two_sites(*names: str, job_site: str | None) -> dict[str, Any]:
    base = hall(site={"grid": BUSY_GRID}, horizon=WEEK)
    site = base["sites"]["hall"]
    base["sites"] = dict.fromkeys(names, site)
    base["jobs"]["training"]["site"] = job_site
    return base


def test_the_order_of_sites_changes_nothing() -> None:
    one = play(two_sites("east", "west", job_site="west")).trace
    two = play(two_sites("west", "east", job_site="west")).trace
    for table in ("items", "events", "jobs", "ledger"):
        assert repr_of(getattr(one, table)) == repr_of(getattr(two, table)), table


def test_a_job_that_names_no_site_is_refused_where_there_are_two() -> None:
    """Else the order of the sites would say where it runs."""
    with pytest.raises(ValueError, match="site"):
        simulator(two_sites("east", "west", job_site=None))


def test_one_more_cabinet_a_row_moves_no_other_failure() -> None:
    few = happenings(play(hall(site={"protection": {"cabinets": MORTAL}}, horizon=WEEK)), "up")
    many = happenings(play(hall(site={"protection": {"cabinets": {**MORTAL, "per_row": 3}}}, horizon=WEEK)), "up")
    assert len(few) == 5
    assert {name: many[name] for name in few} == few
    assert len(many) == 7


def test_one_more_source_of_events_moves_no_other_source() -> None:
    base = play(hall(site={"grid": BUSY_GRID}, horizon={"hours": 1000.0}))
    more = merged(BUSY_GRID, {"feeders": {"B": {"sustained": {"per_year": 300.0, "duration_h": 2.0}}}})
    other = happenings(play(hall(site={"grid": more}, horizon={"hours": 1000.0})), "strikes")
    found = happenings(base, "strikes")
    assert len(found) == 4
    assert {name: other[name] for name in found} == found


def test_one_more_source_of_events_moves_no_switchs_luck_in_the_others() -> None:
    """Twenty scripted outages against a switch that fails half the time, with and without sags in between."""
    script = [outage(5.0 * k + 1.0, duration_min=1.0) for k in range(20)]
    cabinets = {**CABINETS, "transfer_failure_probability": 0.5}
    site = {"grid": {"script": script}, "protection": {"cabinets": cabinets}}
    horizon = {"hours": 120.0}
    sags = {"per_year": 1000.0, "duration_ms": 1.0, "residual_voltage_fraction": 0.5}
    calm = play(hall(site=site, jobs={}, horizon=horizon))
    noisy = play(hall(site=merged(site, {"grid": {"deep_sags": sags}}), jobs={}, horizon=horizon))
    assert len(noisy.at("grid/deep_sags", "strikes")) > 3
    assert 3 < len(calm.at("row-001/cabinets", "failed_to_pick_up")) < 17
    for feed in ("row-001/cabinets", "row-002/cabinets", "core/cabinets"):
        assert noisy.at(feed, "failed_to_pick_up") == calm.at(feed, "failed_to_pick_up")


def test_other_work_moves_no_error_of_the_hands() -> None:
    """Twenty works on rows with hands that err every third time; works on cabinets in between are another's luck."""
    base = {
        "human_error": {"probability_per_operation": 0.3, "dark_min": 1.0},
        "planned_work": {"rows": {"per_year": 8760.0 / 5.0, "duration_h": 0.5}}, "protection": {"cabinets": CABINETS},
    }  # fmt: skip
    more = {"planned_work": {"cabinets": {"per_year": 8760.0 / 7.0, "duration_h": 0.5}}}
    found = []
    for site in (base, merged(base, more)):
        story = play(hall(site=site, jobs={}, horizon={"hours": 100.0}))
        rows = np.flatnonzero(story.trace.events["what"] == story.whats.index("human_error"))
        ticks_at = [int(story.trace.events["time_us"][row]) for row in rows if "work/rows" in story.causes(int(row))[0]]
        found.append(ticks_at)
    assert 5 < len(found[0]) < 25
    assert found[1] == found[0]


def test_a_row_less_in_an_outage_log_moves_no_luck_in_the_others(tmp_path: Path) -> None:
    rows = [f"{hour},1,sustained" for hour in range(1, 24, 2)]
    found = []
    for kept in (rows, rows[1:]):
        log = tmp_path / "log.csv"
        log.write_text("\n".join(["at_h,duration_min,kind", *kept, ""]))
        cabinets = {**CABINETS, "transfer_failure_probability": 0.5}
        site = {"grid": {"outages": {"file": str(log)}}, "protection": {"cabinets": cabinets}}
        story = play(hall(site=site, jobs={}))
        loads = ("row-001", "row-002", "core")
        found.append(
            [[tick for tick in story.at(f"{load}/cabinets", "failed_to_pick_up") if tick > H] for load in loads]
        )
    assert 5 < sum(map(len, found[0])) < 30
    assert found[1] == found[0]


def test_another_job_moves_no_hardware_failure_of_the_first() -> None:
    rate = {"per_1000_server_days": 1200.0}
    one = job(gpus=80, hardware=rate)
    two = {**one, "other": merged(one["training"], {"gpus": 40})}
    alone, both = play(hall(jobs=one)), play(hall(jobs=two))
    name = "hall/jobs/training/hardware"
    assert len(happenings(alone, "hardware")[name]) > 3
    assert happenings(alone, "hardware")[name] == happenings(both, "hardware")[name]


DESIGNS: list[dict[str, Any]] = [
    {}, {"ups": UPS}, {"cabinets": MORTAL}, {"cabinets": CABINETS, "gensets": GENSETS}, {"gensets": GENSETS},
]  # fmt: skip


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 100))
def test_all_designs_meet_the_same_grid(seed: int, replication: int) -> None:
    runs = [
        play(hall(site={"grid": BUSY_GRID, "protection": design}, seed=seed, horizon=WEEK), replication=replication)
        for design in DESIGNS
    ]
    for what in ("strikes", "energised", "closed"):
        first = happenings(runs[0], what)
        assert all(happenings(run, what) == first for run in runs[1:]), what


@settings(max_examples=25, deadline=None)
@given(scenarios())
def test_a_replication_is_the_same_to_the_last_bit_whenever_it_runs_and_at_any_level(data: dict[str, Any]) -> None:
    made = simulator(data)
    first = made.run(2, "units")
    made.run(0, "ledger")
    assert made.run(2, "units").equals(first)
    for level in ("ledger", "series"):
        again = made.run(2, level)
        for table in ("events", "jobs", "interruptions", "ledger"):
            assert repr_of(getattr(again, table)) == repr_of(getattr(first, table)), (level, table)


def test_replications_differ() -> None:
    data = hall(site={"grid": BUSY_GRID}, horizon=WEEK)
    made = simulator(data)
    ends = {made.run(k, "ledger").events["time_us"].sum() for k in range(5)}
    assert len(ends) == 5


def test_a_law_draws_whole_ticks_in_order_of_its_stream() -> None:
    world = World(seed=1, replication=0, horizon_us=H, level="ledger")
    law = compile_law(ExponentialLaw(law="exponential", mean=1.0))
    stream = world.stream("hall/x", "failure")
    drawn = [stream.ticks(law) for _ in range(5)]
    assert drawn == [world.stream("hall/x", "failure").ticks_at(law, n) for n in range(5)]
    assert all(tick >= 1 and tick < ticks(50.0) for tick in drawn)
