"""Between plant and network: what buses draw, and the utility's meter: 15-minute means, the largest of each month."""

from __future__ import annotations

from typing import Any

from twin.kernel import inner, kernel
from twin.plant import fields as f
from twin.units import TICKS_PER_H

Array = Any
QUARTER_US = f.QUARTER_US


@inner
def meter(start_us: int, end_us: int, power: float, quarter_kwh: Array, at: int, ledger: Array, month: int) -> None:
    """15-minute means over [start, end) at constant power, in closed form; keeps the month's largest.

    `quarter_kwh[at]` is what the quarter-hour at hand has taken so far.
    """
    quarter_end = (start_us // QUARTER_US + 1) * QUARTER_US
    if end_us < quarter_end:
        quarter_kwh[at] += power * ((end_us - start_us) / TICKS_PER_H)
        return
    mean = (quarter_kwh[at] + power * ((quarter_end - start_us) / TICKS_PER_H)) * (TICKS_PER_H / QUARTER_US)
    whole = (end_us - quarter_end) // QUARTER_US
    if whole > 0 and power > mean:
        mean = power
    if mean > ledger[f.LEDGER_PEAK_KW, month]:
        ledger[f.LEDGER_PEAK_KW, month] = mean
    quarter_kwh[at] = power * ((end_us - quarter_end - whole * QUARTER_US) / TICKS_PER_H)


@kernel
def meter_spans(
    start_us: Array, end_us: Array, power_kw: Array, month_us: Array, quarter_kwh: Array, ledger: Array
) -> None:
    """Meter spans of constant power, in time order, each split at the months' edges.

    Args:
        start_us, end_us: (spans,) ticks.
        power_kw: (spans,) import.
        month_us: (months,) ticks at which months begin.
        quarter_kwh: (1,) what the quarter-hour at hand has taken so far; carried from call to call.
        ledger: its row of peaks is written.
    """
    month = 0
    for k in range(start_us.size):
        at = start_us[k]
        while month + 1 < month_us.size and month_us[month + 1] <= at:
            month += 1
        while at < end_us[k]:
            until = end_us[k]
            if month + 1 < month_us.size and month_us[month + 1] < until:
                until = month_us[month + 1]
            meter(at, until, power_kw[k], quarter_kwh, 0, ledger, month)
            at = until
            if month + 1 < month_us.size and month_us[month + 1] <= at:
                month += 1


@kernel
def place_draws(
    draw_kw: Array,
    link: Array,
    bus: Array,
    share: Array,
    iron_kw: Array,
    tan_phi: float,
    reactive: int,
    p_kw: Array,
    q_kvar: Array,
) -> None:
    """Put what links draw at their buses.

    Args:
        draw_kw: (cases, links).
        link, bus, share: (pairs,) the share of a link's draw at a bus.
        iron_kw: (buses,) drawn besides, without reactive power.
        tan_phi: reactive over active power of the first links' draws.
        reactive: how many links these are; those behind them, PV, draw at power factor 1.
        p_kw, q_kvar: (cases, buses), overwritten.
    """
    for case in range(p_kw.shape[0]):
        for b in range(p_kw.shape[1]):
            p_kw[case, b] = q_kvar[case, b] = 0.0
        for k in range(link.size):
            kw = share[k] * draw_kw[case, link[k]]
            p_kw[case, bus[k]] += kw
            if link[k] < reactive:
                q_kvar[case, bus[k]] += kw
        for b in range(p_kw.shape[1]):
            q_kvar[case, b] *= tan_phi
            p_kw[case, b] += iron_kw[b]
