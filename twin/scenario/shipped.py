"""Find a scenario by path, or by the name of one that ships with the package."""

from __future__ import annotations

import os
from pathlib import Path

from twin.errors import InputError, Problem
from twin.scenario.merge import suggest

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> dict[str, Path]:
    """By name without .yaml: the scenarios of the package, or of the checkout around it; claims below `claims/`."""
    inside = _PACKAGE / "scenarios"
    folder = inside if inside.is_dir() else _PACKAGE.parent / "scenarios"
    own = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    return own | {f"claims/{file.stem}": file for file in sorted(folder.glob("claims/*.yaml"))}


def find(name_or_path: str | Path) -> Path:
    """The path of a scenario file that exists, or of the shipped scenario of this name.

    Raises:
        InputError: there is neither.
    """
    path = Path(name_or_path)
    if os.path.isfile(path):
        return path
    if os.path.isdir(path):
        raise InputError(Problem("is a folder, not a scenario file", file=str(path)))
    if os.path.exists(path):
        raise InputError(Problem("is a pipe or a device, not a scenario file", file=str(path)))
    known = shipped()
    name = str(name_or_path).removesuffix(".yaml")
    if name in known:
        return known[name]
    raise InputError(
        Problem("no such file, and no shipped scenario of this name", str(path), remedy=suggest(name, known))
    )
