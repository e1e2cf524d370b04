"""Settle a merged tree: ranges become their values, nulls go, and what was there is written down by key path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twin.scenario.merge import Notes, is_range
from twin.scenario.text import KeyPath, Node, Place


@dataclass(frozen=True)
class Range:
    """A parameter's value and the bounds between which sensitivity studies draw it; low <= value <= high."""

    value: float
    low: float
    high: float
    source: str | None = None


@dataclass
class Settled:
    """One design, resolved but not yet validated.

    Attributes:
        tree: plain dicts (keys in order of name), lists and scalars.
        ranges: by key path, the parameters that have bounds.
        sources: by key path of a block or parameter, where its numbers come from.
        positions: by key path, file and line; of removed keys too.
        removed: by key path, the place of each null.
    """

    tree: dict[str, Any] = field(default_factory=dict)
    ranges: dict[KeyPath, Range] = field(default_factory=dict)
    sources: dict[KeyPath, str] = field(default_factory=dict)
    positions: dict[KeyPath, Place] = field(default_factory=dict)
    removed: dict[KeyPath, Place] = field(default_factory=dict)


def settle(root: Node, notes: Notes) -> Settled:
    """The merged root as plain data, with ranges, sources and positions beside it."""
    settled = Settled()
    settled.tree = _settle(root, (), settled, notes)
    return settled


def _settle(node: Node, path: KeyPath, out: Settled, notes: Notes) -> Any:
    out.positions[path] = node.place
    if isinstance(node.value, list):
        return [_settle(child, (*path, index), out, notes) for index, child in enumerate(node.value)]
    if not isinstance(node.value, dict):
        return node.value
    entries = {key: child for key, child in sorted(node.value.items()) if child.value is not None}
    if path and is_range(entries):
        return _value(entries, path, out, notes)
    for key, child in node.value.items():
        if child.value is None:
            out.positions[(*path, key)] = out.removed[(*path, key)] = child.place
    source = entries.get("source")
    if source is not None and isinstance(source.value, str):
        out.sources[path] = source.value
    return {key: _settle(child, (*path, key), out, notes) for key, child in entries.items()}


def _value(entries: dict[str, Node], path: KeyPath, out: Settled, notes: Notes) -> Any:
    """The value of a parameter with a range; the range is checked and written down."""
    source = entries.get("source")
    text = source.value if source is not None else None
    if source is not None and not isinstance(text, str):
        notes.add("must be text", source.place, (*path, "source"))
    elif isinstance(text, str):
        out.sources[path] = text
    bounds = _bounds(entries, path, notes)
    if bounds is not None:
        out.ranges[path] = Range(*bounds, text if isinstance(text, str) else None)
        for name in ("low", "high"):
            out.positions[(*path, name)] = entries[name].place
    return _settle(entries["value"], path, out, notes)


def _bounds(entries: dict[str, Node], path: KeyPath, notes: Notes) -> tuple[float, float, float] | None:
    """Value, low and high where all is well; None without bounds or with a problem noted."""
    given = [name for name in ("low", "high") if name in entries]
    if len(given) == 1:
        missing = "high" if given == ["low"] else "low"
        notes.add(
            f"has {given[0]} but no {missing}", entries[given[0]].place, path, f"add {missing}, or leave both out"
        )
    if len(given) < 2:
        return None
    numbers: dict[str, float] = {}
    for name in ("value", "low", "high"):
        value = entries[name].value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            notes.add(f"must be a number, is {value!r}", entries[name].place, (*path, name))
        else:
            numbers[name] = value
    if len(numbers) < 3:
        return None
    value, low, high = numbers["value"], numbers["low"], numbers["high"]
    if low > high:
        notes.add(f"low {low:g} is above high {high:g}", entries["low"].place, path, "swap them")
    elif not low <= value <= high:
        side = f"below low {low:g}" if value < low else f"above high {high:g}"
        notes.add(f"value {value:g} is {side}", entries["value"].place, path, "widen the range or move the value")
    else:
        return value, low, high
    return None
