"""A sweep: every design at every point of a sample of its parameters, as designs named `NAME#POINT`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from twin.errors import InputError, Problem
from twin.finance.terms import put
from twin.scenario.merge import suggest
from twin.scenario.model import Scenario
from twin.scenario.ranges import Range
from twin.scenario.study import Study
from twin.scenario.sweeps import SweepSpec, unknown_parameters
from twin.scenario.text import path_text
from twin.version import VERSION

Float = NDArray[np.float64]


def swept(study: Study[Scenario], name: str) -> tuple[Study[Scenario], dict[str, Any]]:
    """The study with its designs at every point of a sweep, and what the sweep is.

    Points are the same for all designs; one that lacks a parameter stays as it is there. Bounds are
    those of the base, else of the first design that has the parameter. All points of all designs meet
    the same luck.

    Raises:
        InputError: no such sweep, or a point that the scenario refuses.
    """
    sweeps = study.base.sweeps
    if name not in sweeps:
        raise InputError(Problem(f"no sweep '{name}'", str(study.path), remedy=suggest(name, sweeps)))
    spec = sweeps[name]
    boxes = {path_text(path): one for ranges in reversed(study.design_ranges.values()) for path, one in ranges.items()}
    problems = unknown_parameters({name: spec}, boxes, study.positions)
    if problems:
        raise InputError(problems)
    sampled = points(spec, [boxes[parameter] for parameter in spec.parameters], study.base.seed)
    designs = {
        f"{design}#{number:04d}": _at(study, design, spec.parameters, point)
        for number, point in enumerate(sampled)
        for design in study.designs
    }
    about = {
        "name": name, "method": spec.method, "parameters": spec.parameters, "points": sampled.tolist(),
        "designs": list(study.designs), "made_by": VERSION,
    }  # fmt: skip
    return replace(study, designs=designs), about


def points(spec: SweepSpec, boxes: Sequence[Range], seed: int) -> Float:
    """Points (samples, parameters) between the bounds of the ranges."""
    low, high = np.array([box.low for box in boxes], float), np.array([box.high for box in boxes], float)
    unit = _unit_cube(spec, len(boxes), seed)
    return np.asarray(low + unit * (high - low))


def _unit_cube(spec: SweepSpec, parameters: int, seed: int) -> Float:
    if spec.method == "grid":
        steps = np.linspace(0.0, 1.0, spec.samples) if spec.samples > 1 else np.array([0.5])
        corners = np.stack(np.meshgrid(*[steps] * parameters, indexing="ij"), axis=-1)
        return np.asarray(corners.reshape(-1, parameters), np.float64)
    from scipy.stats import qmc  # noqa: PLC0415 - only sweeps need it, and workers never do

    luck = np.random.default_rng(seed)
    if spec.method == "lhs":
        return np.asarray(qmc.LatinHypercube(parameters, seed=luck).random(spec.samples), np.float64)
    if spec.method == "saltelli":
        both = np.asarray(qmc.Sobol(2 * parameters, scramble=True, seed=luck).random(spec.samples), np.float64)
        a, b = both[:, :parameters], both[:, parameters:]
        mixed = [np.where(np.arange(parameters) == k, b, a) for k in range(parameters)]
        return np.concatenate([a, b, *mixed])
    return np.asarray(qmc.Sobol(parameters, scramble=True, seed=luck).random(spec.samples), np.float64)


def _at(study: Study[Scenario], design: str, parameters: Sequence[str], point: Float) -> Scenario:
    own = {path_text(path) for path in study.design_ranges[design]}
    data = study.designs[design].model_dump(mode="json")
    data["sweeps"] = {}
    found = [(path, float(value)) for path, value in zip(parameters, point, strict=True) if path in own]
    for path, value in found:
        put(data, path, value)
    try:
        return Scenario.model_validate_json(json.dumps(data))
    except ValidationError as error:
        where = ", ".join(f"{path} = {value:.6g}" for path, value in found)
        text = f"design {design} cannot be at {where}: {error.errors()[0]['msg']}"
        raise InputError(Problem(text, str(study.path), remedy="narrow the ranges")) from error
