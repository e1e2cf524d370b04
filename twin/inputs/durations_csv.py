"""Reads durations (of outages, of repairs) from one column of a CSV file, for an empirical law."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.errors import InputError, Problem
from twin.inputs.table import Floats, Table, read_table

VALUES_NAMED_MAX = 8


@dataclass(frozen=True)
class DurationRecord:
    """Durations and how many rows did not give one."""

    durations: Floats
    """Ascending, above 0, in the unit of the column times `multiply_by`."""
    empty_rows: int
    """Matching rows whose cell is empty: skipped."""
    cut_rows: int
    """Matching rows below the minimum or above the maximum: left out."""


def read_durations(
    path: Path | str,
    column: str,
    *,
    where: dict[str, str] | None = None,
    multiply_by: float = 1.0,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Floats:
    """The durations of `read_duration_record`, ascending and above 0."""
    record = read_duration_record(path, column, where=where, multiply_by=multiply_by, minimum=minimum, maximum=maximum)
    return record.durations


def read_duration_record(
    path: Path | str,
    column: str,
    *,
    where: dict[str, str] | None = None,
    multiply_by: float = 1.0,
    minimum: float | None = None,
    maximum: float | None = None,
) -> DurationRecord:
    """Reads a column of durations.

    Args:
        path: CSV file, plain or gzipped.
        column: the column with the durations.
        where: take only rows with these texts in these columns, e.g. {"cause": "equipment failure"}.
        multiply_by: conversion to the wanted unit, above 0 (1/60 from minutes to hours).
        minimum: durations below this, after conversion, are cut; without it, any not above 0 is an error.
        maximum: durations above this, after conversion, are cut.

    Raises:
        InputError: the file cannot be read (see `read_table`), rows are wrong, no rows are left (the values of the
            column in `where` are named), or `multiply_by` is not a positive number.
    """
    if not (np.isfinite(multiply_by) and multiply_by > 0.0):
        raise InputError(Problem(f"{multiply_by} must be a finite number above 0", key="multiply_by"))
    table = read_table(path, [column, *(where or {})])
    for name, value in (where or {}).items():
        table = matching(table, name, value)
    values = table.numbers(column, blank_is_nan=True) * multiply_by
    lower = -np.inf if minimum is None else minimum
    upper = np.inf if maximum is None else maximum
    cut = (values < lower) | (values > upper)
    for row in np.flatnonzero((values <= 0.0) & ~cut).tolist():
        table.fault(row, column, f"{table.columns[column][row].strip()} is not above 0 (a minimum would cut it)")
    table.refuse()
    empty = np.isnan(values)
    durations = np.sort(values[~empty & ~cut])
    if not len(durations):
        message = f"no durations are left: {len(table)} rows, {empty.sum()} of them empty, {cut.sum()} cut"
        raise InputError(Problem(message, str(path), key=column))
    return DurationRecord(durations, int(empty.sum()), int(cut.sum()))


def matching(table: Table, name: str, value: str) -> Table:
    """The rows that have `value` in the column `name`.

    Raises:
        InputError: there is none; the most frequent values are named.
    """
    texts = table.columns[name]
    matches = np.fromiter((text == value for text in texts), np.bool_, len(texts))
    if matches.any():
        return table.keep(matches)
    table.refuse()
    common = [repr(text) for text, _ in Counter(texts).most_common(VALUES_NAMED_MAX)]
    more = ", ..." if len(set(texts)) > VALUES_NAMED_MAX else ""
    remedy = f"values there: {', '.join(common)}{more}"
    raise InputError(Problem(f"no row has {value!r} in this column", str(table.path), key=name, remedy=remedy))
