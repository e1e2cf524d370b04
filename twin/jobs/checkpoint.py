"""How often to save: optimal checkpoint intervals, and the time that a job takes with a given one.

A checkpoint after every `interval_h` of training costs `write_h`; failures come at random with mean training time
`mtbf_h` between them and throw the job back to its last checkpoint. Young, CACM 17 (1974); Daly, Future Generation
Computer Systems 22 (2006).
"""

from __future__ import annotations

import math


def young_h(write_h: float, mtbf_h: float) -> float:
    """Young's interval, sqrt(2 delta M) [h]."""
    return math.sqrt(2.0 * write_h * mtbf_h)


def daly_h(write_h: float, mtbf_h: float) -> float:
    """Daly's interval of higher order; M where a write takes twice as long as that, or longer [h]."""
    if write_h >= 2.0 * mtbf_h:
        return mtbf_h
    root = math.sqrt(write_h / (2.0 * mtbf_h))
    return young_h(write_h, mtbf_h) * (1.0 + root / 3.0 + root**2 / 9.0) - write_h


def optimal_h(write_h: float, mtbf_h: float) -> float:
    """The interval of least expected time, M (1 + W0(-exp(-1 - delta/M))) [h]; it does not depend on the restart."""
    # x = interval/M solves (1 - x) e^x = e^(-delta/M); x = 1 + W0. Newton from Daly's, which is close.
    target = math.exp(-write_h / mtbf_h)
    x = min(max(daly_h(write_h, mtbf_h) / mtbf_h, 1e-12), 1.0 - 1e-12)
    for _ in range(100):
        step = ((1.0 - x) * math.exp(x) - target) / (x * math.exp(x))
        x = min(max(x + step, 1e-12), 1.0)
        if abs(step) < 1e-14:
            break
    return mtbf_h * x


def expected_h(
    work_h: float, interval_h: float, write_h: float, mtbf_h: float, down_h: float, restart_h: float = 0.0
) -> float:
    """Expected time until `work_h` of training is done, e^(R/M) (M + D) (e^((tau + delta)/M) - 1) Ts/tau [h].

    Args:
        work_h: training to be done, whole intervals, the last with its checkpoint too.
        interval_h, write_h: tau and delta.
        mtbf_h: mean time between failures while the job trains, writes, or restarts (M).
        down_h: D, mean time from a failure to the next training in which no failure strikes.
        restart_h: R, time of a restart in which failures strike too.
    """
    cycle = math.expm1((interval_h + write_h) / mtbf_h)
    return math.exp(restart_h / mtbf_h) * (mtbf_h + down_h) * cycle * work_h / interval_h


INTERVALS = {"young": young_h, "daly": daly_h, "optimal": optimal_h}
"""Rules for an interval [h] by the job's write time and its own mean time between failures."""
