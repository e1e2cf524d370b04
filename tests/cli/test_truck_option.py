"""The option value of trucks in `twin compare`: its own line, with one design alone, and a switch."""

import json

import pytest
from click.testing import CliRunner

from twin.cli.app import twin

SCENARIO = """\
extends: 23_truck_option.yaml
name: option
{change}
"""


def compared(folder, change="", *arguments):
    (folder / "option.yaml").write_text(SCENARIO.format(change=change))
    result = CliRunner().invoke(twin, ["compare", "option.yaml", "-n", "4", "--format", "json", *arguments])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("23_truck_option", "claims/truck_1mwh"):
        to = tmp_path / f"{name}.yaml"
        to.parent.mkdir(exist_ok=True)
        assert CliRunner().invoke(twin, ["init", name, "-o", str(to)]).exit_code == 0
    return tmp_path


def test_the_option_is_a_line_of_the_best_fixed_use_alone_and_counts_once(folder):
    found = compared(folder)
    (option,) = found["truck_options"]
    lines = {one["design"]: one["npv_of_lines"] for one in found["money"]}
    best = option["best_fixed_use"]
    assert [name for name, own in lines.items() if "option" in own] == [best]
    assert lines[best]["option"] == pytest.approx(option["option_value"]["mean"], abs=0.01)
    assert option["option_value"]["mean"] <= option["perfect_choice_upper_bound"]["mean"]
    totals = {one["design"]: one["npv"]["mean"] for one in found["money"]}
    off = compared(folder, "finance.off: [option]")
    without = {one["design"]: one["npv"]["mean"] for one in off["money"]}
    assert totals[best] - without[best] == pytest.approx(lines[best]["option"], abs=0.02)
    others = set(totals) - {best}
    assert {name: totals[name] for name in others} == {name: without[name] for name in others}
    redeployment = {one["design"]: one["npv_of_lines"]["flexibility"] for one in off["money"]}
    assert lines[best]["flexibility"] == redeployment[best]  # beside it, not in it


def test_a_counterfactual_with_the_same_trucks_has_the_same_option_which_cancels(folder):
    found = compared(folder, "finance.counterfactuals: [stand_by]")
    assert "truck_options" not in found
    assert not any("option" in one["npv_of_lines"] for one in found["money"])


def test_uses_that_were_not_simulated_are_named(folder):
    (folder / "option.yaml").write_text(SCENARIO.format(change=""))
    result = CliRunner().invoke(twin, ["compare", "option.yaml", "-n", "2", "--designs", "none,trade,lend"])
    assert "No option value: the use stand_by not simulated." in " ".join(result.stdout.split())
    result = CliRunner().invoke(twin, ["compare", "option.yaml", "-n", "1"])
    assert "No option value: a forecast needs other replications." in " ".join(result.stdout.split())
