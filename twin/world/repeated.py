"""Values of a day or a year that repeat, as steps of the plant from a scenario's start on."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.units import TICKS_PER_H
from twin.world.profile import EDGES_MAX

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def repeated(values: Floats, step_us: int, start: date, horizon_us: int) -> tuple[Ints, Floats]:
    """Ticks at which the value changes (the first is 0), and the values; the first of `values` is 1 January 00:00's.

    Raises:
        InputError: the horizon holds more steps than a plant can keep.
    """
    count = -(-horizon_us // step_us)
    if count > EDGES_MAX:
        years = EDGES_MAX * step_us / TICKS_PER_H / 8760
        message = f"values by the hour are for horizons of up to {years:.0f} years"
        raise InputError(Problem(message, remedy="shorten the horizon; run more replications"))
    since = (start - date(start.year, 1, 1)).days * 24 * TICKS_PER_H // step_us
    found = values[(since + np.arange(count)) % values.size]
    keep = np.append(True, found[1:] != found[:-1])
    return np.flatnonzero(keep) * step_us, found[keep]
