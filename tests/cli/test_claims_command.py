"""`twin claims`: the shipped claims load, and a small one is judged from start to end."""

import json

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from twin.cli.app import twin
from twin.scenario.claims import ClaimsSpec
from twin.scenario.load import load, shipped

SCENARIO = """\
extends: 02_one_outage.yaml
name: small_claims
designs:
  bare: {sites.hall.protection.cabinets: null}
  cabinets: {}
claims:
  replications: 2
  sets:
    own: {design: cabinets, against: bare, assumes: "cabinets of 100 kWh"}
  statements:
    - name: dark
      says: rows never go dark
      judged: dark hours of a row
      figure: row_dark_h_per_year
      at_most: 0.01
      sets: [own]
    - name: stops
      says: half of the stops are avoided
      judged: stops by power left
      figure: job_interruptions_power_per_year
      reading: saving_fraction
      at_least: 0.4
      sets: [own]
  not_judged:
    - {says: it looks nice, reason: nothing here measures looks}
"""


@pytest.fixture
def scenario(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(twin, ["init", "02_one_outage", "-o", "02_one_outage.yaml"])
    (tmp_path / "small_claims.yaml").write_text(SCENARIO)
    return "small_claims.yaml"


def test_every_claim_stands_beside_what_was_found_and_its_verdict(scenario):
    done = CliRunner().invoke(twin, ["claims", scenario, "--workers", "1"])
    assert done.exit_code == 0, done.output
    words = " ".join(done.stdout.split())
    assert "claim rows never go dark judged dark hours of a row verdict NOT REPRODUCED in any set" in words
    assert "claim half of the stops are avoided judged stops by power left verdict REPRODUCED met own 0.5" in words
    assert words.endswith("claim it looks nice verdict NOT JUDGED: nothing here measures looks")
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    done = CliRunner().invoke(twin, ["claims", scenario, "--workers", "1", "--format", "json"])
    (found,) = json.loads(done.stdout)["claims"]
    assert [one["verdict"] for one in found["statements"]] == ["not reproduced", "reproduced"]
    assert found["not_judged"] == [{"says": "it looks nice", "reason": "nothing here measures looks"}]


def test_a_scenario_without_claims_is_refused():
    done = CliRunner().invoke(twin, ["claims", "02_one_outage"])
    assert done.exit_code == 2
    assert "has no claims: block" in done.output


@pytest.mark.parametrize("name", [name for name in shipped() if name.startswith("claims/")])
def test_shipped_claims_name_designs_that_are_there_and_open_with_their_question(name):
    study = load(name)
    for one in study.base.claims.sets.values():
        assert {one.design, one.against, one.prior or one.design} <= set(study.designs)
    head = study.path.read_text().splitlines()
    assert [line[2:].split()[0] for line in head[:8] if line[:3] in {"# Q", "# S", "# E"}] == [
        "Question",
        "Shows",
        "Expect",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"at_most": 1.0, "at_least": 1.0}, "at_most or at_least"),
        ({"figure": "row_dark_h"}, "no metric 'row_dark_h'"),
        ({"sets": ["none"]}, "no set 'none'"),
        ({"reading": "shorter_fraction"}, "needs sets with a prior"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_refused(changes, text):
    statement = {"name": "x", "says": "x", "judged": "x", "figure": "pue", "at_most": 1.0, "sets": ["own"]} | changes
    sets = {"own": {"design": "a", "against": "b", "assumes": "x"}}
    with pytest.raises(ValidationError, match=text):
        ClaimsSpec.model_validate({"replications": 1, "sets": sets, "statements": [statement]})
