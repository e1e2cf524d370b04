"""Turn pydantic's validation errors into problems with file, line, key path, plain words and a remedy."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from twin.errors import Problem
from twin.scenario.merge import suggest
from twin.scenario.ranges import Settled
from twin.scenario.shapes import Spot, annotation_at, follow, known_keys, options
from twin.scenario.text import KeyPath, Place, path_text
from twin.scenario.words import meant, message

Model = TypeVar("Model", bound=BaseModel)

_ERRORS_MAX = 1000
"""Beyond so many mistakes the file is another one; each costs a search for what was meant."""
_MISSING = "missing key"
_UNKNOWN = "unknown key"


def validated(model: type[Model], settled: Settled) -> tuple[Model | None, list[Problem]]:
    """The model of a settled tree, or None and the problems; the bounds of ranges are checked as values too."""
    try:
        found, bad = model.model_validate_json(json.dumps(settled.tree)), []
    except ValidationError as error:
        found, bad = None, problems(error, model, settled.tree, settled.positions)
    wrong = {one.key for one in bad}
    bounds = [(path, one) for side in ("low", "high") for path, one in _range_problems(model, settled, side)]
    bad += [one for path, one in bounds if path_text(path) not in wrong]
    return (None, bad) if bad else (found, [])


def problems(
    error: ValidationError, model: type[BaseModel], data: Any, positions: Mapping[KeyPath, Place]
) -> list[Problem]:
    """One problem for each real mistake.

    Args:
        error: what validating `data` against `model` raised.
        model: the root model.
        data: the plain data.
        positions: file and line by key path; a path that is not there is placed at the nearest block around it.
    """
    spotted = [(one, follow(model, one["loc"], data)) for one in error.errors(include_url=False)[:_ERRORS_MAX]]
    found = [_problem(one, spot, positions) for one, spot in _without_noise(spotted)]
    return [problem for problem in found if not _is_misspelt(problem, found)]


def place_of(path: KeyPath, positions: Mapping[KeyPath, Place]) -> Place | None:
    """The place of the key path, or of the nearest block around it."""
    for length in range(len(path), -1, -1):
        if path[:length] in positions:
            return positions[path[:length]]
    return None


def null_problems(model: type[BaseModel], settled: Settled, removals: set[Place]) -> list[Problem]:
    """Problems of nulls which removed nothing and stand at a key that the model does not know."""
    found = []
    for path, place in settled.removed.items():
        block = annotation_at(model, path[:-1], _at(settled.tree, path[:-1]))
        keys, name = known_keys(block), str(path[-1])
        if place in removals or (keys is not None and name in keys):
            continue
        if keys is not None:
            found.append(Problem(_UNKNOWN, *place, path_text(path), meant(name, keys)))
        elif block is not Any:
            here = _at(settled.tree, path[:-1])
            remedy = suggest(name, here if isinstance(here, dict) else ())
            found.append(Problem("there is nothing to remove", *place, path_text(path), remedy))
    return found


def _at(tree: Any, path: KeyPath) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else tree[part] if isinstance(tree, list) else None  # type: ignore[index]
    return tree


def _without_noise(spotted: list[tuple[Any, Spot]]) -> list[tuple[Any, Spot]]:
    """Keep, at every union, only the errors of the member that was meant; where none was, one error for all."""
    scores: dict[Any, dict[str, list[int]]] = defaultdict(dict)
    for _, spot in spotted:
        for choice in spot.choices:
            score = scores[choice.union].setdefault(choice.label, [int(choice.fits), 0])
            score[1] -= 1
    best = {union: max(labels, key=lambda label: labels[label]) for union, labels in scores.items()}
    kept: list[tuple[Any, Spot]] = []
    for one, spot in spotted:
        if any(best[choice.union] != choice.label for choice in spot.choices):
            continue
        misfit = next((c for c in spot.choices if not c.fits and len(scores[c.union]) > 1), None)
        if misfit is not None:
            kept.append(({**one, "type": "misfit", "msg": f"Input should be {misfit.words}"}, spot))
        else:
            kept.append((one, spot))
    return kept


def _is_misspelt(problem: Problem, found: list[Problem]) -> bool:
    """Whether a key is missing because it stands there under a wrong name, which is a problem of its own."""
    if problem.message != _MISSING or not problem.key:
        return False
    block, _, key = problem.key.rpartition(".")
    for other in found:
        meant_here = other.message == _UNKNOWN and (other.key or "").rpartition(".")[0] == block
        if meant_here and (other.remedy or "").startswith(f"did you mean {key}?"):
            return True
    return False


def _problem(one: Any, spot: Spot, positions: Mapping[KeyPath, Place]) -> Problem:
    kind, path = one["type"], spot.path
    remedy: str | None
    if kind == "missing" and path and isinstance(path[-1], int):
        text, remedy = "the list is too short", f"add entry number {path[-1] + 1}"
        path = path[:-1]
    elif kind == "missing":
        fields = known_keys(spot.block) or {}
        about = getattr(fields.get(str(path[-1])), "description", None) if path else None
        text, remedy = _MISSING, f"add {path[-1]}{f': {about}' if about else ''}"
    elif kind == "extra_forbidden":
        text, remedy = _UNKNOWN, meant(str(path[-1]), known_keys(spot.block) or {})
    elif kind in ("union_tag_invalid", "union_tag_not_found"):
        return _tag_problem(one, spot, positions)
    else:
        text, remedy = message(one)
    place = place_of(path, positions)
    return Problem(text, place.file if place else None, place.line if place else None, path_text(path) or None, remedy)


def _tag_problem(one: Any, spot: Spot, positions: Mapping[KeyPath, Place]) -> Problem:
    """The problem of a block whose `law` or `kind` is missing or unknown."""
    context = one["ctx"]
    key = str(context["discriminator"]).strip("'")
    path = (*spot.path, key) if key.isidentifier() else spot.path
    known = options(spot.annotation, key)
    place = place_of(path, positions)
    file, line = (place.file, place.line) if place else (None, None)
    if one["type"] == "union_tag_not_found":
        return Problem(_MISSING, file, line, path_text(path), f"add {key}: one of {', '.join(known)}")
    return Problem(
        f"unknown {key} '{context['tag']}'", file, line, path_text(path), suggest(str(context["tag"]), known)
    )


def _range_problems(model: type[BaseModel], settled: Settled, side: str) -> list[tuple[KeyPath, Problem]]:
    """Problems of a bound which the field itself would refuse as a value, with the parameter's key path."""
    if not settled.ranges:
        return []
    tree = json.loads(json.dumps(settled.tree))
    for path, one in settled.ranges.items():
        around = _at(tree, path[:-1])
        around[path[-1]] = getattr(one, side)
    try:
        model.model_validate_json(json.dumps(tree))
    except ValidationError as error:
        found = []
        for raw in error.errors(include_url=False):
            spot = follow(model, raw["loc"], tree)
            if spot.path in settled.ranges and raw["type"] not in ("value_error", "assertion_error"):
                place = settled.positions[(*spot.path, side)]
                text, remedy = message(raw)
                found.append((spot.path, Problem(text, *place, path_text((*spot.path, side)), remedy)))
        return found
    return []
