"""Between outages trucks follow the day's price spread; on outages, nearest first. They do not go home."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from twin.fleet.policies.base import PolicySpec, look_again, needed_at, to_the_nearest
from twin.fleet.view import Order, PlaceView, Plan, TruckView, View
from twin.spec import NonNegative


def spread_gain(view: View, truck: TruckView, place: PlaceView) -> float:
    """What a day's trade would earn there: one cycle above the reserve, cheapest against dearest hours."""
    if not place.trades or truck.generator:
        return 0.0
    prices = np.sort(place.prices_of_day(view.now_h))
    traded_kwh = truck.full_kwh * (1.0 - place.reserve_fraction)
    hours = min(12, max(1, round(traded_kwh / truck.rated_kw)))
    return float(traded_kwh * (prices[-hours:].mean() - prices[:hours].mean()))


class RoamingArbitrage(PolicySpec):
    """Follow the spread."""

    kind: Literal["roaming_arbitrage"]
    move_from_gain: NonNegative = Field(default=50.0, description="a day's extra earning, kilometres paid, below: stay")

    def decide(self, view: View) -> Plan:
        """At every midnight where the spread is worth the way; outages first."""
        orders = to_the_nearest(view, view.down(), self.ready_fraction)
        taken = {order.truck for order in orders}
        free = [one for one in view.trucks if one.free and one.at == one.bound_for and one.name not in taken]
        room = {key: place.berths - len(view.assigned(place)) for key, place in view.places.items()}
        for truck in free:
            if truck.at is None or needed_at(view, truck.at):
                continue
            here = view.places[truck.at]
            best, where = self.move_from_gain + spread_gain(view, truck, here), None
            for key, place in view.places.items():
                if room[key] > 0 and key != truck.at:
                    worth = spread_gain(view, truck, place) - view.km(here.site, place.site) * view.cost_per_km
                    if worth > best:
                        best, where = worth, key
            if where is not None:
                room[where] -= 1
                orders.append(Order(truck.name, where, "price"))
        midnight_h = view.now_h - view.hour_of_day + 24.0
        again = look_again(view)
        return Plan(orders, midnight_h if again is None else min(again, midnight_h))
