"""Trucks stay at home: what they carry is what fails there."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import PolicySpec
from twin.fleet.view import Plan, View


class Home(PolicySpec):
    """Never relocate."""

    kind: Literal["home"] = Field(description="names the policy")

    def decide(self, view: View) -> Plan:
        """No orders."""
        return Plan()
