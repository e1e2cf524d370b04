"""Pydantic's error types in plain words, and the key that an unknown key was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from twin.scenario.merge import close_to
from twin.units import SUFFIXES

_DIMENSIONS = (
    "kw mw gw w kwatt watt watts kilowatt megawatt mwp kwp",
    "kwh mwh gwh wh",
    "kva mva va",
    "kvar mvar var",
    "kv v volt volts",
    "a amp amps ka ma",
    "h hours hour hrs hr min minutes minute mins s seconds second secs sec ms milliseconds us days day d weeks years",
    "fraction probability percent pct ratio share",
    "km m metres meters miles",
    "ohm mohm ohms",
    "kg t g tonnes",
    "c degc celsius k",
    "deg degrees rad",
    "per_year per_h per_hour per_day per_month yearly annual",
    "per_kwh per_mwh",
    "per_kw_month per_kw per_kw_year",
    "cny rmb yuan usd eur",
)
_DIMENSION = {suffix: number for number, line in enumerate(_DIMENSIONS) for suffix in line.split()}
_SUFFIXES = sorted({*_DIMENSION, *SUFFIXES}, key=lambda suffix: (-len(suffix), suffix))

_BOUNDS = {
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
    "multiple_of": ("must be a multiple of {}", "multiple_of"),
    "too_short": ("must have at least {} entries", "min_length"),
    "too_long": ("must have at most {} entries", "max_length"),
    "string_too_short": ("must have at least {} characters", "min_length"),
    "string_too_long": ("must have at most {} characters", "max_length"),
    "string_pattern_mismatch": ("must match the pattern {}", "pattern"),
    "literal_error": ("must be {}", "expected"),
    "enum": ("must be {}", "expected"),
}
_KINDS = {
    "a number": ("float_type", "float_parsing", "finite_number", "decimal_type", "decimal_parsing"),
    "a whole number": ("int_type", "int_parsing", "int_from_float", "int_parsing_size"),
    "true or false": ("bool_type", "bool_parsing"),
    "text": ("string_type", "path_type"),
    "a list": ("list_type", "tuple_type", "set_type", "frozen_set_type", "iterable_type"),
    "a block of keys": ("dict_type", "model_type", "model_attributes_type", "mapping_type", "dataclass_type"),
    "a date such as 2026-01-31": ("date_type", "date_parsing", "date_from_datetime_parsing"),
}
_ASKED = {kind: words for words, kinds in _KINDS.items() for kind in kinds}


def value_words(value: Any) -> str:
    """What a value is, in words that quote it where that helps."""
    if isinstance(value, str):
        return f"the text '{value if len(value) <= 60 else value[:57] + '...'}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return "a block of keys" if isinstance(value, dict) else "a list"
    return "empty" if value is None else str(value)


def message(error: Any) -> tuple[str, str | None]:
    """The message and the remedy for one of pydantic's error dicts."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind in _BOUNDS:
        form, key = _BOUNDS[kind]
        found = f"has {len(value)}" if isinstance(value, (list, dict)) else f"is {value_words(value)}"
        bound = f"{context[key]:g}" if isinstance(context[key], float) else str(context[key])
        return f"{form.format(bound)}, {found}", _close_option(value, bound)
    if kind in _ASKED:
        return f"must be {_ASKED[kind]}, is {value_words(value)}", _kind_remedy(_ASKED[kind], value)
    if kind in ("value_error", "assertion_error"):
        return str(context.get("error", error["msg"])), None
    text = str(error["msg"]).replace("Input should", "must")
    return f"{text[:1].lower()}{text[1:]}, is {value_words(value)}", None


def _close_option(value: Any, expected: str) -> str | None:
    close = close_to(str(value), expected.replace(" or ", ", ").replace("'", "").split(", "))
    return f"did you mean {close[0]}?" if isinstance(value, str) and close else None


def _kind_remedy(asked: str, value: Any) -> str | None:
    if asked == "a whole number" and isinstance(value, float) and value.is_integer():
        return f"write {value:.0f}"
    if asked in ("a number", "a whole number") and isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return "write the number alone; the unit is in the key's name" if value[:1].isdigit() else None
        return "leave the quotation marks out"
    if asked == "true or false" and isinstance(value, str):
        return "write true or false without quotation marks"
    if asked == "text" and not isinstance(value, (dict, list)):
        return "put it in quotation marks"
    return None


def stem(key: str) -> tuple[str, int | None]:
    """The key without its unit, and the number of the unit's dimension; None where the key ends in no unit."""
    for suffix in _SUFFIXES:
        if key.endswith(f"_{suffix}"):
            return key[: -len(suffix) - 1], _DIMENSION.get(suffix, -1)
    return key, None


def meant(key: str, known: Iterable[str]) -> str:
    """The remedy for an unknown key: another unit of the same quantity, a word close to it, or the list of keys."""
    names = sorted(known)
    wanted, dimension = stem(key)
    same = [name for name in names if stem(name)[0] == wanted]
    same.sort(key=lambda name: (stem(name)[1] != dimension, -difflib.SequenceMatcher(None, key, name).ratio()))
    if same:
        return f"did you mean {same[0]}? (units are in the name)"
    close = close_to(key, names)
    if close:
        return f"did you mean {close[0]}?"
    shown = [name for name in names if name != "source"]
    return f"known keys here: {', '.join(shown[:20])}{', ...' if len(shown) > 20 else ''}" if shown else "remove it"
