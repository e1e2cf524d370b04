"""What ageing does: ten years of cycles, fewer backup minutes, less power, new cells at the end of life."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, UPS, H, Story, hall, outage, play

from twin import metrics
from twin.metrics.accounts import accounts
from twin.scenario.model import Scenario
from twin.trace import Trace


def stored(
    script: list[dict[str, Any]] | None = None,
    *,
    hours: float = 8760.0,
    level: str = "ledger",
    ageing: Any = None,
    **cabinet: Any,
) -> Story:
    """Idle rows of 70 kW, one cabinet each that takes 20 kW, none for the core."""
    cluster = {"server": {"idle_kw": 7.0, "boot_kw": 7.0}}
    cabinets = {**CABINETS, "core": 0, "recharge_kw": 20.0, **cabinet, "ageing": ageing or {}}
    site = {"cluster": cluster, "protection": {"cabinets": cabinets}, "grid": {"script": script or []}}
    return play(hall(site=site, jobs={}, horizon={"start": "2026-01-01", "hours": hours}), level=level)


def of(story: Story, name: str) -> float:
    return dict(zip(*metrics.row(story.trace), strict=True))[name]


@pytest.fixture(scope="module")
def ten_years() -> Story:
    """Two discharges of 80 kWh a day from the full window; later ones end when less is left."""
    length_h = 80.0 * 0.95 / 70.0
    return stored(
        [outage(24.0 * day + at, duration_h=length_h) for day in range(3650) for at in (2.0, 14.0)], hours=87600.0
    )


def test_two_cycles_of_80_percent_a_day_leave_81_percent_after_ten_years(ten_years: Story) -> None:
    assert of(ten_years, "mean_state_of_health_fraction") == pytest.approx(0.81, abs=0.05)
    assert of(ten_years, "full_cycles_per_year") == pytest.approx(2 * 0.8 * 365, rel=0.05)
    assert of(ten_years, "storage_replacements_per_year") == 0.0


def test_health_stands_in_the_trace_once_a_year_and_at_the_horizon(ten_years: Story) -> None:
    table = ten_years.trace.health["hall"]
    assert np.bincount(table["item"])[table["item"]].tolist() == [10] * 20
    own = table["item"] == table["item"][0]
    health = table["state_of_health_fraction"][own]
    assert (np.diff(health) < 0.0).all()
    assert (np.diff(health, 2) > 0.0).all()
    assert table["time_us"][-1] == 87600 * H
    means = ten_years.of("cabinets", "health")
    assert len(means) == 119
    assert means[-1][1] == pytest.approx(1e6 * health[-1], abs=1500)


def test_a_worn_cabinet_carries_its_load_for_fewer_minutes() -> None:
    """90 kWh above the floor of 100, 70 kW: 1.2214 h when new, health times that later."""
    story = stored([outage(1.0, duration_h=3.0), outage(8000.0, duration_h=3.0)], ageing={"cell_c": 45.0})
    new, old = story.dark("row-001")
    assert (new[0] - H) / H == pytest.approx(90.0 * 0.95 / 70.0, rel=1e-6)
    minutes = (old[0] - 8000 * H) / H * 70.0 / 0.95 / 90.0
    health = [value for tick, value in story.of("cabinets", "health") if tick < 8000 * H][-1] / 1e6
    assert health < 0.93
    assert minutes == pytest.approx(health, rel=2e-6)


def test_grown_resistance_takes_power_until_the_load_is_too_much() -> None:
    """Two years at 50 C: cells that could just give the 72 kW when new cannot give 70 kW any more."""

    def minutes_dark(power_ratio: float) -> list[int]:
        script = [outage(1.0, duration_min=1.0), outage(24.0 * 700, duration_min=1.0)]
        ageing = {"cell_c": 50.0, "cell_power_ratio": power_ratio, "end_of_life_fraction": 0.0}
        story = stored(script, hours=24.0 * 730, rated_kw=72.0, ageing=ageing)
        return [start // (24 * H) for start, _ in story.dark("row-001")]

    assert minutes_dark(1.0) == [700]
    assert minutes_dark(1.5) == []


@pytest.mark.parametrize("cycling", [False, True])
def test_cells_are_replaced_at_their_end_of_life_with_and_without_cycles(cycling: bool) -> None:
    script = [outage(24.0 * day, duration_h=0.5) for day in range(1, 1400, 7)] if cycling else []
    story = stored(script, hours=4 * 8760.0, ageing={"cell_c": 45.0, "end_of_life_fraction": 0.85})
    ((tick, count),) = story.of("row-001/cabinet-01", "replaced")
    assert count == 1
    table = story.trace.health["hall"]
    first = table["time_us"] == tick
    assert (table["state_of_health_fraction"][first] <= 0.85).all()
    assert (table["replacements"][first] == 1).all()
    assert (table["state_of_health_fraction"][table["time_us"] > tick] > 0.85).all()
    assert of(story, "storage_replacements_per_year") == 2 / 4
    assert story.chain("row-001/cabinet-01", "replaced", 1)[0].startswith("cabinets health")


def test_a_shrinking_window_loses_energy_inside_storage_only() -> None:
    story = stored(level="units", ageing={"cell_c": 40.0})
    ledger = story.ledger
    assert ledger["storage_loss_kwh"][0] == 0.0
    assert (ledger["storage_loss_kwh"][1:] > 0.0).all()
    np.testing.assert_allclose(
        ledger["stored_end_kwh"] - ledger["stored_start_kwh"], -ledger["storage_loss_kwh"], rtol=0, atol=1e-9
    )
    months = [tick for tick, _ in story.of("cabinets", "health")]
    before, after = (story.stored_kwh("row-001/cabinet-01", months[0] + k) for k in (-1, 0))
    assert before == pytest.approx(95.0)
    assert after < 95.0


def test_the_health_table_goes_through_a_file(tmp_path: Any) -> None:
    trace = stored(ageing={"cell_c": 40.0}).trace
    trace.save(tmp_path / "trace.h5")
    assert Trace.open(tmp_path / "trace.h5").equals(trace)
    plain = play(hall(), level="ledger").trace
    assert plain.health == {}
    plain.save(tmp_path / "plain.h5")
    assert Trace.open(tmp_path / "plain.h5").equals(plain)


def test_heat_ages_faster() -> None:
    left = [of(stored(ageing={"cell_c": cell_c}), "mean_state_of_health_fraction") for cell_c in (15.0, 25.0, 40.0)]
    assert left[0] > left[1] > left[2]


def test_unknown_keys_of_ageing_are_refused() -> None:
    with pytest.raises(ValidationError, match="cell_temperature"):
        Scenario.model_validate(
            hall(site={"protection": {"cabinets": {**CABINETS, "ageing": {"cell_temperature": 25.0}}}})
        )


def test_a_ups_that_only_waits_loses_minutes_by_the_closed_form_of_calendar_ageing() -> None:
    """Full all the time: 1.2571e-5 / sqrt(s) (2.8575 / 8 + 0.60225) sqrt(t) fade, brought into the minutes monthly."""

    def health(days: float) -> float:
        return 1.0 - 1.2571e-5 * (2.8575 / 8 + 0.60225) * float(np.sqrt(days * 86400.0))

    at_h, december = 8700.0, 334.0
    site = {"protection": {"ups": {**UPS, "ageing": {}}}, "grid": {"script": [outage(at_h, duration_h=1.0)]}}
    story = play(hall(site=site, horizon={"start": "2026-01-01", "hours": 8760.0}))
    (dark,) = story.dark("row-001")
    assert (dark[0] - at_h * H) / H == pytest.approx(800.0 / 3600.0 * health(december), rel=1e-6)
    table = story.trace.health["hall"]
    assert table["state_of_health_fraction"][-1] == pytest.approx(health(365.0), abs=2e-4)  # one discharge besides
    assert [story.trace.items["name"][i] for i in set(table["item"])] == ["hall/ups-1/battery"]


def test_new_cells_of_a_ups_cost_what_its_capital_says() -> None:
    """At 60 C cells reach 90 % within a year; 66.7 kWh at 500 each."""
    capital = {"per_kw": 1000.0, "cells_per_kwh": 500.0}
    ups = {**UPS, "ageing": {"cell_c": 60.0, "end_of_life_fraction": 0.9}, "capital": capital}
    story = play(hall(site={"protection": {"ups": ups}}, horizon={"start": "2026-01-01", "hours": 8760.0}))
    replaced = int(story.trace.health["hall"]["replacements"][-1])
    assert replaced >= 1
    assert accounts(story.trace)["cells_cost"].sum() == pytest.approx(replaced * 500.0 * 400.0 / 6.0)
