"""The YAML to paste: a fitted law, or the record itself to be resampled."""

from __future__ import annotations

from pathlib import Path

from twin.fitting.goodness import Fit
from twin.inputs.lifetimes_csv import HOURS_OF, Layout, Lifetimes


def law_block(key: str, fit: Fit, record: Lifetimes, path: Path) -> str:
    """A law as the value of a key, with its source."""
    values = ", ".join(f"{name}: {value:.6g}" for name, value in fit.law.parameters.items())
    censored = int((~record.observed).sum())
    source = f"fit of {path.name}: {len(record.hours)} durations, {censored} censored, maximum likelihood"
    return f'{key}: {{law: {fit.law.law}, {values}, source: "{source}"}}'


def record_block(key: str, layout: Layout, path: Path) -> str | None:
    """The record's own column as an empirical law; None where it has no column of durations, or censored ones."""
    if layout.column is None or layout.censored is not None:
        return None
    parts = [f"law: empirical, file: {path}, column: {layout.column}"]
    if layout.unit != "h":
        parts.append(f"multiply_by: {HOURS_OF[layout.unit]:.12g}")
    parts.append("minimum: 1.0e-9")
    if layout.where:
        parts.append("where: {" + ", ".join(f"{name}: {value!r}" for name, value in layout.where.items()) + "}")
    return f"{key}: {{{', '.join(parts)}}}"
