"""Money: where a yearly cost changes, fifty equally likely futures, and which input could turn the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from twin.plot import style

DOTS = 50


@dataclass(frozen=True)
class Change:
    """One line of a waterfall: a change in money a year, positive where the design costs more; ends nan if known."""

    name: str
    value: float
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class Swing:
    """One row of a tornado: an input between its bounds and what the result is there."""

    name: str
    low: float
    high: float
    at_low: float
    at_high: float


def waterfall(changes: Sequence[Change], ax: Axes | None = None, total: str = "net change") -> Axes:
    """Changes from zero, one after the other, and their sum; whiskers are 95 % intervals.

    Args:
        changes: in the order drawn; values in one unit.
        ax: where to draw; a new figure if None.
        total: name of the last bar.
    """
    ax = style.new_axes(ax)
    level = 0.0
    names: list[str] = []
    for k, one in enumerate(changes):
        colour = style.MUTE if one.value > 0 else style.DESIGNS[2]
        ax.bar(k, one.value, 0.7, level, color=colour, alpha=1.0 if one.value > 0 else 0.75)
        end = level + one.value
        if np.isfinite(one.low) and one.high > one.low:
            ax.vlines(k, level + one.low, level + one.high, color=style.INK, lw=1.2)
        up = one.value > 0
        ax.annotate(
            style.signed(one.value), (k, end), (0, 3 if up else -3), textcoords="offset points", ha="center",
            va="bottom" if up else "top", fontsize=style.FONT_PT, color=style.INK,
        )  # fmt: skip
        ax.hlines(end, k + 0.35, k + 0.65, color=style.DIM, lw=0.8)
        level = end
        names.append(one.name)
    ax.bar(len(changes), level, 0.7, color=style.DESIGNS[1])
    ax.annotate(
        style.signed(level), (len(changes), max(level, 0.0)), (0, 3), textcoords="offset points", ha="center",
        fontsize=style.FONT_PT, color=style.INK, weight="bold",
    )  # fmt: skip
    ax.axhline(0, color=style.INK, lw=0.8)
    turn = 30 if len(changes) > 5 else 0
    ax.set_xticks(range(len(changes) + 1), [*names, total], rotation=turn, ha="right" if turn else "center")
    low, high = ax.dataLim.intervaly  # bars stick to their ends: room for the numbers has to be asked for
    ax.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
    return ax


def return_dots(
    futures: Mapping[str, ArrayLike], ax: Axes | None = None, dots: int = DOTS, words: Mapping[str, str] = style.WORDS
) -> Axes:
    """Each design's distribution as equally likely dots; hollow ones lie below zero and can be counted.

    Dot k of m stands at the quantile (k - 1/2) / m (quantile dot plots; Kay and others, CHI 2016). Too few values for
    so many quantiles make as many dots as there are values.

    Args:
        futures: values by design, such as net present values; nan is left out.
        ax: where to draw; a new figure if None.
        dots: of each design.
        words: of `style.WORDS`, in another language.
    """
    ax = style.new_axes(ax, size_in=(5.6, 0.9 + 1.1 * len(futures)))
    ax.grid(visible=False)
    found = {}
    for design, raw in futures.items():
        values = np.asarray(raw, np.float64)
        values = values[np.isfinite(values)]
        count = min(dots, len(values))
        found[design] = np.quantile(values, (np.arange(count) + 0.5) / count) if count else values
    everything = np.concatenate([*found.values(), [0.0]])
    width = max(float(np.ptp(everything)), 1e-9) / 40
    base = 0.0
    for place, (design, at) in enumerate(found.items()):
        colour, _ = style.mark_of(place)
        columns = np.round(at / width).astype(int)
        height = np.zeros(len(at))
        for column in np.unique(columns):
            own = columns == column
            height[own] = np.arange(own.sum())
        filled = at >= 0
        for mask, face in ((filled, colour), (~filled, style.GROUND)):
            ax.scatter(columns[mask] * width, base + height[mask] + 0.6, 26, face, edgecolors=colour, linewidths=1.2)
        lost = int((~filled).sum())
        tallest = float(height.max(initial=0.0)) + 1.0
        name = style.brief(design)
        text = words["plot_lose"].format(design=name, count=lost, n=len(at))
        ax.text(
            0.0, base + tallest + 0.9, text, transform=ax.get_yaxis_transform(), color=colour, fontsize=style.FONT_PT
        )
        ax.axhline(base, color=style.RULE, lw=0.8)
        base += tallest + 3.0
    ax.axvline(0, color=style.INK, lw=0.8)
    ax.set_yticks([])
    ax.set_ylim(-0.5, base)
    return ax


def tornado(swings: Sequence[Swing], base: float, ax: Axes | None = None, most: int = 12) -> Axes:
    """What the result is with each input at its low (hollow) and high (filled) end, the widest on top.

    Args:
        swings: one an input.
        base: the result with every input at its value.
        ax: where to draw; a new figure if None.
        most: rows drawn at most.
    """
    order = sorted(swings, key=lambda one: abs(one.at_high - one.at_low), reverse=True)[:most]
    ax = style.new_axes(ax, size_in=(5.6, 0.8 + 0.36 * len(order)))
    ax.grid(visible=False)
    for row, one in enumerate(reversed(order)):
        for end, face in ((one.at_low, style.GROUND), (one.at_high, style.DIM)):
            ax.barh(row, end - base, 0.55, base, color=face, edgecolor=style.DIM, lw=1.0)
            ax.annotate(
                style.short(end), (end, row), (4 if end >= base else -4, 0), textcoords="offset points",
                ha="left" if end >= base else "right", va="center", fontsize=style.FONT_PT, color=style.INK,
            )  # fmt: skip
    names = [f"{_end_of(one.name)}\n{style.short(one.low)} to {style.short(one.high)}" for one in reversed(order)]
    ax.set_yticks(range(len(order)), names, fontsize=style.FONT_PT - 1)
    ax.axvline(base, color=style.INK, lw=1.0)
    ax.margins(x=0.15)
    return ax


def _end_of(path: str) -> str:
    """The end of a key path that still says what it is: two keys, three of capital."""
    parts = path.split(".")
    return ".".join(parts[-3:] if "capital" in parts else parts[-2:])
