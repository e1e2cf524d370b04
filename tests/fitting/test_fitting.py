"""Fits against scipy's and the truth they were drawn from; the command from a CSV to a block that twin reads."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML
from scipy import stats

from twin.chance.law import Law, compile_law
from twin.cli.app import twin
from twin.fitting.goodness import distance, fit_all, product_limit
from twin.fitting.laws import FITS
from twin.inputs.lifetimes_csv import Layout, Lifetimes, read_lifetimes
from twin.inputs.samples import write_failures, write_samples
from twin.spec import Spec

TRUE = {
    "exponential": ({"mean": 30.0}, stats.expon(scale=30.0)),
    "weibull": ({"shape": 0.7, "scale": 20.0}, stats.weibull_min(0.7, scale=20.0)),
    "lognormal": ({"sigma": 1.2, "median": 10.0}, stats.lognorm(1.2, scale=10.0)),
    "gamma": ({"shape": 2.5, "mean": 25.0}, stats.gamma(2.5, scale=10.0)),
}


def sample(name, n=4000, *, censor_h=None, seed=3):
    draws = np.random.default_rng(seed)
    x = TRUE[name][1].rvs(n, random_state=draws)
    limit = np.full(n, np.inf) if censor_h is None else draws.exponential(censor_h, n)
    order = np.argsort(np.minimum(x, limit))
    return np.minimum(x, limit)[order], (x <= limit)[order]


@pytest.mark.parametrize("censor_h", [None, 40.0], ids=["all ended", "a third censored"])
@pytest.mark.parametrize("name", TRUE)
def test_a_law_finds_its_own_parameters(name, censor_h):
    x, observed = sample(name, censor_h=censor_h)
    assert observed.all() == (censor_h is None)
    law = FITS[name](x, observed)
    for key, value in TRUE[name][0].items():
        assert law.parameters[key] == pytest.approx(value, rel=0.08)


@pytest.mark.parametrize("name", TRUE)
def test_density_survival_and_draws_are_those_of_scipy(name):
    truth = TRUE[name][1]
    x, observed = sample(name, 50)
    law = FITS[name](x, observed)
    law = type(law)(name, TRUE[name][0])
    np.testing.assert_allclose(law.log_density(x), truth.logpdf(x), rtol=1e-9)
    np.testing.assert_allclose(law.log_survival(x), truth.logsf(x), rtol=1e-9)
    np.testing.assert_allclose(law.draws(np.array([0.1, 0.5, 0.99])), truth.ppf([0.1, 0.5, 0.99]), rtol=1e-9)
    assert law.mean == pytest.approx(truth.mean(), rel=1e-9)


@pytest.mark.parametrize("censor_h", [None, 40.0], ids=["all ended", "a third censored"])
@pytest.mark.parametrize("name", TRUE)
def test_no_other_parameters_are_likelier(name, censor_h):
    x, observed = sample(name, 300, censor_h=censor_h)
    law = FITS[name](x, observed)
    best = law.log_likelihood(x, observed)
    for key in law.parameters:
        for factor in (0.99, 1.01):
            other = type(law)(name, law.parameters | {key: law.parameters[key] * factor})
            assert other.log_likelihood(x, observed) < best


def test_the_product_limit_of_a_small_record_by_hand():
    """6, 6 and 10 ended, 7 and 12 had not: 3/5, then 3/5 x 1/2."""
    times, left = product_limit(np.array([6.0, 6.0, 7.0, 10.0, 12.0]), np.array([True, True, False, True, False]))
    assert times.tolist() == [6.0, 10.0]
    np.testing.assert_allclose(left, [0.6, 0.3])


def test_without_censoring_the_distance_is_scipy_s():
    x, observed = sample("weibull", 200)
    law = FITS["weibull"](x, observed)
    assert distance(law, x, observed) == pytest.approx(stats.kstest(x, lambda t: 1.0 - law.survival(t)).statistic)


@pytest.mark.parametrize("censor_h", [None, 40.0], ids=["all ended", "a third censored"])
def test_the_law_drawn_from_is_chosen_and_kept_and_a_wrong_one_refused(censor_h):
    x, observed = sample("lognormal", 400, censor_h=censor_h)
    fits = {fit.law.law: fit for fit in fit_all(Lifetimes(x, observed, 0, 0), samples=99)}
    assert next(iter(fits)) == "lognormal"
    assert fits["lognormal"].p > 0.05
    assert fits["exponential"].p <= 0.02
    assert fits["lognormal"].errors["sigma"] == pytest.approx(1.2 / np.sqrt(2 * observed.sum()), rel=0.4)


@pytest.mark.slow
def test_p_is_uniform_where_the_law_is_true():
    """Of 100 exponential records 5 or so have p <= 0.05, and half p <= 0.5."""
    p = np.array([
        fit_all(Lifetimes(*sample("exponential", 40, censor_h=60.0, seed=k), 0, 0), ["exponential"], samples=60)[0].p
        for k in range(100)
    ])  # fmt: skip
    assert (p <= 0.05).sum() <= 12
    assert 35 <= (p <= 0.5).sum() <= 65


class Block(Spec):
    duration_h: Law | None = None
    life_h: Law | None = None


def read_block(text):
    return Block.model_validate(json.loads(json.dumps(YAML(typ="safe").load(text))))


def run(*arguments):
    done = CliRunner().invoke(twin, ["fit", *map(str, arguments)])
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def lanl(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "failures.csv.gz"
    write_failures(path, seed=1)
    return path


def test_down_times_of_a_record_become_a_block_that_twin_reads(lanl):
    code, text = run(lanl, "--column", "down_min", "--unit", "min", "--key", "duration_h")
    assert code == 0
    block = next(line for line in text.splitlines() if line.startswith("duration_h:"))
    law = read_block(block).duration_h
    assert law.law == "lognormal"
    assert law.median == pytest.approx(1.0, rel=0.1)
    assert law.sigma == pytest.approx(1.3, rel=0.1)
    own = next(line for line in text.splitlines() if line.startswith("# duration_h:")).removeprefix("# ")
    empirical = compile_law(read_block(own).duration_h)
    assert empirical.mean == pytest.approx(compile_law(law).mean, rel=0.2)


def test_times_between_failures_of_nodes_find_their_weibull_law(lanl):
    code, text = run(
        lanl, "--start", "start", "--end", "fixed", "--between", "--by", "system", "--by", "node", "--format", "json"
    )
    data = json.loads(text)
    assert code == 0
    assert data["record"]["items"] == 60
    assert data["record"]["censored"] == 59  # the record ends with the repair of one
    best = data["fits"][0]
    assert best["law"] == "weibull"
    assert best["parameters"]["shape"] == pytest.approx(0.7, abs=0.06)
    assert best["mean_h"] == pytest.approx(2000.0, rel=0.15)
    assert best["p"] > 0.02
    assert read_block(data["yaml"]).life_h.shape == pytest.approx(best["parameters"]["shape"], rel=1e-5)


def test_the_plot_is_written(lanl, tmp_path):
    path = tmp_path / "fit.png"
    code, _ = run(
        lanl, "--start", "start", "--end", "fixed", "--between", "--by", "node", "--law", "weibull", "--plot", path
    )
    assert code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_wrong_input_is_told_in_one_message_and_writes_nothing(lanl, tmp_path):
    for arguments, message in (
        (["--column", "down_minutes"], "did you mean 'down_min'"),
        ([], "either a column of durations"),
        (["--column", "down_min", "--where", "category"], "COLUMN=VALUE"),
        (["--column", "system"], "nothing to fit"),
    ):
        code, text = run(lanl, *arguments, "--plot", tmp_path / "no.png")
        assert code == 2
        assert message in text
        assert "Traceback" not in text
    assert not (tmp_path / "no.png").exists()


def test_the_sample_of_the_layout_lies_among_all_samples(tmp_path):
    write_samples(tmp_path)
    found = read_lifetimes(tmp_path / "hpc_failures_lanl" / "failures.csv.gz", Layout(column="down_min", unit="min"))
    assert len(found.hours) > 500


def test_the_measured_record_of_23_systems(real_data):
    """Down times of facilities: median 276 min (its README), a heavy tail; between failures: early ones."""
    path = real_data("hpc_failures_lanl") / "failures.csv.gz"
    down = read_lifetimes(path, Layout(column="down_min", unit="min", where={"category": "facilities"}))
    assert np.median(down.hours) * 60.0 == pytest.approx(276.0, abs=10.0)
    fits = fit_all(down, samples=20)
    assert fits[0].law.law in ("lognormal", "weibull", "gamma")
    assert fits[-1].law.law == "exponential"
    layout = Layout(start="start", end="fixed", between=True, by=["system", "node"])
    lives = read_lifetimes(path, layout)
    assert lives.items > 1000
    weibull = FITS["weibull"](lives.hours, lives.observed)
    assert 0.3 < weibull.parameters["shape"] < 1.0
