"""Laws as scenario blocks: what they refuse, and what they compile to."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import integrate

from twin.chance import quantiles
from twin.chance.law import Law, compile_law
from twin.chance.philox import stream_key
from twin.spec import Spec


class Part(Spec):
    duration_h: Law


def _law(block):
    return Part.model_validate({"duration_h": block}).duration_h


def test_a_bare_number_is_the_fixed_law():
    assert _law(3) == _law({"law": "fixed", "value": 3.0})
    assert compile_law(3).columns[:3] == compile_law(_law(3)).columns[:3] == (quantiles.FIXED, 3.0, 0.0)


@pytest.mark.parametrize(
    ("block", "place", "message"),
    [
        ({"law": "exponential", "mean": 2, "mode": 1}, ("exponential", "mode"), "Extra inputs are not permitted"),
        ({"law": "exponential"}, ("exponential", "mean"), "Field required"),
        ({"law": "exponential", "mean": 0}, ("exponential", "mean"), "greater than 0"),
        ({"law": "exponential", "mean": "8"}, ("exponential", "mean"), "valid number"),
        ({"law": "exponential", "mean": float("inf")}, ("exponential", "mean"), "finite number"),
        ({"law": "exponental", "mean": 2}, (), "does not match any of the expected tags"),
        ({"mean": 2}, (), "Unable to extract tag using discriminator 'law'"),
        ({"law": "lognormal", "sigma": 1, "median": 2, "mean": 3}, ("lognormal",), "found median and mean"),
        ({"law": "lognormal", "sigma": 1}, ("lognormal",), "exactly one of median, mean; found none"),
        ({"law": "lognormal", "sigma": -1, "mean": 3}, ("lognormal", "sigma"), "greater than or equal to 0"),
        ({"law": "weibull", "shape": 2, "scale": 1, "mean": 1}, ("weibull",), "exactly one of scale, mean"),
        ({"law": "weibull", "shape": 0, "scale": 1}, ("weibull", "shape"), "greater than or equal to 0.01"),
        ({"law": "uniform", "low": 3, "high": 2}, ("uniform",), "low (3.0) must not exceed high (2.0)"),
        ({"law": "empirical", "values": []}, ("empirical", "values"), "at least 1 item"),
        ({"law": "empirical", "values": [1, -2]}, ("empirical", "values", 1), "greater than or equal to 0"),
        ({"law": "empirical", "file": "a.csv"}, ("empirical",), "a file needs a column"),
        ({"law": "empirical", "file": "a.csv", "column": "h", "values": [1]}, ("empirical",), "file and values"),
        ({"law": "empirical", "values": [1], "minimum": 0}, ("empirical",), "minimum: only for a file"),
        (
            {"law": "empirical", "file": "a.csv", "column": "h", "minimum": 2, "maximum": 1},
            ("empirical",),
            "minimum (2.0) must not exceed maximum (1.0)",
        ),
        ({"law": "scripted", "values": []}, ("scripted", "values"), "at least 1 item"),
        (-1, ("fixed", "value"), "greater than or equal to 0"),
        (True, (), "valid dictionary or object"),
        ("soon", (), "valid dictionary or object"),
    ],
)
def test_a_wrong_block_is_refused_at_its_key(block, place, message):
    with pytest.raises(ValidationError) as caught:
        _law(block)
    (error,) = caught.value.errors()
    assert error["loc"] == ("duration_h", *place)
    assert message in error["msg"]


RANDOM = [
    {"law": "exponential", "mean": 12},
    {"law": "weibull", "shape": 0.7, "scale": 5},
    {"law": "weibull", "shape": 3, "mean": 5},
    {"law": "lognormal", "sigma": 1.1, "median": 2},
    {"law": "lognormal", "sigma": 0.4, "mean": 2},
    {"law": "gamma", "shape": 0.3, "mean": 7},
    {"law": "gamma", "shape": 40, "mean": 7},
    {"law": "uniform", "low": 1, "high": 4},
    {"law": "fixed", "value": 4},
    {"law": "empirical", "values": [4, 1, 1, 9]},
]


@pytest.mark.parametrize("block", RANDOM)
def test_the_mean_is_the_integral_of_the_quantile_function(block):
    law = compile_law(_law(block))

    def by_logit(x):
        u = 1.0 / (1.0 + np.exp(-x))
        return quantiles.quantile(*law.columns, u, 0) * u * (1.0 - u)

    if block["law"] == "empirical":
        u = (np.arange(4000) + 0.5) / 4000
        total = np.mean([quantiles.quantile(*law.columns, x, 0) for x in u])
    else:
        total = integrate.quad(by_logit, -36.0, 36.0, limit=400, epsabs=0.0, epsrel=1e-10)[0]
    assert law.mean == pytest.approx(total, rel=1e-8)


def test_a_mean_a_scale_and_a_median_are_what_they_are_called():
    by_mean = compile_law(_law({"law": "weibull", "shape": 0.6, "mean": 6}))
    by_scale = compile_law(_law({"law": "weibull", "shape": 0.6, "scale": 6}))
    by_median = compile_law(_law({"law": "lognormal", "sigma": 2, "median": 6}))
    assert by_mean.mean == 6.0
    assert quantiles.hazard_quantile(*by_scale.columns, 1.0, 0) == pytest.approx(6.0, rel=1e-14)
    assert quantiles.quantile(*by_median.columns, 0.5, 0) == pytest.approx(6.0, rel=1e-14)


@pytest.mark.parametrize("block", [*RANDOM, {"law": "scripted", "values": [3, 1]}])
def test_a_unit_scales_mean_and_draws(block):
    key, replication = stream_key(1, "feeder", "failure"), np.uint64(4)
    in_h, in_s = compile_law(_law(block)), compile_law(_law(block), to_h=1 / 3600)
    assert in_s.mean == pytest.approx(in_h.mean / 3600, rel=1e-14)
    assert in_s.draw(key, replication, 1) == pytest.approx(in_h.draw(key, replication, 1) / 3600, rel=1e-14)


def test_a_script_keeps_its_order_and_observations_are_sorted():
    assert compile_law(_law({"law": "scripted", "values": [3, 1, 2]})).table.tolist() == [3.0, 1.0, 2.0]
    assert compile_law(_law({"law": "empirical", "values": [3, 1, 2]})).table.tolist() == [1.0, 2.0, 3.0]


def test_observations_come_from_the_chosen_rows_of_a_file(tmp_path):
    (tmp_path / "outages.csv").write_text("minutes,cause\n30,tree\n120,cable\n60,tree\n600,tree\n")
    block = {"law": "empirical", "file": "outages.csv", "column": "minutes", "multiply_by": 1 / 60, "maximum": 5}
    law = compile_law(_law({**block, "where": {"cause": "tree"}}), base=tmp_path)
    np.testing.assert_allclose(law.table, [0.5, 1.0], rtol=1e-15)


def test_the_json_schema_allows_a_number_or_a_block():
    schema = Part.model_json_schema()["properties"]["duration_h"]
    assert any(choice.get("type") == "number" for choice in schema["anyOf"])
    assert len(Part.model_json_schema()["$defs"]) == 9


def test_a_block_survives_the_way_through_json():
    for block in RANDOM:
        part = Part.model_validate({"duration_h": block})
        assert Part.model_validate_json(part.model_dump_json()) == part
