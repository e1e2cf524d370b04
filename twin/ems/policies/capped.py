"""Time of use under a cap: storage neither lifts import above what the load itself has drawn, nor lets it exceed it."""

from __future__ import annotations

import numpy as np

from twin.ems.policies.naive import thresholds
from twin.ems.view import Plan, View

SHAVED = 0.96
"""Cap over the largest net load of the past days."""
PAST_DAYS = 30


class Capped:
    """The rule of thumb; also what a site falls back to where a plan cannot be made."""

    within_day = False

    def plan(self, view: View) -> Plan:
        """As `Naive`, under a cap of 96 % of the largest net load of 30 days, or the month's peak if higher."""
        up, down = thresholds(view)
        past = view.history_kw[-round(PAST_DAYS * 24 / view.storage.slot_h) :]
        highest_kw = float(past.max()) if past.size else 0.0
        cap_kw = min(max(SHAVED * highest_kw, view.peak_kw), view.connection_kw)
        return Plan(up, down, np.minimum(cap_kw, view.call_kw), view.floor_kwh, cap_kw)
