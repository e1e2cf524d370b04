"""Which outages are ridden through, against how long they last; state of charge and heat as they were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray
from scipy.special import betaincinv

from twin.plot import style
from twin.plot.operation import away_spans_h
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]
Bool = NDArray[np.bool_]

_TICKS_H = {1 / 3600: "1 s", 1 / 60: "1 min", 0.1: "6 min", 0.5: "30 min", 1: "1 h", 2: "2 h", 4: "4 h", 8: "8 h"}
_TICKS_H |= {24: "1 d", 72: "3 d", 168: "7 d"}
_BINS_MAX, _BIN_OUTAGES = 12, 8
SURVIVAL_OUTAGES_MIN = 2 * _BIN_OUTAGES
"""Fewer make no two groups to compare."""


@dataclass(frozen=True)
class Outages:
    """Interruptions of a site's supply: how long, and whether every load point stayed energised."""

    duration_h: Float
    survived: Bool

    @classmethod
    def joined(cls, some: Sequence[Outages]) -> Outages:
        """All of them, in their order; of at least one."""
        return cls(np.concatenate([one.duration_h for one in some]), np.concatenate([one.survived for one in some]))


def outages_of(traces: Sequence[Trace], kinds: tuple[str, ...] = ("row", "core")) -> Outages:
    """The supply interruptions of some traces (any level).

    One begins when the last feeder of a site loses supply and ends when the first has it again; it is ridden through if
    no load point of `kinds` went dark until then, by whatever cause.
    """
    durations: list[float] = []
    survived: list[bool] = []
    for trace in traces:
        horizon_h = trace.meta["horizon_us"] / TICKS_PER_H
        for place, site in enumerate(trace.meta["sites"]):
            dark_h = _goes_dark_h(trace, place, kinds)
            for start_h, end_h in away_spans_h(trace, site):
                if end_h < horizon_h:  # how long the last one would have been is not known
                    durations.append(end_h - start_h)
                    survived.append(not ((dark_h >= start_h) & (dark_h <= end_h)).any())
    return Outages(np.array(durations), np.array(survived, bool))


def _goes_dark_h(trace: Trace, site: int, kinds: tuple[str, ...]) -> Float:
    events = trace.events
    points = [k for k, kind in enumerate(trace.items["kind"]) if kind in kinds and trace.items["site"][k] == site]
    own = (events["what"] == trace.what("lit")) & (events["value"] == 0) & np.isin(events["item"], points)
    return np.asarray(events["time_us"][own] / TICKS_PER_H)


def survival(outages: Mapping[str, Outages], ax: Axes | None = None) -> Axes:
    """Share of outages ridden through against their length, with 95 % Clopper-Pearson bands.

    Outages are gathered in groups of like number by length; a mark stands at each group's median.

    Args:
        outages: by design; those without one are left out.
        ax: where to draw; a new figure if None.
    """
    ax = style.new_axes(ax)
    ax.set_xscale("log")
    shown = [(k, name, one) for k, (name, one) in enumerate(outages.items()) if len(one.duration_h)]
    ends = []
    for place, name, one in shown:
        colour, mark = style.mark_of(place)
        x, share, low, high = _groups(one)
        ax.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)
        ax.plot(x, share, color=colour, lw=1.6, marker=mark, ms=5, clip_on=False)
        ends.append((x[-1], share[-1], style.brief(name), colour))
    heights = style.spread_labels([share for _, share, _, _ in ends], 0.08)
    for (_, _, name, colour), height in zip(ends, heights, strict=True):
        ax.text(1.02, height, name, transform=ax.transAxes, color=colour, fontsize=style.FONT_PT, va="center")
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{100 * y:.0f} %"))
    ax.xaxis.set_major_locator(FixedLocator(_ticks(*ax.get_xlim())))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _TICKS_H.get(x, "")))
    ax.xaxis.set_minor_locator(NullLocator())
    return ax


def _ticks(low: float, high: float) -> list[float]:
    """Those of `_TICKS_H` that have room on the axis."""
    room = np.log(high / low) / 7
    found: list[float] = []
    for tick in _TICKS_H:
        if low <= tick <= high and (not found or np.log(tick / found[-1]) >= room):
            found.append(tick)
    return found


def _groups(outages: Outages) -> tuple[Float, Float, Float, Float]:
    """Median length [h], share, and its Clopper-Pearson ends, of each group of outages by length."""
    order = np.argsort(outages.duration_h, kind="stable")
    groups = np.array_split(order, min(_BINS_MAX, max(len(order) // _BIN_OUTAGES, 1)))
    length = np.array([np.median(outages.duration_h[group]) for group in groups])
    n = np.array([len(group) for group in groups])
    k = np.array([np.count_nonzero(outages.survived[group]) for group in groups])
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, 0.025), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 0.975), 1.0)
    return length, k / n, low, high
