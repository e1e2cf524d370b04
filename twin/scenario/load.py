"""Load a scenario file: layers, designs, catalogue, ranges, files and validation, with all problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pydantic import BaseModel

from twin.errors import InputError, Problem
from twin.scenario.files import File, find_file, is_file_key
from twin.scenario.layers import BASE, catalogued, designs, extended, in_design
from twin.scenario.merge import Notes
from twin.scenario.problems import null_problems, place_of, validated
from twin.scenario.ranges import Settled, settle
from twin.scenario.shipped import find, shipped
from twin.scenario.study import Study, digest
from twin.scenario.text import KeyPath, Node, Place, path_text, read_text

if TYPE_CHECKING:
    from twin.scenario.model import Scenario

__all__ = ["Study", "find", "load", "shipped"]

Model = TypeVar("Model", bound=BaseModel)


@overload
def load(
    path: str | Path, model: None = None, *, require_files: bool = True, allow_code: bool = False
) -> Study[Scenario]: ...


@overload
def load(
    path: str | Path, model: type[Model], *, require_files: bool = True, allow_code: bool = False
) -> Study[Model]: ...


def load(
    path: str | Path, model: type[Any] | None = None, *, require_files: bool = True, allow_code: bool = False
) -> Study[Any]:
    """Read, resolve and validate a scenario file.

    Args:
        path: a file, or the name of a shipped scenario.
        model: the root model; None means `twin.scenario.model.Scenario`.
        require_files: whether a missing data file is an error; otherwise it is listed in `missing`.
        allow_code: whether Python files that the scenario names may run when it is simulated. Loading runs none.

    Raises:
        InputError: with every problem of the base and of all designs, in order of file and line.
    """
    if model is None:
        from twin.scenario.model import Scenario

        model = Scenario
    path = find(path)
    notes = Notes()
    try:
        roots = designs(extended(path, notes), notes)
        loaded = {name: _Design(root, notes.removals, model) for name, root in roots.items()}
    except RecursionError:
        raise InputError(Problem("is nested too deeply", str(path))) from None
    problems = list(notes.problems)
    missing = _unlike_base(loaded, "missing")
    problems += _unlike_base(loaded, "problems") + (missing if require_files else [])
    if problems:
        raise InputError(sorted(dict.fromkeys(problems), key=lambda one: (one.file or "", one.line or 0)))
    models = {name: one.model for name, one in loaded.items()}
    files = tuple(sorted({file for one in loaded.values() for file in one.files}))
    ranges = {name: one.settled.ranges for name, one in loaded.items()}
    base = models[BASE]
    return Study(
        path=path.absolute(),
        text=read_text(path),
        name=str(getattr(base, "name", None) or path.stem),
        base=base,
        designs={name: one for name, one in models.items() if name != BASE} or {BASE: base},
        design_ranges=ranges,
        design_sources={name: one.settled.sources for name, one in loaded.items()},
        design_positions={name: one.settled.positions for name, one in loaded.items()},
        files=files,
        missing=tuple(missing),
        digest=digest(models, ranges, files),
        allow_code=allow_code,
    )


class _Design:
    """One design (or the base) on its way from merged root to model, with what is wrong with it."""

    def __init__(self, root: Node, removals: set[Place], model: type[Any]) -> None:
        notes = Notes(removals=set(removals))
        self.settled: Settled = settle(catalogued(root, notes), notes)
        self.files: list[File] = []
        self.missing: list[Problem] = []
        self._notes = notes
        self.settled.tree = self._with_paths(self.settled.tree, ())
        self.model: Any
        self.model, found = validated(model, self.settled)
        self.problems = notes.problems + found + null_problems(model, self.settled, notes.removals)

    def _with_paths(self, data: Any, path: KeyPath) -> Any:
        """The data with every file name made an absolute path; files are hashed, or noted as missing."""
        if isinstance(data, list):
            return [self._with_paths(item, (*path, index)) for index, item in enumerate(data)]
        if isinstance(data, dict):
            return {key: self._with_paths(value, (*path, key)) for key, value in data.items()}
        if not path or not is_file_key(path[-1]) or not isinstance(data, str):
            return data
        place = place_of(path, self.settled.positions)
        assert place is not None
        key = path_text(path)
        try:
            file, problem = find_file(data, Path(place.file), folder=str(path[-1]).endswith("folder"))
        except InputError as error:
            self._notes.problems += [replace(p, file=place.file, line=place.line, key=key) for p in error.problems]
            return data
        self.files.append(file)
        if problem is not None:
            self.missing.append(replace(problem, file=place.file, line=place.line, key=key))
        return file.path


def _unlike_base(loaded: dict[str, _Design], which: str) -> list[Problem]:
    """The base's problems, then those that only designs have, each once and named after the first such design."""
    seen: set[Problem] = set()
    found: list[Problem] = []
    for name, one in loaded.items():
        fresh: Iterable[Problem] = [problem for problem in getattr(one, which) if problem not in seen]
        seen.update(fresh)
        found += [problem if name == BASE else in_design(problem, name) for problem in fresh]
    return found
