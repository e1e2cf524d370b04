"""Clouds: how much of the clear-sky power a PV plant has in each hour, as keyed draws.

The clearness of a day is u^((1 - m) / m), with u uniform: a law on (0, 1) with mean m whose density grows towards the
clear sky. Within a day each hour is scattered about it by a factor 1 + 4 s d (1 - d) (2 v - 1), with d the day's
clearness and v uniform: clear and overcast days are steady, broken ones are not. Days are independent of each other.
"""

from __future__ import annotations

from typing import Any

from twin.chance.philox import uniform
from twin.kernel import kernel

Array = Any


@kernel
def clearness(
    day_key: Any,
    hour_key: Any,
    replication: Any,
    hour: Array,
    mean_fraction: float,
    scatter_fraction: float,
    out: Array,
) -> None:
    """Share of the clear-sky power in each hour.

    Args:
        day_key, hour_key: of the streams for days and for hours.
        replication: second key word.
        hour: int64 [n], numbers of the hours, ascending; hour // 24 numbers the day.
        mean_fraction: mean of the days, in (0, 1).
        scatter_fraction: s above, 0 to 0.5.
        out: float64 [n], written.
    """
    day, of_day = -1, 1.0
    for k in range(hour.size):
        if hour[k] // 24 != day:
            day = hour[k] // 24
            of_day = uniform(day_key, replication, day) ** ((1.0 - mean_fraction) / mean_fraction)
        spread = 4.0 * scatter_fraction * of_day * (1.0 - of_day)
        out[k] = of_day * (1.0 + spread * (2.0 * uniform(hour_key, replication, hour[k]) - 1.0))
