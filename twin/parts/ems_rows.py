"""A plan as the plant carries it out: rows of thresholds, caps, calls and reserve, as shares of the window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from twin.ems.view import Floats, Plan, View


def plant_rows(plan: Plan, view: View, least_kwh: float, most_kwh: float) -> Floats:
    """The plan as the plant's rows, one after the other: up, down, cap, call, reserve; energies as shares of a window.

    Args:
        plan: of the policy; its reserve is lifted to that of the view.
        view: what it was made from.
        least_kwh, most_kwh: the window of the sound storage.
    """
    reserve_kwh = np.maximum(plan.reserve_kwh, view.floor_kwh)
    kwh = np.stack([plan.up_kwh, plan.down_kwh, reserve_kwh])
    up, down, reserve = np.clip((kwh - least_kwh) / (most_kwh - least_kwh), 0.0, 1.0)
    return np.concatenate([up, down, plan.import_cap_kw, view.call_kw, reserve])


def recovery(plan: Plan, view: View) -> Plan:
    """The plan with no cap until the reserve is full again, for sites where recharge may raise the peak."""
    if view.stored_kwh >= view.floor_kwh[0] - 1e-6:
        return plan
    missing = float(view.floor_kwh[0]) - view.stored_kwh
    slots = int(np.ceil(missing / view.storage.charge_efficiency / view.storage.charge_kw)) + 1
    cap = plan.import_cap_kw.copy()
    cap[:slots] = np.minimum(view.connection_kw, view.call_kw[:slots])
    return replace(plan, import_cap_kw=cap)
