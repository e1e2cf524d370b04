"""How figures look: palette, marks of designs, bare axes. The report swaps these very colours for its CSS variables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.estimate import number
from twin.words.english import PLOT

GROUND, INK, DIM, RULE, MUTE = "#ffffff", "#1a1d21", "#5b6570", "#d9dee3", "#c9ced4"
LOAD, GRID, PV, STORAGE, GENSET, OUTAGE = "#1a1d22", "#3d8fd1", "#c98500", "#b4508f", "#7a6a5a", "#c14a01"
DESIGNS = ("#0072b2", "#c14a00", "#00795a", "#8a4f9e", "#6b5b00")
"""Told apart under colour-blindness by mark and label too, never by colour alone."""
MARKS = ("o", "s", "^", "D", "X", "v", "p", "*", "<", ">")
SIZE_IN = (5.6, 3.2)
FONT_PT = 9.0
NAME_MAX = 24


WORDS = PLOT
"""Words inside figures; a caller may hand in those of another language."""


def mark_of(place: int) -> tuple[str, str]:
    """Colour and marker of the design in that place."""
    return DESIGNS[place % len(DESIGNS)], MARKS[place % len(MARKS)]


def new_axes(ax: Axes | None, title: str = "", size_in: tuple[float, float] = SIZE_IN) -> Axes:
    """`ax`, or the axes of a new figure, without frame; the title stands above the axis, horizontal."""
    if ax is None:
        # not pyplot: nothing is kept open behind the caller's back, and no display is asked for
        ax = Figure(figsize=size_in, layout="constrained").add_subplot()
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(DIM)
    ax.tick_params(length=0, labelsize=FONT_PT, labelcolor=INK)
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=RULE, linewidth=0.8)
    if title:
        ax.set_title(title, loc="left", fontsize=FONT_PT, color=INK)
    return ax


def name_x(ax: Axes, text: str) -> None:
    """The title of the x axis."""
    ax.set_xlabel(text, fontsize=FONT_PT, color=DIM)


def write(ax: Axes, x: float, y: float, text: str, colour: str = INK, **more: Any) -> None:
    """Text at a place in data coordinates."""
    ax.text(x, y, text, fontsize=FONT_PT, color=colour, **more)


def brief(name: str) -> str:
    """A name that leaves room for the figure: its beginning where it is long."""
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}\u2026"


def short(value: float) -> str:
    """A number for a mark or a tick: three significant digits, real minus."""
    if value == 0 or not math.isfinite(value):
        return number(value, 0)
    text = number(value, max(2 - math.floor(math.log10(abs(value))), 0))
    return text.rstrip("0").rstrip(".") if "." in text else text


def signed(value: float) -> str:
    """`short` with its sign."""
    return ("+" if value > 0 else "") + short(value)


def spread_labels(wanted: Sequence[float], gap: float) -> list[float]:
    """Heights of labels near those wanted, in the same order, at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    found = list(wanted)
    for below, own in itertools.pairwise(order):
        found[own] = max(found[own], found[below] + gap)
    return found
