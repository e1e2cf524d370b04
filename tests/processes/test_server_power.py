"""Servers by preset, the throughput under a cap, and a measured stretch replayed in the plant."""

import numpy as np
import pytest
from pydantic import ValidationError
from simulation import HALL, S, hall, play

from twin.check.carrying import check_design
from twin.errors import InputError
from twin.inputs.power_runs import read_runs
from twin.inputs.samples import write_power_record
from twin.parts.cluster import ClusterSpec, ServerSpec
from twin.parts.presets import presets
from twin.scenario.model import Scenario


def server(**block):
    return ServerSpec.model_validate(block)


@pytest.mark.parametrize("name", presets("server"))
def test_a_preset_s_numbers_stand_where_the_block_has_none(name):
    found, block = server(preset=name), presets("server")[name]
    assert (found.training_kw, found.idle_kw, found.rated_kw) == tuple(
        block[key] for key in ("training_kw", "idle_kw", "rated_kw")
    )
    assert "fitted" in found.source
    assert server(preset=name, idle_kw=1.0).idle_kw == 1.0


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(ValidationError, match="did you mean h100_gpt3"):
        server(preset="h100_gtp3")


def test_throughput_under_a_cap_is_a_power_law_above_idle_that_meets_its_source():
    """600 W instead of 700 W, 100 W idle, lengthen a step by 12 %."""
    watts = {"idle_kw": 0.1, "boot_kw": 0.1, "training_kw": 0.7, "capped_kw": 0.6, "cap_exponent": 1.6}
    assert server(**watts).throughput_at_cap_fraction == pytest.approx(1 / 1.12, abs=0.001)
    assert server(**watts | {"capped_kw": 0.7}).throughput_at_cap_fraction == 1.0
    linear = server(**watts | {"cap_exponent": 1.0})
    assert linear.throughput_at_cap_fraction == pytest.approx(5 / 6, abs=1e-4)
    assert server(**watts, throughput_at_cap_fraction=0.5).throughput_at_cap_fraction == 0.5
    deeper = [server(preset="h100_gpt3", capped_kw=kw).throughput_at_cap_fraction for kw in (6.0, 5.0, 4.0)]
    assert deeper == sorted(deeper, reverse=True)


def test_measured_dips_replace_evaluations_where_swings_are_judged():
    plain, measured = server(training_kw=7.0), server(training_kw=7.0, swing={"dip_fraction": 0.2})
    assert plain.swing_kw == pytest.approx(7.0 * 0.084)
    assert measured.swing_kw == pytest.approx(1.4)
    data = hall(site={"cluster": {"server": {"swing": {"dip_fraction": 0.2, "fall_kw_per_s": 0.5}}}})
    found = check_design("base", Scenario.model_validate(data)).sites[0].swing
    assert (found.dip_kw, found.fall_kw_per_s) == pytest.approx((20 * 10.0 * 0.2, 10.0))
    assert check_design("base", Scenario.model_validate(HALL)).sites[0].swing is None


def record(tmp_path, **window):
    write_power_record(tmp_path / "record", servers=3, runs=2)
    measured = {"training_kw": 6.9, "idle_kw": 2.0, "capped_kw": 5.0, "rated_kw": 10.2}
    block = {"record_folder": str(tmp_path / "record"), "start_s": 100.0, "length_s": 60.0, "at_h": 1.0, **window}
    return hall(site={"cluster": {"server": measured, "power_window": block}}, horizon={"hours": 2.0})


def test_a_measured_stretch_is_replayed_reading_by_reading_and_its_energy_is_exact(tmp_path):
    story = play(record(tmp_path, run="1"))
    run = read_runs(tmp_path / "record")[1]
    core_kw, mean_kw = 100.0, 20 * 6.9
    readings = run.mean_kw[50:80]
    begin = 3600 * S
    assert story.power("it_kw", 0) == pytest.approx(core_kw + mean_kw)
    for k, kw in enumerate(readings):
        assert story.power("it_kw", begin + k * 2 * S) == pytest.approx(core_kw + 20 * kw)
        assert story.power("it_kw", begin + k * 2 * S + S) == pytest.approx(core_kw + 20 * kw)
    assert readings.max() > 6.9, "swings above the mean are not cut"
    assert story.power("it_kw", begin + 60 * S) == pytest.approx(core_kw + mean_kw)
    expected = 2.0 * core_kw + mean_kw * (2.0 - 60 / 3600) + 20 * readings.sum() * 2 / 3600
    assert story.ledger["it_kwh"].sum() == pytest.approx(expected, rel=1e-9)
    assert np.isclose(story.ledger["clamped_kwh"].sum(), 0.0)


def test_a_window_that_is_not_in_the_record_is_refused(tmp_path):
    data = record(tmp_path)
    with pytest.raises(InputError, match="run 0 ends after 568 s, the window after 660 s"):
        play(hall_of(data, start_s=600.0))
    with pytest.raises(InputError, match=r"no run '7' \(runs: 0, 1\)"):
        play(hall_of(data, run="7"))
    with pytest.raises(ValidationError, match="give utilisation_profile or power_window"):
        ClusterSpec.model_validate(data["sites"]["hall"]["cluster"] | {"utilisation_profile": {"hourly": [1.0] * 24}})
    low = record_of(data)
    low["server"]["rated_kw"] = 6.95
    with pytest.raises(InputError, match="the server is rated"):
        play(hall(site={"cluster": low}, horizon={"hours": 2.0}))


def record_of(data):
    cluster = data["sites"]["hall"]["cluster"]
    return {**cluster, "server": dict(cluster["server"]), "power_window": dict(cluster["power_window"])}


def hall_of(data, **window):
    cluster = record_of(data)
    cluster["power_window"] |= window
    return hall(site={"cluster": cluster}, horizon={"hours": 2.0})
