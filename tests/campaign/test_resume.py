"""What is there is never written over, and only the same campaign goes on with it."""

import json

import pytest
from click.testing import CliRunner
from small_campaign import REPLICATIONS, run_here, small

from twin.campaign import export
from twin.campaign.journal import Journal
from twin.cli.app import twin
from twin.errors import InputError
from twin.scenario.load import load


def test_results_are_not_written_over(scenario, undisturbed):
    before = undisturbed.read_bytes()
    done = CliRunner().invoke(twin, ["campaign", str(scenario), "-n", "5", "-o", str(undisturbed)])
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert "--resume" in done.stderr
    assert undisturbed.read_bytes() == before


def test_finished_results_are_the_beginning_of_a_longer_campaign(study, undisturbed, tmp_path):
    path = tmp_path / "r.h5"
    run_here(study, path, 100)
    run_here(study, path, resume=True)
    assert path.read_bytes() == undisturbed.read_bytes()
    sessions = json.loads((tmp_path / "r.run.json").read_text())["sessions"]
    assert [one["replications"] for one in sessions] == [100, REPLICATIONS]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["r.h5", "r.run.json"]


@pytest.mark.parametrize(
    ("options", "field"),
    [({"designs": ["two", "one"]}, "designs"), ({"designs": ["one"]}, "designs"), ({"sweep": "rates"}, "sweep")],
)
def test_another_campaign_is_refused_by_the_field_that_differs(options, field, study, undisturbed):
    before = undisturbed.read_bytes()
    with pytest.raises(InputError, match=rf"\({field}: "):
        run_here(study, undisturbed, resume=True, **options)
    assert undisturbed.read_bytes() == before


def test_another_scenario_is_refused(undisturbed, tmp_path):
    with pytest.raises(InputError, match=r"(?s)\(digest: .*\(years_each: "):
        run_here(load(small(tmp_path, hours=721)), undisturbed, resume=True)


def test_a_file_that_is_no_campaign_is_refused(study, tmp_path):
    (tmp_path / "r.h5").write_text("mine")
    with pytest.raises(InputError, match="not the results of a campaign"):
        run_here(study, tmp_path / "r.h5", resume=True)
    assert (tmp_path / "r.h5").read_text() == "mine"


def test_a_record_that_is_not_ours_stays(study, tmp_path):
    (tmp_path / "r.run.json").write_text('{"mine": 1}')
    with pytest.raises(InputError, match="no record of campaigns"):
        run_here(study, tmp_path / "r.h5", 5)
    assert (tmp_path / "r.run.json").read_text() == '{"mine": 1}'


def test_a_journal_whose_making_was_interrupted_is_begun_anew(study, undisturbed, tmp_path):
    (tmp_path / "r.h5.journal").touch()
    run_here(study, tmp_path / "r.h5", resume=True)
    assert (tmp_path / "r.h5").read_bytes() == undisturbed.read_bytes()


def test_two_processes_do_not_write_one_journal(tmp_path):
    identity = {"designs": ["a"], "metrics": ["m"]}
    with Journal.create(tmp_path / "j", identity), pytest.raises(InputError, match="another process"):
        Journal.open(tmp_path / "j")
    Journal.open(tmp_path / "j").close()


@pytest.mark.parametrize("cut", [0, 100, 4000, -1])
def test_damaged_results_are_refused(cut, undisturbed, tmp_path):
    (tmp_path / "r.h5").write_bytes(undisturbed.read_bytes()[:cut])
    with pytest.raises(InputError, match="damaged"):
        export.read(tmp_path / "r.h5")
