"""A rolling assignment of trucks to tasks by mixed-integer programming (HiGHS): outages, announced work, a day's trade.

Maximise the sum of expected gains x[truck, task], each truck at most one task, each task at most once. A place that is
down has as many tasks as berths: the k-th truck adds the hours that k trucks carry beyond k - 1. Asked again whenever
something happens, so that only the first step of each plan is ever carried out.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, lacking_kw, look_again, ready
from twin.fleet.policies.preposition import ahead
from twin.fleet.policies.roaming_arbitrage import spread_gain
from twin.fleet.policies.value_at_risk import avoided_h
from twin.fleet.view import Order, PlaceView, Plan, Reason, TruckView, View
from twin.spec import NonNegative

Task = tuple[str, int, Reason]


class Optimised(PolicySpec):
    """Best assignment of all trucks at once."""

    kind: Literal["optimised"]
    margin_h: NonNegative = Field(default=1.0, description="expected arrival this much before an announced start")
    trades: bool = Field(default=False, description="idle trucks follow the day's price spread")
    move_from_gain: NonNegative = Field(default=50.0, description="gain below which nobody moves for a price")

    def decide(self, view: View) -> Plan:
        """Assign, then home."""
        free = [truck for truck in view.trucks if ready(view, truck, self.ready_fraction)]
        orders, again = ahead(view, list(free), self.margin_h)
        early = {order.truck for order in orders}
        free = [truck for truck in free if truck.name not in early]
        tasks: list[Task] = [
            (place.key, k, "outage")
            for place in view.down()
            if lacking_kw(view, place) > 0.0
            for k in range(place.berths - len(view.assigned(place)))
        ]
        if self.trades and not view.down():
            tasks += [
                (key, k, "price")
                for key, place in view.places.items()
                if place.trades
                for k in range(place.berths - len(view.assigned(place)))
            ]
        gains = np.array([[self._gain(view, truck, task) for task in tasks] for truck in free])
        for t, k in assign(gains.reshape(len(free), len(tasks))):
            orders.append(Order(free[t].name, tasks[k][0], tasks[k][2]))
        taken = {order.truck for order in orders}
        back = [order for order in homeward(view) if order.truck not in taken] if self.returns else []
        midnight_h = view.now_h - view.hour_of_day + 24.0 if self.trades else None
        times = [time for time in (again, look_again(view), midnight_h) if time is not None]
        return Plan(back + orders, min(times, default=None))

    def _gain(self, view: View, truck: TruckView, task: Task) -> float:
        key, k, reason = task
        place = view.places[key]
        way = view.km(view.places[truck.at or truck.home].site, place.site) * view.cost_per_km
        if reason == "price":
            here = spread_gain(view, truck, view.places[truck.at or truck.home])
            return spread_gain(view, truck, place) - here - way - self.move_from_gain
        return self._saved(view, truck, place, k) - way

    def _saved(self, view: View, truck: TruckView, place: PlaceView, k: int) -> float:
        """Expected value that the k-th further truck saves at a place that is down: more kW first, then more hours."""
        need_kw = lacking_kw(view, place)
        if k * truck.rated_kw < need_kw:
            share = min(1.0, (need_kw - k * truck.rated_kw) / need_kw, truck.rated_kw / need_kw)
            return avoided_h(view, truck, place, truck.carry_h(need_kw)) * place.value_per_h * share
        once_h = truck.carry_h(need_kw)
        more_h = avoided_h(view, truck, place, (k + 1) * once_h) - avoided_h(view, truck, place, k * once_h)
        return more_h * place.value_per_h


def assign(gains: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (row, column) of the assignment with the largest sum of gains; only pairs that gain something."""
    rows, columns = gains.shape
    if rows == 0 or columns == 0 or gains.max() <= 0.0:
        return []
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - only who optimises needs it

    each = np.zeros((rows + columns, rows * columns))
    for row in range(rows):
        each[row, row * columns : (row + 1) * columns] = 1.0
    for column in range(columns):
        each[rows + column, column::columns] = 1.0
    found = milp(
        -gains.ravel(), integrality=np.ones(gains.size), bounds=Bounds(0, 1), constraints=LinearConstraint(each, ub=1.0)
    )
    chosen = np.flatnonzero((found.x > 0.5) & (gains.ravel() > 0.0))
    return [(int(k) // columns, int(k) % columns) for k in chosen]
