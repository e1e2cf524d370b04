"""Cases, their figures and verdicts, and the command that prints them."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from twin.cli.app import twin
from twin.estimate import mean_interval
from twin.validate import case as c
from twin.validate.markov import failure_figures, like_units
from twin.validate.run import validate
from twin.validate.worlds import dark, exponential, feeder, hall, in_world, per_year, rates


def made(expected: float, *, spread: float = 1.0) -> c.Case:
    """A case whose samples are normal about 10."""

    def prepare(seed: int) -> c.Sampler:
        return lambda replication: [10.0 + spread * float(np.random.default_rng((seed, replication)).standard_normal())]

    return c.Case("made", "normal samples", "none", {"figure_h": expected}, 400, prepare)


def test_a_figure_agrees_is_doubtful_or_is_wrong_by_its_standard_errors():
    (right,) = validate([made(10.0)])
    assert right.verdict == "agrees"
    assert right.standard_error == pytest.approx(0.05, rel=0.1)
    doubtful = right.simulated + 3.5 * right.standard_error
    assert validate([made(doubtful)])[0].verdict == "doubtful"
    assert validate([made(right.simulated - 4.1 * right.standard_error)])[0].verdict == "wrong"


def test_a_figure_without_spread_is_right_or_wrong_and_nan_is_wrong():
    assert validate([made(10.0, spread=0.0)])[0].verdict == "agrees"
    assert validate([made(10.1, spread=0.0)])[0].verdict == "wrong"
    assert validate([made(math.nan)])[0].verdict == "wrong"


def test_a_smaller_share_of_replications_tells_its_progress():
    told = []
    (figure,) = validate([made(10.0)], share=0.1, tell=lambda done, total: told.append((done, total)))
    assert figure.replications == 40
    assert told == [(k, 40) for k in range(1, 41)]


def test_every_case_has_a_name_of_its_own_a_source_and_expected_figures():
    cases = c.all_cases()
    assert len({case.name for case in cases}) == len(cases) >= 18
    for case in cases:
        assert case.source
        assert case.model
        assert all(math.isfinite(value) and value > 0.0 for value in case.expected.values())


def test_chains_give_the_textbook_figures():
    """One unit; 1oo2 with two crews; the beta factor's 2.985 h a year (10,000 h, 100 h, 0.05)."""
    assert failure_figures(like_units(1, 0.1, 0.4, crews=1), bool) == pytest.approx((0.08, 0.2))
    unavailable = (100.0 / 10100.0) ** 2
    assert failure_figures(like_units(2, 1e-4, 1e-2, crews=2), lambda k: k == 2)[1] == pytest.approx(unavailable)
    beta = failure_figures(like_units(2, 1e-4, 1e-2, crews=2, beta=0.05), lambda k: k == 2)[1]
    assert beta * 8760.0 == pytest.approx(2.985, abs=1e-3)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(twin, ["validate", *arguments], standalone_mode=True)
    return done.exit_code, done.stdout


def test_the_command_prints_a_case_as_table_and_as_json():
    code, text = run("--only", "three hours")
    assert code == 0
    assert "hours_per_useful_h" in text
    assert "0 wrong" in text
    code, text = run("--only", "three hours", "--format", "json", "--seed", "5")
    data = json.loads(text)
    assert code == 0
    assert data["seed"] == 5
    assert data["wrong"] == 0
    (row,) = data["figures"]
    assert abs(row["z"]) <= 4.0
    assert row["relative_error"] < 0.02


def test_the_command_fails_where_a_figure_is_wrong(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(c, "all_cases", lambda: [made(11.0)])
    code, text = run()
    assert code == 1
    assert "wrong" in text


def test_a_case_whose_record_is_missing_is_skipped_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("TWIN_DATA", str(tmp_path))
    missing = c.Case(
        "elsewhere", "a record", "none", {"figure_h": 1.0}, 10, made(10.0).prepare, "rbts_bus2/rbts_bus2.json"
    )
    monkeypatch.setattr(c, "all_cases", lambda: [made(10.0), missing])
    code, text = run()
    assert code == 0
    assert "elsewhere: skipped: record rbts_bus2/rbts_bus2.json is not here" in text
    assert json.loads(run("--format", "json")[1])["skipped"][0]["case"] == "elsewhere"
    assert run("--only", "elsewhere")[0] == 2


def test_an_unknown_case_is_refused_with_the_names():
    code, _ = run("--only", "perpetual motion")
    assert code == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["beta factor, 1 of 2", "3 of 5, 1 crew", "grid and battery, weibull outages"])
def test_a_fifth_of_a_case_agrees_already(name: str):
    (case,) = [case for case in c.all_cases() if case.name == name]
    assert all(figure.verdict == "agrees" for figure in validate([case], share=0.2))


@pytest.mark.long
def test_every_figure_is_within_three_standard_errors_of_at_most_two_per_cent():
    """python -m pytest -m long tests/validate"""
    for figure in validate([case for case in c.all_cases() if case.is_here]):
        assert abs(figure.z) <= c.PASS_Z, figure
        assert figure.relative_error <= c.RELATIVE_ERROR_MOST, figure


@pytest.mark.long
def test_intervals_of_200_seeds_hold_the_truth_182_to_197_times():
    """95 % Student t intervals of 20 quarters; 182 to 197 is what 0.95 gives in 99.7 % of such tests.

    A feeder and a battery of fixed autonomy: python -m pytest -m long tests/validate -k intervals
    """
    up_h, down_h, autonomy_h = 40.0, 2.0, 1.0
    cabinets = {
        "per_row": 1, "rated_kw": 200.0, "rated_kwh": 100.0 * autonomy_h, "soc_min_fraction": 0.0, "auxiliary_kw": 0.0,
        "soc_max_fraction": 1.0, "efficiency_one_way": 1.0, "topology": "in_line", "transfer_failure_probability": 0.0,
        "cabinet_mtbf_h": 1e12, "recharge_kw": 1e9,
    }  # fmt: skip
    grid = {"feeders": {"A": feeder(8760.0 / up_h, exponential(down_h))}}
    data = hall(0.25, grid, {"cabinets": cabinets})
    nu, left = 1.0 / (up_h + down_h), math.exp(-autonomy_h / down_h)
    expected = [*per_year(nu, nu * down_h).values(), *per_year(nu * left, nu * left * down_h).values()]
    outages = rates("hall/feeder-A", "up", 0)
    prepare = in_world(data, lambda trace: outages(trace) + dark()(trace))
    held = np.zeros(4, int)
    for seed in range(200):
        sample = prepare(seed)
        rows = np.array([sample(replication) for replication in range(20)])
        for k in range(4):
            interval = mean_interval(rows[:, k])
            held[k] += interval.low <= expected[k] <= interval.high
    assert all(182 <= count <= 197 for count in held), held
