"""Rare-event campaigns: the same store, the same bytes however they are cut up, their settings part of the identity."""

from dataclasses import replace

import pytest
from click.testing import CliRunner
from small_campaign import run_here, small

from twin.campaign import export
from twin.campaign.merge import merge
from twin.campaign.rare.result import RareResult, open_result, result_of
from twin.cli.app import twin
from twin.errors import InputError
from twin.scenario.load import load

TARGET = "row_dark_h_per_year"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return load(str(small(tmp_path_factory.mktemp("rare"))))


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "r.h5"
    run_here(study, path, replications=150, rare=True, metrics=[TARGET])
    return path


def test_the_results_are_weighted_and_say_what_was_biased(whole):
    result = open_result(whole)
    assert isinstance(result, RareResult)
    assert result.target == TARGET
    assert result.identity["rare"]["designs"]["one"]["proposals"][1]["stretch"]
    table = result.summary()
    assert (table.loc["one", "hits"] > 0).any()
    assert table.loc[("one", TARGET), "refused"] == ""
    mean, error = result.mean_weight("one")
    assert abs(mean - 1.0) < 4.0 * error
    differences = result.compare("one", "two")
    assert differences.loc[TARGET, "difference"] == pytest.approx(
        table.loc[("one", TARGET), "mean"] - table.loc[("two", TARGET), "mean"]
    )


def test_a_weighted_campaign_agrees_with_a_plain_one(study, whole):
    plain = run_here(study, replications=200).summary()
    weighted = open_result(whole).summary()
    for design in ("one", "two"):
        one, other = plain.loc[(design, TARGET)], weighted.loc[(design, TARGET)]
        error = (one["standard_error"] ** 2 + other["standard_error"] ** 2) ** 0.5
        assert abs(one["mean"] - other["mean"]) < 3.0 * error


def test_going_on_gives_the_bytes_of_one_campaign(study, whole, tmp_path):
    run_here(study, tmp_path / "r.h5", replications=25, rare=True, metrics=[TARGET])
    run_here(study, tmp_path / "r.h5", replications=150, rare=True, metrics=[TARGET], resume=True)
    assert (tmp_path / "r.h5").read_bytes() == whole.read_bytes()


def test_parts_of_it_merge(study, whole, tmp_path):
    for name, part in {"a": (0, 20), "b": (20, 150)}.items():
        run_here(study, tmp_path / f"{name}.h5", replications=part, rare=True, metrics=[TARGET])
    merged = merge([tmp_path / "a.h5", tmp_path / "b.h5"])
    assert merged.values.tobytes() == open_result(whole).values.tobytes()


def test_another_target_is_another_campaign(study, whole):
    with pytest.raises(InputError, match="rare-event settings differ"):
        run_here(study, whole, replications=170, rare=True, metrics=["core_dark_h_per_year"], resume=True)


def test_a_plain_campaign_does_not_go_on_with_weighted_rows(study, whole):
    with pytest.raises(InputError, match="rare-event settings differ"):
        run_here(study, whole, replications=170, resume=True)


def test_weighted_rows_of_another_schema_are_refused_naming_the_version_that_reads_them(whole):
    content = export.read(whole)
    old = {**content.identity, "twin_version": "0.0.1", "rare": {**content.identity["rare"], "schema": 1}}
    with pytest.raises(InputError, match=r"schema 1, where this version of twin reads 2.*read it with twin 0\.0\.1"):
        result_of(replace(content, identity=old))


def test_it_stops_on_the_interval_of_its_target(study):
    result = run_here(study, replications=2000, rare=True, metrics=[TARGET], until_ci=0.4)
    assert result.stopped_by == "interval"
    for design in result.designs:
        one = result.estimate(design).estimate
        assert one.high - one.mean <= 0.4 * one.mean


def test_what_is_not_rare_or_not_additive_is_refused_with_the_names_that_are(study):
    with pytest.raises(InputError, match="no metric 'pue'"):
        run_here(study, replications=5, rare=True, metrics=["pue"])


def test_a_page_of_weighted_results_is_refused_and_their_tables_hold_estimates(whole, tmp_path):
    page = CliRunner().invoke(twin, ["report", str(whole), "-o", str(tmp_path / "p.html"), "--no-replay"])
    assert page.exit_code == 2
    assert "holds weighted replications" in page.stderr
    told = CliRunner().invoke(twin, ["export", str(whole), "-o", str(tmp_path / "tables")])
    assert told.exit_code == 0, told.output
    assert "effective_hits" in (tmp_path / "tables" / "summary.csv").read_text().splitlines()[0]
