"""Trucks that trade see a tariff as they see a plain price, with and without a network, and the bill books it."""

import numpy as np
import pytest
from simulation import NETWORK, H
from trucking import fleet, play_fleet

from twin.finance import bill

PRICE = [*[0.3] * 8, *[1.0] * 4, *[0.6] * 6, *[1.2] * 4, *[0.3] * 2]
DAY = {"valley": "22-8", "peak": "8-12", "sharp": "18-22", "other_hours": "flat"}
TARIFF = {
    "price_per_kwh": {"sharp": 1.2, "peak": 1.0, "flat": 0.6, "valley": 0.3},
    "seasons": {"all": {"months": list(range(1, 13)), "weekday": DAY}},
    "demand": {"mode": "actual", "price_per_kw_month": 40.0},
}
USE = {"charge_at_price_per_kwh": 0.3, "discharge_at_price_per_kwh": 1.0, "reserve_fraction": 0.5}


def traded(**site):
    """A truck at the hall, which takes 140 kW without a job."""
    data = {"connection_points": {"plug": {"synchronised": True}}, "plugged_trucks": USE, **site}
    data["grid"] = {"import_floor_kw": 20.0}
    return play_fleet(fleet(policy="home", sites={"hall": data}, trucks={"one": {"home": "hall"}}))


@pytest.mark.parametrize("more", [{}, {"network": NETWORK}], ids=["bare", "network"])
def test_a_trader_does_by_tariff_what_it_does_by_price(more):
    by_price, by_tariff = traded(price_per_kwh={"hourly": PRICE}, **more), traded(tariff=TARIFF, **more)
    for hour in (3, 8.5, 12, 18.1, 22, 23):
        assert by_tariff.truck_kwh("one", round(hour * H)) == pytest.approx(by_price.truck_kwh("one", round(hour * H)))
    one, two = by_price.trace.ledger["hall"], by_tariff.trace.ledger["hall"]
    np.testing.assert_allclose(one["energy_cost"], two["energy_cost"], rtol=1e-9)
    assert two["discharge_kwh"].sum() > 400.0
    found = bill(by_tariff.trace, "hall")
    energy = sum(line.amount for line in found.lines if line.what.startswith("energy"))
    assert energy == pytest.approx(two["energy_cost"].sum(), abs=0.03)
    assert two["import_peak_kwh"].sum() < two["import_flat_kwh"].sum()
