"""What a plan's inputs are rounded to, so that replications that differ by less share plans.

They are rounded before a plan is made, never after: who made a plan cannot matter. A plan is a feedback law, so what is
rounded moves thresholds and caps a little, never what the plant then meters.
"""

from __future__ import annotations

import math

STORED_STEPS, CAP_STORED_STEPS, SOUND_STEPS, PEAK_STEPS = 256, 64, 32, 2048


def stored_share(stored_kwh: float, most_kwh: float, *, for_cap_alone: bool) -> float:
    """Stored energy over the most: in steps of a 64th where it serves to choose the day's cap alone, else a 256th."""
    steps = CAP_STORED_STEPS if for_cap_alone else STORED_STEPS
    return round(steps * stored_kwh / most_kwh) / steps if most_kwh > 0.0 else 0.0


def sound_share(share: float, planned: float) -> float:
    """Sound storage over all: as planned while the true share is less than a 32nd away, else rounded to a 32nd.

    Failures of single units among many would else flip it, and make a plan, at every passing of half a step.
    """
    if share > 0.0 and planned > 0.0 and abs(share - planned) < (1.0 - 1e-9) / SOUND_STEPS:
        return planned
    return max(round(SOUND_STEPS * share), 1) / SOUND_STEPS


def peak_kw(paid_kw: float, charging_kw: float) -> float:
    """The month's peak, down to a 2048th of the charging power, for the plant lifts every cap to the true one [kW]."""
    step_kw = charging_kw / PEAK_STEPS
    return math.floor(paid_kw / step_kw + 1e-6) * step_kw
