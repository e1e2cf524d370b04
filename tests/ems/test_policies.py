"""Policies as pure functions of what they see."""

from dataclasses import replace

import numpy as np
import pytest

from twin.ems.forecast import predict
from twin.ems.policies import POLICIES
from twin.ems.policies.default import Default
from twin.ems.storage import Storage
from twin.ems.view import PLAN_H, View

DAY = np.array([
    300, 300, 296, 292, 300, 308, 320, 340, 380, 420, 440, 448,
    440, 420, 400, 392, 400, 420, 460, 480, 430, 380, 340, 310,
])  # fmt: skip
STORAGE = Storage(380.0, 200.0, 200.0, 0.95, 0.95, 1.0, 0.0, 1.0)


def view(**changes):
    """Day 40 of a site that repeats itself exactly, twenty days before the month's end."""
    price = np.tile(
        np.where(np.arange(24) < 8, 0.3, np.where((np.arange(24) >= 17) & (np.arange(24) < 21), 1.2, 0.7)), 20
    )
    common = View(
        history_kw=np.tile(DAY, 40).astype(float), price=price, floor_kwh=np.full(PLAN_H, 20.0),
        call_kw=np.full(PLAN_H, np.inf), known_kw=np.full(PLAN_H, np.nan), storage=STORAGE, stored_kwh=100.0,
        peak_kw=0.0, demand_price=40.0, connection_kw=1e9, month_slots=20 * 24,
    )  # fmt: skip
    return replace(common, **changes)


def noisy(seed):
    rng = np.random.default_rng(seed)
    return np.tile(DAY, 40) * rng.normal(1.0, 0.08, 40).repeat(24) + rng.normal(0.0, 8.0, 960)


def test_without_errors_the_ensemble_equals_the_single_forecast():
    seen = view()
    forecast, likely = predict(seen.history_kw, 24, PLAN_H)
    assert len(likely) == 28
    assert (likely == forecast).all()
    many, one = Default().plan(seen), Default(ensemble=False).plan(seen)
    assert many.cap_kw == pytest.approx(one.cap_kw, rel=1e-12)
    assert np.allclose(many.up_kwh, one.up_kwh, rtol=0, atol=1e-9)
    assert np.allclose(many.down_kwh, one.down_kwh, rtol=0, atol=1e-9)


def test_a_forecast_of_what_repeats_is_exact():
    forecast, _ = predict(np.tile(DAY, 9).astype(float), 24, PLAN_H)
    assert (forecast == np.tile(DAY, 2)).all()


def test_a_quiet_weekend_is_foreseen():
    week = np.concatenate([np.tile(DAY, 5), np.tile(DAY, 2) * 0.5])
    history = np.tile(week, 6)
    forecast, _ = predict(history[: -2 * 24].astype(float), 24, PLAN_H)
    assert np.allclose(forecast, np.tile(DAY, 2) * 0.5)


def test_scenarios_hold_what_is_announced():
    known = np.full(PLAN_H, np.nan)
    known[10:14] = 123.0
    scenarios = Default().scenarios(view(history_kw=noisy(1), known_kw=known), PLAN_H)
    assert len(scenarios) == 28
    assert (scenarios[:, 10:14] == 123.0).all()
    assert np.ptp(scenarios[:, 20]) > 0.0


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize(
    "changes", [{}, {"history_kw": np.zeros(0)}, {"history_kw": DAY[:3].astype(float)}, {"month_slots": 5}]
)
def test_every_policy_plans_from_any_past(name, changes):
    plan = POLICIES[name]().plan(view(**changes))
    for row in (plan.up_kwh, plan.down_kwh, plan.import_cap_kw, plan.reserve_kwh):
        assert row.shape == (PLAN_H,)
        assert np.isfinite(row).all()
    assert (plan.up_kwh <= plan.down_kwh + 1e-9).all()
    assert (plan.down_kwh <= STORAGE.top_kwh + 1e-9).all()


def test_a_policy_is_a_pure_function_of_its_view():
    seen = view(history_kw=noisy(2))
    one, two = Default().plan(seen), Default().plan(seen)
    assert (one.up_kwh == two.up_kwh).all()
    assert one.cap_kw == two.cap_kw


def test_the_default_shaves_the_peak_where_demand_is_billed():
    assert Default().plan(view()).cap_kw < DAY.max() - 10.0


def test_a_peak_that_is_paid_for_is_not_shaved_again():
    assert Default().plan(view(peak_kw=470.0)).cap_kw >= 470.0


def test_where_demand_is_not_billed_the_connection_is_the_cap():
    assert Default().plan(view(demand_price=0.0)).cap_kw == 1e9
    assert (Default().plan(view(demand_price=0.0, connection_kw=470.0)).import_cap_kw == 470.0).all()


def test_a_call_caps_its_slots_alone():
    call = np.full(PLAN_H, np.inf)
    call[17:19] = 300.0
    plan, free = Default().plan(view(call_kw=call)), Default().plan(view())
    assert (plan.import_cap_kw[17:19] == 300.0).all()
    assert plan.import_cap_kw[0] > 300.0
    assert plan.down_kwh[16] >= free.down_kwh[16]


def test_within_the_day_the_cap_stands():
    assert Default().plan(view(cap_kw=433.0)).cap_kw == 433.0
    assert Default().plan(view(cap_kw=433.0, peak_kw=440.0)).cap_kw == 440.0


def test_a_reserve_is_charged_up_to_and_never_discharged():
    plan = Default().plan(view(floor_kwh=np.full(PLAN_H, 200.0)))
    assert (plan.up_kwh >= 200.0).all()
    assert (plan.down_kwh >= 200.0).all()


def test_uncertainty_holds_back_a_reserve():
    """With days of unlike height, more is kept for the evening's peak than for the mean day alone."""
    seen = view(history_kw=noisy(3), cap_kw=430.0)
    many, one = Default().plan(seen), Default(ensemble=False).plan(seen)
    assert many.down_kwh[:17].mean() > one.down_kwh[:17].mean()


def flat_under_pv(days):
    """Clouds differ by the day; nights are flat but for a blip of two kilowatts, and the last two days lie lower."""
    rng = np.random.default_rng(3)
    hour = np.arange(24)
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0.0, None)
    net = 8250.0 - np.outer(rng.uniform(1000, 7500, days), sun) * rng.uniform(0.7, 1.0, (days, 24))
    net[-9, 23] -= 2.0
    net[-2:] -= 213.0
    return net.ravel()


@pytest.mark.parametrize("low_days", [0, 1, 2])
def test_a_flat_night_after_a_step_is_not_blown_up(low_days):
    history = flat_under_pv(50)[: (48 + low_days) * 24]
    forecast, likely = predict(history, 24, PLAN_H)
    assert forecast.max() < history.max() + 100.0
    assert likely.max() < history.max() + 3000.0


@pytest.mark.parametrize("low_days", [0, 1, 2])
def test_where_demand_is_dear_the_cap_stays_at_what_the_load_draws(low_days):
    history = flat_under_pv(50)[: (48 + low_days) * 24]
    seen = view(
        history_kw=history, demand_price=400.0, storage=Storage(4000.0, 2000.0, 2000.0, 0.95, 0.95, 1.0, 0.0, 1.0)
    )
    assert Default().plan(seen).cap_kw <= history.max()
