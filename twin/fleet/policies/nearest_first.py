"""On an outage the nearest ready trucks go, in the order in which the outages came."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, look_again, to_the_nearest
from twin.fleet.view import Plan, View


class NearestFirst(PolicySpec):
    """Nearest first."""

    kind: Literal["nearest_first"] = Field(description="names the policy")

    def decide(self, view: View) -> Plan:
        """Nearest trucks to the places that are down; the others home."""
        orders = homeward(view) if self.returns else []
        return Plan(orders + to_the_nearest(view, view.down(), self.ready_fraction), look_again(view))
