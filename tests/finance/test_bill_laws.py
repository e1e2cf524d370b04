"""Laws of tariffs and bills over all inputs: calendar against a clock walked by hand, sums, scaling, split horizons."""

import json
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import hall, play
from strategies import TARIFF, scenarios, seasons, sites

from twin.finance import bill
from twin.parts.demand_response import ProgrammeSpec, upcoming
from twin.parts.tariff import TariffSpec
from twin.parts.tariff_hours import slots_of
from twin.plant import fields as f
from twin.tariff_terms import PERIODS
from twin.units import TICKS_PER_H

QUARTER = timedelta(minutes=15)


def period_by_hand(tariff, at):
    """The period of an instant, as a person would look it up."""
    season = next(one for one in tariff["seasons"].values() if at.month in one["months"])
    kind = "weekend" if at.weekday() >= 5 else "weekday"
    if at.strftime("%m-%d") in tariff["holidays"] or at.strftime("%Y-%m-%d") in tariff["holidays"]:
        kind = "holiday"
    ways = {"weekday": ["weekday"], "weekend": ["weekend", "weekday"], "holiday": ["holiday", "weekend", "weekday"]}
    day = season[next(name for name in ways[kind] if name in season)]
    slot = at.hour * 4 + at.minute // 15
    return next(PERIODS.index(name) for name, hours in day.items() if slot in slots_of(hours))


@settings(max_examples=40, deadline=None)
@given(seasons(), st.dates(date(2026, 1, 1), date(2032, 12, 31)), st.integers(1, 40 * 96))
def test_the_calendar_is_that_of_a_clock_walked_by_hand(drawn, start, count):
    tariff = {**TARIFF, "seasons": drawn, "holidays": ["02-29", "05-01", "2027-03-06"]}
    spec = TariffSpec.model_validate(tariff)
    clocks = spec.clockworks()
    for row in (f.E_PERIOD, f.E_PRICE_PER_KWH):
        at_us, values = clocks[row].steps(start, count * f.QUARTER_US)
        found = values[np.searchsorted(at_us, np.arange(count) * f.QUARTER_US, side="right") - 1]
        midnight = datetime.combine(start, datetime.min.time())
        expected = [period_by_hand(tariff, midnight + k * QUARTER) for k in range(count)]
        if row == f.E_PRICE_PER_KWH:
            expected = [TARIFF["price_per_kwh"][PERIODS[k]] for k in expected]
        assert found.tolist() == pytest.approx(expected)
        assert (np.diff(values) != 0).all()


@settings(max_examples=25, deadline=None)
@given(sites(), seasons())
def test_whatever_happens_periods_add_up_and_so_do_the_lines(site, drawn):
    site["tariff"] = {**TARIFF, "seasons": drawn}
    story = play(hall(site=site, horizon={"start": "2026-01-31", "hours": 36.0}), level="ledger")
    ledger = story.ledger
    by_period = np.array([ledger[f"import_{name}_kwh"] for name in PERIODS])
    np.testing.assert_allclose(by_period.sum(axis=0), ledger["import_kwh"], rtol=1e-12, atol=1e-9)
    prices = np.array([TARIFF["price_per_kwh"][name] for name in PERIODS])
    np.testing.assert_allclose(prices @ by_period, ledger["energy_cost"], rtol=1e-9, atol=1e-6)
    found = bill(story.trace, "hall")
    assert round(sum(round(line.amount * 100) for line in found.lines)) == round(found.total * 100)
    assert found.total == pytest.approx(sum(found.by_month().values()), abs=1e-6)
    energy = sum(line.amount for line in found.lines if line.what.startswith("energy"))
    assert energy == pytest.approx(ledger["energy_cost"].sum(), abs=0.005 * len(found.lines))


PHYSICS = ("import_kwh", "genset_kwh", "it_kwh", "charge_kwh", "discharge_kwh", "network_loss_kwh", "peak_import_kw")


@settings(max_examples=60, deadline=None)
@given(scenarios(), seasons())
def test_a_tariff_moves_no_power_and_no_fact(data, drawn):
    data["sites"]["hall"]["tariff"] = {**TARIFF, "seasons": drawn}
    priced = play(data)
    data["sites"]["hall"]["tariff"] = None
    plain = play(data)
    assert priced.trace.events["time_us"].tolist() == plain.trace.events["time_us"].tolist()
    assert priced.trace.events["what"].tolist() == plain.trace.events["what"].tolist()
    # a unit may be full a microsecond off, twice
    tick_kwh = 2.0 * float(plain.ledger["peak_import_kw"].max()) / TICKS_PER_H
    for name in PHYSICS:
        found, known = priced.ledger[name], plain.ledger[name]
        np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-9 + tick_kwh, err_msg=name)


def scaled(trace, factor):
    """The trace's terms with every price times `factor`."""
    scenario = json.loads(trace.meta["scenario_text"])
    tariff = scenario["sites"]["hall"]["tariff"]
    prices = tariff["price_per_kwh"]
    tariff["price_per_kwh"] = {name: prices[name] * factor for name in PERIODS}
    tariff["demand"]["price_per_kw_month"] *= factor
    if tariff["export"]:
        tariff["export"]["price_per_kwh"] *= factor
    trace.meta["scenario_text"] = json.dumps(scenario)
    return trace


@settings(max_examples=20, deadline=None)
@given(sites(), st.floats(0.1, 10.0))
def test_a_bill_scales_with_its_prices_to_a_cent_a_line(site, factor):
    site["tariff"] = {**TARIFF, "seasons": {"all": {"months": list(range(1, 13)), "weekday": {"other_hours": "peak"}}}}
    story = play(hall(site=site, horizon={"start": "2026-01-31", "hours": 36.0}), level="ledger")
    plain = bill(story.trace, "hall")
    dear = bill(scaled(story.trace, factor), "hall")
    assert dear.total == pytest.approx(factor * plain.total, abs=0.01 * (1 + factor) * len(plain.lines))


@settings(max_examples=10, deadline=None)
@given(seasons(), st.sampled_from(["actual", "contracted", "capacity"]))
def test_a_horizon_split_at_the_months_gives_the_bills_of_its_parts(drawn, mode):
    demand = {"mode": mode, "price_per_kw_month": 40.0, "price_per_kva_month": 25.0, "discount": {}}
    demand |= {"contract_kw": 200.0} if mode == "contracted" else {}
    site = {"tariff": {**TARIFF, "seasons": drawn, "demand": demand, "transformer_kva": 600.0}}

    def total(start, days):
        horizon = {"start": start, "hours": days * 24.0}
        return bill(play(hall(site=site, horizon=horizon), level="ledger").trace, "hall").by_month()

    assert total("2027-12-01", 91) == total("2027-12-01", 31) | total("2028-01-01", 31) | total("2028-02-01", 29)


def test_resolved_terms_are_terms_again():
    spec = TariffSpec.model_validate({"preset": "jibei_2026_03", "transformer_kva": 1000.0})
    assert TariffSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_random_calls_come_as_often_as_said_in_their_hours_and_months():
    from twin.chance.philox import stream_key  # noqa: PLC0415
    from twin.world.world import Stream  # noqa: PLC0415

    block = {"per_month": 4.0, "months": [7, 8], "hours": "14-17", "duration_h": 0.25}
    spec = ProgrammeSpec.model_validate({"random_calls": [block], "kw": 1.0, "baseline_kw": 2.0})
    counts = []
    for replication in range(200):
        streams = [Stream(stream_key(1, "x", "calls-0"), np.uint64(replication))]
        calls = list(upcoming(spec, date(2026, 1, 1), streams, 8760 * TICKS_PER_H))
        counts.append(len(calls))
        for begin_us, end_us in calls:
            at = datetime(2026, 1, 1) + timedelta(microseconds=begin_us)  # noqa: DTZ001
            assert at.month in (7, 8)
            assert 14 <= at.hour < 17
            assert end_us - begin_us == TICKS_PER_H // 4
    assert np.mean(counts) == pytest.approx(8.0, abs=3 * (8.0 / 200) ** 0.5 + 0.25)  # a few overlap and fall away
