"""A quantity that follows the clock: 24 numbers for every day, or a record of a year from a CSV file.

A profile becomes edges of the plant, walked in compiled code; it costs no event. Between edges its value is constant.
A record begins on 1 January 00:00 of the year in which the scenario starts and must reach its end, or say how it goes
on: `repeat: yearly` begins it anew every 1 January (a record of 365 days gives 29 February the values of the 28th, one
of 366 days leaves its own out in other years), `repeat: end_to_end` as soon as it is over.
"""

from __future__ import annotations

from datetime import date
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from twin.errors import InputError, Problem
from twin.inputs.table import read_table
from twin.spec import Positive, Spec
from twin.units import TICKS_PER_H

QUARTER_US, DAY_US, YEAR_US = TICKS_PER_H // 4, 24 * TICKS_PER_H, 8760 * TICKS_PER_H
EDGES_MAX = 4_000_000
"""Edges of one site; beyond, a horizon of years is too long for a profile (35,040 quarter-hours a year)."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


_FEBRUARY_29 = 59
"""Its place in a year that has it, from 0."""


class Clockwork(Protocol):
    """Whatever follows the clock alone: it becomes one row of the plant's edges."""

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which the value changes, the first of them 0, and the values."""


class ProfileSpec(Spec):
    """Values by local standard time: one day that repeats, or a record from 1 January on."""

    hourly: list[float] | None = Field(default=None, min_length=24, max_length=24, description="value of each hour")
    file: str | None = Field(default=None, description="CSV record, from 1 January 00:00 on")
    column: str | None = Field(default=None, description="its column")
    step_min: Literal[15, 30, 60] = Field(default=60, description="time between the record's rows")
    interpolation: Literal["step", "linear"] = Field(
        default="step", description="linear: quarter-hours between the values, each at its interval's start"
    )
    repeat: Literal["yearly", "end_to_end"] | None = Field(
        default=None, description="how a record shorter than the horizon goes on: anew every 1 January, or when it ends"
    )
    multiply_by: Positive = Field(
        default=1.0, description="brings the values to the unit of the key that holds the profile"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.hourly is None) == (self.file is None):
            raise ValueError("give hourly (24 values) or file, and not both")
        if (self.file is None) != (self.column is None):
            raise ValueError("a file needs its column, and a column its file")
        if self.hourly is not None and self.repeat is not None:
            raise ValueError("repeat is for records; 24 hourly values repeat every day")
        return self

    def values(self) -> tuple[Floats, int]:
        """All values of a period, and the ticks from one to the next [us]."""
        if self.hourly is not None:
            values, step_us = np.array(self.hourly), TICKS_PER_H
        else:
            assert self.file is not None
            assert self.column is not None
            table = read_table(self.file, [self.column])
            values, step_us = table.numbers(self.column), self.step_min * (TICKS_PER_H // 60)
            table.refuse()
        if self.interpolation == "linear":
            parts = step_us // QUARTER_US
            places = np.arange(values.size * parts) / parts
            values = np.interp(places, np.arange(values.size + 1), np.append(values, values[0]))
            step_us = QUARTER_US
        return values * self.multiply_by, step_us

    def shape(self) -> Self:
        """The same profile as fractions of its largest value.

        Raises:
            InputError: a value is negative, or none is above zero.
        """
        values, _ = self.values()
        if values.min() < 0.0 or values.max() <= 0.0:
            raise InputError(Problem("a load shape must not be negative, and somewhere above zero", file=self.file))
        return self.model_copy(update={"multiply_by": self.multiply_by / float(values.max())})

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """The profile from the scenario's start: ticks at which the value changes (the first is 0), and the values.

        Raises:
            InputError: the horizon holds more changes than a plant can keep, or the record ends before it.
        """
        values, step_us = self.values()
        count = -(-horizon_us // step_us)
        guard_edges(count, step_us, self.file)
        a_day = DAY_US // step_us
        if self.hourly is not None:
            place = np.arange(count) % values.size
        else:
            days = np.arange(-(-count // a_day))
            first = self._days_of_record(start, days, values.size, a_day, count) * a_day
            place = (first[:, None] + np.arange(a_day)).reshape(-1)[:count] % values.size
        return changes(values[place], step_us)

    def _days_of_record(self, start: date, days: Ints, size: int, a_day: int, count: int) -> Ints:
        """Which day of the record each day of the horizon takes, from 0."""
        since = (start - date(start.year, 1, 1)).days
        if self.repeat == "end_to_end" or (self.repeat is None and since * a_day + count <= size):
            return since + days
        has_h = size * 24 / a_day
        if self.repeat is None:
            needs_h = (since * a_day + count) * 24 / a_day
            message = f"the record ends {has_h:g} h after 1 January, the horizon {needs_h:g} h"
            how = (
                "yearly"
                if 365 * a_day <= size <= 366 * a_day
                else "end_to_end, give a whole year and say repeat: yearly"
            )
            raise InputError(Problem(message, file=self.file, remedy=f"say repeat: {how}, or shorten the horizon"))
        if not 365 * a_day <= size <= 366 * a_day:
            message = f"repeat: yearly needs a record of one year, this one has {has_h:g} h"
            raise InputError(Problem(message, file=self.file, remedy="say repeat: end_to_end"))
        date_of = np.datetime64(start, "D") + days.astype("timedelta64[D]")
        year = date_of.astype("datetime64[Y]")
        day: Ints = (date_of - year).astype(np.int64)
        next_year = year + np.timedelta64(1, "Y")
        length = (next_year.astype("datetime64[D]") - year.astype("datetime64[D]")).astype(np.int64)
        if size < 366 * a_day:
            shift: Ints = np.where((length == 366) & (day >= _FEBRUARY_29), -1, 0)
        else:
            shift = np.where((length == 365) & (day >= _FEBRUARY_29), 1, 0)
        return day + shift


class Grown:
    """A load shape that grows by a share each year of 8760 h, as shares of its largest value in the whole horizon."""

    def __init__(self, shape: Clockwork | None, growth_per_year: float, horizon_us: int) -> None:
        self._shape, self._growth = shape, growth_per_year
        years = max(-(-horizon_us // YEAR_US), 1)
        self.largest = max(1.0, (1.0 + growth_per_year) ** (years - 1))
        """Of the first year's largest value."""

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which shape or year changes, and the shares."""
        every_us, shape = _by_year(self._shape, start, horizon_us)
        return every_us, shape * (1.0 + self._growth) ** (every_us // YEAR_US) / self.largest


class Filling:
    """A load shape that begins below its full height and grows by a share each year of 8760 h until it has it."""

    def __init__(self, shape: Clockwork | None, first_year_fraction: float, growth_per_year: float) -> None:
        self._shape, self._first, self._growth = shape, first_year_fraction, growth_per_year

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which shape or year changes, and the shares."""
        every_us, shape = _by_year(self._shape, start, horizon_us)
        return every_us, shape * np.minimum(self._first * (1.0 + self._growth) ** (every_us // YEAR_US), 1.0)


def _by_year(shape: Clockwork | None, start: date, horizon_us: int) -> tuple[Ints, Floats]:
    """Ticks at which a shape or the year changes, and the shape; without one it is 1."""
    at_us, values = shape.steps(start, horizon_us) if shape else (np.zeros(1, np.int64), np.ones(1))
    every_us = np.unique(np.concatenate([at_us, np.arange(0, horizon_us, YEAR_US)]))
    return every_us, values[np.searchsorted(at_us, every_us, side="right") - 1]


def guard_edges(count: int, step_us: int, file: str | None = None) -> None:
    """Refuse a horizon that holds more values than a plant can keep.

    Raises:
        InputError: see above.
    """
    if count > EDGES_MAX:
        years = EDGES_MAX * step_us / TICKS_PER_H / 8760
        message = f"a profile with a value every {step_us / TICKS_PER_H:g} h is for horizons of up to {years:.0f} years"
        raise InputError(Problem(message, file=file, remedy="shorten the horizon; run more replications"))


def changes(found: Floats, step_us: int) -> tuple[Ints, Floats]:
    """Values at equal steps, kept where they change: ticks and values."""
    keep = np.append(True, found[1:] != found[:-1])
    return np.flatnonzero(keep) * step_us, found[keep]


def months(start: date, horizon_us: int) -> NDArray[np.int64]:
    """Ticks at which the billing months within the horizon begin, in local standard time; the first is 0."""
    day = np.datetime64(start, "D")
    month = np.timedelta64(1, "M")
    first = day.astype("datetime64[M]")
    last = (day + np.timedelta64(-(-horizon_us // (24 * TICKS_PER_H)), "D")).astype("datetime64[M]")
    begin = np.arange(first + month, last + month).astype("datetime64[D]")
    ticks_ = (begin - day) / np.timedelta64(1, "D") * (24 * TICKS_PER_H)
    within: NDArray[np.int64] = ticks_[ticks_ < horizon_us].astype(np.int64)
    return np.append(0, within)
