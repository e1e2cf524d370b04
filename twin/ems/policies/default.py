"""The default: exact plans over an ensemble of past errors, under the cheapest cap for the rest of the month."""

from __future__ import annotations

import numpy as np

from twin.ems.ensemble import best_cap, ensemble_plan
from twin.ems.forecast import predict
from twin.ems.month import month_curve
from twin.ems.recursion import least_cap
from twin.ems.storage import Storage
from twin.ems.view import Floats, Plan, View

FEWEST_ERRORS = 3
WINDOW_DAYS, WINDOWS = 7, 4
EXCESS_SHARE = 0.1
"""Of the demand price: what an hour above the cap costs in the recursion, per kWh."""
EXCESS_LEAST = 1.0
TIE = 1e-6
"""Per kWh and slot: tells equal prices apart."""


Common = tuple[Floats, Storage, float, float, float]
"""Floor of every slot, the aggregate, value of energy at the end, price of excess, tie."""


class Default:
    """`ensemble=False` plans for the forecast alone."""

    reads_stored = False

    def __init__(self, *, ensemble: bool = True) -> None:
        self.ensemble = ensemble

    def plan(self, view: View) -> Plan:
        """Scenarios, today's cap, thresholds."""
        slots = view.floor_kwh.size
        scenarios = self.scenarios(view, slots)
        price, floor_kwh = np.ascontiguousarray(view.price[:slots]), np.ascontiguousarray(view.floor_kwh)
        end_value = float(price.min()) / view.storage.charge_efficiency
        common = (floor_kwh, view.storage, end_value, max(EXCESS_SHARE * view.demand_price, EXCESS_LEAST), TIE)
        cap_kw = view.connection_kw
        if not np.isnan(view.cap_kw):
            cap_kw = max(view.cap_kw, view.peak_kw)
        elif view.demand_price > 0.0:
            cap_kw = self.cap_kw(view, scenarios, price, common)
        caps = np.minimum(min(cap_kw, view.connection_kw), view.call_kw)
        up, down = ensemble_plan(scenarios, price, caps, *common)
        return Plan(up, down, caps, floor_kwh, cap_kw)

    def cap_kw(self, view: View, scenarios: Floats, price: Floats, common: Common) -> float:
        """Today's cap [kW]: between the least that can be held and the highest that may pay."""
        floor_kwh, storage, end_value, excess_price, _ = common
        held_kw = float(least_cap(scenarios, view.stored_kwh, float(floor_kwh.max()), storage))
        least = max(view.peak_kw, held_kw)
        highest_kw = float(scenarios.max())
        most = min(max(least, highest_kw + storage.charge_kw), view.connection_kw)
        if most <= least:
            return least
        kw, cost = self.curve(view, least, most, end_value, excess_price)
        flat = np.flatnonzero(cost <= cost.min() + 1e-9 * abs(cost.min()))
        most = min(most, max(float(kw[flat[-1]]), highest_kw, least + 1e-6))
        billed = min(view.month_slots, price.size)
        found: float = best_cap(
            least, most, scenarios, price, view.connection_kw, view.call_kw, *common, view.stored_kwh, view.peak_kw,
            billed, kw, cost,
        )  # fmt: skip
        return found

    def scenarios(self, view: View, slots: int) -> Floats:
        """(scenarios, slots) of net load [kW]."""
        if not view.history_kw.size:
            return np.where(np.isnan(view.known_kw), 0.0, view.known_kw)[np.newaxis, :]
        forecast, likely = predict(view.history_kw, round(24 / view.storage.slot_h), slots)
        out = likely if self.ensemble and len(likely) >= FEWEST_ERRORS else forecast[np.newaxis, :]
        return np.where(np.isnan(view.known_kw), out, view.known_kw)

    def curve(
        self, view: View, least: float, most: float, end_value: float, excess_price: float
    ) -> tuple[Floats, Floats]:
        """The month's curve from the last weeks at the prices to come after the plan."""
        day = round(24 / view.storage.slot_h)
        slots = view.floor_kwh.size
        rest = view.month_slots - slots
        windows = last_weeks(view.history_kw, day)
        if rest <= 0 or windows is None:
            kw = np.array([least, most])
            return kw, view.demand_price * kw
        coming = view.price[slots : slots + min(rest, view.price.size - slots)]
        if coming.size < day:
            coming = view.price[:slots]
        floor_kwh = float(view.floor_kwh[-1])
        start_kwh = max(0.5 * view.storage.top_kwh, floor_kwh)
        least = min(max(least, least_cap(windows, start_kwh, floor_kwh, view.storage)), most - 1e-6)
        price = np.resize(coming[: coming.size // day * day], windows.shape[1])
        found: tuple[Floats, Floats] = month_curve(
            windows, price, least, most, floor_kwh, view.storage, end_value, excess_price,
            TIE, view.demand_price, rest / windows.shape[1],
        )  # fmt: skip
        return found


def last_weeks(history_kw: Floats, day: int) -> Floats | None:
    """(windows, slots): the last four weeks, or the whole days there are; None before the first day is over."""
    days = min(history_kw.size // day, WINDOW_DAYS * WINDOWS)
    if days == 0:
        return None
    length = min(days, WINDOW_DAYS) * day
    count = days * day // length
    return np.ascontiguousarray(history_kw[history_kw.size - count * length :].reshape(count, length))
