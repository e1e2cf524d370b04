"""What most policies share: which trucks may be sent, when they go home, how many a place still lacks."""

from __future__ import annotations

from pydantic import Field

from twin.fleet.view import Order, PlaceView, TruckView, View
from twin.spec import Fraction, Spec

LOOK_AGAIN_H = 0.25
"""While a place is short of trucks the policy is asked again this often: trucks fill up, crews come free."""


class PolicySpec(Spec):
    """Base of all policies."""

    ready_fraction: Fraction = Field(default=0.3, description="of its usable energy that a truck must hold to be sent")
    returns: bool = Field(default=True, description="a truck goes home when it is no longer needed where it is")


def ready(view: View, truck: TruckView, least_fraction: float) -> bool:
    """Whether a truck may be sent: free, not needed where it stands, with enough in store."""
    if not truck.free or truck.at is None or needed_at(view, truck.bound_for):
        return False
    return truck.generator or truck.usable_kwh >= least_fraction * truck.full_kwh


def needed_at(view: View, place: str) -> bool:
    """Whether a place is without supply, or is announced to be."""
    down = view.places[place].down_since_h is not None
    return down or any(soon.place == place for soon in view.announced)


def lacking_kw(view: View, place: PlaceView) -> float:
    """Power [kW] that a place needs beyond the trucks that are there or bound for it; 0 when its berths are full."""
    trucks = view.assigned(place)
    if len(trucks) >= place.berths:
        return 0.0
    return max(0.0, place.need_kw - sum(truck.rated_kw for truck in trucks))


def homeward(view: View) -> list[Order]:
    """Trucks that stand where they are no longer needed go home; those still waiting for a crew are called off."""
    orders = []
    for truck in view.trucks:
        if not truck.free or truck.at is None or truck.reason == "price" or needed_at(view, truck.bound_for):
            continue
        if truck.bound_for not in {truck.at, truck.home}:
            orders.append(Order(truck.name, truck.at if truck.at == truck.home else truck.home, "home"))
        elif truck.at != truck.home and truck.bound_for == truck.at:
            orders.append(Order(truck.name, truck.home, "home"))
    return orders


def nearest(view: View, place: PlaceView, trucks: list[TruckView]) -> TruckView | None:
    """The truck that would be there first."""
    reachable = [(view.reach_h(truck, place.key), truck.name, truck) for truck in trucks]
    reachable = [one for one in reachable if one[0] < float("inf")]
    return min(reachable, key=lambda one: one[:2])[2] if reachable else None


def to_the_nearest(view: View, places: list[PlaceView], least_fraction: float) -> list[Order]:
    """The nearest ready trucks to the longest outages, as many as kW and berths ask for; of equal ones the nearest."""
    orders: list[Order] = []
    free = [truck for truck in view.trucks if ready(view, truck, least_fraction)]

    def first(place: PlaceView) -> tuple[float, float, str]:
        reach_h = min((view.reach_h(truck, place.key) for truck in free), default=0.0)
        return place.down_since_h or 0.0, reach_h, place.key

    for place in sorted(places, key=first):
        lacking, berths = lacking_kw(view, place), place.berths - len(view.assigned(place))
        while lacking > 0.0 and berths > 0:
            truck = nearest(view, place, free)
            if truck is None:
                break
            free.remove(truck)
            orders.append(Order(truck.name, place.key, "outage"))
            lacking, berths = lacking - truck.rated_kw, berths - 1
    return orders


def look_again(view: View) -> float | None:
    """When to ask again [h]: soon, while a place is down and short of trucks."""
    return view.now_h + LOOK_AGAIN_H if any(lacking_kw(view, place) > 0.0 for place in view.down()) else None
