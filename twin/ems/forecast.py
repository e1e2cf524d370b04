"""What the coming slots will ask for, from the past alone, and how wrong such forecasts have been at this hour.

A base (mean of the last days at the same hour, or of the same weekdays, or of both: whichever erred least over the
past month) plus the present departure from it, fading. Forecasts of past days are made again, from what was known
then, so their errors are keyed by the hour of issue and nothing need be kept between plans.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel

Array = Any

DAYS = 7
WEEKS = 4
FADING = 0.9
"""Share of the present departure from the base that is left an hour later."""
ERRORS = 28
METHODS = 3


@inner
def _mean_back(history: Array, issue: int, slot: int, period: int, most: int) -> float:
    """Mean of the last `most` values before `issue` that lie whole periods before `slot`; NaN if there is none."""
    total, found = 0.0, 0
    at = slot - ((slot - issue) // period + 1) * period
    while at >= 0 and found < most:
        total += history[at]
        found += 1
        at -= period
    return total / found if found else np.nan


@inner
def _base(history: Array, issue: int, slot: int, day: int, method: int) -> float:
    daily = _mean_back(history, issue, slot, day, DAYS)
    if method == 0:
        return daily
    weekly = _mean_back(history, issue, slot, 7 * day, WEEKS)
    if np.isnan(weekly):
        return daily
    return weekly if method == 1 else 0.5 * (daily + weekly)


@inner
def _predict(history: Array, issue: int, day: int, method: int, out: Array) -> None:
    departure = history[issue - 1] - _base(history, issue - 1, issue - 1, day, method)
    if np.isnan(departure):
        departure = 0.0
    fading = FADING ** (24.0 / day)
    for h in range(out.size):
        departure *= fading
        base = _base(history, issue, issue + h, day, method)
        out[h] = (history[issue - 1] if np.isnan(base) else base) + departure


@kernel
def predict(history: Array, day: int, slots: int) -> tuple[Array, Array]:
    """The forecast, and as it would have turned out with each past error.

    Args:
        history: (past slots,) values up to now, at least one.
        day: slots a day.
        slots: how many to forecast.

    Returns:
        (slots,) the forecast; (errors, slots) the forecast plus the error of each past day, newest first.
    """
    now = history.size
    count = max(0, min(ERRORS, (now - slots - day) // day + 1))
    made = np.zeros((METHODS, count, slots))
    error = np.zeros((METHODS, count, slots))
    best, best_square = 0, np.inf
    for method in range(METHODS if count >= 14 else 1):
        square = 0.0
        for j in range(count):
            issue = now - slots - j * day
            _predict(history, issue, day, method, made[method, j])
            for h in range(slots):
                error[method, j, h] = history[issue + h] - made[method, j, h]
                if h < day:
                    square += error[method, j, h] ** 2
        if square < best_square * (1.0 if method == 0 else 0.98):
            best, best_square = method, square
    forecast = np.zeros(slots)
    _predict(history, now, day, best, forecast)
    return forecast, forecast + error[best]
