"""Power by phase: readers of three layouts, fit and prediction of runs not fitted on, swings, windows."""

import gzip

import numpy as np
import pytest
from nested import nearly_equal
from ruamel.yaml import YAML

from twin.errors import InputError
from twin.inputs.fit_power import CATALOGUE, KINDS, catalogue, text
from twin.inputs.power_phases import QUANTILES, PhaseProfile, fit_phases, swings, window
from twin.inputs.power_runs import EVALUATION, STARTUP, TRAINING, read_runs
from twin.inputs.samples import write_power_record
from twin.parts.presets import presets
from twin.parts.server_profile import server_profile


def errors(fitted_on, run):
    """Relative errors of mean, 1st and 99th percentile of a run."""
    mean, (low, high) = fit_phases(fitted_on).run_kw(run.seconds)
    found = run.mean_kw
    true = (found.mean(), np.percentile(found, 1), np.percentile(found, 99))
    return np.abs(np.array([mean, low, high]) / true - 1.0)


def left_out(runs):
    """Errors of each run by the profile of all others [runs, 3]."""
    return np.array([errors([one for one in runs if one is not run], run) for run in runs])


def test_a_fitted_profile_reproduces_the_other_gpt3_run_within_five_percent(real_data):
    first, second = read_runs(real_data("gpu_power_mlperf_h100_gpt3"))
    assert errors([first], second).max() < 0.01
    assert errors([second], first).max() < 0.01


@pytest.mark.parametrize("workload", ["llama2_70b_lora", "stable_diffusion"])
def test_a_fitted_profile_reproduces_each_b200_run_left_out_within_five_percent(real_data, workload):
    assert left_out(read_runs(real_data("gpu_power_mlperf_b200"), workload)).max() < 0.05


def test_runs_of_llama2_on_h100_differ_more_and_eight_of_ten_are_within_five_percent(real_data):
    found = left_out(read_runs(real_data("gpu_power_mlperf_h100_llama2")))
    assert found[:, [0, 2]].max() < 0.06
    assert (found.max(axis=1) < 0.0505).sum() == 8
    assert found[:, 1].max() < 0.08


def test_the_catalogue_is_what_the_records_give(real_data):
    found = catalogue(real_data("gpu_power_mlperf_b200").parent)
    assert nearly_equal(YAML(typ="safe").load(text(found)), YAML(typ="safe").load(CATALOGUE.read_text()))


def test_the_catalogue_s_levels_give_the_published_mean_of_a_run():
    for name, block in presets("phases").items():
        assert set(block["levels_kw"]) <= {"startup", "training", "evaluation"}
        assert all(len(levels) == len(QUANTILES) for levels in block["levels_kw"].values())
        assert name in KINDS
        assert all(levels == sorted(levels) for levels in block["levels_kw"].values())
    profile = server_profile("h100_gpt3")
    mean, (low, high) = profile.run_kw(3400.0)
    assert mean == pytest.approx(6.849, abs=0.001), "README of the record: node mean 6,849 W"
    assert (64 * low, 64 * high) == pytest.approx((391, 458), rel=0.01), "README: total p1 391, p99 458 kW"
    assert server_profile("a100_fleet") is None


def test_a_made_up_record_gives_its_phases_back(tmp_path):
    write_power_record(tmp_path, servers=4, runs=2, evaluations=4)
    runs = read_runs(tmp_path)
    assert [(run.run, run.server_kw.shape[0]) for run in runs] == [("0", 4), ("1", 4)]
    profile = fit_phases(runs)
    assert profile.evaluation_s == pytest.approx(13.0)
    assert profile.evaluation_period_s == pytest.approx(142.0)
    assert profile.evaluation_share == pytest.approx(13 / 142, abs=0.01)
    assert profile.levels_kw[STARTUP] == ()
    assert profile.mean_kw[TRAINING] == pytest.approx(6.9, rel=0.01)
    assert profile.mean_kw[EVALUATION] == pytest.approx((6.35 * 11 + 5.5 * 2) / 13, rel=0.02)


def test_a_mixture_has_the_percentiles_of_its_parts():
    flat = PhaseProfile(
        startup_s=100.0, evaluation_share=0.25, evaluation_s=1.0, evaluation_period_s=4.0, mean_kw=(1.0, 3.0, 2.0),
        levels_kw=tuple((level,) * len(QUANTILES) for level in (1.0, 3.0, 2.0)),
    )  # fmt: skip
    mean, found = flat.run_kw(1000.0, percents=(5.0, 20.0, 50.0))
    assert mean == pytest.approx(0.1 * 1 + 0.9 * (0.75 * 3 + 0.25 * 2))
    assert found.tolist() == [1.0, 2.0, 3.0]
    assert flat.shares(50.0).tolist() == [1.0, 0.0, 0.0]


def test_one_table_holds_runs_by_workload_and_readings_after_the_stop_are_left_out(tmp_path):
    rows = [f"a,0,{t},{1000 + t}" for t in range(10)] + [f"b,0,{t},500" for t in range(4)]
    head = "workload,run,t_s,node_w\n"
    (tmp_path / "node_1s.csv.gz").write_bytes(gzip.compress((head + "\n".join(rows) + "\n").encode()))
    log = ["a,0,2.5,run_start", "a,0,4,eval_start", "a,0,6,eval_stop", "a,0,8,run_stop", "b,0,0,run_start",
           "b,0,2,eval_start"]  # fmt: skip
    (tmp_path / "events.csv").write_text("workload,run,t_s,event\n" + "\n".join(log) + "\n")
    one, other = read_runs(tmp_path)
    assert one.phase.tolist() == [0, 0, 0, 1, 2, 2, 1, 1, 1]
    assert (one.workload, one.times_s[-1], one.evaluations_s.tolist()) == ("a", 8.0, [[4.0, 6.0]])
    assert (other.phase.tolist(), other.evaluations_s.tolist()) == ([1, 1, 2, 1], [[2.0, 3.0]])
    assert [run.workload for run in read_runs(tmp_path, "b")] == ["b"]
    with pytest.raises(InputError, match="no runs of workload 'c'"):
        read_runs(tmp_path, "c")
    (tmp_path / "events.csv").write_text("workload,run,t_s,event\na,0,1,eval_start\n")
    with pytest.raises(InputError, match="run 0 has no event run_start"):
        read_runs(tmp_path)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no such folder"):
        read_runs(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no runs in this folder.*run_N\.csv\.gz"):
        read_runs(tmp_path)


def test_swings_are_kept_by_interval():
    times = np.array([0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 13.0])
    power = np.array([6.0, 8.0, 4.0, 6.0, 6.0, 6.0, 3.0])
    found = swings(times, power, 10.0)
    assert found.start_s.tolist() == [0.0, 10.0]
    assert found.mean_kw.tolist() == [6.0, 5.0]
    assert found.peak_kw.tolist() == [8.0, 6.0]
    assert found.rise_kw_per_s.tolist() == [2.0, 0.0]
    assert found.fall_kw_per_s.tolist() == [4.0, 1.5]
    assert found.dip_fraction == pytest.approx([1 / 3, 0.4])


def test_a_window_is_the_record_reading_by_reading(tmp_path):
    write_power_record(tmp_path, servers=3, runs=1)
    (run,) = read_runs(tmp_path)
    times, power = window(run, 21.0, 9.0)
    assert times.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0]  # the reading at 20 s holds at first
    np.testing.assert_array_equal(power, run.mean_kw[10:15])
