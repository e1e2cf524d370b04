"""The workload model: its closed forms, and the published statistics that its presets were fitted to."""

import csv
import math

import numpy as np
import pytest
from nested import nearly_equal
from ruamel.yaml import YAML

from twin.inputs.fit_workload import CATALOGUE, catalogue, fit, text
from twin.inputs.workload import Workload, bursts, clock_of_day, normal_cdf, thinned_cv
from twin.parts.presets import presets

PUBLISHED = {
    "acme_seren": {
        "gpus": 5.68, "median_s": 122.0, "mean_s": 1414.335, "gpu_s": 21_510_624_573.0 / 663_813,
        "by_end": (0.212, 0.664, 0.124), "large": 0.564,
    },
    "acme_kalos": {
        "gpus": 26.77, "median_s": 124.0, "mean_s": 1259.689, "gpu_s": 5_333_180_061.0 / 19_907,
        "by_end": (0.313, 0.607, 0.080), "large": 0.963,
    },
}  # fmt: skip
"""Acme's cluster_summary.csv; `large`, the share of GPU time in jobs of 256 GPUs and more, is a third party's."""


def model(name):
    return Workload(
        **{key: value for key, value in presets("workload")[name].items() if key in Workload.__annotations__}
    )


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_has_the_published_moments_within_a_tenth_of_a_percent(name):
    made, figures = model(name), PUBLISHED[name]
    assert made.mean_gpus == pytest.approx(figures["gpus"], rel=1e-3)
    assert made.shorter_than(figures["median_s"]) == pytest.approx(0.5, abs=1e-3)
    assert made.mean_run_time_s == pytest.approx(figures["mean_s"], rel=1e-3)
    assert made.mean_gpu_s == pytest.approx(figures["gpu_s"], rel=1e-3)
    time = made.gpu_time_s
    assert time.sum(axis=0) / time.sum() == pytest.approx(figures["by_end"], abs=1e-3)
    assert made.size_probability[0] >= 0.5, "the published median size is one GPU"
    assert time[made.sizes >= 256].sum() / time.sum() == pytest.approx(figures["large"], abs=0.07), "was not fitted"


def test_the_mean_of_a_cut_lognormal_run_time_is_its_integral():
    one = Workload(1.0, 1.0, 1, 100.0, 1.5, 0.0, 1000.0, (1.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    t = np.linspace(0.0, 1000.0, 400_001)[1:]
    survival = 1.0 - normal_cdf(np.log(t / 100.0) / 1.5)
    assert one.mean_run_time_s == pytest.approx(survival.sum() * (t[1] - t[0]), rel=1e-4)
    assert (one.shorter_than(100.0), one.shorter_than(1000.0)) == (0.5, 1.0)
    assert one.sizes.tolist() == [1]
    assert one.size_probability.tolist() == [1.0]


@pytest.mark.parametrize("cv", [1.0, 3.0, 14.7])
def test_bursts_have_mean_one_and_the_coefficient_of_variation(cv):
    p, short, long = bursts(cv)
    mean, square = p * short + (1 - p) * long, 2 * (p * short**2 + (1 - p) * long**2)
    assert mean == pytest.approx(1.0)
    assert math.sqrt(square - mean**2) == pytest.approx(cv)


def test_a_random_share_of_a_bursty_stream_has_the_thinned_variation():
    draws = np.random.default_rng(1)
    p, short, long = bursts(4.0)
    gaps = draws.exponential(np.where(draws.random(2_000_000) < p, short, long))
    kept = np.diff(np.cumsum(gaps)[draws.random(gaps.size) < 0.1])
    assert kept.std() / kept.mean() == pytest.approx(thinned_cv(4.0, 0.1), rel=0.02)
    assert thinned_cv(4.0, 0.1) == pytest.approx(math.sqrt(2.5))
    assert thinned_cv(4.0, 3.0) == 4.0


def test_a_day_s_clock_runs_from_none_to_all():
    clock = clock_of_day([1.0] * 12 + [3.0] * 12)
    assert (clock[0], clock[12], clock[24]) == (0.0, 0.25, 1.0)


def test_the_fit_gives_back_the_model_whose_moments_it_is_told():
    true = Workload(0.6, 0.7, 512, 80.0, 1.4, 0.3, 5e5, (0.5, 0.1, 0.4), (1.0, 9.0, 0.5))
    time = true.gpu_time_s.sum(axis=0)
    low, high = 1.0, 1e5
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if true.shorter_than(middle) > 0.5 else (middle, high)
    figures = {
        "avg_gpu_num": true.mean_gpus, "med_run_time_gpu": low, "avg_run_time_gpu": true.mean_run_time_s,
        "max_run_time_gpu": 5e5, "max_gpu": 512.0, "gpu_job_num": 1e5,
        "complete_rate_gpu": 0.5, "cancel_rate_gpu": 0.1, "fail_rate_gpu": 0.4,
        "complete_gpu_time": 1e5 * time[0], "cancel_gpu_time": 1e5 * time[1], "fail_gpu_time": 1e5 * time[2],
    }  # fmt: skip
    found = fit(figures)
    for name in ("size_ratio", "run_time_median_s", "run_time_sigma", "run_time_size_exponent"):
        assert getattr(found, name) == pytest.approx(getattr(true, name), rel=1e-5)
    assert found.end_run_time_factor == pytest.approx(true.end_run_time_factor, rel=1e-5)


def test_the_catalogue_is_what_the_records_give(real_data):
    folder = real_data("acme_llm_cluster_stats")
    with (folder / "cluster_summary.csv").open() as stream:
        assert {row["id"] for row in csv.DictReader(stream)} >= {"Seren", "Kalos"}
    found = YAML(typ="safe").load(text(catalogue(folder.parent)))
    assert nearly_equal(found, YAML(typ="safe").load(CATALOGUE.read_text()))
