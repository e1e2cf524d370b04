"""The blocks of a scenario file, read from their models: which there are, where they stand, and what their keys are."""

import types
import typing
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from twin.chance.law import ExponentialLaw, FixedLaw
from twin.scenario.model import Scenario
from twin.units import unit_of

Block = type[BaseModel]
UNBOUNDED = 1e9
"""A limit from here on guards the range of numbers alone, and is not told (`twin/spec.py`)."""


@dataclass(frozen=True)
class Key:
    """One key of a block: `blocks` are those that its value may be, `kind` is that in words."""

    name: str
    kind: str
    blocks: tuple[Block, ...]
    unit: str
    default: str
    meaning: str


def places() -> dict[Block, str]:
    """Every block that a scenario may hold, by the first key path that leads to it; the root's is ""."""
    found: dict[Block, str] = {Scenario: ""}
    waiting = [Scenario]
    while waiting:
        block = waiting.pop(0)
        for name, field in block.model_fields.items():
            for inner, step in _inside(field.annotation, ""):
                if inner not in found:
                    found[inner] = f"{found[block]}.{name}{step}".lstrip(".")
                    waiting.append(inner)
    return found


def label(block: Block) -> str:
    """The target of links to a block."""
    return "keys-" + f"{block.__module__}-{block.__name__}".replace(".", "-").replace("_", "-").lower()


def keys(block: Block) -> list[Key]:
    """The keys of a block in the order of the model, but for `source`, which every block has."""
    return [_key(name, field) for name, field in block.model_fields.items() if name != "source"]


def _key(name: str, field: FieldInfo) -> Key:
    blocks = tuple(inner for inner, _ in _inside(field.annotation, ""))
    is_law = _is_law(field.annotation)
    bounds = _bounds(field.metadata)
    kind = _kind(field.annotation) + (f", {bounds}" if bounds else "")
    return Key(
        name, kind, () if is_law else blocks, _unit(name, kind), _default(field),
        " ".join((field.description or _first(blocks if not is_law else ())).split()),
    )  # fmt: skip


def _first(blocks: tuple[Block, ...]) -> str:
    """What the only block that a key may hold says of itself, as the meaning of a key that says nothing."""
    if len(blocks) != 1:
        return ""
    text = cleandoc(blocks[0].__doc__ or "").partition("\n\n")[0].removesuffix(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _unit(name: str, kind: str) -> str:
    unit = unit_of(name)
    return "" if unit == "1" or not kind.startswith(("number", "integer", "law", "list of number")) else unit


def _is_law(annotation: Any) -> bool:
    return {FixedLaw, ExponentialLaw} <= {inner for inner, _ in _inside(annotation, "")}


def _inside(annotation: Any, step: str) -> list[tuple[Block, str]]:
    """Blocks within a type, each with the step to it from the key that holds it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, step)]
    origin = typing.get_origin(annotation)
    step += {dict: ".NAME", list: "[]"}.get(origin, "")
    found = [pair for one in typing.get_args(annotation) for pair in _inside(one, step)]
    return list(dict.fromkeys(found))


def _kind(annotation: Any) -> str:
    """A type in words."""
    if _is_law(annotation) and typing.get_origin(annotation) not in (dict, list):
        return "law"
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        bounds = _bounds(list(inside[1:]))
        return _kind(inside[0]) + (f", {bounds}" if bounds else "")
    if origin in (typing.Union, types.UnionType):
        kinds = [_kind(one) for one in inside if one is not type(None)]
        return " or ".join(dict.fromkeys(kinds))
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inside)
    if origin is list:
        return f"list of {_kind(inside[0])}"
    if origin is tuple:
        return f"list of {_kind(inside[0])}"
    if origin is dict:
        return f"by name: {_kind(inside[1])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "block"
    return {bool: "yes or no", int: "integer", float: "number", str: "text"}.get(annotation, "any")


def _bounds(metadata: list[Any]) -> str:
    """Limits as text: "> 0", "0 to 1"."""
    low = high = ""
    for one in metadata:
        if isinstance(one, FieldInfo):
            return _bounds(one.metadata)
        if isinstance(one, Ge):
            low = f">= {one.ge:g}"
        if isinstance(one, Gt):
            low = f"> {one.gt:g}"
        if isinstance(one, Le) and one.le < UNBOUNDED:
            high = f"<= {one.le:g}"
        if isinstance(one, Lt):
            high = f"< {one.lt:g}"
        if isinstance(one, MinLen):
            return f"at least {one.min_length}"
    if low.startswith(">=") and high.startswith("<="):
        return f"{low[3:]} to {high[3:]}"
    return ", ".join(filter(None, (low, high)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is PydanticUndefined or value is None or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
