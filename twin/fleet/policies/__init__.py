"""Relocation policies, one file each: pure functions from what a dispatcher knows to orders."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from twin.fleet.policies.home import Home
from twin.fleet.policies.nearest_first import NearestFirst
from twin.fleet.policies.optimised import Optimised
from twin.fleet.policies.preposition import Preposition
from twin.fleet.policies.relay import Relay
from twin.fleet.policies.roaming_arbitrage import RoamingArbitrage
from twin.fleet.policies.value_at_risk import ValueAtRisk

_KINDS = Home | NearestFirst | ValueAtRisk | Preposition | Relay | RoamingArbitrage | Optimised


def _name_is_kind(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


_Block = Annotated[_KINDS, Field(discriminator="kind")]
Policy = Annotated[_Block, BeforeValidator(_name_is_kind, json_schema_input_type=str | _Block)]
"""A policy's block, or its name alone."""

__all__ = ["Policy"]
