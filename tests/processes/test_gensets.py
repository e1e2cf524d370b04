"""Gensets as kW over time: which load connects when, failures to run, retransfer."""

import math

import numpy as np
import pytest
from simulation import CABINETS, GENSETS, MIN, H, S, hall, outage, play

from twin.chance.philox import stream_key, uniform
from twin.metrics.chains import losses_by_chain
from twin.parts.supply_events import event_number
from twin.units import ticks

THREE = {**GENSETS, "n": 3, "rated_kw": 110.0}


def test_loads_connect_as_sets_come_on_line_core_first_then_rows_by_name() -> None:
    """Sets of 110 kW at 15, 67.5 and 120 s carry core, first row, second row, of 100 kW each."""
    site = {"grid": {"script": [outage(1.0, duration_h=1.0)]}, "protection": {"gensets": THREE}}
    story = play(hall(site=site))
    assert [tick for tick, _ in story.of("gensets", "online")[:3]] == [H + 15 * S, H + 67_500_000, H + 120 * S]
    assert story.dark("core") == [(H, H + 15 * S)]
    assert story.dark("row-001") == [(H, H + 67_500_000)]
    assert story.dark("row-002") == [(H, H + 120 * S)]


def test_a_set_is_only_loaded_with_what_it_can_carry_at_full_level() -> None:
    """Two sets of 99 kW carry one load of 100 kW, not two: full level counts, not the idle 20 kW of a row."""
    gensets = {**GENSETS, "n": 2, "rated_kw": 99.0}
    site = {"grid": {"script": [outage(1.0, duration_h=1.0)]}, "protection": {"gensets": gensets}}
    story = play(hall(site=site))
    assert story.dark("core") == [(H, H + 120 * S)]
    assert story.dark("row-001") == [(H, 2 * H)]


def test_a_set_that_fails_to_start_leaves_its_slot_to_the_next() -> None:
    """With one of three in repair the second row is never carried, and the two that start come at 15 and 67.5 s."""
    name = "hall/gensets/genset-01"
    p = float(uniform(stream_key(1, name, "fail_to_start"), np.uint64(0), 0)) + 1e-9
    others = [
        float(uniform(stream_key(1, f"hall/gensets/genset-0{k}", "fail_to_start"), np.uint64(0), 0)) for k in (2, 3)
    ]
    failing = 1 + sum(other < p for other in others)
    site = {
        "grid": {"script": [outage(1.0, duration_h=1.0)]},
        "protection": {"gensets": {**THREE, "fail_to_start_probability": p}},
    }
    story = play(hall(site=site))
    online = [(H + 15 * S, 1), (H + 67_500_000, 2), (H + 120 * S, 3)]
    assert story.at("gensets/genset-01", "failed_to_start") == [H + 3 * S]
    assert story.of("gensets", "online")[: 3 - failing] == online[: 3 - failing]
    assert story.dark("row-002") == [(H, 2 * H)]


def test_a_loss_shorter_than_the_confirmation_starts_nothing() -> None:
    site = {"grid": {"script": [outage(1.0, duration_s=2.999999)]}, "protection": {"gensets": GENSETS}}
    story = play(hall(site=site))
    assert story.of("gensets", "phase") == []
    assert story.dark("core") == [(H, H + 2_999_999)]


FIRST = event_number("hall/grid/script//3600000000/1", 0)
"""Luck on demand is numbered by the supply event: here the first scripted one, at 1 h on all feeders."""


def test_a_set_fails_to_run_when_its_drawn_life_is_over_and_is_out_until_repaired() -> None:
    u = float(uniform(stream_key(1, "hall/gensets/genset-01", "fail_to_run"), np.uint64(0), FIRST))
    life = ticks(-math.log1p(-u) * 1.0)
    script = [outage(1.0, duration_h=10.0), outage(13.0, duration_h=1.0)]
    site = {"grid": {"script": script}, "protection": {"gensets": {**GENSETS, "mttf_running_h": 1.0}}}
    story = play(hall(site=site))
    fails = H + 15 * S + life
    assert fails < 11 * H, "this seed's life must end within the outage"
    assert story.at("gensets/genset-01", "failed_to_run") == [fails]
    assert story.dark("row-001") == [(H, H + 15 * S), (fails, 11 * H), (13 * H, 14 * H)]
    assert story.chain("row-001", "lit", 0, 1)[-3:] == [
        "gensets online 0", "row-001/feed failed_to_pick_up 1", "row-001 lit 0",
    ]  # fmt: skip


def test_storage_bridges_a_set_that_fails_to_run() -> None:
    u = float(uniform(stream_key(1, "hall/gensets/genset-01", "fail_to_run"), np.uint64(0), FIRST))
    fails = H + 15 * S + ticks(-math.log1p(-u))
    site = {
        "grid": {"script": [outage(1.0, duration_h=10.0)]},
        "protection": {"cabinets": CABINETS, "gensets": {**GENSETS, "mttf_running_h": 1.0}},
    }
    story = play(hall(site=site))
    left_kwh = 85.5 - 100.0 * 15 / 3600
    (span,) = story.dark("row-001")
    assert span[0] == pytest.approx(fails + left_kwh / 100.0 * H, abs=3)
    assert span[1] == 11 * H


@pytest.mark.parametrize("reason", ["hidden", "in service", "left off"])
def test_a_set_that_is_not_there_when_called_is_a_step_of_the_chain(reason: str) -> None:
    """The cabinets carry 51 min; whoever asks why the hall is dark then finds the genset, whatever it lacked."""
    gensets = dict(GENSETS)
    site: dict = {"grid": {"script": [outage(20.0, duration_h=3.0)]}}
    if reason == "hidden":
        life = {"law": "scripted", "values": [2.0]}
        gensets["standby_failures"] = {"life_h": life, "dormant": {}}
    else:
        hours = 30.0 if reason == "in service" else 0.5
        site["planned_work"] = {"gensets": {"per_year": 8760.0 / 19.0, "duration_h": hours}}
    if reason == "left off":
        site["human_error"] = {"probability_per_operation": 1.0, "dark_min": 1.0}
    site["protection"] = {"gensets": gensets, "cabinets": CABINETS}
    story = play(hall(site=site))
    value = 3 if reason == "left off" else 2
    assert story.of("gensets/genset-01", "failed_to_start") == [(20 * H + 3 * S, value)]
    chain = "scripted event > genset fails to start > storage empty"
    assert set(losses_by_chain(story.trace)["chain"]) == {chain}


def test_loads_return_to_the_grid_without_a_break_and_the_sets_stop_a_quarter_of_an_hour_later() -> None:
    site = {"grid": {"script": [outage(1.0, duration_h=1.0)]}, "protection": {"gensets": GENSETS}}
    story = play(hall(site=site))
    assert story.dark("core") == [(H, H + 15 * S)]
    assert story.of("gensets", "phase")[-1] == (2 * H + 15 * MIN, 0)
    assert story.power("genset_kw", 2 * H) == 0.0
    assert story.ledger["genset_kwh"][0] > 0.0


def test_gensets_that_serve_only_the_core_leave_the_rows_dark() -> None:
    site = {
        "grid": {"script": [outage(1.0, duration_h=1.0)]},
        "protection": {"gensets": {**GENSETS, "serves": ["core"]}},
    }
    story = play(hall(site=site))
    assert story.dark("core") == [(H, H + 15 * S)]
    assert story.dark("row-001") == [(H, 2 * H)]


def test_no_power_cap_begins_once_gensets_carry_all_rows() -> None:
    """Sets are on line at 30 s and short of nothing; the cap would come at 60 s of backup on storage."""
    site = {
        "cluster": {"on_backup": {"cap_after_s": 60.0}},
        "grid": {"script": [outage(1.0, duration_h=2.0)]},
        "protection": {"cabinets": CABINETS, "gensets": {**GENSETS, "start_s": 30.0}},
    }
    story = play(hall(site=site))
    assert story.of("core", "capped") == []
