"""The power record's reader: by hand on a tiny record, on samples, and on the measured GPT-3 record."""

import dataclasses
import math

import pytest

from twin.errors import InputError
from twin.inputs.power_record import read_power_record
from twin.inputs.samples import write_power_record

EVENTS = """t_s,event
-30,init_start
0,run_start
0,block_start
4,block_stop
4,eval_start
6,eval_stop
6,block_start
10,block_stop
10,eval_start
12,eval_stop
"""
POWERS = """t_s,node_01_w,node_02_w
0,500,1500
2,3000,3000
4,1000,2000
6,2900,2900
8,3100,3100
10,1500,1500
"""


def record(folder, powers=POWERS, events=EVENTS):
    folder.mkdir(exist_ok=True)
    (folder / "run_0.csv").write_text(powers)
    (folder / "run_0_events.csv").write_text(events)
    return folder


def test_a_tiny_record_gives_the_numbers_computed_by_hand(tmp_path):
    profile = read_power_record(record(tmp_path / "tiny"))
    assert profile.training_kw == pytest.approx((1.0 + 3.0 + 2.9 + 3.1) / 4)
    assert profile.evaluation_kw == pytest.approx(1.5)
    assert profile.evaluation_dip_fraction == pytest.approx(1 - 1.5 / 2.5)
    assert (profile.evaluation_period_s, profile.evaluation_s, profile.startup_s) == (6.0, 2.0, 30.0)
    assert profile.mean_kw == pytest.approx(13.0 / 6)
    assert (profile.maximum_kw, profile.lowest_kw, profile.highest_kw) == (3.1, 0.5, 3.1)
    # Steady from the reading at 2 s on, the first at the training level: the ramp to it is no step.
    assert profile.largest_step_down_fraction == pytest.approx(1.6 / (13.0 / 6))
    assert profile.largest_step_up_fraction == pytest.approx(1.4 / (13.0 / 6))
    assert (profile.servers, profile.gpus_per_server, profile.seconds, profile.runs) == (2, 8, 10.0, 1)
    assert profile.source == "tiny"


def test_scaling_all_powers_scales_levels_and_leaves_fractions_and_times(tmp_path):
    header, *rows = POWERS.splitlines()
    doubled = [",".join([row.split(",")[0], *(str(2 * int(cell)) for cell in row.split(",")[1:])]) for row in rows]
    once = read_power_record(record(tmp_path / "once"))
    twice = read_power_record(record(tmp_path / "twice", "\n".join([header, *doubled])))
    for field in dataclasses.fields(once):
        value = getattr(once, field.name)
        if isinstance(value, float):
            factor = 2 if field.name.endswith("_kw") else 1
            assert getattr(twice, field.name) == pytest.approx(factor * value), field.name


def test_a_sample_record_gives_the_levels_it_was_made_with(tmp_path):
    write_power_record(tmp_path / "gpu")
    profile = read_power_record(tmp_path / "gpu")
    assert profile.training_kw == pytest.approx(6.9, rel=0.02)
    assert 0.08 < profile.evaluation_dip_fraction < 0.15
    assert (profile.evaluation_period_s, profile.evaluation_s) == (pytest.approx(142.0), pytest.approx(13.0))
    assert profile.startup_s == pytest.approx((359.8 + 354.8) / 2)
    assert (profile.servers, profile.runs) == (4, 2)
    assert "no measurement" in profile.source


def without(text, start):
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(start))


@pytest.mark.parametrize(
    ("powers", "events", "message"),
    [
        (POWERS.replace("2900,2900", "2900,-1"), EVENTS, r"run_0\.csv:5: node_02_w: -1 must not be below 0"),
        (POWERS.replace("2900,2900", "2900,nan"), EVENTS, r"run_0\.csv:5: node_02_w: nan is not a finite"),
        (POWERS.replace("2900,2900", "2900"), EVENTS, r"run_0\.csv:5: the row has 2 cells"),
        (POWERS.replace("\n6,", "\n4,"), EVENTS, r"run_0\.csv:5: t_s: 4 s does not come after 4 s"),
        (POWERS.replace("node", "gpu"), EVENTS, "no columns node_XX_w"),
        (POWERS, without(EVENTS, "6,eval_stop"), r"events\.csv:6: event: eval_start without eval_stop"),
        (POWERS, without(EVENTS, "12,eval_stop"), r"events\.csv:10: event: eval_start without eval_stop"),
        (POWERS, without(EVENTS, "4,eval_start"), r"events\.csv:6: event: eval_stop without eval_start"),
        (POWERS, EVENTS.replace("6,eval_stop", "3,eval_stop"), r"events\.csv:7: t_s: eval_stop does not come after"),
        (POWERS, without(EVENTS, "-30"), "no event init_start"),
        (POWERS, EVENTS + "13,run_start\n", r"events\.csv:12: event: a second run_start"),
        (POWERS, EVENTS.replace("-30", "30"), "run_start is before init_start"),
        (POWERS, without(without(EVENTS, "10,eval"), "12,eval"), "at least two are needed"),
        (POWERS, EVENTS.replace("\n10,eval", "\n104,eval").replace("\n12,", "\n106,").replace("\n4,eval_start", "\n4.5,eval_start").replace("6,eval_stop", "5,eval_stop"), "no reading lies in any evaluation"),  # noqa: E501
        (POWERS, "t_s,what\n0,run_start\n", "no column 'event'"),
    ],
)  # fmt: skip
def test_a_bad_record_names_file_and_row(tmp_path, powers, events, message):
    with pytest.raises(InputError, match=message):
        read_power_record(record(tmp_path / "bad", powers, events))


def test_a_missing_or_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        read_power_record(tmp_path / "none")
    with pytest.raises(InputError, match="no runs in this folder"):
        read_power_record(tmp_path)


def test_a_run_without_events_is_named(tmp_path):
    (record(tmp_path / "a") / "run_0_events.csv").unlink()
    with pytest.raises(InputError, match=r"run_0_events\.csv: there is no such file"):
        read_power_record(tmp_path / "a")


def test_runs_with_different_servers_are_refused(tmp_path):
    folder = record(tmp_path / "a")
    (folder / "run_1.csv").write_text("\n".join(row.rsplit(",", 1)[0] for row in POWERS.splitlines()))
    (folder / "run_1_events.csv").write_text(EVENTS)
    with pytest.raises(InputError, match=r"run_1\.csv:1: has 1 servers, run_0\.csv has 2"):
        read_power_record(folder)


def test_the_gpt3_record_gives_the_numbers_of_its_summary(real_data):
    profile = read_power_record(real_data("gpu_power_mlperf_h100_gpt3"))
    assert (profile.servers, profile.runs) == (64, 2)
    assert profile.servers * profile.training_kw == pytest.approx(442, abs=0.5)
    assert profile.servers * profile.evaluation_kw == pytest.approx(405, abs=0.6)
    assert profile.evaluation_dip_fraction == pytest.approx(0.084, abs=0.001)
    assert profile.evaluation_period_s == pytest.approx(142, abs=0.5)
    assert profile.evaluation_s == pytest.approx(13, abs=0.1)
    assert profile.servers * profile.mean_kw == pytest.approx(438, abs=0.5)
    assert profile.servers * profile.p1_kw == pytest.approx(391, abs=1)
    assert profile.servers * profile.p99_kw == pytest.approx(458, abs=1)
    assert profile.servers * profile.maximum_kw == pytest.approx(458, abs=0.5)
    assert 355 <= profile.startup_s <= 364
    assert math.isclose(profile.largest_step_down_fraction, 94 / 438, rel_tol=0.01)
    assert math.isclose(profile.largest_step_up_fraction, 52 / 438, rel_tol=0.01)
    assert "MLPerf Training v4.0" in profile.source
