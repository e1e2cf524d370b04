"""While a place is carried, a full truck comes before the last one is empty, and the empty one goes to recharge."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import LOOK_AGAIN_H, PolicySpec, homeward, look_again, nearest, ready, to_the_nearest
from twin.fleet.policies.preposition import ahead
from twin.fleet.view import Order, PlaceView, Plan, TruckView, View
from twin.spec import Fraction, NonNegative


class Relay(PolicySpec):
    """Relieve each other."""

    kind: Literal["relay"] = Field(description="names the policy")
    margin_h: NonNegative = Field(
        default=0.5, description="arrive this much before the others are empty, or work begins"
    )
    relieved_fraction: Fraction = Field(
        default=0.5, description="at which a truck leaves to recharge if the others there have the kW"
    )
    empty_fraction: Fraction = Field(
        default=0.03, description="of its usable energy at which a truck leaves to recharge"
    )

    def decide(self, view: View) -> Plan:
        """Ahead of announced work, to outages, then relief."""
        free = [truck for truck in view.trucks if ready(view, truck, self.ready_fraction)]
        orders, again = ahead(view, free, self.margin_h)
        for place in view.down():
            if any(truck.at == place.key for truck in view.assigned(place)):
                orders += self._relieve(view, place, free)
        taken, seen_to = {order.truck for order in orders}, {order.place for order in orders}
        others = [place for place in view.down() if place.key not in seen_to]
        late = [order for order in to_the_nearest(view, others, self.ready_fraction) if order.truck not in taken]
        taken |= {order.truck for order in late}
        back = [order for order in homeward(view) if order.truck not in taken] if self.returns else []
        times = [again, look_again(view), view.now_h + LOOK_AGAIN_H if view.down() else None]
        return Plan(back + orders + late, min((time for time in times if time is not None), default=None))

    def _relieve(self, view: View, place: PlaceView, free: list[TruckView]) -> list[Order]:
        """Send away who is empty, or whom the others can spare, and call the next; takes from `free`."""
        there = [truck for truck in view.assigned(place) if truck.at == place.key]
        there.sort(key=lambda truck: (truck.generator, truck.usable_kwh / max(truck.full_kwh, 1e-9), truck.name))
        orders = []
        for truck in list(there):
            if truck.generator or truck.home == place.key or not truck.free:
                continue
            others_kw = sum(other.rated_kw for other in there if other is not truck)
            spared = others_kw >= place.need_kw and truck.usable_kwh <= self.relieved_fraction * truck.full_kwh
            if spared or truck.usable_kwh <= self.empty_fraction * truck.full_kwh:
                orders.append(Order(truck.name, truck.home, "home"))
                there.remove(truck)
        coming_kw = sum(truck.rated_kw for truck in view.assigned(place) if truck.at != place.key)
        left_h = sum(truck.carry_h(1.0) for truck in there) / max(place.carried_kw or place.need_kw, 1e-9)
        while coming_kw < place.need_kw:  # they will be empty together: as many kW must follow
            relief = nearest(view, place, free)
            if relief is None or left_h > view.reach_h(relief, place.key) + self.margin_h:
                break
            free.remove(relief)
            orders.append(Order(relief.name, place.key, "relay"))
            coming_kw += relief.rated_kw
        return orders
