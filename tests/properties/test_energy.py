"""Energy closes by month, nothing is clamped, levels keep within their window, job time adds up."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from simulation import HALL, H, merged, play, simulator
from strategies import scenarios

from twin.metrics.causes import NETWORK_KINDS
from twin.plant import fields as f

SUPPLY = ("import_kwh", "genset_kwh", "hold_up_kwh", "discharge_kwh", "pv_kwh")
USE = (
    "it_kwh",
    "cooling_kwh",
    "house_kwh",
    "loss_kwh",
    "auxiliary_kwh",
    "charge_kwh",
    "network_loss_kwh",
    "export_kwh",
)


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_energy_closes_every_month_and_nothing_is_clamped(data: dict[str, Any]) -> None:
    ledger = play(data, level="ledger").ledger
    supply = np.sum([ledger[name] for name in SUPPLY], axis=0)
    use = np.sum([ledger[name] for name in USE], axis=0)
    np.testing.assert_allclose(supply, use, rtol=1e-12)
    assert (ledger["clamped_kwh"] == 0.0).all()
    change = ledger["stored_end_kwh"] - ledger["stored_start_kwh"]
    flow = ledger["charge_kwh"] - ledger["discharge_kwh"] - ledger["storage_loss_kwh"]
    np.testing.assert_allclose(change, flow, rtol=0, atol=1e-12 * max(1.0, float(supply.max())))
    assert all(
        (ledger[name] >= 0.0).all() for name in (*SUPPLY, *USE, "unserved_kwh", "storage_loss_kwh", "curtailed_kwh")
    )


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_pv_given_and_curtailed_are_its_series_whatever_happens_on_site(data: dict[str, Any]) -> None:
    """And export keeps its limit, and never runs beside import."""
    if "pv" not in data["sites"]["hall"]:
        return
    data["sites"]["hall"].pop("network", None)  # its losses are drawn beside export's last kW
    plan = simulator(data).blueprint.sites[0]
    story = play(data, level="series")
    edge = plan.edge if plan.pv is None else plan.pv.edges(plan.edge, plan.edge_us, data["seed"], np.uint64(0))
    hours = np.diff(np.append(plan.edge_us, story.trace.meta["horizon_us"])) / H
    whole = float((edge[f.E_PV_KW] * hours).sum())
    assert (story.ledger["pv_kwh"] + story.ledger["curtailed_kwh"]).sum() == pytest.approx(whole, rel=1e-12, abs=1e-12)
    series = story.trace.series["hall"]
    assert (series["export_kw"] <= data["sites"]["hall"]["pv"]["export_limit_kw"]).all()
    assert ((series["export_kw"] == 0.0) | (series["import_kw"] == 0.0)).all()
    assert (series["import_kw"] >= 0.0).all()


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_stored_energy_stays_within_its_window(data: dict[str, Any]) -> None:
    story = play(data)
    storage = data["sites"]["hall"]["protection"]
    energy = story.trace.units["hall"]["energy_kwh"]
    if "cabinets" in storage:
        rated = storage["cabinets"]["rated_kwh"]
        low, high = 0.05 * rated, 0.95 * rated
    else:
        low, high = 0.0, np.inf
    assert (energy >= low - 1e-9).all()
    assert (energy <= high + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_the_time_of_a_gang_job_adds_up_to_the_horizon(data: dict[str, Any]) -> None:
    story = play(data, level="ledger")
    if not data["jobs"]:
        return
    row = story.job()
    parts = ("useful_us", "stall_us", "rollback_us", "down_us", "fewer_rows_us", "paused_us")
    assert all(row[name] >= 0 for name in parts)
    spent = sum(row[name] for name in parts)
    horizon = story.trace.meta["horizon_us"]
    if "on_backup" in data["sites"]["hall"]["cluster"]:
        assert spent <= horizon
    else:
        assert spent == horizon
    down = sum(end - start for start, end, _, _ in story.interruptions())
    assert down == row["down_us"]
    assert sum(back for *_, back in story.interruptions()) == row["rollback_us"]


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_causes_precede_their_effects_and_end_at_a_root(data: dict[str, Any]) -> None:
    """Every dark row, and every stop of a job, goes back to a supply event, a failed part or hardware."""
    story = play(data, level="ledger")
    events, kinds = story.trace.events, story.trace.items["kind"]
    rows = np.arange(events["cause"].size)
    assert (events["cause"] < rows).all()
    assert (np.diff(events["time_us"]) >= 0).all()
    roots = story.trace.root_cause()
    stops = rows[(events["what"] == story.whats.index("lit")) & (events["value"] == 0)]
    allowed = {"script", "momentary", "ups_block", "ups_module", "cabinet", "genset", "hardware", "genset_plant"}
    allowed |= set(NETWORK_KINDS)
    by_limit = events["what"][roots] == story.whats.index("shed")
    for row in [*stops, *story.trace.interruptions["cause"]]:
        if by_limit[row]:
            continue
        kind = kinds[events["item"][roots[row]]]
        assert kind in allowed, (kind, story.causes(int(row)))


@pytest.mark.parametrize("factor", [0.25, 4.0])
@settings(max_examples=20, deadline=None)
@given(data=scenarios())
def test_scaling_all_kw_and_kwh_scales_energies_and_leaves_times(factor: float, data: dict[str, Any]) -> None:
    """Powers of two keep every product exact, so times agree to the tick and energies to the last bits."""
    data = merged(HALL, data)
    data["sites"]["hall"].pop("network", None)  # its losses grow with the square
    base, scaled = play(data, level="ledger"), play(scale(data, factor), level="ledger")
    for name, column in base.trace.events.items():
        np.testing.assert_array_equal(column, scaled.trace.events[name], err_msg=name)
    for name, column in base.ledger.items():
        if name.endswith(("_kwh", "_kw")):
            np.testing.assert_allclose(scaled.ledger[name], column * factor, rtol=1e-12, err_msg=name)


def scale(data: Any, factor: float) -> Any:
    """Every key that ends in _kw or _kwh times a factor; defaults are spelled out first where they count."""
    if isinstance(data, list):
        return [scale(item, factor) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: value * factor if key.endswith(("_kw", "_kwh")) and isinstance(value, float) else scale(value, factor)
        for key, value in data.items()
    }
