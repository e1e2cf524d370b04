"""Time of use alone: charge at full power below the median price, discharge above; the month's peak is ignored."""

from __future__ import annotations

import numpy as np

from twin.ems.view import Floats, Plan, View

MEDIAN_DAYS = 7


def thresholds(view: View) -> tuple[Floats, Floats]:
    """Full where the price is below the week's median, empty where it is above, as it is in between [kWh]."""
    slots = view.floor_kwh.size
    middle = float(np.median(view.price[: round(MEDIAN_DAYS * 24 / view.storage.slot_h)]))
    price = view.price[:slots]
    up = np.where(price < middle - 1e-9, view.storage.top_kwh, view.floor_kwh)
    down = np.where(price > middle + 1e-9, view.floor_kwh, view.storage.top_kwh)
    return up, down


class Naive:
    """What a timer does."""

    within_day = False

    def plan(self, view: View) -> Plan:
        """Full by cheap hours, empty by dear ones, whatever import it takes."""
        up, down = thresholds(view)
        return Plan(up, down, np.minimum(view.connection_kw, view.call_kw), view.floor_kwh, view.connection_kw)
