"""Cabinets: kW before kWh, transfer time against hold-up, topologies, the power cap, recharge."""

from typing import Any

import pytest
from simulation import CABINETS, MIN, Breaks, H, S, all_near, hall, near, outage, play

BIG_ROW = {"rows": 1, "servers_per_row": 68, "core": {"load_kw": 1.0}}
"""One row of 680 kW; five cabinets of 125 kW give 625, six give 750."""


def big_row(*script: dict[str, Any], cabinets: dict[str, Any]) -> dict[str, Any]:
    site = {"cluster": BIG_ROW, "grid": {"script": list(script)}, "protection": {"cabinets": {**CABINETS, **cabinets}}}
    data = hall(site=site)
    data["jobs"]["training"]["gpus"] = 544
    return data


def broken(*names: int, tick: int = 0) -> Breaks:
    return Breaks(*((tick, f"row-001/cabinet-{name:02d}", 0) for name in names))


def test_five_of_eight_cabinets_cannot_pick_up_680_kw_although_their_kwh_would_last() -> None:
    data = big_row(outage(1.0, duration_min=10.0), cabinets={"per_row": 8})
    story = play(data, broken(2, 5, 8))
    assert story.dark("row-001") == [(H, H + 10 * MIN)]
    assert story.at("row-001/cabinets", "failed_to_pick_up") == [H]


def test_six_of_eight_cabinets_carry_680_kw_until_their_kwh_are_used_up() -> None:
    data = big_row(outage(1.0, duration_h=2.0), cabinets={"per_row": 8})
    story = play(data, broken(2, 8))
    assert all_near(story.dark("row-001"), [(H + 6 * 85.5 / 680 * H, 3 * H)])
    assert story.stored_kwh("row-001/cabinet-02", 2 * H) == 95.0
    assert story.stored_kwh("row-001/cabinet-01", H + 30 * MIN) == pytest.approx(95 - 680 / 6 / 0.95 / 2, rel=1e-9)


def test_a_cabinet_that_fails_while_it_carries_load_overloads_the_rest() -> None:
    data = big_row(outage(1.0, duration_h=2.0), cabinets={"per_row": 6})
    story = play(data, broken(3, tick=H + 10 * MIN))
    assert story.dark("row-001") == [(H + 10 * MIN, 3 * H)]
    assert story.at("row-001/cabinets", "overloaded") == [H + 10 * MIN]
    assert story.chain("row-001", "lit") == [
        "row-001/cabinet-03 up 0",
        "row-001/cabinets overloaded 1",
        "row-001 lit 0",
    ]


def test_a_cabinet_repaired_during_the_outage_adds_its_energy() -> None:
    """Six carry 680 kW for 10 min; a seventh, full, joins: 7 x 85.5 kWh in all."""
    data = big_row(outage(1.0, duration_h=2.0), cabinets={"per_row": 7})
    story = play(data, Breaks((0, "row-001/cabinet-07", 0), (H + 10 * MIN, "row-001/cabinet-07", 1)))
    assert all_near(story.dark("row-001"), [(H + 7 * 85.5 / 680 * H, 3 * H)])


def one_row(cabinets: dict[str, Any], hours: float = 2.0, **rest: Any) -> dict[str, Any]:
    site = {
        "cluster": {"rows": 1, "core": {"load_kw": 1.0}, **rest},
        "grid": {"script": [outage(1.0, duration_h=hours)]},
        "protection": {"cabinets": {**CABINETS, **cabinets}},
    }
    data = hall(site=site)
    data["jobs"]["training"]["gpus"] = 80
    return data


def test_the_power_cap_lengthens_autonomy() -> None:
    """100 kW for 60 s, then 70 kW: 85.5 kWh last 60 s + 83.833/70 h instead of 0.855 h."""
    capped = play(one_row({}, on_backup={"cap_after_s": 60.0}))
    seconds = 60.0 + (85.5 - 100.0 / 60.0) / 70.0 * 3600.0
    assert capped.of("core", "capped")[0] == (H + 60 * S, 1)
    assert all_near(capped.dark("row-001"), [(H + seconds * S, 3 * H)])
    free = play(one_row({}))
    assert all_near(free.dark("row-001"), [(H + 0.855 * H, 3 * H)])


@pytest.mark.parametrize(("transfer_ms", "dark"), [(19.999, False), (20.001, True)])
def test_a_transfer_longer_than_hold_up_loses_the_row(transfer_ms: float, dark: bool) -> None:
    story = play(one_row({"transfer_ms": transfer_ms, "rated_kwh": 1000.0}, hours=0.5))
    assert story.dark("row-001") == ([(H, 1.5 * H)] if dark else [])


def test_in_line_cabinets_have_no_transfer_time_and_a_loss_on_the_grid() -> None:
    story = play(one_row({"topology": "in_line", "transfer_ms": 50.0, "loss_fraction": 0.02}, hours=0.5))
    assert story.dark("row-001") == []
    assert story.power("import_kw", 0) == pytest.approx(101.0 / 0.98, rel=1e-12)
    assert story.power("loss_kw", H) == 0.0


def test_grid_following_cabinets_carry_nothing() -> None:
    story = play(one_row({"topology": "grid_following"}))
    assert story.dark("row-001") == [(H, 3 * H)]
    assert story.dark("core") == [(H, 3 * H)]
    assert story.ledger["discharge_kwh"][0] == 0.0


def test_a_switch_that_fails_loses_its_row() -> None:
    story = play(one_row({"transfer_failure_probability": 1.0}))
    assert story.dark("row-001") == [(H, 3 * H)]


def test_auxiliaries_draw_on_the_battery_in_an_outage() -> None:
    story = play(one_row({"auxiliary_kw": 5.0}))
    assert all_near(story.dark("row-001"), [(H + 85.5 / 105.0 * H, 3 * H)])


def test_a_second_outage_soon_after_finds_the_cabinet_part_charged() -> None:
    """16.667 kWh drawn, five minutes at a third of 300 kW: 85.373 kWh stored, 0.76355 h at 100 kW."""
    script = [outage(1.0, duration_min=10.0), outage(1.25, duration_h=2.0)]
    site = {
        "grid": {"script": script}, "protection": {"cabinets": CABINETS}, "recharge_after_outage": {"limit_kw": 300.0},
    }  # fmt: skip
    story = play(hall(site=site))
    stored = 95.0 - 100.0 / 6.0 / 0.95 + 95.0 / 12.0
    assert story.stored_kwh("row-001/cabinet-01", H + 15 * MIN) == pytest.approx(stored, rel=1e-9)
    assert near(story.dark("row-001")[0][0], 1.25 * H + (stored - 5.0) * 0.95 / 100.0 * H)


def test_an_outage_that_follows_an_empty_battery_at_once_is_lost_at_once() -> None:
    script = [outage(1.0, duration_h=2.0), outage(3.0 + 1e-9, duration_h=1.0)]
    data = one_row({})
    data["sites"]["hall"]["grid"]["script"] = script
    story = play(data)
    assert story.dark("row-001")[-1][1] >= 4 * H


def test_the_import_limit_slows_recharge() -> None:
    data = one_row({})
    data["jobs"] = {}
    data["sites"]["hall"]["grid"]["import_limit_kw"] = 60.0
    data["sites"]["hall"]["grid"]["script"] = [outage(1.0, duration_h=1.0)]
    story = play(data)
    assert story.power("charge_kw", 2 * H) == pytest.approx(39.0, rel=1e-12)
    assert story.power("import_kw", 2 * H) == pytest.approx(60.0, rel=1e-12)
