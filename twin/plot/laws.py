"""Fitted laws beside the record they were fitted to."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from twin.plot import style


def fitted_laws(
    steps_h: ArrayLike, surviving: ArrayLike, laws: Mapping[str, tuple[ArrayLike, ArrayLike]], ax: Axes | None = None
) -> Axes:
    """Share of durations longer than t: the record as steps, every law as a curve.

    Args:
        steps_h: times at which the record's estimate falls [h], rising, (steps,).
        surviving: its value from each of them on, such as Kaplan and Meier's, (steps,).
        laws: by name the times [h] and the share surviving at each.
        ax: where to draw; a new figure if None.
    """
    ax = style.new_axes(ax, "share longer than t")
    ax.set_xscale("log")
    time_h, share = np.asarray(steps_h, np.float64), np.asarray(surviving, np.float64)
    ax.step(time_h, share, where="post", color=style.INK, lw=1.6)
    style.write(ax, float(time_h[0]), float(share[0]), "record", va="bottom")
    for place, (name, (at_h, curve)) in enumerate(laws.items()):
        colour, mark = style.mark_of(place)
        x = np.asarray(at_h, np.float64)
        ax.plot(
            x, np.asarray(curve, np.float64), color=colour, lw=1.2, marker=mark, markevery=max(len(x) // 6, 1), ms=4
        )
        ax.text(1.02, 0.95 - 0.09 * place, name, transform=ax.transAxes, color=colour, fontsize=style.FONT_PT)
    ax.set_ylim(0, 1.02)
    style.name_x(ax, "h")
    return ax
