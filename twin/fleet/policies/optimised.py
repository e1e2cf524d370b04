"""A rolling assignment of trucks to tasks by mixed-integer programming (HiGHS): outages, announced work, a day's trade.

Maximise the sum of expected gains x[truck, task], each truck at most one task, each task at most once. A place that is
down has as many tasks as berths: the k-th truck adds the hours that k trucks carry beyond k - 1. Asked again whenever
something happens, so that only the first step of each plan is ever carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from twin.fleet.policies.base import PolicySpec, homeward, lacking_kw, look_again, ready
from twin.fleet.policies.roaming_arbitrage import spread_gain
from twin.fleet.policies.value_at_risk import avoided_h
from twin.fleet.view import Order, PlaceView, Plan, Reason, TruckView, View
from twin.spec import NonNegative

INFINITE_H = 1e12
Gains = NDArray[np.float64]


@dataclass(frozen=True)
class Task:
    """What a truck may be sent for: the k-th further truck at a place, until a time if that is known."""

    place: str
    k: int
    reason: Reason
    need_kw: float = 0.0
    start_h: float = 0.0
    end_h: float = 0.0


class Optimised(PolicySpec):
    """Best assignment of all trucks at once."""

    kind: Literal["optimised"] = Field(description="names the policy")
    margin_h: NonNegative = Field(default=1.0, description="expected arrival this much before an announced start")
    trades: bool = Field(default=False, description="idle trucks follow the day's price spread")
    move_from_gain: NonNegative = Field(default=50.0, description="gain below which nobody moves for a price")

    def decide(self, view: View) -> Plan:
        """Assign, then home."""
        free = [truck for truck in view.trucks if ready(view, truck, self.ready_fraction)]
        tasks = self._tasks(view)
        gains = np.array([[self._gain(view, truck, task) for task in tasks] for truck in free])
        orders = [
            Order(free[t].name, tasks[k].place, tasks[k].reason)
            for t, k in assign(gains.reshape(len(free), len(tasks)))
        ]
        taken = {order.truck for order in orders}
        back = [order for order in homeward(view) if order.truck not in taken] if self.returns else []
        leave_h = [self._leave_h(view, truck, task) for truck in free for task in tasks if task.reason == "notice"]
        midnight_h = view.now_h - view.hour_of_day + 24.0 if self.trades else None
        times = [look_again(view), midnight_h, *(time for time in leave_h if view.now_h < time < INFINITE_H)]
        return Plan(back + orders, min((time for time in times if time is not None), default=None))

    def _tasks(self, view: View) -> list[Task]:
        tasks = []
        for place in view.down():
            if (kw := lacking_kw(view, place)) > 0.0:
                tasks += [Task(place.key, k, "outage", kw) for k in self._berths(view, place)]
        for soon in view.announced:
            place = view.places[soon.place]
            lacking = soon.need_kw - sum(truck.rated_kw for truck in view.assigned(place))
            if lacking > 0.0 and place.down_since_h is None:
                tasks += [
                    Task(place.key, k, "notice", lacking, soon.start_h, soon.end_h) for k in self._berths(view, place)
                ]
        if self.trades and not view.down():
            for key, place in view.places.items():
                tasks += [Task(key, k, "price") for k in self._berths(view, place) if place.trades]
        return tasks

    @staticmethod
    def _berths(view: View, place: PlaceView) -> range:
        return range(place.berths - len(view.assigned(place)))

    def _leave_h(self, view: View, truck: TruckView, task: Task) -> float:
        return task.start_h - view.reach_h(truck, task.place) - self.margin_h

    def _gain(self, view: View, truck: TruckView, task: Task) -> float:
        """Expected value of sending a truck, its way there and back and its trade where it stands paid."""
        place, stands = view.places[task.place], view.places[truck.at or truck.home]
        way = view.km(stands.site, place.site) * view.cost_per_km
        a_day = spread_gain(view, truck, stands)
        if task.reason == "price":
            return spread_gain(view, truck, place) - a_day - way - self.move_from_gain
        if task.reason == "outage":
            return self._saved(view, truck, task) - 2.0 * way - a_day / 24.0 * view.reach_h(truck, place.key)
        if view.now_h < self._leave_h(view, truck, task):
            return 0.0  # in time later, too
        away_h = task.end_h - view.now_h + view.reach_h(truck, place.key)
        return self._saved(view, truck, task) - 2.0 * way - a_day / 24.0 * away_h

    def _saved(self, view: View, truck: TruckView, task: Task) -> float:
        """What the k-th further truck adds: more kW first, then more hours."""
        place, once_h = view.places[task.place], truck.carry_h(task.need_kw)

        def hours(carry_h: float) -> float:
            if task.reason != "outage":
                return min(carry_h, task.end_h - task.start_h) * place.exposure
            return avoided_h(view, truck, place, carry_h)

        if task.k * truck.rated_kw < task.need_kw:
            short_kw = task.need_kw - task.k * truck.rated_kw
            return hours(once_h) * place.value_per_h * min(1.0, short_kw / task.need_kw, truck.rated_kw / task.need_kw)
        return (hours((task.k + 1) * once_h) - hours(task.k * once_h)) * place.value_per_h


def assign(gains: Gains) -> list[tuple[int, int]]:
    """Pairs (row, column) of the assignment with the largest sum of gains; only pairs that gain something."""
    if gains.size == 0 or gains.max() <= 0.0:
        return []
    rows, columns = np.flatnonzero((gains > 0.0).any(axis=1)), np.flatnonzero((gains > 0.0).any(axis=0))
    chosen = gains[np.ix_(rows, columns)]
    if 1 in chosen.shape:
        row, column = np.unravel_index(int(chosen.argmax()), chosen.shape)
        return [(int(rows[row]), int(columns[column]))]
    return [(int(rows[row]), int(columns[column])) for row, column in _solved(chosen)]


def _solved(gains: Gains) -> list[tuple[int, int]]:
    """The same by mixed-integer programming."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - only who optimises needs it

    rows, columns = gains.shape
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
