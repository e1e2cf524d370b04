"""Plans beside PV, tariffs, calls, ageing cells and a network: what else stands at the site's meter."""

import numpy as np
import pytest
from simulation import NETWORK, H, merged, play
from test_ems import HALL, energy_kwh, plain, series

from twin.finance.bill import bill

SUN = [0.0] * 7 + [60.0, 180.0, 320.0, 450.0, 520.0, 540.0, 500.0, 420.0, 300.0, 160.0, 50.0] + [0.0] * 6
PV = {"pv": {"peak_kw": 540.0, "profile": {"hourly": SUN}}}


def test_surplus_of_pv_is_stored_before_it_is_curtailed():
    story = play(plain(8, PV))
    own = story.trace.series[story.site]
    after = own["time_us"] >= 5 * 24 * H
    surplus = after & (own["pv_kw"] + own["curtailed_kw"] > own["house_kw"] + 1e-9)
    room = own["stored_kwh"] < 380.0 - 1e-6
    assert (surplus & room).any()
    net_kw = own["house_kw"] - own["pv_kw"] - own["curtailed_kw"]
    least_kw = np.minimum(-net_kw, 200.0)
    assert (own["charge_kw"][surplus & room] >= least_kw[surplus & room] - 1e-6).all()
    assert own["export_kw"].max() == 0.0
    assert energy_kwh(story, "import_kw") + energy_kwh(story, "pv_kw") == pytest.approx(
        energy_kwh(story, "house_kw") + energy_kwh(story, "charge_kw") - energy_kwh(story, "discharge_kw"), rel=1e-9
    )


def test_a_contract_leaves_room_up_to_its_band():
    demand = {"mode": "contracted", "price_per_kw_month": 40.0, "contract_kw": 440.0}
    tariff = {"price_series": {"hourly": [0.3] * 8 + [0.7] * 9 + [1.2] * 4 + [0.7] * 3}, "demand": demand}
    site = {"tariff": tariff | {"transformer_kva": 1000.0}}
    data = plain(8, site)
    del data["sites"]["site"]["price_per_kwh"]
    del data["sites"]["site"]["ems"]["demand_price_per_kw_month"]
    story = play(data)
    assert story.ledger["peak_import_kw"][1] == pytest.approx(462.0)


def test_a_called_programme_lowers_import_in_time():
    programme = {"calls": [{"at_h": 130.0, "duration_h": 2.0}], "notice_h": 24.0, "kw": 100.0, "baseline_kw": 430.0}
    tariff = {"price_series": {"hourly": [0.3] * 8 + [0.7] * 16}, "demand_response": {"summer": programme}}
    data = plain(8, {"tariff": tariff})
    del data["sites"]["site"]["price_per_kwh"]
    story = play(data)
    assert story.at("demand-response/summer", "notice") == [106 * H]
    assert energy_kwh(story, "import_kw", 130.0, 132.0) <= 2 * 330.0 + 1e-6


def test_the_cap_is_meant_at_the_meter_behind_the_network():
    site = merged(HALL, {"network": NETWORK, "grid": {"feeders": {"A": {}}}, "ems": {"free_demand_kw": 500.0}})
    story = play(plain(8, site))
    later = series(story, "time_us") >= 4 * 24 * H
    draws_kw = series(story, "house_kw") + series(story, "it_kw") + series(story, "charge_kw")
    losses_kw = series(story, "import_kw") - draws_kw + series(story, "discharge_kw")
    assert losses_kw[later].max() > 2.0
    assert story.ledger["peak_import_kw"][1] == pytest.approx(500.0, abs=2.0)


def test_a_call_known_the_day_before_is_answered_by_what_the_night_has_stored():
    """By hand: two cabinets of 261 kWh from 95 to 5 % give 446.3 kWh of 600, paid 3 each; each missing one costs 1."""
    night = [0.6] * 8 + [1.0] * 14 + [0.6] * 2
    programme = {
        "kw": 300.0, "baseline_kw": 1000.0, "payment_per_kwh": 3.0, "penalty_per_kwh": 1.0, "notice_h": 24.0,
        "calls": [{"at_h": 110.0, "duration_h": 2.0}],
    }  # fmt: skip
    site = {
        "house_load_kw": 1000.0, "house_load_profile": {"hourly": night}, "price_per_kwh": None,
        "tariff": {
            "price_per_kwh": {"flat": 0.6},
            "demand_response": {"summer": programme},
        },
        "protection": {"cabinets": {"rated_kw": 125.0, "rated_kwh": 261.0}},
    }  # fmt: skip
    data = plain(6, site)
    data["sites"]["site"]["ems"] = {}
    story = play(data)
    given_kwh = 2 * 261 * 0.9 * 0.95
    assert energy_kwh(story, "discharge_kw", 110.0, 112.0) == pytest.approx(given_kwh, abs=0.01)
    found = {line.what: line.amount for line in bill(story.trace, "site").lines}
    assert found["demand_response_summer"] == pytest.approx(-3.0 * given_kwh, abs=0.05)
    assert found["demand_response_summer_penalty"] == pytest.approx(600.0 - given_kwh, abs=0.05)
