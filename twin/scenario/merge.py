"""Merge laws: mappings merge, lists and scalars replace, null removes; keys may be dotted, `*` is every entry.

A removal stays in the tree as a null until `settle` (ranges.py) drops it, so that it also removes what a catalogue
block would bring in later. Two mappings do not merge, the later one replaces the earlier, where they are blocks of
different sort: another `law` or `kind`, or a range against a law.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from twin.errors import Problem
from twin.scenario.text import DEPTH_MAX, KeyPath, Node, Place, path_text

EVERY = "*"
RANGE_KEYS = frozenset({"value", "low", "high", "source"})
_SORT_KEYS = ("law", "kind")


@dataclass
class Notes:
    """What merging found: problems, and the places of nulls that did remove something."""

    problems: list[Problem] = field(default_factory=list)
    removals: set[Place] = field(default_factory=set)

    def add(self, message: str, place: Place, path: KeyPath = (), remedy: str | None = None) -> None:
        """Write a problem down."""
        self.problems.append(Problem(message, place.file, place.line, path_text(path) or None, remedy))


_WORD_MAX = 100


def close_to(word: str, names: Sequence[str]) -> list[str]:
    """The one name that is close to the word, if any; a word that is too long to be a name has none."""
    return difflib.get_close_matches(word, names, n=1) if len(word) <= _WORD_MAX else []


def suggest(word: str, known: Iterable[str]) -> str:
    """A remedy: the known word that `word` was meant to be, else the list of them."""
    names = sorted(known)
    close = close_to(word, names)
    if close:
        return f"did you mean {close[0]}?"
    return f"known here: {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}" if names else "none is known here"


def is_range(entries: Iterable[str]) -> bool:
    """Whether a mapping with these keys is a parameter with a range."""
    keys = set(entries)
    return "value" in keys and keys <= RANGE_KEYS


def nested(over: Node, notes: Notes, path: KeyPath = ()) -> Node:
    """The override with dotted keys written as nested mappings."""
    if not isinstance(over.value, dict):
        return over
    entries: dict[str, Node] = {}
    for key, child in over.value.items():
        parts = key.split(".")
        if len(parts) > DEPTH_MAX:
            notes.add(f"is nested deeper than {DEPTH_MAX} levels", child.place, path)
            continue
        if not all(parts):
            notes.add("has an empty part between its dots", child.place, (*path, key), "write one dot between names")
            continue
        node = nested(child, notes, (*path, *parts))
        for part in reversed(parts[1:]):
            node = Node({part: node}, child.place)
        _insert(entries, parts[0], node, notes, path)
    return Node(entries, over.place)


def _insert(entries: dict[str, Node], key: str, node: Node, notes: Notes, path: KeyPath) -> None:
    """Add an entry to an override; the same key in dotted and in nested form may not say two things."""
    before = entries.get(key)
    if before is None:
        entries[key] = node
    elif isinstance(before.value, dict) and isinstance(node.value, dict):
        both = dict(before.value)
        for name, child in node.value.items():
            _insert(both, name, child, notes, (*path, key))
        entries[key] = Node(both, before.place)
    else:
        notes.add(f"is set twice, first on line {before.place.line}", node.place, (*path, key), "keep one of the two")


def override(base: Node | None, over: Node, notes: Notes, path: KeyPath = (), *, stars: bool = True) -> Node:
    """The base with a nested override laid over it.

    Args:
        base: what stands there so far; None where nothing does.
        over: the override, from `nested`.
        notes: problems and removals are added here.
        path: key path of both, for messages.
        stars: whether `*` means every entry of the base; otherwise it is kept as a key.
    """
    if over.value is None and base is not None and base.value is not None:
        notes.removals.add(over.place)
    if not isinstance(over.value, dict):
        return over
    fresh = base is None or not isinstance(base.value, dict) or _replaces(base.value, over.value)
    entries = {} if base is None or fresh else dict(base.entries)
    if stars and EVERY in over.value:
        _override_every(entries, over.value[EVERY], notes, (*path, EVERY))
    for key, child in over.value.items():
        if key != EVERY or not stars:
            entries[key] = override(entries.get(key), child, notes, (*path, key), stars=stars)
    return Node(entries, over.place if base is None or fresh else base.place)


def _override_every(entries: dict[str, Node], over: Node, notes: Notes, path: KeyPath) -> None:
    if not entries:
        notes.add(f"{EVERY} matches nothing: the base has no entries here", over.place, path)
    for name, entry in list(entries.items()):
        entries[name] = override(entry, over, notes, (*path[:-1], name))


def _replaces(base: dict[str, Node], over: dict[str, Node]) -> bool:
    """Whether the override is a block of another sort than the base, so that merging them would mean nothing."""
    for key in _SORT_KEYS:
        if key in base and key in over and base[key].value != over[key].value:
            return True
    if is_range(base) and "law" in over:
        return True
    return "law" in base and is_range(over)
