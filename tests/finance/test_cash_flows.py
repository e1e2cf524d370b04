"""Cash flows from traces: lines by hand on a small hall, sums to the cent, guards, and distributions over pairs."""

import json

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import CABINETS, GENSETS, UPS, hall, merged, outage, play

from twin.errors import InputError
from twin.finance.appraisal import money
from twin.finance.cash import Side, cash_flow
from twin.finance.equipment import compared_as, equipment
from twin.finance.lines import LINES
from twin.metrics import measure, row
from twin.metrics.accounts import ACCOUNTS, accounts, by_year, columns
from twin.scenario.model import Scenario

YEARS = 2
CAPITAL = {"per_kwh": 1000.0, "o_and_m_fraction_per_year": 0.02, "life_years": 4.0, "salvage_fraction": 0.1}
FINANCE = {
    "counterfactuals": ["bare"],
    "discount_rate": 0.05,
    "price_per_gpu_h": {"cash": 2.0, "opportunity": 10.0},
}
HORIZON = {"start": "2026-01-01", "hours": YEARS * 8760.0}
PRICE = {"hourly": [0.5] * 12 + [1.0] * 12}


def scenario(*, site=None, finance=None, horizon=HORIZON):
    """The hall with an outage of half an hour in each year, a price, and money."""
    script = [outage(100.0, duration_min=30.0), outage(8760.0 + 100.0, duration_min=30.0)]
    base = {"price_per_kwh": PRICE, "grid": {"script": script}}
    return hall(site=merged(base, site or {}), horizon=horizon, finance=merged(FINANCE, finance or {}))


def with_cabinets(**changes):
    return {"protection": {"cabinets": merged(CABINETS, {"capital": CAPITAL, **changes})}}


def resolved(data):
    return Scenario.model_validate(data).model_dump(mode="json")


def side(name, data):
    story = play(data, level="ledger")
    trace = story.trace
    trace.meta["scenario_text"] = json.dumps(resolved(data))
    return Side(name, accounts(trace), equipment(resolved(data))), trace


@pytest.fixture(scope="module")
def pair():
    bare, cabinets = scenario(), scenario(site=with_cabinets())
    return side("bare", bare), side("cabinets", cabinets), resolved(cabinets)


def test_the_accounts_of_all_years_are_the_trace_s_metrics(pair):
    (_, trace), *_ = pair
    found, figures = accounts(trace), measure(trace)
    assert found["energy_cost"].sum() == pytest.approx(YEARS * figures["bill_per_year"])
    lost = found["lost_gpu_h_supply"] + found["lost_gpu_h_hardware"] + found["lost_gpu_h_capacity"]
    assert lost.sum() == pytest.approx(YEARS * figures["lost_gpu_h_per_year"])
    assert found["consumed_kwh"].sum() == pytest.approx(figures["import_kwh_per_year"] * YEARS, rel=1e-9)
    assert found["lost_gpu_h_supply"][0] == found["lost_gpu_h_supply"][1] > 0
    names, values = row(trace)
    assert names[-len(ACCOUNTS) * YEARS :] == columns(json.loads(trace.meta["scenario_text"]))
    assert values[names.index("lost_gpu_h_supply_year_002")] == found["lost_gpu_h_supply"][1]


def test_quarters_put_together_are_the_years(pair):
    (_, trace), *_ = pair
    quarters, years = accounts(trace, 4), accounts(trace)
    assert quarters["energy_cost"].shape == (4 * YEARS,)
    assert np.count_nonzero(quarters["lost_gpu_h_supply"]) == YEARS  # the outages are in the first quarters
    for name, found in by_year(quarters, 4).items():
        np.testing.assert_allclose(found, years[name], rtol=1e-12, err_msg=name)


def test_lines_are_what_the_hall_loses_buys_and_saves(pair):
    (bare, _), (cabinets, _), data = pair
    flow = cash_flow(cabinets, bare, data["finance"])
    lines = flow.lines
    each = 160 * (0.5 + 1.5)  # half an hour dark, the core lost: an hour and a half of restart; blocking checkpoints
    rollback = bare.accounts["lost_gpu_h_supply"][0] - each
    assert 0 <= rollback <= 160 * 0.25
    assert lines["interruption"][1] == pytest.approx(2.0 * (each + rollback), abs=0.01)
    assert lines["capital"].tolist() == [-300_000.0, 0.0, 0.0]
    assert lines["o_and_m"].tolist() == [0.0, -6000.0, -6000.0]
    assert lines["salvage"].tolist() == [0.0, 0.0, 300_000.0 * (0.1 + 0.9 * 0.5)]
    assert "debt" not in lines
    assert lines["energy"][1] < 0  # the outage's load is served, and charged again


def test_the_sum_of_the_lines_is_the_total_to_the_cent(pair):
    (bare, _), (cabinets, _), data = pair
    tax = {"rate": 0.25, "depreciation_years": 2, "salvage_fraction": 0.05, "loss_years": 5}
    debt = {"fraction": 0.5, "rate": 0.04, "years": 2, "kind": "annuity"}
    finance = data["finance"] | {"tax": tax, "debt": debt}
    flow = cash_flow(cabinets, bare, finance)
    assert set(flow.lines) <= set(LINES)
    for year, total in enumerate(flow.total):
        cents = sum(round(100 * line[year]) for line in flow.lines.values())
        assert round(100 * total) == cents


def test_the_other_way_round_every_line_changes_its_sign_and_capital_is_avoided(pair):
    (bare, _), (cabinets, _), data = pair
    there, back = (cash_flow(*sides, data["finance"]) for sides in ((cabinets, bare), (bare, cabinets)))
    assert back.lines["avoided_capital"].tolist() == (-there.lines["capital"]).tolist()
    np.testing.assert_allclose(back.total, -there.total, atol=0.011 * len(LINES))
    same = cash_flow(cabinets, cabinets, data["finance"])
    assert not same.total.any()


def test_a_line_that_is_off_does_not_count(pair):
    (bare, _), (cabinets, _), data = pair
    finance = data["finance"] | {"off": ["interruption", "salvage"]}
    whole, some = cash_flow(cabinets, bare, data["finance"]), cash_flow(cabinets, bare, finance)
    assert set(whole.lines) - set(some.lines) == {"interruption", "salvage"}


def test_prices_drift_from_the_second_year_on(pair):
    (bare, _), (cabinets, _), data = pair
    still = cash_flow(cabinets, bare, data["finance"]).lines
    finance = merged(data["finance"], {"drift_per_year": {"gpu_h": 0.1, "electricity": 0.2}})
    moving = cash_flow(cabinets, bare, finance).lines
    assert moving["interruption"][1] == still["interruption"][1]
    assert moving["interruption"][2] == pytest.approx(1.1 * still["interruption"][2], abs=0.01)
    assert moving["energy"][2] == pytest.approx(1.2 * still["energy"][2], abs=0.01)


def test_a_currency_of_smaller_coins_scales_the_npv_and_leaves_the_returns(pair):
    (_, trace), (_, other), data = pair
    names, values = row(trace)[0], {"bare": row(trace)[1][None], "cabinets": row(other)[1][None]}
    texts = {"bare": resolved(scenario()), "cabinets": data}
    one = money(values, names, texts).appraise("cabinets", "bare")
    site = with_cabinets(capital=CAPITAL | {"per_kwh": 100_000.0}) | {
        "price_per_kwh": {"hourly": [100 * price for price in PRICE["hourly"]]}
    }
    finance = {"price_per_gpu_h": {"cash": 200.0, "opportunity": 1000.0}}
    dear = [
        scenario(site={"price_per_kwh": site["price_per_kwh"]}, finance=finance),
        scenario(site=site, finance=finance),
    ]
    sides = [side(name, text) for name, text in zip(("bare", "cabinets"), dear, strict=True)]
    values = {name: row(made[1])[1][None] for name, made in zip(("bare", "cabinets"), sides, strict=True)}
    two = money(values, names, {"bare": resolved(dear[0]), "cabinets": resolved(dear[1])}).appraise("cabinets", "bare")
    assert two.npv[0] == pytest.approx(100 * one.npv[0], rel=1e-6)
    assert two.irr[0] == pytest.approx(one.irr[0], rel=1e-5)
    assert two.price_per_gpu_h == pytest.approx(100 * one.price_per_gpu_h, rel=1e-5)


def test_at_its_break_evens_a_design_is_worth_nothing(pair):
    (_, trace), (_, other), data = pair
    names, values = row(trace)[0], {"bare": row(trace)[1][None], "cabinets": row(other)[1][None]}
    one = money(values, names, {"bare": resolved(scenario()), "cabinets": data}).appraise("cabinets", "bare")
    price = {"cash": one.price_per_gpu_h, "opportunity": 1e3}
    texts = {name: resolved(scenario(site=site)) for name, site in (("bare", {}), ("cabinets", with_cabinets()))}
    for text in texts.values():
        text["finance"]["price_per_gpu_h"] = price
    again = money(values, names, texts).appraise("cabinets", "bare")
    assert again.npv[0] == pytest.approx(0.0, abs=1.0)
    assert one.n == 1
    assert one.p_negative in (0.0, 1.0)


def test_what_pv_saves_stands_in_its_own_line_and_energy_holds_the_rest():
    pv = {"pv": {"peak_kw": 100.0, "profile": {"hourly": [0.0] * 8 + [50.0] * 8 + [0.0] * 8},
                 "capital": {"per_kw": 3000.0}}}  # fmt: skip
    (bare, _), (sunny, _) = side("bare", scenario()), side("pv", scenario(site=pv))
    lines = cash_flow(sunny, bare, resolved(scenario())["finance"]).lines
    hours = 4 * 0.5 + 4 * 1.0
    assert lines["pv"][2] == pytest.approx(50 * hours * 365, rel=0.01)
    assert abs(lines["energy"][2]) < 0.005 * lines["pv"][2]


def test_cells_are_paid_for_when_simulated_ageing_replaces_them():
    ageing = {"cell_c": 55.0, "end_of_life_fraction": 0.9}
    changes = {"ageing": ageing, "capital": CAPITAL | {"cells_per_kwh": 400.0}}
    one, trace = side("cabinets", scenario(site=with_cabinets(**changes)))
    replaced = round(measure(trace)["storage_replacements_per_year"] * YEARS)
    assert replaced > 0
    assert one.accounts["cells_cost"].sum() == pytest.approx(replaced * 100.0 * 400.0)


def test_what_gensets_emit_is_priced_by_scope_and_by_pollutant_each_in_its_line():
    carbon = {"location_kg_per_kwh": 0.5, "genset_l_per_kwh": 0.25, "fuel_kg_per_l": 2.0, "genset_nox_g_per_kwh": 8.0,
              "genset_pm_g_per_kwh": 0.2}  # fmt: skip
    terms = {"fuel_price_per_kwh": 2.0, "price_per_t_co2": 100.0, "price_per_kg_nox": 10.0, "price_per_kg_pm": 50.0}
    gensets = {"gensets": GENSETS | {"capital": {"per_kw": 1.0}}}
    sites = {name: {"carbon": carbon, "protection": own} for name, own in (("sets", gensets), ("bare", {}))}
    made = {name: side(name, scenario(site=site, finance=terms))[0] for name, site in sites.items()}
    own, other = made["sets"].accounts, made["bare"].accounts
    lines = cash_flow(
        Side("sets", own, []), Side("bare", other, []), resolved(scenario(site=sites["sets"], finance=terms))["finance"]
    ).lines
    burned = own["genset_kwh"][0]
    assert burned > 10.0
    assert lines["carbon_scope_1"][1] == pytest.approx(-burned * 0.5 / 1000 * 100, abs=0.01)
    assert lines["air_quality"][1] == pytest.approx(-burned * (0.008 * 10 + 0.0002 * 50), abs=0.01)
    grid = other["carbon_location_t"][0] - own["carbon_location_t"][0]
    assert lines["carbon_scope_2"][1] == pytest.approx(100 * grid, abs=0.01)


def test_time_to_power_counts_what_the_limit_cost_and_nothing_else():
    tight = {"grid": {"script": [], "import_limit_kw": 250.0}, "cluster": {"on_backup": {"cap_after_s": 60.0}}}
    free = {"grid": {"script": []}, "cluster": {"on_backup": {"cap_after_s": 60.0}}}
    (capped, _), (whole, _) = side("capped", scenario(site=tight)), side("whole", scenario(site=free))
    lines = cash_flow(whole, capped, resolved(scenario())["finance"]).lines
    assert lines["time_to_power"][1] == pytest.approx(2.0 * 0.2 * 160 * 8760, rel=0.01)
    assert not lines["interruption"].any()


def test_a_deferred_expansion_is_charged_until_the_limit_is_passed(pair):
    (bare, _), (cabinets, _), data = pair
    terms = {"limit_kw": 310.0, "capital": 1e6, "price_growth_per_year": 0.0, "life_years": 20.0, "beside_demand": True}
    finance = data["finance"] | {"deferral": terms}
    low = Side("low", bare.accounts | {"peak_import_kw": np.array([300.0, 400.0])}, [])
    high = Side("high", bare.accounts | {"peak_import_kw": np.array([320.0, 300.0])}, [])
    factor = 0.05 / (1 - 1.05**-20)
    assert cash_flow(low, high, finance).lines["deferral"] == pytest.approx([0.0, 1e6 * factor, 0.0], abs=0.01)
    assert cabinets.accounts["peak_import_kw"].min() > 0


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (scenario(horizon={"start": "2026-01-01", "hours": 5000.0}), "whole years, 5000 h are 0.5708"),
        (scenario(site={"price_per_kwh": None}), "sites.hall has no tariff"),
        (scenario(finance={"price_per_gpu_h": None}), "finance.price_per_gpu_h: is missing"),
        (scenario(site={"protection": {"gensets": GENSETS}}), "finance.fuel_price_per_kwh: is missing"),
        (scenario(finance={"price_per_unserved_kwh": 1.0}), "counts rows twice"),
        (scenario(finance={"price_per_t_co2": 50.0}), "no carbon: factors"),
        (
            scenario(
                site={"protection": {"gensets": GENSETS}}, finance={"price_per_kg_nox": 5.0, "fuel_price_per_kwh": 2.0}
            ),
            "sites.hall.carbon.genset_nox_g_per_kwh is missing",
        ),
        (scenario(finance={"debt": {"fraction": 0.5, "rate": 0.05, "years": 3}}), "beyond the horizon of 2 years"),
        (scenario(finance={"deferral": {"limit_kw": 1.0, "capital": 1.0}}), "switch one off, or say beside_demand"),
        (scenario(finance={"counterfactuals": ["a", "a"]}), "'a' is named twice"),
        (scenario(finance={"truck_uses": {"designs": ["a", "a"]}}), "one is named twice"),
        (scenario(finance={"truck_uses": {"designs": ["a"]}}), "at least 2 items"),
        (scenario(finance={"discount_rate": -1.0}), "greater than -1"),
        (scenario(site=with_cabinets(ageing={})), "cells_per_kwh: is missing"),
        (scenario(site=with_cabinets(capital={"per_kwh": 0.0})), "give per_kwh, per_kw or per_unit"),
    ],
)  # fmt: skip
def test_a_scenario_that_lacks_what_a_line_needs_is_refused(data, text):
    with pytest.raises(ValidationError, match=text):
        Scenario.model_validate(data)


def test_equipment_without_capital_cost_is_named_with_the_key_to_add():
    with pytest.raises(InputError, match=r"sites.hall.protection.cabinets: has no capital cost \(add"):
        equipment(resolved(scenario(site={"protection": {"cabinets": CABINETS}})))


def test_a_comparison_is_named_by_what_the_designs_have_in_common():
    def built(per_row=1, **changes):
        return equipment(resolved(scenario(site=with_cabinets(per_row=per_row, core=0, **changes))))

    one, dearer = built(), built(capital={"per_kwh": 2000.0})
    assert compared_as(one, one) == "equal capital and kWh"
    assert compared_as(one, dearer) == compared_as(dearer, one) == "equal kWh"
    assert compared_as(built(per_row=2), dearer) == "equal capital"
    assert compared_as(built(per_row=3), dearer) == "as built"
    assert compared_as(one, []) == compared_as([], []) == "as built"


def test_money_without_its_block_or_its_counterfactual_is_refused(pair):
    (_, trace), _, data = pair
    names, values = row(trace)[0], row(trace)[1][None]
    with pytest.raises(InputError, match="no finance: block"):
        money({"bare": values}, names, {"bare": resolved(hall())})
    other = [name for name in names if not name.startswith("genset_kwh_year")]
    with pytest.raises(InputError, match="other yearly accounts than this version reads"):
        money({"bare": values}, other, {"bare": data})
    with pytest.raises(InputError, match="none of the counterfactuals bare is among the designs"):
        money({"other": values}, names, {"other": data})


def test_time_to_power_ends_when_the_expansion_arrives():
    cluster = {"on_backup": {"cap_after_s": 60.0}}
    grid = {"script": [], "import_limit_kw": 250.0, "expansion": {"at_h": 8760.0, "import_limit_kw": 500.0}}
    waits, _ = side("waits", scenario(site={"grid": grid, "cluster": cluster}))
    whole, _ = side("whole", scenario(site={"grid": {"script": []}, "cluster": cluster}))
    lines = cash_flow(whole, waits, resolved(scenario())["finance"]).lines
    assert lines["time_to_power"][1] == pytest.approx(2.0 * 0.2 * 160 * 8760, rel=0.01)
    assert lines["time_to_power"][2] == pytest.approx(0.0, abs=1.0)


def test_an_interruption_counts_only_against_a_baseline_that_really_has_it(pair):
    (bare, _), (cabinets, _), data = pair
    protected, _ = side("ups", scenario(site={"protection": {"ups": UPS | {"autonomy_min": 60.0, "capital": CAPITAL}}}))
    assert cash_flow(cabinets, bare, data["finance"]).lines["interruption"][1] > 0
    assert not cash_flow(cabinets, protected, data["finance"]).lines["interruption"].any()


def test_energy_that_is_kept_for_outages_earns_nothing():
    quiet = {"grid": {"script": []}} | with_cabinets(topology="grid_following")
    keeps = merged(quiet, {"ems": {"backup_reserve_fraction": 0.95, "demand_price_per_kw_month": 0.0}})
    trades = merged(quiet, {"ems": {"backup_reserve_fraction": 0.05, "demand_price_per_kw_month": 0.0}})
    still, kept, traded = (side(name, scenario(site=site))[0] for name, site in
                           (("still", quiet), ("kept", keeps), ("traded", trades)))  # fmt: skip
    finance = resolved(scenario())["finance"]
    assert cash_flow(kept, still, finance).lines["energy"] == pytest.approx([0.0, 0.0, 0.0], abs=0.01)
    assert cash_flow(traded, still, finance).lines["energy"][2] > 1000.0
