"""The `sweeps:` block: parameters with a range that campaigns vary, on a grid or in a sample of their box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import Field, model_validator

from twin.errors import Problem
from twin.scenario.merge import suggest
from twin.scenario.text import KeyPath, Place
from twin.spec import Spec

SAMPLES_MAX = 4096


class SweepSpec(Spec):
    """Points in the box that the ranges of some parameters span."""

    method: Literal["grid", "lhs", "sobol", "saltelli"] = Field(
        description="grid: every combination; lhs: Latin hypercube; sobol: Sobol sequence, scrambled; saltelli: the"
        " samples (d + 2) points that Sobol indices of d parameters need"
    )
    parameters: list[str] = Field(min_length=1, max_length=32, description="key paths of parameters with a range")
    samples: int = Field(ge=1, le=SAMPLES_MAX, description="points; of a grid, values of each parameter")

    @model_validator(mode="after")
    def _is_a_sample(self) -> Self:
        twice = sorted({name for name in self.parameters if self.parameters.count(name) > 1})
        if twice:
            raise ValueError(f"parameters: named twice: {', '.join(twice)}")
        if self.method in {"sobol", "saltelli"} and self.samples & (self.samples - 1):
            power = 1 << (self.samples - 1).bit_length()
            raise ValueError(f"samples: a Sobol sequence is balanced for powers of two, write {power}")
        size = self.samples ** len(self.parameters)
        if self.method == "saltelli" and (most := self.samples * (len(self.parameters) + 2)) > SAMPLES_MAX:
            raise ValueError(f"samples: Sobol indices need {most} points here, more than {SAMPLES_MAX}")
        if self.method == "grid" and size > SAMPLES_MAX:
            raise ValueError(f"samples: the grid has {size} points, more than {SAMPLES_MAX}; use method: lhs")
        return self


def unknown_parameters(
    sweeps: Mapping[str, SweepSpec], known: Iterable[str], positions: Mapping[KeyPath, Place]
) -> list[Problem]:
    """Parameters without a range in any design: a file may extend another and not care for its sweeps."""
    paths, found = set(known), []
    for name, sweep in sweeps.items():
        for place, parameter in enumerate(sweep.parameters):
            if parameter in paths:
                continue
            at = positions.get(("sweeps", name, "parameters", place))
            key = f"sweeps.{name}.parameters[{place}]"
            text = f"no parameter with a range at '{parameter}'"
            remedy = suggest(parameter, paths)
            found.append(Problem(text, at.file if at else None, at.line if at else None, key, remedy))
    return found
