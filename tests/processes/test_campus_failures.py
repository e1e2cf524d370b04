"""Faults in a campus network: what each piece takes along, storage at the board, gensets, the tie of the sections."""

import numpy as np
import pytest
from simulation import CABINETS, GENSETS, MS, NETWORK, H, S, all_near, hall, merged, play
from trucking import fleet, play_fleet

from twin.errors import InputError


def campus(failures, *, site=None, **top):
    network = merged(NETWORK, {"failures": {"switching_h": 1.0, **failures}})
    return hall(site=merged({"network": network}, site or {}), **top)


def once(at_h, mttr_h=3.0):
    """Every piece of a kind fails once, at the same time."""
    return {"failures_per_year": 1.0, "mttr_h": mttr_h, "life_h": {"law": "scripted", "values": [at_h]}}


def test_rows_without_storage_are_dark_until_their_transformer_is_repaired():
    story = play(campus({"row_transformers": once(2.0)}))
    assert story.dark("row-001") == story.dark("row-002") == [(2 * H, 5 * H)]
    assert story.dark("core") == []
    assert story.chain("row-001", "lit") == [
        "network/row-001-board/transformer up 0", "row-001/feed failed_to_pick_up 1", "row-001 lit 0",
    ]  # fmt: skip
    assert story.at("network/row-001-board/transformer/fuse", "closed") == [2 * H, 5 * H]
    assert story.interruptions()[0][:3] == (2 * H, round(5.75 * H), 1)


def test_storage_at_the_board_carries_the_row_while_its_transformer_is_down():
    story = play(campus({"row_transformers": once(2.0)}, site={"protection": {"cabinets": CABINETS}}))
    ((start, end),) = story.dark("row-001")
    assert 2.7 * H < start < 2.855 * H  # 85.5 kWh against 100 kW and what the busway loses
    assert end == 5 * H
    short = play(campus({"row_transformers": once(2.0, 0.5)}, site={"protection": {"cabinets": CABINETS}}))
    assert short.dark("row-001") == []


def test_a_fault_between_board_and_row_darkens_the_row_whatever_stands_at_the_board():
    story = play(campus({"row_busways": once(2.0)}, site={"protection": {"cabinets": CABINETS, "gensets": GENSETS}}))
    assert story.dark("row-001") == [(2 * H, 5 * H)]
    assert story.chain("row-001", "lit") == ["network/row-001-end/busway up 0", "row-001 lit 0"]
    assert story.of("row-001/cabinets", "picked_up") == []


def test_a_bus_bar_takes_its_section_until_the_repair_and_gensets_feed_no_broken_bar():
    feeders = {"grid": {"feeders": {"A": {}, "B": {}}}, "protection": {"gensets": GENSETS}}
    failures = {"section_bus_bars": once(1e9), "breakers": once(1e9)}
    shocks = {"shocks": {"flood": {"per_year": 100.0, "strikes": {"network/feeder-a": 1.0}}}}
    story = play(campus(failures, site=merged(feeders, shocks), horizon={"hours": 2000.0}))
    struck = [at for at, up in story.of("network/feeder-a", "up") if not up]
    whole = [(at, at + 3 * H) for at in struck if at + 3 * H < 2000 * H]
    assert len(whole) > 5
    assert story.dark("row-001")[: len(whole)] == whole
    assert story.dark("row-002") == story.dark("core") == []


def test_a_main_transformer_takes_its_feeder_and_the_tie_brings_the_section_back():
    main = {"rated_kva": 1000.0, "impedance_percent": 6.0, "load_loss_kw": 8.0}
    network = {"supply_kv": 35.0, "main_transformers": main}
    site = {"network": network, "grid": {"feeders": {"A": {}, "B": {}}, "auto_transfer_failure_probability": 0.0}}
    shocks = {"shocks": {"fire": {"per_year": 100.0, "strikes": {"network/section-a/transformer": 1.0}}}}
    story = play(campus({"main_transformers": once(1e9)}, site=merged(site, shocks), horizon={"hours": 2000.0}))
    struck = [at for at, up in story.of("network/section-a/transformer", "up") if not up]
    expected = [(at, at + round(1.5 * S)) for at in struck]
    assert len(expected) > 5
    assert all_near(story.dark("row-001"), expected)
    assert story.dark("row-002") == []
    assert story.chain("row-001", "lit")[:2] == ["shocks/fire strikes 1", "network/section-a/transformer up 0"]


def test_the_open_end_of_a_ring_restores_after_the_switching_time_whatever_the_repair_takes():
    first = "network/feeder-a-to-ring-1-unit-1"
    shocks = {"shocks": {"digger": {"per_year": 60.0, "strikes": {first: 1.0}}}}
    story = play(campus({"cables": once(1e9, 20.0)}, site=shocks, horizon={"hours": 4000.0}), level="series")
    struck = [at for at, up in story.of(first, "up") if not up]
    rows = {name: story.dark(name) for name in ("row-001", "row-002")}
    on_unit_1 = [name for name, spans in rows.items() if spans]
    assert len(struck) > 5
    assert on_unit_1
    assert all(rows[name] == [(at, at + H) for at in struck] for name in on_unit_1)
    assert story.chain(on_unit_1[0], "lit", 1)[1:3] == [f"{first} up 0", f"{first} isolated 1"]
    tie = [at for at, closed in story.of("network/ring-1-unit-1-to-ring-1-unit-2-tie", "closed") if closed]
    assert tie == [at + H for at in struck]
    series = story.trace.series["hall"]
    whole = np.searchsorted(series["time_us"], struck[0] + 2 * H, side="right") - 1
    assert series["network_loss_kw"][whole] > series["network_loss_kw"][0]  # the long way round
    assert story.ledger["unsolved_flow_h"].sum() == 0.0


def test_what_fails_must_be_there():
    with pytest.raises((InputError, ValueError), match="the network has none"):
        play(campus({"main_transformers": once(1.0)}))
    with pytest.raises((InputError, ValueError), match="name a kind that fails"):
        play(campus({}))


def test_a_truck_takes_over_from_a_broken_transformer_no_sooner_than_its_switch():
    network = merged(NETWORK, {"failures": {"row_transformers": once(10.0)}})
    point = {"synchronised": True, "transfer_ms": 50.0}
    site = {"network": network, "connection_points": {"plug": point}}
    story = play_fleet(fleet(policy="home", sites={"hall": site}, trucks={"one": {"home": "hall"}}))
    assert story.dark("hall/row-001") == [(10 * H, 10 * H + 50 * MS)]
    assert story.of("hall/points/plug", "online") == [(10 * H + 50 * MS, 2), (13 * H, 0)]
