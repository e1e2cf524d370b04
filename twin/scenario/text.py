"""Read one YAML file into a tree of nodes that remember their file and line.

YAML 1.2 core schema, by our own reading of the parser's events: dates stay text, `60e6` is a number, `yes` is text.
The parser's events (not its composed document) are read, so that a file that nests or repeats itself without end is
refused while it is being read.
"""

from __future__ import annotations

import errno
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, MappingEndEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

from twin.errors import InputError, Problem, visible
from twin.files import read_bytes

KeyPath = tuple[str | int, ...]
"""Key path: names of mappings and indices of lists from the root."""

BYTES_MAX = 5_000_000
NODES_MAX = 200_000
DEPTH_MAX = 100

_WHOLE = re.compile(r"[-+]?[0-9]+(?:_[0-9]+)*")
_OTHER_BASE = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:_[0-9]+)*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DIGITS_MAX = 400
"""Longer whole numbers are not even converted."""
_TEXT_TAG = "tag:yaml.org,2002:str"
_MERGE_KEY = "<<"


class Place(NamedTuple):
    """Where something stands: the file as the user named it, and the line, counted from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place: of its key where it has one, else its own. Never changed, so it may be shared."""

    value: dict[str, Node] | list[Node] | str | int | float | bool | None
    place: Place

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; of anything else none."""
        return self.value if isinstance(self.value, dict) else {}


def path_text(path: KeyPath) -> str:
    """A key path as people write it: `sites.campus.rows[3].rated_kw`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def plain(node: Node) -> Any:
    """The node's value as plain dicts, lists and scalars."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def positions(node: Node, path: KeyPath = ()) -> dict[KeyPath, Place]:
    """The place of every key path at and below the node."""
    found = {path: node.place}
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            found.update(positions(child, (*path, key)))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            found.update(positions(child, (*path, index)))
    return found


def read_text(path: Path) -> str:
    """The file's text.

    Raises:
        InputError: the file is missing, a folder, too long, or not UTF-8.
    """
    try:
        raw = read_bytes(path, BYTES_MAX)
    except OSError as error:
        remedy = "put long tables into CSV files that it names" if error.errno == errno.EFBIG else None
        raise InputError(Problem(f"cannot be read: {error.strerror}", file=str(path), remedy=remedy)) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(Problem("is not UTF-8 text", file=str(path), line=line, remedy="save it as UTF-8")) from None


def read(path: Path) -> Node:
    """The file's content; the root is a mapping.

    Raises:
        InputError: with every problem found, or the first one where reading cannot go on.
    """
    return parse(read_text(path), str(path))


def parse(text: str, file: str) -> Node:
    """The content of YAML text that came from `file`; see `read`."""
    builder = _Builder(file)
    try:
        events = YAML(typ="safe", pure=True).parse(text)
        next(events), next(events)  # stream and document start
        root = builder.node(next(events), events, 0) if text.strip() else None
        next(events, None)
        more = next(events, None)
    except StopIteration:
        root = more = None
    except (YAMLError, RecursionError) as error:
        raise InputError(_syntax_problem(error, text, file)) from None
    if root is None or root.value is None:
        raise InputError(Problem("is empty", file=file, remedy="`twin init` writes a scenario to start from"))
    if more is not None and hasattr(more, "explicit") and more.start_mark.index < len(text):
        builder.refuse("holds more than one document", more, remedy="one file, one scenario: split it at ---")
    if not isinstance(root.value, dict):
        raise InputError(Problem("must be a block of keys at its top level", file=file, line=root.place.line))
    if builder.problems:
        raise InputError(builder.problems)
    return root


def _syntax_problem(error: Exception, text: str, file: str) -> Problem:
    """The parser's complaint in our form."""
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else None
        if "'\\t'" in str(error.problem):
            return Problem("a tab stands where spaces must be", file, line, remedy="indent with spaces")
        context = f"{error.context}: " if error.context else ""
        return Problem(f"is not YAML: {context}{error.problem}", file, line)
    position = getattr(error, "position", None)
    if position is not None:
        line = text.count("\n", 0, position) + 1
        return Problem(f"holds the control character #x{ord(text[position]):02x}", file, line, remedy="remove it")
    return Problem(f"is not YAML: {error}", file)


class _Builder:
    """Builds nodes from events; collects what can be read over and refuses what cannot."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._path: list[str | int] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._nodes = 0

    def note(self, message: str, event: Any, remedy: str | None = None) -> None:
        """Write a problem down and go on reading."""
        line = event.start_mark.line + 1
        self.problems.append(Problem(message, self.file, line, path_text(tuple(self._path)) or None, remedy))

    def refuse(self, message: str, event: Any, remedy: str | None = None) -> None:
        """Stop reading here.

        Raises:
            InputError: always.
        """
        self.note(message, event, remedy)
        raise InputError(self.problems)

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        """The node that starts with `event`."""
        place = Place(self.file, event.start_mark.line + 1)
        if isinstance(event, AliasEvent):
            return Node(self._aliased(event).value, place)
        self._charge(1, event)
        if depth > DEPTH_MAX:
            self.refuse(f"is nested deeper than {DEPTH_MAX} levels", event)
        before, anchor = self._nodes, event.anchor
        if anchor:
            self._anchors[anchor] = None
        if event.tag not in (None, "!", _TEXT_TAG) or (event.tag and not isinstance(event, ScalarEvent)):
            self.note(f"the tag {event.tag} is not understood", event, "leave the tag out")
        if isinstance(event, ScalarEvent):
            node = Node(self._scalar(event), place)
        elif isinstance(event, SequenceStartEvent):
            node = Node(self._list(events, depth), place)
        else:
            node = Node(self._mapping(events, depth), place)
        if anchor:
            self._anchors[anchor] = (node, self._nodes - before + 1)
        return node

    def _charge(self, count: int, event: Any) -> None:
        self._nodes += count
        if self._nodes > NODES_MAX:
            self.refuse(f"holds more than {NODES_MAX:,} entries once its aliases are written out", event)

    def _aliased(self, event: AliasEvent) -> Node:
        name = str(event.anchor)
        if name not in self._anchors:
            self.refuse(f"the alias *{name} has no anchor &{name} above it", event)
        found = self._anchors[name]
        if found is None:
            self.refuse(f"the alias *{name} stands inside its own anchor &{name}", event)
            raise AssertionError
        self._charge(found[1], event)
        return found[0]

    def _scalar(self, event: Any) -> str | int | float | bool | None:
        text = str(event.value)
        if visible(text) != text:
            unseen = next(one for one in text if visible(one) != one)
            self.note(f"holds the character #x{ord(unseen):04x}, which nobody sees", event, "leave it out")
        if event.style is not None or event.tag is not None:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _NOT_FINITE.fullmatch(text):
            self.note(f"{text} is not a number to calculate with", event, "write a finite number")
            return 0.0
        return self._number(text, event)

    def _number(self, text: str, event: Any) -> str | int | float:
        if _OTHER_BASE.fullmatch(text):
            return self._whole(text, event) if len(text) <= _DIGITS_MAX else self._too_large(event)
        if not _FLOAT.fullmatch(text):
            return text
        if _WHOLE.fullmatch(text) and len(text) <= _DIGITS_MAX:
            return self._whole(text, event)
        value = float(text.replace("_", ""))
        return value if math.isfinite(value) else self._too_large(event)

    def _whole(self, text: str, event: Any) -> int | float:
        value = int(text, 0) if _OTHER_BASE.fullmatch(text) else int(text)
        return value if abs(value) < 2**63 else self._too_large(event)

    def _too_large(self, event: Any) -> float:
        self.note("the number is too large to calculate with", event, "write a smaller number")
        return 0.0

    def _list(self, events: Iterator[Any], depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            self._path.append(len(items))
            items.append(self.node(event, events, depth + 1))
            self._path.pop()
        return items

    def _mapping(self, events: Iterator[Any], depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        bases: list[dict[str, Node]] = []
        while not isinstance(event := next(events), MappingEndEvent):
            merges = isinstance(event, ScalarEvent) and event.value == _MERGE_KEY and event.style is None
            key = None if merges else self._key(event, events, depth)
            place = Place(self.file, event.start_mark.line + 1)
            self._path.append(key or "?")
            child = self.node(next(events), events, depth + 1)
            if merges:
                bases += self._bases(child, event)
            elif key is not None and key in entries:
                self.note(f"stands twice, first on line {entries[key].place.line}", event, "keep one of the two")
            elif key is not None:
                entries[key] = Node(child.value, place)
            self._path.pop()
        for base in bases:
            for key, child in base.items():
                entries.setdefault(key, child)
        return entries

    def _key(self, event: Any, events: Iterator[Any], depth: int) -> str | None:
        key = self.node(event, events, depth + 1).value
        if isinstance(key, str):
            return key
        if isinstance(event, ScalarEvent):
            self.note(f"the key {event.value or 'null'} is not text", event, f'write "{event.value}" in quotes')
        else:
            self.note("a key must be plain text", event)
        return None

    def _bases(self, node: Node, event: Any) -> list[dict[str, Node]]:
        """The mappings that a merge key brings in, the strongest first."""
        nodes = node.value if isinstance(node.value, list) else [node]
        if not all(isinstance(base.value, dict) for base in nodes):
            self.note("<< must name a block of keys, or a list of them", event)
        return [base.entries for base in nodes]
