"""Survival of a record beside its fitted laws, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from twin.errors import InputError, Problem
from twin.fitting.goodness import Fit, product_limit
from twin.inputs.lifetimes_csv import Lifetimes


def draw(record: Lifetimes, fits: Sequence[Fit], title: str, path: Path) -> None:
    """Write a picture; its kind follows the file's name (png, svg, pdf).

    Raises:
        InputError: the file cannot be written.
    """
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.add_subplot()
    times, left = product_limit(record.hours, record.observed)
    axes.step(
        np.append(times[0], times), np.append(1.0, left), where="post", color="black", label="record (Kaplan-Meier)"
    )
    censored = record.hours[~record.observed]
    if censored.size:
        heights = np.append(1.0, left)[np.searchsorted(times, censored, side="right")]
        axes.plot(censored, heights, "|", color="black", label="not ended")
    span = np.geomspace(record.hours[0], record.hours[-1], 400)
    for fit in fits:
        axes.plot(span, fit.law.survival(span), label=f"{fit.law.law}, AIC {fit.aic:,.0f}")
    axes.set_xscale("log")
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel("duration [h]")
    axes.set_ylabel("share that lasts longer")
    axes.set_title(title)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise InputError(Problem(f"the plot cannot be written: {error}", str(path))) from error
