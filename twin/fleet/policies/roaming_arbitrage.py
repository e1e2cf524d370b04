"""Between outages trucks follow the day's price spread; on outages, nearest first.

They do not go home, but for those that hold a site's import below its limit there.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, look_again, needed_at, to_the_nearest
from twin.fleet.view import Order, PlaceView, Plan, TruckView, View
from twin.spec import NonNegative, Positive


def spread_gain(view: View, truck: TruckView, place: PlaceView) -> float:
    """What a day's trade would earn there: one cycle above the reserve, dearest against cheapest hours."""
    if not place.trades or truck.generator:
        return 0.0
    traded_kwh = truck.full_kwh * (1.0 - place.reserve_fraction)
    return traded_kwh * place.spread_per_kwh(view.now_h, min(12, max(1, round(traded_kwh / truck.rated_kw))))


class RoamingArbitrage(PolicySpec):
    """Follow the spread."""

    kind: Literal["roaming_arbitrage"] = Field(description="names the policy")
    move_from_gain: NonNegative = Field(default=50.0, description="a day's extra earning, kilometres paid, below: stay")
    stay_days: Positive = Field(default=10.0, description="days of trade that are to pay for the way")

    def decide(self, view: View) -> Plan:
        """Outages first; at midnight, whoever earns more elsewhere moves."""
        orders = to_the_nearest(view, view.down(), self.ready_fraction)
        taken = {order.truck for order in orders}
        orders += [order for order in homeward(view) if order.truck not in taken and view.places[order.place].buffers]
        if view.hour_of_day == 0.0:
            orders += self._follow(view, {order.truck for order in orders})
        midnight_h = view.now_h - view.hour_of_day + 24.0
        again = look_again(view)
        return Plan(orders, midnight_h if again is None else min(again, midnight_h))

    def _follow(self, view: View, taken: set[str]) -> list[Order]:
        room = {key: place.berths - len(view.assigned(place)) for key, place in view.places.items() if place.trades}
        orders = []
        ranked: dict[tuple[float, float, bool], list[tuple[float, str]]] = {}
        for truck in view.trucks:
            if not truck.free or truck.at is None or truck.at != truck.bound_for or truck.name in taken:
                continue
            at_work = truck.at == truck.home and view.places[truck.at].buffers
            if at_work or needed_at(view, truck.at):
                continue
            kind = truck.full_kwh, truck.rated_kw, truck.generator
            if kind not in ranked:
                gains = [(spread_gain(view, truck, view.places[key]), key) for key in room]
                ranked[kind] = sorted(gains, key=lambda one: (-one[0], one[1]))
            here = view.places[truck.at]
            best, where = self.move_from_gain + spread_gain(view, truck, here), None
            for gain, key in ranked[kind]:
                if gain <= best:
                    break
                way = view.km(here.site, view.places[key].site) * view.cost_per_km
                worth = gain - way / self.stay_days
                if room[key] > 0 and worth > best:
                    best, where = worth, key
            if where is not None:
                room[where] -= 1
                orders.append(Order(truck.name, where, "price"))
        return orders
