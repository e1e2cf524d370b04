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
            where = (at.file, at.line, key) if at else (None, None, key)
            if parameter not in paths:
                found.append(Problem(f"no parameter with a range at '{parameter}'", *where, suggest(parameter, paths)))
            elif parameter in sweep.parameters[:place]:
                found.append(Problem(f"'{parameter}' stands here twice", *where, "name it once"))
        at = positions.get(("sweeps", name, "samples"))
        where = (at.file, at.line, f"sweeps.{name}.samples") if at else (None, None, f"sweeps.{name}.samples")
        if sweep.method == "sobol" and sweep.samples & (sweep.samples - 1):
            text = f"a Sobol sequence is balanced for powers of two, not for {sweep.samples}"
            found.append(Problem(text, *where, f"write {1 << (sweep.samples - 1).bit_length()}"))
        if sweep.method == "grid" and sweep.samples ** len(sweep.parameters) > SAMPLES_MAX:
            text = f"the grid has {sweep.samples} ** {len(sweep.parameters)} points, more than {SAMPLES_MAX}"
            found.append(Problem(text, *where, "use method: lhs, or fewer samples"))
    return found
