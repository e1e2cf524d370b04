"""Follow a pydantic error's location through a model: which keys lead there, which union members were tried."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, Tag

from twin.scenario.text import KeyPath


class Choice(NamedTuple):
    """One member that pydantic tried of a union: where, which, and whether the data has that member's shape."""

    union: tuple[KeyPath, tuple[str, ...]]
    label: str
    fits: bool
    words: str


class Spot(NamedTuple):
    """Where an error's location leads: its key path, the annotation of the block around, and the choices made."""

    path: KeyPath
    block: Any
    annotation: Any
    choices: tuple[Choice, ...]


def follow(model: Any, loc: Sequence[int | str], data: Any) -> Spot:
    """The spot of a location; labels that pydantic adds for union members are not part of the path."""
    annotation, value, block = model, data, None
    path: list[int | str] = []
    choices: list[Choice] = []
    for label in loc:
        annotation = bare(annotation)
        members = union_members(annotation)
        if members:
            member = _member(members, str(label), value)
            labels = tuple(choice.label for choice in choices)
            words = " or ".join(dict.fromkeys(words_of(one) for one in members))
            choices.append(Choice((tuple(path), labels), str(label), fits(member, value), words))
            annotation = member
            continue
        if label == "[key]":
            continue
        block, annotation = annotation, _below(annotation, label)
        if annotation is Any and _child(value, label) is None and label != loc[-1]:
            continue
        path.append(label)
        value = _child(value, label)
    return Spot(tuple(path), block, bare(annotation), tuple(choices))


def known_keys(annotation: Any) -> dict[str, Any] | None:
    """The fields of a model (of all models of a union); None where the keys are free."""
    annotation = bare(annotation)
    if is_model(annotation):
        return {info.alias or name: info for name, info in annotation.model_fields.items()}
    found = [known_keys(member) for member in union_members(annotation)]
    merged: dict[str, Any] = {}
    for keys in found:
        merged |= keys or {}
    return merged if found else None


def options(annotation: Any, key: str) -> list[str]:
    """The values of the key that tell a union's members apart."""
    found: list[str] = []
    for member in union_members(bare(annotation)):
        plain = bare(member)
        if is_model(plain) and key in plain.model_fields:
            found += [str(option) for option in get_args(plain.model_fields[key].annotation)]
        else:
            found += options(plain, key)
    return found


def annotation_at(model: Any, path: KeyPath, data: Any) -> Any:
    """The annotation that the path of keys leads to; `Any` where the model says nothing."""
    annotation, value = model, data
    for part in path:
        annotation = bare(annotation)
        members = union_members(annotation)
        if members:
            annotation = _chosen(members, value)
        annotation = _below(annotation, part)
        value = _child(value, part)
    annotation = bare(annotation)
    members = union_members(annotation)
    return _chosen(members, value) if members and isinstance(value, dict) else annotation


def bare(annotation: Any) -> Any:
    """The annotation without Annotated, Optional (of one member), root models and type aliases."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif isinstance(annotation, type) and issubclass(annotation, RootModel):
            annotation = annotation.model_fields["root"].annotation
        elif _is_union(annotation):
            rest = [member for member in get_args(annotation) if member is not type(None)]
            if len(rest) != 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation


def union_members(annotation: Any) -> list[Any]:
    """The members of a union without None; none for anything else."""
    if not _is_union(annotation):
        return []
    return [member for member in get_args(annotation) if member is not type(None)]


def is_model(annotation: Any) -> bool:
    """Whether this is a model class with fields."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def fits(annotation: Any, value: Any) -> bool:
    """Whether the value has the shape that the annotation asks for: block, list, number, text, true or false."""
    annotation = bare(annotation)
    members = union_members(annotation)
    if members:
        return any(fits(member, value) for member in members)
    shape = _shape(annotation)
    if shape == "one of":
        return any(type(value) is type(option) for option in get_args(annotation))
    return shape is None or shape == _shape_of_value(value)


def words_of(annotation: Any) -> str:
    """What the annotation asks for, in words."""
    annotation = bare(annotation)
    members = union_members(annotation)
    if members:
        return " or ".join(dict.fromkeys(words_of(member) for member in members))
    if get_origin(annotation) is Literal:
        return " or ".join(repr(option) for option in get_args(annotation))
    return _shape(annotation) or "anything"


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _shape(annotation: Any) -> str | None:
    origin = get_origin(annotation) or annotation
    if origin is Literal:
        return "one of"
    if not isinstance(origin, type):
        return None
    if issubclass(origin, (BaseModel, Mapping)):
        return "a block of keys"
    if issubclass(origin, bool):
        return "true or false"
    if issubclass(origin, Enum):
        return None
    if issubclass(origin, str):
        return "text"
    if issubclass(origin, (list, tuple, set, frozenset)) or origin in (Sequence, typing.Iterable):
        return "a list"
    return "a number" if issubclass(origin, (int, float)) else None


def _shape_of_value(value: Any) -> str:
    if isinstance(value, dict):
        return "a block of keys"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true or false"
    return "a number" if isinstance(value, (int, float)) else "text" if isinstance(value, str) else "nothing"


def _tags(member: Any) -> set[str]:
    """The labels by which pydantic may name this member of a union."""
    found = {meta.tag for meta in getattr(member, "__metadata__", ()) if isinstance(meta, Tag)}
    plain = bare(member)
    for one in union_members(plain):
        found |= _tags(one)
    if is_model(plain):
        found.add(plain.__name__)
        for info in plain.model_fields.values():
            if get_origin(info.annotation) is Literal:
                found |= {str(option) for option in get_args(info.annotation)}
    elif isinstance(plain, type):
        found.add(plain.__name__)
    return found


def _member(members: list[Any], label: str, value: Any) -> Any:
    """The member that pydantic means by a label."""
    for member in members:
        if label in _tags(member):
            return member
    unions = [member for member in members if union_members(bare(member))]
    if "union" in label and unions:
        return unions[0]
    name = label.split("[", maxsplit=1)[0].removeprefix("constrained-")
    for member in members:
        plain = bare(member)
        if (getattr(get_origin(plain) or plain, "__name__", "")).lower() == name:
            return member
    return next((member for member in members if fits(member, value)), Any)


def _chosen(members: list[Any], value: Any) -> Any:
    """The member that the data chooses by its `law` or `kind`, else by its shape."""
    if isinstance(value, dict):
        for key in ("law", "kind"):
            for member in members:
                if isinstance(value.get(key), str) and value[key] in _tags(member):
                    plain = bare(member)
                    return _chosen(union_members(plain), value) if union_members(plain) else plain
    return bare(next((member for member in members if fits(member, value)), Any))


def _below(annotation: Any, label: int | str) -> Any:
    """The annotation of a key or index of the annotation."""
    if is_model(annotation):
        for name, info in annotation.model_fields.items():
            if label in (info.alias, name):
                return info.annotation
        return Any
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        return arguments[1]
    if isinstance(label, int) and arguments:
        fixed = origin is tuple and arguments[-1] is not Ellipsis
        return arguments[min(label, len(arguments) - 1)] if fixed else arguments[0]
    return Any


def _child(value: Any, label: int | str) -> Any:
    if isinstance(value, dict):
        return value.get(label)
    if isinstance(value, list) and isinstance(label, int) and label < len(value):
        return value[label]
    return None
