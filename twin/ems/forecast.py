"""What the coming slots will ask for, from the past alone, and how wrong such forecasts have been at this hour.

A base (mean of the last days at the same hour, or of the same weekdays, or of both: whichever erred least over the
past month), plus what present departures from it foretell: those of the last hour and of the last half day, by ridge
regression on the past month, which starts from a departure that fades. Forecasts of past days are made again, from
what was known then, so their errors are keyed by the hour of issue and nothing need be kept between plans.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel

Array = Any

DAYS = 7
WEEKS = 4
FADING = 0.9
"""Share of the last hour's departure that is left an hour later, before the past has been asked."""
RIDGE = 4.0
"""Weight of that belief, in days of experience."""
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
def _departures(history: Array, issue: int, day: int, method: int, out: Array) -> None:
    """Departure from the base of the last hour's slot, and the mean of the last half day's; 0 without a base."""
    half = min(day // 2, issue)
    out[0] = out[1] = 0.0
    for k in range(half):
        slot = issue - half + k
        away = history[slot] - _base(history, issue - half, slot, day, method)
        if np.isnan(away):
            continue
        out[0] = away
        out[1] += away / half


@inner
def _foretold(seen: Array, error: Array, day: int) -> Array:
    """(slots, 2) weights of the present departures, from (days, 2) past ones and (days, slots) what followed.

    A ridge of the noise's variance says beforehand that a departure foretells about itself: where the past has hardly
    departed (a flat load at midnight), a weight fitted to next to nothing would make megawatts of two kilowatts.
    """
    count, slots = error.shape
    fading = FADING ** (24.0 / day)
    weight = np.zeros((slots, 2))
    gram = np.zeros((2, 2))
    for j in range(count):
        for a in range(2):
            for b in range(2):
                gram[a, b] += seen[j, a] * seen[j, b]
    for a in range(2):
        gram[a, a] += RIDGE * gram[a, a] / max(count, 1) + 1e-9
    belief = 1.0
    for h in range(slots):
        belief *= fading
        weight[h, 0] = belief
        if count < 7:
            continue
        x = y = square = 0.0
        for j in range(count):
            rest = error[j, h] - belief * seen[j, 0]
            x += seen[j, 0] * rest
            y += seen[j, 1] * rest
            square += rest * rest
        noise = square / count
        own, other = gram[0, 0] + noise, gram[1, 1] + noise
        determinant = own * other - gram[0, 1] * gram[1, 0]
        if determinant > 0.0:
            weight[h, 0] += (other * x - gram[0, 1] * y) / determinant
            weight[h, 1] += (own * y - gram[1, 0] * x) / determinant
    return weight


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
    error = np.zeros((METHODS, count, slots))
    seen = np.zeros((METHODS, count, 2))
    weights = np.zeros((METHODS, slots, 2))
    best, best_square = 0, np.inf
    for method in range(METHODS if count >= 14 else 1):
        square = 0.0
        for j in range(count):
            issue = now - slots - j * day
            _departures(history, issue, day, method, seen[method, j])
            for h in range(slots):
                error[method, j, h] = history[issue + h] - _base(history, issue, issue + h, day, method)
        weights[method] = _foretold(seen[method], error[method], day)
        for j in range(count):
            for h in range(slots):
                for a in range(2):
                    error[method, j, h] -= weights[method, h, a] * seen[method, j, a]
                if h < day:
                    square += error[method, j, h] ** 2
        if square < best_square * (1.0 if method == 0 else 0.98):
            best, best_square = method, square
    forecast = np.zeros(slots)
    away = np.zeros(2)
    _departures(history, now, day, best, away)
    for h in range(slots):
        base = _base(history, now, now + h, day, best)
        forecast[h] = history[now - 1] if np.isnan(base) else base
        for a in range(2):
            forecast[h] += weights[best, h, a] * away[a]
    return forecast, forecast + error[best]
