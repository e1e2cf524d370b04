"""The `sweeps:` block: parameters with a range that campaigns vary, on a grid or in a sample of their box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from twin.errors import Problem
from twin.scenario.merge import suggest
from twin.scenario.text import KeyPath, Place
from twin.spec import Spec

SAMPLES_MAX = 4096


class SweepSpec(Spec):
    """Points in the box that the ranges of some parameters span."""

    method: Literal["grid", "lhs", "sobol"] = Field(
        description="grid: every combination; lhs: Latin hypercube; sobol: Sobol sequence, scrambled"
    )
    parameters: list[str] = Field(min_length=1, max_length=32, description="key paths of parameters with a range")
    samples: int = Field(ge=1, le=SAMPLES_MAX, description="points; of a grid, values of each parameter")


def sweep_problems(
    sweeps: Mapping[str, SweepSpec], known: Iterable[str], positions: Mapping[KeyPath, Place]
) -> list[Problem]:
    """Parameters that have no range, or stand there twice, and samples that the method cannot take."""
    paths, found = set(known), []
    for name, sweep in sweeps.items():
        for place, parameter in enumerate(sweep.parameters):
            at = positions.get(("sweeps", name, "parameters", place))
            key = f"sweeps.{name}.parameters[{place}]"
            if parameter not in paths:
                text, remedy = f"no parameter with a range at '{parameter}'", suggest(parameter, paths)
                found.append(_problem(text, at, key, remedy))
            elif parameter in sweep.parameters[:place]:
                found.append(_problem(f"'{parameter}' stands here twice", at, key, "name it once"))
        at = positions.get(("sweeps", name, "samples"))
        key = f"sweeps.{name}.samples"
        if sweep.method == "sobol" and sweep.samples & (sweep.samples - 1):
            text = f"a Sobol sequence is balanced for powers of two, not for {sweep.samples}"
            found.append(_problem(text, at, key, f"write {1 << (sweep.samples - 1).bit_length()}"))
        if sweep.method == "grid" and sweep.samples ** len(sweep.parameters) > SAMPLES_MAX:
            text = f"the grid has {sweep.samples} ** {len(sweep.parameters)} points, more than {SAMPLES_MAX}"
            found.append(_problem(text, at, key, "use method: lhs, or fewer samples"))
    return found


def _problem(text: str, at: Place | None, key: str, remedy: str) -> Problem:
    return Problem(text, at.file if at else None, at.line if at else None, key, remedy)
