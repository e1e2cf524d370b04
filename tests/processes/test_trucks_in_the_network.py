"""Trucks in the power flow: they draw at their bus, lift the voltage when they give, and draw nothing in an island."""

import pytest
from simulation import NETWORK, H, outage, simulator
from test_network import LINE, two_bus_kw
from trucking import fleet, play_fleet


def standing(network, point=None, truck=None, **site):
    data = {"network": network, "connection_points": {"plug": {"synchronised": True, **(point or {})}}, **site}
    return fleet(policy="home", sites={"hall": data}, trucks={"one": {"home": "hall", **(truck or {})}})


@pytest.fixture
def line(tmp_path):
    file = tmp_path / "line.m"
    file.write_text(LINE)
    everything = ("row-001", "row-002", "core", "continuous_cooling", "restartable_cooling", "house")
    bus_of = {name: [2] for name in everything}
    return {"kind": "file", "file": str(file), "bus_of": bus_of, "section_bus": [2]}


def test_a_charging_truck_draws_through_the_line_and_its_losses_are_the_closed_form(line):
    story = play_fleet(standing(line, truck={"soc_start_fraction": 0.0, "recharge_kw": 200.0}))
    loss, volts = two_bus_kw(140.0 + 200.0, 0.05, 0.03, 1000.0)
    assert story.at_site("hall", "network_loss_kw", H) == pytest.approx(loss, rel=1e-9)
    assert story.at_site("hall", "min_voltage_pu", H) == pytest.approx(volts, abs=1e-8)
    later, _ = two_bus_kw(140.0, 0.05, 0.03, 1000.0)
    assert story.at_site("hall", "network_loss_kw", 6 * H) == pytest.approx(later, rel=1e-9)


def test_a_truck_that_discharges_beside_the_grid_takes_load_off_the_line(line):
    prices = {"price_per_kwh": {"hourly": [0.3] * 8 + [1.0] * 16}}
    use = {"charge_at_price_per_kwh": 0.3, "discharge_at_price_per_kwh": 1.0}
    story = play_fleet(standing(line, plugged_trucks=use, grid={"import_floor_kw": 40.0}, **prices))
    loss, _ = two_bus_kw(40.0, 0.05, 0.03, 1000.0)
    assert story.at_site("hall", "discharge_kw", 9 * H) == pytest.approx(100)
    assert story.at_site("hall", "network_loss_kw", 9 * H) == pytest.approx(loss, rel=1e-9)


def test_what_a_truck_carries_in_an_island_is_not_drawn_from_the_network(line):
    story = play_fleet(standing(line, grid={"script": [outage(10.0, duration_h=1.0)]}))
    assert story.dark("hall/core") == []
    assert story.at_site("hall", "network_loss_kw", 10 * H) == 0.0
    assert story.at_site("hall", "discharge_kw", 10 * H) == pytest.approx(140)


def test_a_point_draws_at_the_bus_that_it_names():
    network = {**NETWORK, "row_transformers": {**NETWORK["row_transformers"], "rated_kva": 1000.0}}
    half = {"soc_start_fraction": 0.5, "recharge_kw": 100.0}
    names = play_names(network)
    bus = next(name for name in names if "row-001" in name)
    at_section = play_fleet(standing(network, truck=half))
    at_row = play_fleet(standing(network, {"bus": bus}, half))
    lost = [story.at_site("hall", "network_loss_kw", H) for story in (at_section, at_row)]
    assert lost[1] > lost[0] * 1.01
    with pytest.raises(Exception, match=r"has no bus 'nowhere'"):
        play_fleet(standing(network, {"bus": "nowhere"}, half))


def play_names(network):
    plan = next(site for site in simulator(standing(network)).blueprint.sites if site.name == "hall")
    return plan.flows.network.names
