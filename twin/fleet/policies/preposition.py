"""Trucks stand by before supply goes: ahead of announced work and forecast storms; on other outages, nearest first."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, look_again, nearest, ready, to_the_nearest
from twin.fleet.view import Announced, Order, Plan, TruckView, View
from twin.spec import NonNegative


def ahead(
    view: View, free: list[TruckView], margin_h: float, reason: Literal["notice"] = "notice"
) -> tuple[list[Order], float | None]:
    """Orders to be in time for what is announced, the dearest first, and when to look again; takes from `free`."""
    orders: list[Order] = []
    again: float | None = None

    def worth(soon: Announced) -> float:
        return view.places[soon.place].value_per_h * (soon.end_h - soon.start_h)

    for soon in sorted(view.announced, key=lambda one: (-worth(one), one.start_h, one.place)):
        place = view.places[soon.place]
        there = view.assigned(place)
        lacking, berths = soon.need_kw - sum(truck.rated_kw for truck in there), place.berths - len(there)
        while lacking > 0.0 and berths > 0:
            truck = nearest(view, place, free)
            if truck is None:
                break
            leave_h = soon.start_h - view.reach_h(truck, place.key) - margin_h
            if view.now_h < leave_h:
                again = min(again or leave_h, leave_h)
                break
            free.remove(truck)
            orders.append(Order(truck.name, place.key, reason))
            lacking, berths = lacking - truck.rated_kw, berths - 1
    return orders, again


class Preposition(PolicySpec):
    """Be there before."""

    kind: Literal["preposition"] = Field(description="names the policy")
    margin_h: NonNegative = Field(default=1.0, description="expected arrival this much before the announced start")

    def decide(self, view: View) -> Plan:
        """Ahead of what is announced, then nearest first, then home."""
        free = [truck for truck in view.trucks if ready(view, truck, self.ready_fraction)]
        early, again = ahead(view, free, self.margin_h)
        taken, seen_to = {order.truck for order in early}, {order.place for order in early}
        others = [place for place in view.down() if place.key not in seen_to]
        late = [order for order in to_the_nearest(view, others, self.ready_fraction) if order.truck not in taken]
        taken |= {order.truck for order in late}
        back = [order for order in homeward(view) if order.truck not in taken] if self.returns else []
        soon = [time for time in (again, look_again(view)) if time is not None]
        return Plan(back + early + late, min(soon, default=None))
