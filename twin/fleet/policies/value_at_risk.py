"""On an outage trucks go where they avoid the most lost value per truck-hour, by what outages there are known to last.

The expected dark hours that a truck avoids follow from the law of the site's outages, given how long this one has
lasted: E[(min(D - t, a + x) - a)+ | D > t] for arrival in a and energy for x hours. A truck-hour counts from the order
to the return.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, lacking_kw, look_again, ready
from twin.fleet.view import Order, PlaceView, Plan, TruckView, View
from twin.spec import NonNegative


def avoided_h(view: View, truck: TruckView, place: PlaceView, carry_h: float) -> float:
    """Expected dark hours that a truck avoids at a place that is down."""
    elapsed_h = 0.0 if place.down_since_h is None else view.now_h - place.down_since_h
    return place.outlook.saved_h(elapsed_h, view.reach_h(truck, place.key), carry_h)


def gain(view: View, truck: TruckView, place: PlaceView) -> float:
    """Expected value that a truck saves at a place that is down, its way paid."""
    need_kw = max(lacking_kw(view, place), 1e-9)
    saved = avoided_h(view, truck, place, truck.carry_h(need_kw)) * place.value_per_h
    here = view.places[truck.at or truck.home].site
    return saved * min(1.0, truck.rated_kw / need_kw) - view.km(here, place.site) * view.cost_per_km


def truck_h(view: View, truck: TruckView, place: PlaceView) -> float:
    """Expected hours that the truck is taken: there, carrying, and home again."""
    reach_h = view.reach_h(truck, place.key)
    home = view.places[truck.home]
    back_h = place.disconnect_h + view.drive_h(place.site, home.site) + home.connect_h
    return reach_h + avoided_h(view, truck, place, truck.carry_h(place.need_kw)) + back_h


class ValueAtRisk(PolicySpec):
    """Most avoided loss per truck-hour first."""

    kind: Literal["value_at_risk"] = Field(description="names the policy")
    least_gain: NonNegative = Field(default=0.0, description="expected value below which no truck moves")

    def decide(self, view: View) -> Plan:
        """The best pair of truck and place first, then the next."""
        orders = homeward(view) if self.returns else []
        free = [truck for truck in view.trucks if ready(view, truck, self.ready_fraction)]
        lacking = {place.key: lacking_kw(view, place) for place in view.down()}
        berths = {key: view.places[key].berths - len(view.assigned(view.places[key])) for key in lacking}
        while free and lacking:
            best: tuple[float, str, str, TruckView] | None = None
            for truck in free:
                for key, kw in lacking.items():
                    worth = gain(view, truck, view.places[key]) if kw > 0.0 and berths[key] > 0 else 0.0
                    if worth > self.least_gain:
                        candidate = (-worth / truck_h(view, truck, view.places[key]), key, truck.name, truck)
                        best = min(best or candidate, candidate, key=lambda one: one[:3])
            if best is None:
                break
            _, key, name, truck = best
            orders.append(Order(name, key, "outage"))
            free.remove(truck)
            lacking[key] -= truck.rated_kw
            berths[key] -= 1
        return Plan(orders, look_again(view))
