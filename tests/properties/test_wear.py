"""Laws of ageing: the rainflow count is its peer's, sums do not depend on how often somebody looks."""

from typing import Any

import numpy as np
import pytest
import rainflow
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import CABINETS, Story, hall, merged, outage, play
from strategies import scenarios

from twin.plant import fields as f
from twin.plant.ageing import age, conclude, count_cycles
from twin.world.site import LOAD

AGEING = {"protection": {"cabinets": {"ageing": {"cell_c": 35.0}}}}


def compiled(levels: list[float]) -> list[tuple[float, float]]:
    """(range, count) of all cycles as the plant counts them."""
    out = np.zeros((2, len(levels) + 1))
    points = [level for _, level in rainflow.reversals(levels)]
    found = count_cycles(np.array(points), np.zeros((f.AGEING_QUANTITIES, 1)), out)
    return list(zip(*out[:, :found].tolist(), strict=True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=60))
def test_the_streaming_rainflow_counts_as_the_rainflow_package(levels: list[float]) -> None:
    assert compiled(levels) == [(range_, count) for range_, _, count, *_ in rainflow.extract_cycles(levels)]


def test_a_long_random_walk_is_counted_alike_too() -> None:
    levels = np.random.default_rng(1).normal(size=20_000).cumsum().tolist()
    peer = [(range_, count) for range_, _, count, *_ in rainflow.extract_cycles(levels)]
    assert len(peer) > 5_000
    assert compiled(levels) == peer


def test_of_ever_smaller_swings_the_oldest_count_as_half_cycles_and_none_is_lost() -> None:
    levels = [(-0.9) ** k for k in range(200)]
    quantity = np.zeros((f.AGEING_QUANTITIES, 1))
    quantity[f.U_NEW_KWH], quantity[f.U_HEALTH] = 1.0, 1.0
    count_cycles(np.array(levels), quantity, np.zeros((2, 400)))
    assert quantity[f.U_CYCLE_SQUARE, 0] > 0.0


class Looks:
    """A part that settles, reacts and ages more often than anybody needs to; ratings stay to the months."""

    def __init__(self, every_us: int) -> None:
        self._every_us = every_us

    def declare(self, site: Any) -> None:
        """Nothing of its own."""

    def install(self, world: Any, site: Any, ids: dict[str, int]) -> None:
        """Look again and again."""

        def run() -> Any:
            while True:
                yield world.sleep(self._every_us)
                site.settle()
                health = site.quantity[f.U_HEALTH].copy()
                age(site.quantity, site.clock)
                site.quantity[f.U_HEALTH] = health
                site.ask(LOAD)

        world.start(run())


@settings(max_examples=30, deadline=None)
@given(scenarios(), st.sampled_from([977_000_003, 3_600_000_000]))
def test_looking_more_often_changes_no_health(data: dict[str, Any], every_us: int) -> None:
    if "cabinets" not in data["sites"]["hall"]["protection"]:
        return
    data = merged(data, {"sites": {"hall": AGEING}})
    plain = play(data).trace.health
    if not plain:
        return
    looked_at = play(data, Looks(every_us)).trace.health
    for name, values in plain["hall"].items():
        np.testing.assert_allclose(looked_at["hall"][name], values, rtol=1e-9, atol=1e-12, err_msg=name)


@settings(max_examples=30, deadline=None)
@given(scenarios())
def test_energy_closes_and_stays_in_a_window_that_shrinks(data: dict[str, Any]) -> None:
    if "cabinets" not in data["sites"]["hall"]["protection"]:
        return
    data = merged(data, {"sites": {"hall": AGEING}})
    story = play(data)
    ledger = story.ledger
    change = ledger["stored_end_kwh"] - ledger["stored_start_kwh"]
    flow = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
    np.testing.assert_allclose(change, flow, rtol=0, atol=1e-9)
    assert (ledger["storage_loss_kwh"] >= 0.0).all()
    rated = data["sites"]["hall"]["protection"]["cabinets"]["rated_kwh"]
    energy = story.trace.units["hall"]["energy_kwh"]
    assert (energy >= 0.0).all()
    assert (energy <= 0.95 * rated + 1e-9).all()


def cells_after(script: list[dict[str, Any]], recharge_kw: float) -> np.ndarray:
    """Column of row 1's cells at the horizon, open cycles counted as halves."""
    seen = []

    class Peek(Looks):
        def install(self, world: Any, site: Any, ids: dict[str, int]) -> None:
            world.at_end(
                lambda: seen.append((site.quantity.copy(), site.clock.copy(), site.plan.unit_items.tolist(), ids))
            )

    cabinets = {**CABINETS, "ageing": {}, "recharge_kw": recharge_kw}
    play(hall(site={"grid": {"script": script}, "protection": {"cabinets": cabinets}}, jobs={}), Peek(0))
    ((quantity, clock, items, ids),) = seen
    conclude(quantity, clock)
    return quantity[:, items.index(ids["hall/row-001/cabinet-01"])]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=1, max_size=6))
def test_rests_and_micro_cycles_within_a_discharge_change_no_cycle_fade(rests_h: list[float]) -> None:
    """In the rests the cabinet takes 1e-9 kW: turning points with next to nothing between them."""
    minutes = 30.0 / (len(rests_h) + 1)
    script, at_h = [], 1.0
    for rest_h in [*rests_h, 0.0]:
        script.append(outage(at_h, duration_min=minutes))
        at_h += minutes / 60.0 + rest_h
    parts, whole = cells_after(script, 1e-9), cells_after([outage(1.0, duration_min=30.0)], 1e-9)
    assert whole[f.U_CYCLE_SQUARE] > 1e-8
    assert parts[f.U_CYCLE_SQUARE] == pytest.approx(whole[f.U_CYCLE_SQUARE], rel=1e-6)
    assert parts[f.U_FULL_CYCLES] == pytest.approx(whole[f.U_FULL_CYCLES], rel=1e-6)


def test_a_cycle_is_booked_by_its_depth_and_its_own_rate() -> None:
    """20 kW (idle row) for 2.7 h: 56.84 kWh of 100; back at 50 kW. One half down, one half up, by hand."""
    cells = cells_after([outage(1.0, duration_h=2.7)], 50.0)
    depth = 20.0 * 2.7 / 0.95 / 100.0

    def half(rate: float) -> float:
        return ((0.0630 * rate + 0.0971) * (4.0253 * (depth - 0.6) ** 3 + 1.0923) / 100.0) ** 2 * depth / 2.0

    assert cells[f.U_CYCLE_SQUARE] == pytest.approx(half(20.0 / 0.95 / 100.0) + half(50.0 * 0.95 / 100.0), rel=1e-6)
    assert cells[f.U_FULL_CYCLES] == pytest.approx(depth, rel=1e-6)


def final(story: Story) -> tuple[float, float]:
    """State of health and full cycles of the first unit at the horizon."""
    table = story.trace.health["hall"]
    return float(table["state_of_health_fraction"][-1]), float(table["full_cycles"][-1])


@pytest.mark.parametrize("horizon", [{"start": "2026-01-01", "hours": 8760.0}, {"start": "2026-01-20", "hours": 200.0}])
def test_calendar_fade_is_the_closed_form_whatever_the_months(horizon: dict[str, Any]) -> None:
    """At 95 % of what is left, always: k sqrt(t)."""
    site = {"protection": {"cabinets": {**CABINETS, "ageing": {}}}}
    health, cycles = final(play(hall(site=site, jobs={}, horizon=horizon)))
    rate = 1.2571e-5 * (2.8575 * 0.45**3 + 0.60225)
    assert cycles == 0.0
    assert 1.0 - health == pytest.approx(rate * np.sqrt(horizon["hours"] * 3600.0), rel=1e-4)
