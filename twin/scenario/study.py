"""A loaded scenario file: its base, its designs, where everything stands, and its digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from twin.errors import InputError, Problem
from twin.scenario.files import File, is_file_key
from twin.scenario.layers import BASE
from twin.scenario.merge import suggest
from twin.scenario.ranges import Range
from twin.scenario.text import KeyPath, Place, path_text

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Study(Generic[Model]):
    """One scenario file, resolved. `designs` has the key "base" alone where the file has no designs.

    Attributes:
        path: the scenario file.
        text: its own YAML text (not that of a file it extends).
        name: the scenario's `name`, else the file's.
        base: the scenario without any design's overrides.
        designs: by name, in the file's order, the whole scenario with the design's overrides.
        design_ranges: by design (and "base"): parameters with bounds, by key path.
        design_sources: by design (and "base"): source texts, by key path of block or parameter.
        design_positions: by design (and "base"): file and line, by key path.
        files: every data file that base or designs name, in order of name.
        missing: problems of data files that are not there (empty unless they were allowed to miss).
        digest: SHA-256 over all resolved designs, ranges and files; order, comments and location do not count.
        allow_code: whether Python files that the scenario names may run.
        code: text of these files by path, where the study has travelled to a worker.
    """

    path: Path
    text: str
    name: str
    base: Model
    designs: dict[str, Model]
    design_ranges: dict[str, dict[KeyPath, Range]]
    design_sources: dict[str, dict[KeyPath, str]]
    design_positions: dict[str, dict[KeyPath, Place]]
    files: tuple[File, ...]
    missing: tuple[Problem, ...]
    digest: str
    allow_code: bool = False
    code: Mapping[str, str] = field(default_factory=dict)

    @property
    def ranges(self) -> dict[KeyPath, Range]:
        """The base's parameters with bounds."""
        return self.design_ranges[BASE]

    @property
    def sources(self) -> dict[KeyPath, str]:
        """The base's source texts."""
        return self.design_sources[BASE]

    @property
    def positions(self) -> dict[KeyPath, Place]:
        """The base's positions."""
        return self.design_positions[BASE]

    def bounds(self, designs: Sequence[str]) -> dict[str, list[float]]:
        """Low and high of every parameter with a range in any of some designs, by key path as text."""
        return {
            path_text(path): [one.low, one.high] for name in designs for path, one in self.design_ranges[name].items()
        }

    def scenario(self, design: str | None = None) -> Model:
        """The scenario of a design; of the base for None or "base".

        Raises:
            InputError: there is no such design.
        """
        if design in (None, BASE):
            return self.base
        if design not in self.designs:
            remedy = suggest(str(design), [BASE, *self.designs])
            raise InputError(Problem(f"no design {design!r}", str(self.path), remedy=remedy))
        return self.designs[design]

    def resolved_json(self, design: str | None = None) -> str:
        """The design's resolved scenario as canonical JSON: keys sorted, files as name and digest."""
        return canonical(portable(self.scenario(design), self.files))

    def design_differences(self, design: str) -> list[tuple[str, Any, Any]]:
        """Key path, base's value and design's value wherever they differ; None where there is nothing."""
        base, other = portable(self.base, self.files), portable(self.scenario(design), self.files)
        return [(path_text(path), old, new) for path, old, new in _differences(base, other, ())]


def canonical(data: Any) -> str:
    """JSON text that is the same for the same data: sorted keys, no spaces, no NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def portable(model: BaseModel, files: tuple[File, ...]) -> Any:
    """The model as plain data, where every file is its name as written and its digest instead of a path."""
    by_path: dict[str, File] = {}
    for file in files:
        by_path.setdefault(file.path, file)
    return _portable(model.model_dump(mode="json"), by_path)


def digest(
    designs: Mapping[str, BaseModel], ranges: Mapping[str, dict[KeyPath, Range]], files: tuple[File, ...]
) -> str:
    """SHA-256 in hex over everything that a run of any design depends on."""
    everything = {
        "designs": {name: portable(model, files) for name, model in designs.items()},
        "ranges": {
            name: {path_text(path): asdict(one) for path, one in found.items()} for name, found in ranges.items()
        },
    }
    return hashlib.sha256(canonical(everything).encode()).hexdigest()


def _portable(data: Any, files: Mapping[str, File]) -> Any:
    if isinstance(data, list):
        return [_portable(item, files) for item in data]
    if not isinstance(data, dict):
        return data
    found = {}
    for key, value in data.items():
        if is_file_key(key) and isinstance(value, str) and value in files:
            found[key] = {"name": files[value].name, "sha256": files[value].sha256}
        else:
            found[key] = _portable(value, files)
    return found


def _differences(base: Any, other: Any, path: KeyPath) -> list[tuple[KeyPath, Any, Any]]:
    if isinstance(base, dict) and isinstance(other, dict):
        found: list[tuple[KeyPath, Any, Any]] = []
        for key in sorted({*base, *other}):
            found += _differences(base.get(key), other.get(key), (*path, key))
        return found
    return [] if base == other else [(path, base, other)]
