"""What replications differ in: how bad a year can be, and the same year under two designs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator
from scipy.special import betaincinv

from twin.compare import HEADLINE, Comparison
from twin.estimate import number, round_to_error
from twin.plot import style

EXCEEDANCE_YEARS_MIN = 10
"""Fewer replications say nothing about a tail."""
_SHARES = (1, 2, 10, 50, 100, 500, 1000, 10_000, 100_000)


def exceedance(
    comparison: Comparison,
    metric: str = HEADLINE,
    ax: Axes | None = None,
    scale: float = 1e-3,
    words: Mapping[str, str] = style.WORDS,
) -> Axes:
    """Share of replications with more than x of a metric, for each design.

    The share of the k-th largest of n has the distribution Beta(k, n - k + 1): the band holds its middle 95 % (order
    statistics; David and Nagaraja, Order Statistics, 2003). Nothing is drawn past 1 in n.

    Args:
        comparison: designs on the same replications, at least `EXCEEDANCE_YEARS_MIN`.
        metric: its name.
        ax: where to draw; a new figure if None.
        scale: factor on the values, 1e-3 for thousands.
        words: of `style.WORDS`, in another language.

    Raises:
        ValueError: too few replications.
    """
    n = comparison.n
    if n < EXCEEDANCE_YEARS_MIN:
        raise ValueError(f"{n} replications show no tail: at least {EXCEEDANCE_YEARS_MIN} are needed")
    ax = style.new_axes(ax)
    rank = np.arange(1, n + 1)
    share = rank / n
    low, high = betaincinv(rank, n - rank + 1, 0.025), betaincinv(rank, n - rank + 1, 0.975)
    ax.set_yscale("log")
    ends, labels = [], []
    for place, design in enumerate(comparison.designs):
        colour, mark = style.mark_of(place)
        x = np.sort(comparison.column(design, metric))[::-1] * scale
        ax.fill_betweenx(share, np.interp(share, high, x), np.interp(share, low, x), color=colour, alpha=0.14, lw=0)
        ax.plot(x, share, color=colour, lw=1.6, marker=mark, markevery=[n // 10], ms=5)
        ends.append(float(x[n // 10]))
        labels.append((style.brief(design), colour))
    every = np.concatenate([comparison.column(design, metric) for design in comparison.designs]) * scale
    most, least = float(every.max()), float(every.min())
    ax.set_xlim(least - 0.05 * (most - least) if least > most / 2 else 0.0, most * 1.02 or 1.0)
    ax.set_ylim(1 / n, 1.0)
    _name_curves(ax, labels, ends, share[n // 10])
    ticks = [k for k in _SHARES if k < n] + [n]
    if len(ticks) > 1 and ticks[-1] < 1.5 * ticks[-2]:
        del ticks[-2]
    ax.set_yticks([1 / k for k in ticks])
    ax.yaxis.set_major_formatter(
        FuncFormatter(lambda y, _: words["plot_every"] if y > 0.99 else words["plot_one_in"].format(n=round(1 / y)))
    )
    ax.yaxis.set_minor_locator(NullLocator())
    return ax


def _name_curves(ax: Axes, labels: list[tuple[str, str]], at: list[float], share: float) -> None:
    """Names beside the curves with leaders to the marks, the leftmost curve on top, so that no two cross."""
    order = sorted(range(len(labels)), key=lambda k: at[k])
    for row, k in enumerate(order):
        name, colour = labels[k]
        ax.annotate(
            name, (at[k], share), (1.02, 0.97 - 0.09 * row), textcoords="axes fraction", color=colour,
            fontsize=style.FONT_PT, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": style.RULE, "lw": 0.8, "shrinkA": 0, "shrinkB": 3},
        )  # fmt: skip


def paired_differences(
    comparison: Comparison,
    design: str,
    metric: str = HEADLINE,
    ax: Axes | None = None,
    scale: float = 1e-3,
    words: Mapping[str, str] = style.WORDS,
) -> Axes:
    """One bar a replication, sorted: the design less the reference; line and band are mean and 95 % interval.

    Args:
        comparison: designs on the same replications.
        design: one that is not the reference.
        metric: its name.
        ax: where to draw; a new figure if None.
        scale: factor on the values, 1e-3 for thousands.
        words: of `style.WORDS`, in another language.
    """
    ax = style.new_axes(ax)
    reference = comparison.reference
    difference = np.sort(comparison.column(design, metric) - comparison.column(reference, metric)) * scale
    paired = comparison.paired(design, reference, metric)
    n = len(difference)
    edges = np.arange(n + 1)
    for sign, name in ((-1, design), (1, reference)):
        colour = style.mark_of(comparison.designs.index(name))[0]
        part = np.where(np.sign(difference) == sign, difference, 0.0)
        ax.fill_between(edges, np.append(part, part[-1]), step="post", color=colour, alpha=0.8, lw=0)
    ax.axhline(0, color=style.INK, lw=0.8)
    one = paired.estimate
    if n > 1 and one.standard_error > 0:
        ax.axhspan(one.low * scale, one.high * scale, color=style.INK, alpha=0.14, lw=0)
    ax.axhline(one.mean * scale, color=style.INK, lw=1.4)
    rounded = round_to_error(one, scale)
    text = f"{rounded.value} ({rounded.interval})" if rounded.interval else rounded.value
    at = one.high if one.mean > 0 else one.low
    above = one.mean > 0
    ends = at if np.isfinite(at) else one.mean
    told = words["plot_mean"].format(text=text)
    ax.annotate(
        told, (n, ends * scale), xytext=(0, 3 if above else -3), textcoords="offset points",
        ha="right", va="bottom" if above else "top", fontsize=style.FONT_PT, color=style.INK, weight="bold",
        bbox={"facecolor": style.GROUND, "alpha": 0.8, "lw": 0, "pad": 1},
    )  # fmt: skip
    lower, higher = int((difference < 0).sum()), int((difference > 0).sum())
    ax.margins(x=0.01, y=0.15)
    for count, word, x, align in ((lower, "less", 0.02, "left"), (higher, "more", 0.98, "right")):
        if count:
            y = 0.04 if word == "less" else 0.96
            known = {"design": style.brief(design), "count": number(count, 0), "n": number(n, 0)}
            text = words[f"plot_{word}"].format(**known)
            ax.text(
                x, y, text, transform=ax.transAxes, ha=align,
                va="bottom" if word == "less" else "top", fontsize=style.FONT_PT, color=style.INK,
            )  # fmt: skip
    ax.set_xticks([])
    return ax
