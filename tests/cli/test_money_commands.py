"""`twin compare` and `twin metrics --money`: tables of money, as text and as JSON."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from twin.cli.app import twin

SCENARIO = """\
extends: 02_one_outage.yaml
name: worth
horizon: {hours: 8760}
sites.hall:
  price_per_kwh: {hourly: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}
  grid.script: null
  grid.feeders.A.sustained: {per_year: {value: 6, low: 2, high: 12}, duration_h: 0.7}
  protection.cabinets.capital: {per_kwh: {value: 1000, low: 100, high: 2000}, life_years: 10}
finance:
  counterfactuals: [bare, elsewhere]
  price_per_gpu_h: {cash: 20, opportunity: 200}
sweeps:
  events: {method: grid, samples: 3, parameters: [sites.hall.grid.feeders.A.sustained.per_year]}
  both:
    method: saltelli
    samples: 4
    parameters: [sites.hall.grid.feeders.A.sustained.per_year, sites.hall.protection.cabinets.capital.per_kwh]
designs:
  bare: {sites.hall.protection.cabinets: null}
  cabinets: {}
"""


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(twin, ["init", "02_one_outage", "-o", "02_one_outage.yaml"]).exit_code == 0
    (tmp_path / "worth.yaml").write_text(SCENARIO)
    return "worth.yaml"


def invoke(*arguments, code=0):
    result = CliRunner().invoke(twin, [str(one) for one in arguments])
    assert result.exit_code == code, result.output
    return result


def test_compare_prints_what_designs_are_worth_and_what_was_not_simulated(scenario):
    output = invoke("compare", scenario, "-n", 3).stdout
    assert all(len(line) <= 80 for line in output.splitlines())
    words = " ".join(output.split())
    assert "against bare" in words
    assert "of 3 pairs" in words
    assert "Not simulated: the counterfactual elsewhere." in words
    (found,) = json.loads(invoke("compare", scenario, "-n", 3, "--format", "json").stdout)["money"]
    assert found["npv_of_lines"]["capital"] == -300_000.0
    assert sum(found["npv_of_lines"].values()) == pytest.approx(found["npv"]["mean"], abs=0.01)
    assert found["break_even_price_per_gpu_h"] > 0


def test_a_campaign_s_results_hold_the_same_money(scenario):
    invoke("campaign", scenario, "-n", 3, "--workers", 1, "-o", "r.h5")
    (found,) = json.loads(invoke("metrics", "r.h5", "--money", "--format", "json").stdout)["money"]
    (there,) = json.loads(invoke("compare", scenario, "-n", 3, "--format", "json").stdout)["money"]
    assert found == there
    assert "against bare" in invoke("metrics", "r.h5", "--money").stdout


def test_money_is_not_asked_of_what_has_none(scenario):
    invoke("run", scenario, "-o", "t.h5")
    assert "needs the results of one campaign" in invoke("metrics", "t.h5", "--money", code=2).output
    invoke("campaign", "02_one_outage", "-n", 1, "--workers", 1, "-o", "n.h5")
    assert "no finance: block" in invoke("metrics", "n.h5", "--money", code=2).output


def test_a_tornado_stands_below_the_money_of_a_campaign(scenario):
    invoke("campaign", scenario, "-n", 2, "--workers", 1, "-o", "r.h5")
    words = " ".join(invoke("metrics", "r.h5", "--money").stdout.split())
    assert "cabinets against bare, as built low high NPV at low at high flips at" in words
    assert "cabinets.capital.per_kwh 100 2000" in words


def test_a_sweep_s_money_is_its_frontier_its_map_and_its_sobol_indices(scenario):
    invoke("campaign", scenario, "-n", 2, "--workers", 1, "--sweep", "events", "-o", "e.h5")
    found = json.loads(invoke("metrics", "e.h5", "--money", "--format", "json").stdout)["money"]
    assert found["map"]["values"] == [2.0, 7.0, 12.0]
    assert [[step["design"] for step in row] for row in found["map"]["steps"]] == [["bare", "cabinets"]] * 3
    prices = [row[1]["from_price"] for row in found["map"]["steps"]]
    assert prices == sorted(prices, reverse=True)
    assert [len(choices) for choices in found["frontiers"]] == [2, 2, 2]  # events are nobody's choice
    (crossing,) = found["crossings"]
    assert crossing["counterfactual"] == "bare"
    words = " ".join(invoke("metrics", "e.h5", "--money").stdout.split())
    assert "break-even map: the cheapest design by the price of a GPU-hour, at each sustained.per_year" in words
    assert "cabinets against bare, as built NPV, million 95 %" in words
    invoke("campaign", scenario, "-n", 1, "--workers", 1, "--sweep", "both", "-o", "s.h5")
    indices = json.loads(invoke("metrics", "s.h5", "--money", "--format", "json").stdout)["money"]["sobol"][0]
    assert indices["total"][1] > 0.1
    assert "NPV of cabinets against bare, as built" in invoke("metrics", "s.h5", "--money").stdout


def test_equal_designs_are_built_simulated_and_named(scenario):
    changed = (
        SCENARIO.replace("[bare, elsewhere]", "[small]") + "  small: {sites.hall.protection.cabinets.rated_kwh: 50}\n"
    )
    Path("equal.yaml").write_text(changed)
    done = invoke(
        "compare", "equal.yaml", "-n", 1, "--equal", "capital", "--designs", "small,cabinets,bare", "--format", "json"
    )
    found = {one["design"]: one["compared_as"] for one in json.loads(done.stdout)["money"]}
    assert found["cabinets_equal_capital"] == "equal capital and kWh"
    assert found["cabinets"] == "as built"
    assert "bare_equal_capital is not made: bare has nothing of it that small has not" in done.stderr
    invoke(
        "campaign", "equal.yaml", "-n", 1, "--workers", 1, "--equal", "kwh", "--designs", "small,cabinets", "-o", "k.h5"
    )
    (_, there) = json.loads(invoke("metrics", "k.h5", "--money", "--format", "json").stdout)["money"]
    assert there["design"] == "cabinets_equal_kwh"
    assert (
        "at the scenario's own values alone"
        in invoke("campaign", "equal.yaml", "-n", 1, "--equal", "kwh", "--sweep", "events", "-o", "k.h5", code=2).output
    )
    assert "--equal-to needs --equal" in invoke("compare", "equal.yaml", "--equal-to", "small", code=2).output
    assert "has no finance: block" in invoke("compare", "02_one_outage", "--equal", "kwh", code=2).output


def test_what_money_lacks_is_said_before_anything_is_simulated(scenario):
    priced = "  protection.cabinets.capital: {per_kwh: {value: 1000, low: 100, high: 2000}, life_years: 10}\n"
    free = SCENARIO.replace(priced, "").replace(", sites.hall.protection.cabinets.capital.per_kwh", "")
    Path("free.yaml").write_text(free)
    for command in (["compare", "free.yaml"], ["campaign", "free.yaml", "-n", 1, "-o", "f.h5"]):
        output = invoke(*command, code=2).output
        assert "free.yaml: sites.hall.protection.cabinets: has no capital cost (add" in output
        assert "simulating" not in output
    assert "has no capital cost" in " ".join(invoke("check", "free.yaml").stdout.split())
    Path("lost.yaml").write_text(SCENARIO.replace("[bare, elsewhere]", "[elsewhere]"))
    assert "none of the counterfactuals elsewhere" in invoke("compare", "lost.yaml", code=2).output


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("[bare, elsewhere]", "[bare]\n  discount_rate: -1", "finance.discount_rate: must be greater than -1, is -1"),
        ("  price_per_gpu_h: {cash: 20, opportunity: 200}\n", "", "finance.price_per_gpu_h: is missing"),
        ("{cash: 20, opportunity: 200}", "{cash: 20}", "finance.price_per_gpu_h.opportunity: missing key"),
        ("hourly: [0.5, ", "hourly: [", "price_per_kwh.hourly: must have at least 24 entries, has 23"),
        ("  price_per_kwh: {hourly", "  house_load_profile: {hourly", "sites.hall has no tariff"),
        ("hours: 8760", "hours: 5000", "needs a horizon of whole years"),
        ("[bare, elsewhere]", "[bare]\n  off: [intrruption]", "did you mean interruption?"),
    ],
)
def test_bad_input_of_money_is_refused_in_one_message(scenario, old, new, text):
    assert old in SCENARIO
    Path("bad.yaml").write_text(SCENARIO.replace(old, new))
    result = invoke("compare", "bad.yaml", "-n", 1, code=2)
    assert text in result.output
    assert "bad.yaml" in result.output
    assert "Traceback" not in result.output
