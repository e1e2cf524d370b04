"""Named sets of figures that ship with the package: tariffs, carbon factors, workloads, servers; each with its source.

A block that says `preset: NAME` takes the preset's keys below its own: mappings merge, scalars and lists replace.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

_FILES = {"workload": "workloads.yaml", "server": "servers.yaml", "phases": "servers.yaml"}
"""By kind, where it is not presets.yaml; these are fitted, and made anew by a command that their head names."""


@cache
def presets(kind: str) -> dict[str, Any]:
    """The presets of a kind, e.g. "tariff" or "carbon", by name."""
    file = Path(__file__).with_name(_FILES.get(kind, "presets.yaml"))
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))[kind]
    return found


def with_preset(kind: str, data: Any, instead: Mapping[str, Collection[str]] | None = None) -> Any:
    """A block's data over those of the preset that it names; unknown names are left to `known_preset` to refuse.

    Args:
        kind: "tariff", "carbon", "workload" or "server".
        data: the block as given.
        instead: by key of the block, the preset's keys that fall away where it is given.
    """
    base = presets(kind).get(data["preset"]) if isinstance(data, dict) and isinstance(data.get("preset"), str) else None
    if base is None:
        return data
    gone = {name for key, names in (instead or {}).items() if data.get(key) is not None for name in names}
    return merged({key: value for key, value in base.items() if key not in gone}, data)


def merged(base: Any, over: Any) -> Any:
    """`over` laid over `base`: mappings merge, everything else replaces."""
    if isinstance(base, dict) and isinstance(over, dict):
        both = {key: merged(value, over[key]) if key in over else value for key, value in base.items()}
        return both | {key: value for key, value in over.items() if key not in base}
    return over


def known_preset(kind: str, name: str | None) -> str | None:
    """The name, where it is one.

    Raises:
        ValueError: it is not; the nearest name is suggested.
    """
    known = presets(kind)
    if name is None or name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    raise ValueError(f"unknown preset '{name}' ({remedy})")
