"""Designs made comparable: scaled until they cost as much as another design, or store as many kWh.

What a design has beyond the other is scaled by one factor: nameplate kW and kWh, own consumption and the cost of a unit
alike, so that capital goes in proportion. Counts stay, and with them redundancy and what stands where.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import ValidationError

from twin.errors import InputError, Problem
from twin.finance.equipment import Equipment, compared_as, equipment
from twin.finance.terms import at, put
from twin.scenario.layers import BASE
from twin.scenario.model import Scenario
from twin.scenario.study import Study, digest

Equal = Literal["capital", "kwh"]
_SCALED = (
    "rated_kw", "rated_kwh", "peak_kw", "inverter_kw", "recharge_kw", "auxiliary_kw", "modules.rated_kw",
    "capital.per_unit",
)  # fmt: skip


def equalised(
    study: Study[Scenario], designs: Sequence[str], kinds: Sequence[Equal], reference: str
) -> tuple[Study[Scenario], list[str], list[str]]:
    """The study with a scaled copy of each design for each kind of equality.

    Args:
        study: the scenario; its designs need a `capital:` block for all equipment.
        designs: names of those to copy; the reference among them is left out.
        kinds: "capital" (what all equipment costs new), "kwh" (nameplate of all storage).
        reference: the design to be equal to.

    Returns:
        The study, whose digest covers the copies; the names of the copies; a sentence for each that cannot be made.

    Raises:
        InputError: equipment without capital cost, or no copy at all can be made.
    """
    other = equipment(json.loads(study.resolved_json(reference)), str(study.path))
    made: dict[str, Scenario] = {}
    of: dict[str, str] = {}
    left = []
    for design in (name for name in designs if name != reference):
        own = equipment(json.loads(study.resolved_json(design)), str(study.path))
        for kind in kinds:
            factor, why = _factor(own, other, kind)
            name = f"{design}_equal_{kind}"
            if name in study.designs:
                why = "the scenario has a design of that name"
            if why:
                left.append(f"{name} is not made: {why.format(design=design, reference=reference)}")
                continue
            made[name] = _scaled(study, design, own, other, factor, f"that of {reference}", kind)
            of[name] = design
    if not made:
        raise InputError([Problem(text, str(study.path), key="--equal") for text in left])
    every = study.designs | made
    ranges = study.design_ranges | {name: study.design_ranges[design] for name, design in of.items()}
    sources = study.design_sources | {name: study.design_sources[design] for name, design in of.items()}
    places = study.design_positions | {name: study.design_positions[design] for name, design in of.items()}
    whole = digest({BASE: study.base} | every, ranges, study.files)
    both = replace(
        study, designs=every, design_ranges=ranges, design_sources=sources, design_positions=places, digest=whole
    )
    return both, list(made), left


def _own(pieces: Sequence[Equipment], other: Sequence[Equipment], kind: Equal) -> list[Equipment]:
    """What the design has and the other has not just so; of equal kWh the storage alone."""
    return [piece for piece in pieces if piece not in other and (kind == "capital" or piece.rated_kwh)]


def _factor(own: Sequence[Equipment], other: Sequence[Equipment], kind: Equal) -> tuple[float, str]:
    """The factor on what is the design's own, and why there is none."""
    figure = {"capital": "capital", "kwh": "rated_kwh"}[kind]
    wanted, all_of_it, part = (
        math.fsum(getattr(piece, figure) for piece in pieces) for pieces in (other, own, _own(own, other, kind))
    )
    if compared_as(own, other) in {f"equal {kind.replace('kwh', 'kWh')}", "equal capital and kWh"}:
        return 1.0, "{design} and {reference} are equal as built"
    if not part:
        return 1.0, "{design} has nothing of it that {reference} has not"
    factor = (wanted - (all_of_it - part)) / part
    if factor <= 0.0:
        return factor, "{reference} has less of it than what both have in common"
    return factor, ""


def _scaled(
    study: Study[Scenario], design: str, own: Sequence[Equipment], other: Sequence[Equipment],
    factor: float, what: str, kind: Equal,
) -> Scenario:  # fmt: skip
    data = study.designs[design].model_dump(mode="json")
    for piece in _own(own, other, kind):
        for key in _SCALED:
            path = f"{piece.name}.{key}"
            if isinstance(value := at(data, path), float):
                put(data, path, factor * value)
    data["design_note"] = (
        f"as {design}, its own equipment x {factor:.3g} for {kind.replace('kwh', 'kWh')} equal to {what}"
    )
    try:
        return Scenario.model_validate_json(json.dumps(data))
    except ValidationError as error:
        text = f"{design} cannot be x {factor:.4g}: {error.errors()[0]['msg']}"
        raise InputError(Problem(text, str(study.path), key="--equal")) from error
