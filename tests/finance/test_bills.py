"""Bills equal bills by hand: periods, three demand modes with band, floor and discount, calendar, network, calls."""

import pytest
from simulation import H, hall, outage, play

from twin import metrics
from twin.finance import bill, carbon
from twin.finance.bill import power_factor_rate
from twin.trace import Trace

PRICES = {"sharp": 1.2, "peak": 1.0, "flat": 0.6, "valley": 0.3, "deep": 0.1}
ALL_YEAR = list(range(1, 13))
DAY = {"sharp": "19-21", "peak": "10-12, 16:30-19", "valley": "0-8", "other_hours": "flat"}
HOURS = {"sharp": 2.0, "peak": 4.5, "flat": 9.5, "valley": 8.0}
JANUARY = {"start": "2026-01-01", "hours": 744.0}
LINE = """function mpc = line
mpc.version = '2';
mpc.baseMVA = 1;
mpc.bus = [
 1 3 0 0 0 0 1 1 0 10 1 1.1 0.9;
 2 1 0 0 0 0 1 1 0 10 1 1.1 0.9;
];
mpc.gen = [1 0 0 10 -10 1 1 1 10 0];
mpc.branch = [1 2 0.05 0.03 0 1 0 0 0 0 1 -360 360];
"""


def tariff(**changes):
    seasons = {"all": {"months": ALL_YEAR, "weekday": DAY}}
    return {"price_per_kwh": PRICES, "seasons": seasons} | changes


def billed(horizon, *, site=None, level="ledger", **changes):
    story = play(hall(site={"tariff": tariff(**changes), **(site or {})}, horizon=horizon), level=level)
    return story, bill(story.trace, "hall")


def amounts(found, month=None):
    return {line.what: line.amount for line in found.lines if month in (None, line.month)}


def figures(story):
    return dict(zip(*metrics.row(story.trace), strict=True))


def test_energy_is_booked_and_billed_by_period():
    story, found = billed({"start": "2026-01-01", "hours": 24.0})
    for period, hours in HOURS.items():
        assert story.ledger[f"import_{period}_kwh"][0] == pytest.approx(300.0 * hours, rel=1e-12)
    assert amounts(found) == {
        "energy_sharp": 720.0, "energy_peak": 1350.0, "energy_flat": 1710.0, "energy_valley": 720.0,
    }  # fmt: skip
    assert found.total == 4500.0
    assert story.ledger["energy_cost"][0] == pytest.approx(4500.0, rel=1e-12)
    assert figures(story)["energy_cost_per_kwh"] == pytest.approx(4500.0 / 7200.0)
    assert figures(story)["bill_per_year"] == pytest.approx(4500.0 * 365.0)


def test_a_peak_of_a_single_quarter_hour_is_the_month_s_demand(tmp_path):
    file = tmp_path / "burst.csv"
    file.write_text("kw\n" + "".join(f"{int(k == 1000)}\n" for k in range(2976)))
    house = {"house_load_kw": 200.0, "house_load_profile": {"file": str(file), "column": "kw", "step_min": 15}}
    demand = {"mode": "actual", "price_per_kw_month": 40.0}
    _, found = billed(JANUARY, site=house, demand=demand)
    assert amounts(found)["demand"] == 500.0 * 40.0


@pytest.mark.parametrize(
    ("contract_kw", "kva", "lines"),
    [
        (300.0, 500.0, {"demand": 300.0 * 40.0}),
        (400.0, 500.0, {"demand": 400.0 * 40.0}),
        (290.0, 500.0, {"demand": 290.0 * 40.0}),  # 300 is within 105 % of 290
        (200.0, 500.0, {"demand": 200.0 * 40.0, "demand_excess": (300.0 - 210.0) * 80.0}),
        (100.0, 1000.0, {"demand": 400.0 * 40.0}),  # the floor of 40 % of 1000 kVA, though 300 kW are drawn
        (0.0, 500.0, {"demand": 200.0 * 40.0, "demand_excess": (300.0 - 210.0) * 80.0}),
    ],
)
def test_contracted_demand_has_a_band_a_double_price_above_it_and_a_floor(contract_kw, kva, lines):
    demand = {"mode": "contracted", "price_per_kw_month": 40.0, "contract_kw": contract_kw}
    _, found = billed(JANUARY, demand=demand, transformer_kva=kva)
    assert {what: amount for what, amount in amounts(found).items() if "demand" in what} == lines


def test_capacity_is_charged_by_the_transformers_whatever_is_drawn():
    demand = {"mode": "capacity", "price_per_kva_month": 25.0, "discount": {}}
    _, found = billed(JANUARY, demand=demand, transformer_kva=500.0)
    assert amounts(found)["capacity"] == 12500.0
    assert "demand_discount" not in amounts(found)


@pytest.mark.parametrize(("kva", "reached"), [(858.0, True), (858.4, True), (858.5, False), (1200.0, False)])
def test_the_demand_price_is_cut_where_the_month_s_kwh_for_each_kva_reach_the_threshold(kva, reached):
    demand = {"mode": "actual", "price_per_kw_month": 40.0, "discount": {"from_kwh_per_kva_month": 260.0}}
    _, found = billed(JANUARY, demand=demand, transformer_kva=kva)  # 223,200 kWh over 260 are 858.46 kVA
    assert amounts(found).get("demand_discount") == (-1200.0 if reached else None)
    assert found.total_of("demand", "demand_discount") == (10800.0 if reached else 12000.0)


def test_a_threshold_met_exactly_counts():
    demand = {"mode": "actual", "price_per_kw_month": 40.0, "discount": {"from_kwh_per_kva_month": 223.2}}
    _, found = billed(JANUARY, demand=demand, transformer_kva=1000.0)
    assert amounts(found)["demand_discount"] == -1200.0


def test_the_excess_above_a_contract_is_cut_too():
    demand = {"mode": "contracted", "price_per_kw_month": 40.0, "contract_kw": 200.0, "discount": {}}
    _, found = billed(JANUARY, demand=demand, transformer_kva=500.0)
    assert amounts(found)["demand_discount"] == -(8000.0 + 7200.0) / 10


def test_months_cut_by_the_horizon_pay_their_share_of_the_demand():
    demand = {"mode": "actual", "price_per_kw_month": 31.0}
    _, found = billed({"start": "2026-01-31", "hours": 36.0}, demand=demand)
    assert amounts(found, "2026-01")["demand"] == 300.0
    assert amounts(found, "2026-02")["demand"] == pytest.approx(300.0 * 31.0 / 56.0, abs=0.005)
    assert found.by_month()["2026-01"] == 4800.0
    assert found.total == sum(found.by_month().values())


def test_weekends_holidays_and_the_leap_day_have_hours_of_their_own():
    season = {
        "months": ALL_YEAR, "weekday": {"other_hours": "peak"}, "weekend": {"other_hours": "valley"},
        "holiday": {"other_hours": "deep"},
    }  # fmt: skip
    seasons = {"all": season}
    # Friday 25, Saturday 26, Sunday 27, Monday 28, Tuesday 29 February 2028 (a holiday), Wednesday 1 March
    story, found = billed({"start": "2028-02-25", "hours": 144.0}, seasons=seasons, holidays=["02-29"])
    daily = 7200.0
    assert amounts(found, "2028-02") == {"energy_peak": 2 * daily, "energy_valley": 0.6 * daily, "energy_deep": 720.0}
    assert amounts(found, "2028-03") == {"energy_peak": daily}
    assert story.ledger["import_deep_kwh"].tolist() == pytest.approx([daily, 0.0])
    _, plain = billed({"start": "2028-02-25", "hours": 144.0}, seasons=seasons, holidays=["2028-02-27"])
    assert amounts(plain, "2028-02")["energy_deep"] == 720.0


def test_seasons_change_hours_and_prices_at_the_month_s_edge():
    winter = {"months": [1, 2], "weekday": {"other_hours": "peak"}, "price_per_kwh": {"peak": 2.0}}
    summer = {"months": ALL_YEAR[2:], "weekday": {"other_hours": "peak"}}
    story, found = billed({"start": "2026-02-28", "hours": 48.0}, seasons={"winter": winter, "summer": summer})
    assert found.by_month() == {"2026-02": 14400.0, "2026-03": 7200.0}
    assert story.ledger["energy_cost"].tolist() == pytest.approx([14400.0, 7200.0])


def test_the_spread_is_stretched_about_the_flat_price():
    _, found = billed({"start": "2026-01-01", "hours": 24.0}, spread_factor=1.5)
    assert amounts(found)["energy_flat"] == 1710.0
    assert amounts(found)["energy_sharp"] == pytest.approx(600.0 * 1.5, abs=0.005)
    assert amounts(found)["energy_valley"] == pytest.approx(2400.0 * 0.15, abs=0.005)


def test_surcharges_and_power_factor_are_lines_of_their_own():
    changes = {"surcharges_per_kwh": {"fund": 0.05}, "power_factor": {"value": 0.87}}
    _, found = billed({"start": "2026-01-01", "hours": 24.0}, **changes)
    assert amounts(found)["surcharge_fund"] == 360.0
    assert amounts(found)["power_factor"] == 4500.0 * 0.015
    assert found.total == 4500.0 + 360.0 + 67.5


@pytest.mark.parametrize(
    ("value", "target", "rate"),
    [
        (0.90, 0.9, 0.0), (0.91, 0.9, -0.0015), (0.95, 0.9, -0.0075), (1.0, 0.9, -0.0075), (0.89, 0.9, 0.005),
        (0.70, 0.9, 0.10), (0.65, 0.9, 0.15), (0.64, 0.9, 0.17), (0.90, 0.85, -0.005), (1.0, 0.85, -0.011),
        (1.0, 0.8, -0.013),
    ],
)  # fmt: skip
def test_the_power_factor_s_steps_are_those_of_the_table(value, target, rate):
    assert power_factor_rate(value, target) == pytest.approx(rate)


def test_a_series_of_prices_is_billed_at_the_price_of_each_instant(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("price\n" + "".join(f"{-0.2 if k % 24 == 13 else k % 24 / 10}\n" for k in range(24)))
    series = {"file": str(file), "column": "price", "repeat": "end_to_end"}
    story = play(hall(site={"tariff": {"price_series": series}}, horizon={"start": "2026-01-01", "hours": 48.0}))
    found = bill(story.trace, "hall")
    assert amounts(found) == {"energy": pytest.approx(2 * 300.0 * (27.6 - 1.3 - 0.2))}
    simple = play(hall(site={"price_per_kwh": series}, horizon={"start": "2026-01-01", "hours": 48.0}))
    assert bill(simple.trace, "hall").total == found.total


def loss_kw(kw):
    """Of the line, by the quadratic in |V|^2 of two buses at power factor 0.98."""
    p, q = kw / 1000.0, kw / 1000.0 * (1 / 0.98**2 - 1) ** 0.5
    half = 0.5 - (0.05 * p + 0.03 * q)
    return 1000.0 * 0.05 * (p * p + q * q) / (half + (half**2 - (0.05**2 + 0.03**2) * (p * p + q * q)) ** 0.5)


def test_losses_of_the_network_are_billed_in_their_period_month_and_peak(tmp_path):
    file = tmp_path / "line.m"
    file.write_text(LINE)
    everything = ("row-001", "row-002", "core", "continuous_cooling", "restartable_cooling", "house")
    network = {"kind": "file", "file": str(file), "bus_of": {name: [2] for name in everything}, "section_bus": [2]}
    house = {"house_load_kw": 200.0, "house_load_profile": {"hourly": [0.0] * 17 + [1.0] * 3 + [0.0] * 4}}
    changes = {"demand": {"mode": "actual", "price_per_kw_month": 28.0}, "power_factor": {}}  # that of the loads, 0.98
    story, found = billed({"start": "2026-02-01", "hours": 696.0}, site={"network": network, **house}, **changes)
    base, high = 300.0 + loss_kw(300.0), 500.0 + loss_kw(500.0)
    hours = {"sharp": (1, 1), "peak": (2.5, 2), "flat": (9.5, 0), "valley": (8, 0)}
    for period, (at_base, at_high) in hours.items():
        expected = [28 * (at_base * base + at_high * high), at_base * base + at_high * high]
        assert story.ledger[f"import_{period}_kwh"].tolist() == pytest.approx(expected, rel=1e-9)
    before = (story.ledger["energy_cost"][1] + 28.0 * high / 31) * (1 - 0.0075)
    assert before == pytest.approx(found.by_month()["2026-03"], abs=0.05)
    assert amounts(found, "2026-02")["demand"] == pytest.approx(high * 28.0, abs=0.01)


def test_the_transformers_of_the_network_are_billed_less_one_sealed_in_reserve():
    from simulation import NETWORK  # noqa: PLC0415

    main = {"rated_kva": 800.0, "impedance_percent": 6.0, "load_loss_kw": 5.0}
    network = {**NETWORK, "supply_kv": 35.0, "mv_kv": 10.0, "main_transformers": main}
    site = {"network": network, "grid": {"feeders": {"A": {}, "B": {}}}}
    demand = {"mode": "capacity", "price_per_kva_month": 25.0}
    _, both = billed(JANUARY, site=site, demand=demand)
    _, one = billed(JANUARY, site=site, demand=demand, sealed_reserve=True)
    assert (both.total_of("capacity"), one.total_of("capacity")) == (40000.0, 20000.0)


def test_a_call_is_metered_against_its_baseline_paid_and_fined():
    programme = {
        "calls": [{"at_h": 10.0, "duration_h": 2.0}], "notice_h": 4.0, "kw": 100.0, "baseline_kw": 350.0,
        "payment_per_kwh": 3.0, "penalty_per_kwh": 1.0, "payment_per_kw": 2.0,
    }  # fmt: skip
    story, found = billed({"start": "2026-01-01", "hours": 24.0}, demand_response={"summer": programme})
    item = "demand-response/summer"
    assert story.at(item, "notice") == [6 * H]
    assert story.of(item, "call") == [(10 * H, 1), (12 * H, 0)]
    assert story.of(item, "metered") == [(12 * H, 600_000)]
    assert story.chain(item, "metered", 600_000)[0] == f"{item} notice 1"
    lines = [(line.quantity, line.amount) for line in found.lines if line.what == "demand_response_summer"]
    assert lines == [(100.0, -300.0), (50.0, -100.0)]
    assert amounts(found)["demand_response_summer_penalty"] == 100.0


def test_a_call_s_meter_counts_the_losses_of_the_network(tmp_path):
    file = tmp_path / "line.m"
    file.write_text(LINE)
    everything = ("row-001", "row-002", "core", "continuous_cooling", "restartable_cooling", "house")
    network = {"kind": "file", "file": str(file), "bus_of": {name: [2] for name in everything}, "section_bus": [2]}
    programme = {"calls": [{"at_h": 1.5, "duration_h": 2.0}], "kw": 100.0, "baseline_kw": 350.0, "payment_per_kwh": 1.0}
    story, _ = billed(
        {"start": "2026-01-01", "hours": 24.0}, site={"network": network}, demand_response={"x": programme}
    )
    ((_, metered_wh),) = story.of("demand-response/x", "metered")
    assert metered_wh == pytest.approx(2000.0 * (300.0 + loss_kw(300.0)), abs=0.6)
    assert story.ledger["import_kwh"][0] == pytest.approx(24 * (300.0 + loss_kw(300.0)), rel=1e-9)


def test_a_call_within_another_falls_away_and_one_open_at_the_horizon_is_not_metered():
    calls = [{"at_h": at_h, "duration_h": 2.0} for at_h in (2.0, 3.0, 4.0, 23.0)]
    programme = {"calls": calls, "notice_h": 3.0, "kw": 10.0, "baseline_kw": 350.0, "payment_per_kwh": 1.0}
    story, found = billed({"start": "2026-01-01", "hours": 24.0}, demand_response={"x": programme})
    item = "demand-response/x"
    assert story.at(item, "notice") == [0, H + 1, 20 * H]
    assert story.of(item, "call") == [(2 * H, 1), (4 * H, 0), (4 * H + 1, 1), (6 * H, 0), (23 * H, 1)]
    assert found.total_of("demand_response_x") == -40.0


def test_a_call_that_ends_with_a_month_is_paid_in_it():
    programme = {"calls": [{"at_h": 22.0, "duration_h": 2.0}], "kw": 10.0, "baseline_kw": 350.0, "payment_per_kwh": 1.0}
    _, found = billed({"start": "2026-01-31", "hours": 48.0}, demand_response={"x": programme})
    assert amounts(found, "2026-01")["demand_response_x"] == -20.0
    assert "demand_response_x" not in amounts(found, "2026-02")


def test_two_sites_are_billed_apart_and_one_without_tariff_counts_for_nothing():
    data = hall(site={"tariff": tariff()}, jobs={})
    data["sites"]["other"] = hall()["sites"]["hall"]
    story = play(data, level="ledger")
    assert story.trace.meta["sites"] == ["hall", "other"]
    found = figures(story)
    assert bill(story.trace, "other") is None
    assert found["bill_per_year"] == pytest.approx(bill(story.trace, "hall").total * 365.0)
    used_kwh = sum(story.trace.ledger["hall"]["it_kwh"])
    assert found["energy_cost_per_kwh"] == pytest.approx(bill(story.trace, "hall").total / used_kwh)


def test_a_bill_survives_the_file(tmp_path):
    story, found = billed({"start": "2026-01-31", "hours": 48.0}, demand={"mode": "actual", "price_per_kw_month": 40.0})
    story.trace.save(tmp_path / "t.h5")
    assert bill(Trace.open(tmp_path / "t.h5"), "hall") == found


def test_carbon_counts_the_grid_by_place_and_by_market_and_the_gensets_fuel():
    from simulation import GENSETS  # noqa: PLC0415

    site = {
        "protection": {"gensets": GENSETS}, "grid": {"script": [outage(10.0, duration_h=2.0)]},
        "carbon": {"location_kg_per_kwh": 0.7, "market_kg_per_kwh": 0.6, "green_fraction": 0.25},
    }  # fmt: skip
    story = play(hall(site=site))
    found = carbon(story.trace, "hall")
    import_kwh, genset_kwh = story.ledger["import_kwh"][0], story.ledger["genset_kwh"][0]
    assert genset_kwh > 100.0
    assert found.location_t == pytest.approx(import_kwh * 0.7e-3)
    assert found.market_t == pytest.approx(import_kwh * 0.75 * 0.6e-3)
    assert found.genset_t == pytest.approx(genset_kwh * 0.25 * 2.68e-3)
    assert figures(story)["carbon_market_t_per_year"] == pytest.approx(found.market_t * 365.0)


def test_a_site_without_tariff_has_no_bill_and_its_figures_are_not_numbers():
    story = play(hall())
    assert bill(story.trace, "hall") is None
    assert carbon(story.trace, "hall") is None
    found = figures(story)
    names = ("bill_per_year", "energy_cost_per_kwh", "demand_cost_per_year", "carbon_location_t_per_year")
    assert all(found[name] != found[name] for name in names)
    assert story.ledger["import_flat_kwh"][0] == story.ledger["import_kwh"][0]
