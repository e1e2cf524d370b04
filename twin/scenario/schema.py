"""The JSON Schema of scenario files, for editors that complete and check."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

_RANGE = "ParameterWithRange"
_NUMBERS = ("number", "integer")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a scenario file with this root model (draft 2020-12).

    Every number may also be `{value, low, high, source}`; a block may take its missing keys from the catalogue by
    `type`; a file that extends another is an override and may leave anything out.
    """
    schema = model.model_json_schema()
    definitions: dict[str, Any] = schema.pop("$defs", {})
    definitions = {name: _widened(one) for name, one in definitions.items()}
    root = _widened(schema)
    root["properties"] |= _layer_keys()
    whole = definitions.setdefault("ScenarioFile", root)
    definitions[_RANGE] = _range_schema()
    return {
        "$schema": _DIALECT,
        "title": whole.get("title", model.__name__),
        "type": "object",
        "if": {"required": ["extends"]},
        "then": {"properties": _layer_keys()},
        "else": {"$ref": "#/$defs/ScenarioFile"},
        "$defs": definitions,
    }


def _layer_keys() -> dict[str, Any]:
    """The root keys that the loader itself handles."""
    block = {"type": "object"}
    return {
        "extends": {"type": "string", "description": "scenario file, beside this one, which this one overrides"},
        "designs": {
            "type": "object",
            "description": "by name: overrides with the same paths as the base, nested or dotted",
            "additionalProperties": {
                "type": "object",
                "properties": {"like": {"type": "string", "description": "the design that this one overrides"}},
            },
        },
        "catalogue": {
            "type": "object",
            "description": "by name: a block that others take as their base by `type: NAME`",
            "additionalProperties": block,
        },
    }


def _range_schema() -> dict[str, Any]:
    number = {"type": "number"}
    return {
        "type": "object",
        "description": "a parameter with its range for sensitivity studies",
        "properties": {"value": number, "low": number, "high": number, "source": {"type": "string"}},
        "required": ["value"],
        "dependentRequired": {"low": ["high"], "high": ["low"]},
        "additionalProperties": False,
    }


def _widened(schema: Any) -> Any:
    """The schema where numbers may have ranges and blocks may have types."""
    if isinstance(schema, list):
        return [_widened(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") in _NUMBERS:
        about = {key: schema[key] for key in ("title", "description", "default") if key in schema}
        number = {key: value for key, value in schema.items() if key not in about}
        return {**about, "anyOf": [number, {"$ref": f"#/$defs/{_RANGE}"}]}
    found = {
        key: value if key in ("const", "enum", "default", "examples") else _widened(value)
        for key, value in schema.items()
    }
    if isinstance(schema.get("properties"), dict):
        found["properties"] = {key: _widened(one) for key, one in schema["properties"].items()}
        _allow_type(found)
    return found


def _allow_type(block: dict[str, Any]) -> None:
    """Let the block take its missing keys from the catalogue."""
    named = {"type": "string", "description": "name of a catalogue block that fills in what is not said here"}
    block["properties"] = {**block["properties"], "type": block["properties"].get("type", named)}
    required = block.pop("required", [])
    if required:
        block["anyOf"] = [{"required": ["type"]}, {"required": required}]
