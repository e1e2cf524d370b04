"""The layers of a scenario: the file that it extends, its designs, and the catalogue that its blocks name."""

from __future__ import annotations

import os
from pathlib import Path

from twin.errors import InputError, Problem
from twin.scenario.merge import Notes, nested, override, suggest
from twin.scenario.text import NODES_MAX, KeyPath, Node, path_text, read

BASE = "base"
"""The name of the scenario without any design's overrides."""
CHAIN_MAX = 50
"""Files that extend one another, at most."""

_LAYER_KEYS = ("extends", "designs")


def extended(path: Path, notes: Notes, chain: tuple[str, ...] = ()) -> Node:
    """The file's root, laid over the file that it extends, and so on down the chain.

    Raises:
        InputError: a file of the chain cannot be read, or the chain loops.
    """
    root = read(path)
    link = root.entries.get("extends")
    if link is None:
        return root
    if not isinstance(link.value, str) or not link.value or "\0" in link.value:
        raise InputError(Problem("must be the name of a scenario file", *link.place, key="extends"))
    other = path.parent / link.value
    chain = (*chain, os.path.realpath(path))
    if len(chain) > CHAIN_MAX:
        raise InputError(Problem(f"the chain of extends is longer than {CHAIN_MAX} files", *link.place, key="extends"))
    if os.path.realpath(other) in chain:
        raise InputError(Problem(f"the chain of extends comes back to {link.value}", *link.place, key="extends"))
    if not os.path.isfile(other):
        known = [file.name for file in path.parent.glob("*.yaml") if os.path.realpath(file) not in chain]
        raise InputError(Problem(f"no file {link.value}", *link.place, "extends", suggest(link.value, known)))
    below = extended(other, notes, chain)
    over = nested(Node({k: v for k, v in root.entries.items() if k != "extends"}, root.place), notes)
    without = {k: v for k, v in over.entries.items() if k != "designs"}
    merged = override(_without(below, *_LAYER_KEYS), Node(without, over.place), notes)
    entries = merged.entries | _merged_designs(below.entries.get("designs"), over.entries.get("designs"), notes)
    return Node(entries, root.place)


def _merged_designs(base: Node | None, over: Node | None, notes: Notes) -> dict[str, Node]:
    """The designs of both files; a null removes a design, a `*` inside a design waits until the design is applied."""
    node = base
    if over is not None:
        node = override(nested(base, notes) if base is not None else None, over, notes, ("designs",), stars=False)
        for name, child in over.entries.items():
            if child.value is None and base is not None and name in base.entries:
                node.entries.pop(name)
    return {"designs": node} if node is not None else {}


def _without(node: Node, *keys: str) -> Node:
    return Node({key: child for key, child in node.entries.items() if key not in keys}, node.place)


def designs(root: Node, notes: Notes) -> dict[str, Node]:
    """The root of every design, and of the base alone under the name "base", before catalogue and ranges."""
    roots: dict[str, Node | None] = {BASE: _without(root, *_LAYER_KEYS)}
    block = root.entries.get("designs")
    if block is not None and not isinstance(block.value, dict):
        notes.add("must be a block of designs", block.place, ("designs",))
    if block is not None:
        known = {name: node for name, node in block.entries.items() if _is_design(name, node, notes)}
        for name in known:
            _design(name, known, roots, notes, ())
    order = [BASE, *(block.entries if block is not None else ())]
    return {name: node for name in order if (node := roots.get(name)) is not None}


def _is_design(name: str, node: Node, notes: Notes) -> bool:
    path = ("designs", name)
    if name == BASE or not name.strip() or "." in name or "*" in name:
        notes.add("cannot be the name of a design", node.place, path, f"no dot, no *, not empty, not {BASE!r}")
    elif not isinstance(node.value, dict):
        notes.add("must be a block of overrides", node.place, path, "write {} for a design without overrides")
    else:
        for key in _LAYER_KEYS:
            if key in node.value:
                notes.add("cannot stand inside a design", node.value[key].place, (*path, key))
                return False
        return True
    return False


def _design(
    name: str, known: dict[str, Node], done: dict[str, Node | None], notes: Notes, chain: tuple[str, ...]
) -> Node | None:
    """The design's root; None where the design it is like cannot be had (a problem was noted)."""
    if name in done:
        return done[name]
    node = known[name]
    like = node.entries.get("like")
    below = done[BASE]
    if like is not None:
        path = ("designs", name, "like")
        chain = (*chain, name)
        if not isinstance(like.value, str) or like.value not in {*known, BASE}:
            others = {*known, BASE} - {name}
            notes.add(f"no design {like.value!r}", like.place, path, suggest(str(like.value), others))
            done[name] = None
            return None
        if like.value in chain:
            notes.add(f"the chain of like comes back to {like.value}", like.place, path)
            done.update(dict.fromkeys(chain))
            return None
        below = _design(like.value, known, done, notes, chain)
    if below is None:
        done[name] = None
        return None
    before = len(notes.problems)
    over = nested(_without(node, "like"), notes, ("designs", name))
    resolved = override(below, over, notes)
    for index in range(before, len(notes.problems)):
        notes.problems[index] = in_design(notes.problems[index], name)
    done[name] = resolved
    return resolved


def in_design(problem: Problem, name: str) -> Problem:
    """The problem, marked as one of this design's."""
    path = f"designs.{name}"
    key = (problem.key or "").removeprefix(path).lstrip(".")
    return Problem(problem.message, problem.file, problem.line, f"{path}: {key}" if key else path, problem.remedy)


def catalogued(root: Node, notes: Notes) -> Node:
    """The root without its catalogue, where every block with `type: NAME` stands on that catalogue block."""
    block = root.entries.get("catalogue")
    if block is not None and not isinstance(block.value, dict):
        notes.add("must be a block of named blocks", block.place, ("catalogue",))
    return _Catalogue(block.entries if block is not None else {}, notes).resolved(_without(root, "catalogue"), (), ())


class _Catalogue:
    """Resolves types, within a budget: blocks that name one another may not unfold without end."""

    def __init__(self, blocks: dict[str, Node], notes: Notes) -> None:
        self._blocks, self._notes = blocks, notes
        self._left = NODES_MAX

    def resolved(self, node: Node, path: KeyPath, types: tuple[str, ...]) -> Node:
        """The node with all types below it resolved; `types` are those that lead here."""
        self._left -= 1
        if self._left < 0:
            message = f"the catalogue unfolds into more than {NODES_MAX:,} entries"
            raise InputError(Problem(message, *node.place, path_text(path) or None))
        if isinstance(node.value, list):
            items = [self.resolved(child, (*path, index), types) for index, child in enumerate(node.value)]
            return Node(items, node.place)
        if not isinstance(node.value, dict):
            return node
        while "type" in node.entries:
            name = node.entries["type"]
            base = self._base(name, (*path, "type"), types)
            node = _without(node, "type")
            if base is not None:
                types = (*types, str(name.value))
                merged = override(base, node, self._notes, path)
                node = Node(merged.value, node.place)
        entries = {key: self.resolved(child, (*path, key), types) for key, child in node.entries.items()}
        return Node(entries, node.place)

    def _base(self, name: Node, path: KeyPath, types: tuple[str, ...]) -> Node | None:
        if name.value is None:
            return None
        if not isinstance(name.value, str) or name.value not in self._blocks:
            message = f"no block {name.value!r} in the catalogue"
            self._notes.add(message, name.place, path, suggest(str(name.value), self._blocks))
            return None
        if name.value in types:
            self._notes.add(f"the catalogue block {name.value} stands on itself", name.place, path)
            return None
        block = self._blocks[name.value]
        if not isinstance(block.value, dict):
            self._notes.add("must be a block of keys", block.place, ("catalogue", name.value))
            return None
        return block
