"""What a campaign says of its replications."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from small_campaign import REPLICATIONS, run_here, small

from twin.campaign.result import CampaignResult
from twin.cli.app import twin
from twin.errors import InputError
from twin.metrics.names import METRICS
from twin.scenario.load import load

HEADLINE = "lost_gpu_h_per_year"


@pytest.fixture(scope="module")
def result(undisturbed):
    return CampaignResult.open(undisturbed)


def test_every_metric_of_every_design_has_mean_error_interval_quantiles_and_events(result):
    table = result.summary()
    assert len(table) == 2 * len(METRICS)
    x = result.values[:, 1, result.metrics.index(HEADLINE)]
    row = table.loc[("two", HEADLINE)]
    assert row["mean"] == pytest.approx(x.mean())
    assert row["standard_error"] == pytest.approx(x.std(ddof=1) / math.sqrt(len(x)))
    assert row["low"] < row["mean"] < row["high"]
    assert row[["q05", "q50", "q95"]].tolist() == pytest.approx(np.quantile(x, [0.05, 0.5, 0.95]))
    assert row["n"] == REPLICATIONS
    assert row["events"] > 30


def test_nothing_seen_is_a_bound(study):
    quiet = run_here(study, None, 20)
    row = quiet.summary().loc[("two", "all_rows_dark_per_year")]
    if row["mean"] == 0:
        assert row["one_sided"]
    few = CampaignResult(quiet.content)
    few.values[:, :, few.metrics.index("all_rows_dark_per_year")] = 0
    row = few.summary().loc[("one", "all_rows_dark_per_year")]
    assert row["one_sided"]
    assert row["high"] == pytest.approx(-math.log(0.05) / (20 * 720 / 8760))


def test_what_never_varied_has_a_bound_and_no_interval_of_no_width(study):
    result = run_here(study, None, 20)
    result.values[:, :, result.metrics.index("lost_gpu_h_sag_per_year")] = 0
    row = result.summary().loc[("one", "lost_gpu_h_sag_per_year")]
    assert math.isnan(row["low"])
    assert math.isnan(row["high"])
    assert row["differs_at_most"] == pytest.approx(1 - 0.05 ** (1 / 20))
    assert math.isnan(result.compare("two", "one").loc["lost_gpu_h_sag_per_year", "high"])


def test_differences_are_paired_and_say_what_pairing_bought(result):
    table = result.compare("two", "one")
    place = result.metrics.index(HEADLINE)
    a, b = result.values[:, 1, place], result.values[:, 0, place]
    row = table.loc[HEADLINE]
    assert row["difference"] == pytest.approx((a - b).mean())
    assert row["variance_ratio"] == pytest.approx((a.var(ddof=1) + b.var(ddof=1)) / (a - b).var(ddof=1))
    assert row["better"] + row["worse"] + row["equal"] == REPLICATIONS
    with pytest.raises(InputError, match="no design"):
        result.compare("two", "three")


def test_the_frame_has_a_row_a_replication_and_design(result):
    frame = result.to_frame()
    assert frame.shape == (2 * REPLICATIONS, len(METRICS))
    assert frame.loc[(3, "two"), HEADLINE] == result.values[3, 1, result.metrics.index(HEADLINE)]


def test_metrics_reads_the_results_of_a_campaign(undisturbed):
    done = CliRunner().invoke(twin, ["metrics", str(undisturbed)])
    assert done.exit_code == 0, done.output
    assert f"replications 0 to {REPLICATIONS - 1}" in done.stdout
    found = json.loads(CliRunner().invoke(twin, ["metrics", str(undisturbed), "--format", "json"]).stdout)
    assert {"q05", "events", "standard_error", "high"} <= found["estimates"][0].keys()
    assert {"variance_ratio", "events"} <= found["differences"][0].keys()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name -n/--replications, or --range"),
        (["-n", "5", "--range", "3:9"], "ends beyond the 5 replications"),
        (["-n", "5", "--workers", "1", "--scheduler", "tcp://127.0.0.1:1"], "a cluster has its own"),
        (["-n", "5", "--until-ci", "five"], "is no share"),
        (["-n", "5", "--until-time", "soon"], "is no time"),
        (["--range", "9:3"], "is no range"),
        (["-n", "5", "--designs", "tow"], "did you mean two"),
        (["-n", "5", "--sweep", "rate"], "did you mean rates"),
    ],
)
def test_wrong_words_are_refused_and_nothing_is_written(arguments, words, scenario, tmp_path):
    done = CliRunner().invoke(twin, ["campaign", str(scenario), *arguments, "-o", str(tmp_path / "r.h5")])
    assert done.exit_code == 2, done.output
    assert words in done.stderr
    assert not list(tmp_path.iterdir())


def test_money_of_a_campaign_is_that_of_its_traces_and_survives_the_file(tmp_path):
    path = small(tmp_path, hours=8760)
    text = path.read_text().replace("two: {", "two: {sites.hall.protection.cabinets.capital.per_kwh: 2000, ")
    path.write_text(
        text
        + "sites.hall.protection.cabinets.capital: {per_kwh: 1000}\n"
        + "sites.hall.price_per_kwh: {hourly: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, "
        + "1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}\n"
        + "finance: {counterfactuals: [one], price_per_gpu_h: {cash: 2, opportunity: 10}}\n"
    )
    result = run_here(load(path), tmp_path / "r.h5", 3)
    again = CampaignResult.open(tmp_path / "r.h5")
    one, two = (each.money().appraise("two", "one") for each in (result, again))
    assert one.npv.tolist() == two.npv.tolist()
    assert one.n == 3
    assert one.lines["capital"][0] == -(2 * 1 + 1) * (200 * 2000 - 100 * 1000)
    lost = again.to_frame()["lost_gpu_h_per_year"].unstack()
    saved = one.lines["interruption"][1] + one.lines["hardware"][1] + one.lines["time_to_power"][1]
    assert saved == pytest.approx(2 * (lost["one"] - lost["two"]).mean(), abs=0.02)
    assert "energy_cost_year_001" not in again.summary().index.get_level_values("metric")
