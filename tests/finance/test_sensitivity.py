"""Tornado, flip values, Sobol indices, frontier and map against what can be computed by hand."""

import numpy as np
import pytest

from twin.campaign.sweep import points
from twin.errors import InputError
from twin.finance.appraisal import Money
from twin.finance.sensitivity import mean_npv, sobol, tornado
from twin.finance.sweeps import cheapest_map, crossing, frontier, frontiers, is_circumstance
from twin.metrics.accounts import ACCOUNTS
from twin.scenario.ranges import Range
from twin.scenario.sweeps import SweepSpec

FINANCE = {
    "counterfactuals": ["bare"], "discount_rate": 0.0, "price_per_gpu_h": {"cash": 2.0, "opportunity": 9.0},
    "priced_at": "cash", "price_per_unserved_kwh": 0.0, "fuel_price_per_kwh": 1.0, "price_per_t_co2": 0.0,
    "price_per_kg_nox": 0.0, "price_per_kg_pm": 0.0,
    "carbon_basis": "location", "value_at_horizon": "salvage", "reinvest_rate": None, "deferral": None, "tax": None,
    "debt": None, "off": [],
    "drift_per_year": dict.fromkeys(("electricity", "gpu_h", "fuel", "carbon", "o_and_m", "equipment"), 0.0),
}  # fmt: skip
CAPITAL = {"per_kwh": 1.0, "per_kw": 0.0, "per_unit": 0.0, "o_and_m_fraction_per_year": 0.0, "life_years": 20.0,
           "cells_per_kwh": None, "salvage_fraction": 0.0}  # fmt: skip
PARAMETER = "trucks.t.capital.per_kwh"


def scenario(kwh):
    trucks = {"t": {"rated_kw": 1.0, "rated_kwh": kwh, "capital": dict(CAPITAL)}} if kwh else {}
    return {"sites": {}, "trucks": trucks, "finance": dict(FINANCE), "horizon": {"hours": 17520.0}, "currency": "CNY"}


def money(**designs):
    """Designs as (kWh at a price of 1, GPU-hours lost in each of two years), in three equal replications."""
    accounts = {}
    for name, (_, lost) in designs.items():
        accounts[name] = {account: np.zeros((3, 2)) for account in ACCOUNTS}
        accounts[name]["lost_gpu_h_supply"][:] = lost
    return Money(accounts, {name: scenario(kwh) for name, (kwh, _) in designs.items()})


def test_a_tornado_has_the_npv_at_both_bounds_and_the_flip_value_between():
    found = money(bare=(0.0, 100.0), store=(300.0, 0.0))
    assert mean_npv(found, "store", "bare", {}) == pytest.approx(2 * 2 * 100 - 300)
    ranges = {PARAMETER: (0.5, 2.0), "finance.price_per_gpu_h.cash": (1.0, 9.0), "sites.x.grid.rate": (0.0, 1.0),
              "finance.discount_rate": (0.0, 0.0)}  # fmt: skip
    price, capital = tornado(found, "store", "bare", ranges)
    assert (price.parameter, price.npv_low, price.npv_high) == ("finance.price_per_gpu_h.cash", -100.0, 1500.0)
    assert price.flips_at == pytest.approx(1.5, abs=1e-4)
    assert (capital.npv_low, capital.npv_high) == (250.0, -200.0)
    assert capital.flips_at == pytest.approx(4 / 3, abs=1e-4)


def test_the_money_that_was_given_is_left_as_it_was():
    found = money(bare=(0.0, 100.0), store=(300.0, 0.0))
    tornado(found, "store", "bare", {PARAMETER: (0.5, 2.0)})
    assert found.scenarios["store"]["trucks"]["t"]["capital"]["per_kwh"] == 1.0


def test_nothing_pays_back_by_what_it_is_worth_at_the_horizon():
    found = money(bare=(0.0, 100.0), store=(300.0, 50.0))
    found.scenarios["store"]["trucks"]["t"]["capital"]["salvage_fraction"] = 1.0
    one = found.appraise("store", "bare")
    assert one.total.tolist() == [-300.0, 100.0, 400.0]
    assert np.isnan(one.payback).all()
    found.accounts["store"]["lost_gpu_h_supply"][:] = 0.0
    assert found.appraise("store", "bare").payback == pytest.approx(np.full(3, 1.5))


def test_the_frontier_leaves_out_what_costs_more_and_saves_less():
    found = money(bare=(0.0, 100.0), small=(100.0, 60.0), worse=(150.0, 70.0), large=(400.0, 0.0))
    choices = {one.design: one for one in frontier([found], "bare")}
    assert {name for name, one in choices.items() if one.is_efficient} == {"bare", "small", "large"}
    assert (choices["small"].cost, choices["small"].gpu_hours) == (100.0, 80.0)
    assert len(frontier([found, found], "bare")) == 7


def test_circumstances_are_compared_with_themselves_alone():
    names = ["sites.a.grid.deep_sags.per_year", "finance.discount_rate", "trucks.t.capital.per_kwh", "regions.r.storm"]
    assert all(map(is_circumstance, names))
    assert not is_circumstance("sites.a.protection.cabinets.per_row")
    calm = money(bare=(0.0, 10.0), store=(100.0, 0.0))
    wild = money(bare=(0.0, 100.0), store=(100.0, 0.0), larger=(300.0, 0.0))
    one, two = frontiers([calm, wild, wild], "bare", [(1.0,), (9.0,), (9.0,)])
    assert [(own.design, own.point, own.is_efficient) for own in one] == [("bare", 0, True), ("store", 0, True)]
    assert {own.point for own in two} == {1, 2}
    assert [own.design for own in two if own.is_efficient] == ["bare", "store"]


def test_the_map_changes_design_at_the_exact_price_that_pays_for_it():
    few, many = money(bare=(0.0, 10.0), store=(100.0, 0.0)), money(bare=(0.0, 100.0), store=(100.0, 0.0))
    found = cheapest_map([(10.0, many), (1.0, few)], "bare")
    assert found.values.tolist() == [1.0, 10.0]
    assert found.steps == [[("bare", 0.0), ("store", 5.0)], [("bare", 0.0), ("store", 0.5)]]
    assert [found.at(price) for price in (0.4, 0.6, 6.0)] == [["bare", "bare"], ["bare", "store"], ["store", "store"]]


def test_the_map_s_steps_are_the_cheapest_design_of_a_search_over_prices():
    designs = {"bare": (0.0, 100.0), "a": (40.0, 80.0), "b": (90.0, 60.0), "c": (400.0, 0.0), "dull": (500.0, 90.0)}
    ((*steps,),) = cheapest_map([(0.0, money(**designs))], "bare").steps
    for price in np.linspace(0.0, 10.0, 401):
        cost = {name: kwh + 2 * price * lost for name, (kwh, lost) in designs.items()}
        chosen = [name for name, begins in steps if begins <= price][-1]
        assert cost[chosen] == pytest.approx(min(cost.values()))
    assert "dull" not in dict(steps)


def test_a_crossing_is_where_the_npv_changes_its_sign_between_the_points():
    points = [(float(lost), money(bare=(0.0, lost), store=(300.0, 0.0))) for lost in (200.0, 50.0, 100.0)]
    found = crossing(points, "store", "bare")
    assert [one.mean for one in found.npv] == [-100.0, 100.0, 500.0]
    assert found.flips_at == pytest.approx([75.0])
    assert found.compared_as == ["as built"] * 3


def test_sobol_indices_of_ishigami_are_those_of_its_closed_form():
    spec = SweepSpec(method="saltelli", parameters=["a", "b", "c"], samples=512)
    x = points(spec, [Range(0.0, -np.pi, np.pi)] * 3, seed=1)
    values = 1e6 + np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
    found = sobol(values, ("a", "b", "c"))
    variance = 49 / 8 + 0.1 * np.pi**4 / 5 + 0.01 * np.pi**8 / 18 + 0.5
    first = np.array([0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0.0]) / variance
    total = first + np.array([1, 0, 1]) * 0.01 * np.pi**8 * (1 / 18 - 1 / 50) / variance
    np.testing.assert_allclose(found.first, first, atol=0.06)
    np.testing.assert_allclose(found.total, total, atol=0.06)
    assert (sobol(values, ("a", "b", "c")).first_bounds == found.first_bounds).all()
    inside = (found.first_bounds[:, 0] <= first) & (first <= found.first_bounds[:, 1])
    assert inside.all()
    assert (found.first_bounds[:, 0] <= found.first).all()
    assert (found.first <= found.first_bounds[:, 1]).all()


def test_sobol_indices_of_another_sample_or_of_nothing_are_refused():
    with pytest.raises(InputError, match="7 points are no saltelli sample of 3"):
        sobol(np.arange(7.0), ("a", "b", "c"))
    with pytest.raises(InputError, match="same at every point"):
        sobol(np.ones(10), ("a", "b", "c"))
