"""Designs scaled to equal capital or equal kWh: the equality holds, the rest stays, and what cannot be is said."""

import json
from dataclasses import replace

import pytest

from twin.errors import InputError
from twin.finance.equipment import compared_as, equipment
from twin.scenario.equal_sizes import equalised
from twin.scenario.load import load

SCENARIO = """\
name: equal
horizon: {hours: 8760}
sites:
  hall:
    cluster: {rows: 2, servers_per_row: 10}
    price_per_kwh: {hourly: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}
    grid: {feeders: {A: {}}}
finance: {counterfactuals: [ups], fuel_price_per_kwh: 2, price_per_gpu_h: {cash: 1, opportunity: 2}}
designs:
  ups:
    sites.hall.protection.ups: {modules: {n: 2, r: 1, rated_kw: 100}, autonomy_min: 30, capital: {per_kw: 1000}}
  cabinets:
    sites.hall.protection.cabinets:
      {per_row: 1, rated_kwh: 200, rated_kw: 100, capital: {per_kwh: 1500, per_unit: 30000}}
  both:
    like: ups
    sites.hall.protection.gensets: {n: 1, rated_kw: 300, capital: {per_kw: 1000}}
  bare: {}
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "equal.yaml"
    path.write_text(SCENARIO)
    return load(path)


def pieces(study, design):
    return equipment(json.loads(study.resolved_json(design)))


def test_scaled_designs_have_the_capital_or_the_kwh_of_the_reference(study):
    found, made, left = equalised(study, ["ups", "cabinets"], ["capital", "kwh"], "ups")
    assert made == ["cabinets_equal_capital", "cabinets_equal_kwh"]
    assert not left
    ups = pieces(found, "ups")
    assert compared_as(pieces(found, made[0]), ups) == "equal capital"
    assert compared_as(pieces(found, made[1]), ups) == "equal kWh"
    spec, was = (found.designs[name].sites["hall"].protection.cabinets for name in (made[0], "cabinets"))
    factor = 300_000 / 660_000
    assert spec.rated_kwh == pytest.approx(factor * 200)
    assert spec.rated_kw == pytest.approx(factor * 100)
    assert (spec.per_row, spec.capital.per_kwh) == (was.per_row, was.capital.per_kwh)
    assert "x 0.455 for capital equal to that of ups" in found.designs[made[0]].design_note
    assert found.digest != study.digest
    assert study.designs["cabinets"].sites["hall"].protection.cabinets.rated_kwh == 200.0


def test_what_both_have_is_not_scaled_and_what_cannot_be_equal_is_said(study):
    found, made, left = equalised(study, ["cabinets", "both", "bare"], ["kwh"], "both")
    assert made == ["cabinets_equal_kwh"]
    assert compared_as(pieces(found, made[0]), pieces(found, "both")) == "equal kWh"
    assert left == ["bare_equal_kwh is not made: bare has nothing of it that both has not"]
    with pytest.raises(InputError, match="both_equal_capital is not made: ups has less of it than what both have"):
        equalised(study, ["both"], ["capital"], "ups")


def test_a_design_that_is_equal_as_built_is_not_made_twice(study):
    same = study.designs | {"same": study.designs["ups"]}
    tables = {
        name: getattr(study, name) | {"same": getattr(study, name)["ups"]}
        for name in ("design_ranges", "design_sources", "design_positions")
    }
    with pytest.raises(InputError, match="same and ups are equal as built"):
        equalised(replace(study, designs=same, **tables), ["same"], ["capital"], "ups")
