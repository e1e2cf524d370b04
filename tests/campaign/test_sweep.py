"""Sweeps: every design at every point of a sample of its parameters."""

import numpy as np
import pytest
from click.testing import CliRunner
from small_campaign import run_here, small

from twin.campaign.result import CampaignResult
from twin.campaign.sweep import points, swept
from twin.cli.app import twin
from twin.errors import InputError
from twin.scenario.load import load
from twin.scenario.ranges import Range
from twin.scenario.sweeps import SweepSpec

BOXES = (Range(2.0, 1.0, 5.0), Range(0.0, -1.0, 1.0))
SIZE = "sites.hall.protection.cabinets.per_row"
MOMENTARY = "sites.hall.grid.feeders.A.momentary.per_year"


def spec(method, samples):
    return SweepSpec(method=method, parameters=["a", "b"], samples=samples)


def test_a_grid_has_every_combination_with_both_ends():
    found = points(spec("grid", 3), BOXES, 1)
    assert found.tolist() == [[a, b] for a in (1.0, 3.0, 5.0) for b in (-1.0, 0.0, 1.0)]


@pytest.mark.parametrize("method", ["lhs", "sobol"])
def test_a_sample_fills_every_slice_of_each_range_once_and_is_that_of_its_seed(method):
    found = points(spec(method, 16), BOXES, 1)
    for column, box in zip(found.T, BOXES, strict=True):
        places = np.floor((column - box.low) / (box.high - box.low) * 16)
        assert sorted(places) == list(range(16))
    assert np.array_equal(found, points(spec(method, 16), BOXES, 1))
    assert not np.array_equal(found, points(spec(method, 16), BOXES, 2))


def test_a_point_is_the_scenario_with_that_value(study):
    varied, about = swept(study, "rates")
    assert list(varied.designs) == [f"{design}#{k:04d}" for k in range(3) for design in ("one", "two")]
    for k, point in enumerate(about["points"]):
        momentary = varied.designs[f"two#{k:04d}"].sites["hall"].grid.feeders["A"].momentary
        assert momentary.per_year == point[0]


def test_a_sweep_and_its_points_are_in_the_results_file(study, tmp_path):
    run_here(study, tmp_path / "r.h5", 40, sweep="rates")
    result = CampaignResult.open(tmp_path / "r.h5")
    table = result.summary().reset_index()
    stops = table[table["metric"] == "job_interruptions_power_per_year"]
    assert len(stops) == 6
    assert stops[MOMENTARY].nunique() == 3
    assert MOMENTARY in result.to_frame().columns
    assert result.compare("one#0001", "two#0001").loc["pue", "n"] == 40


def test_a_parameter_without_a_range_is_refused_when_asked_for_and_warned_of_before(scenario):
    other = scenario.with_name("misspelt.yaml")
    other.write_text(scenario.read_text().replace("feeders.A.momentary.per_year, ", "feeders.A.momentary.per_yaer, "))
    study = load(other)
    with pytest.raises(InputError, match=r"misspelt\.yaml:\d+: sweeps.rates.parameters.*did you mean"):
        swept(study, "rates")
    assert "per_yaer" in CliRunner().invoke(twin, ["check", str(other)]).stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("method: lhs", "method: sobol", "write 4"),
        ("method: lhs", "method: monte_carlo", "method"),
        ("samples: 3", "samples: 0", "samples"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_with_its_line(old, new, words, scenario):
    other = scenario.with_name("other.yaml")
    text = scenario.read_text()
    assert old in text
    other.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=r"other\.yaml:\d+") as refusal:
        load(other)
    assert words in str(refusal.value)


def test_a_saltelli_sample_is_two_samples_and_each_column_of_one_put_into_the_other():
    found = points(spec("saltelli", 8), BOXES, 1).reshape(4, 8, 2)
    a, b, first, second = found
    assert first.tolist() == np.stack([b[:, 0], a[:, 1]], axis=1).tolist()
    assert second.tolist() == np.stack([a[:, 0], b[:, 1]], axis=1).tolist()
    assert len(np.unique(np.concatenate([a, b]), axis=0)) == 16


def test_a_count_is_swept_in_whole_numbers(tmp_path):
    path = small(tmp_path)
    text = path.read_text().replace(
        "sweeps:\n", "sweeps:\n  sizes: {method: grid, samples: 4, parameters: [" + SIZE + "]}\n"
    )
    path.write_text(text + SIZE + ": {value: 1, low: 1, high: 3}\n")
    designs = swept(load(path), "sizes")[0].designs
    sizes = [designs[f"one#{k:04d}"].sites["hall"].protection.cabinets.per_row for k in range(4)]
    assert sizes == [1, 2, 2, 3]
