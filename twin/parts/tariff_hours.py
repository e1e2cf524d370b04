"""Hours of a time-of-use tariff: which period each quarter-hour of a day lies in, by season and type of day."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from twin.spec import Spec
from twin.tariff_terms import PERIODS

SLOTS = 96
"""Quarter-hours of a day."""
Period = Literal["sharp", "peak", "flat", "valley", "deep"]
Month = Annotated[int, Field(ge=1, le=12)]
_RANGE = re.compile(r"(\d{1,2})(?::(00|15|30|45))?-(\d{1,2})(?::(00|15|30|45))?")


def slots_of(text: str) -> list[int]:
    """Quarter-hours that hours like "8-12, 13:30-15" name; "22-6" goes on after midnight.

    Raises:
        ValueError: the text is not of this form.
    """
    found: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        begin, end = (_slot(match[k], match[k + 1]) for k in (1, 3)) if match else (SLOTS, SLOTS)
        if match is None or begin >= SLOTS or end > SLOTS or begin == end:
            raise ValueError(f'must be hours like "8-12, 13:30-15" up to 24, is "{text}"')
        found += range(begin, end) if begin < end else [*range(begin, SLOTS), *range(end)]
    return found


def _slot(hour: str, minute: str | None) -> int:
    return int(hour) * 4 + int(minute or 0) // 15


def clock_text(slots: list[int]) -> str:
    """Quarter-hours as hours for people, e.g. "7:00-10:00, 22:00-24:00"."""
    spans: list[list[int]] = []
    for k in sorted(set(slots)):
        if spans and spans[-1][1] == k:
            spans[-1][1] = k + 1
        else:
            spans.append([k, k + 1])
    return ", ".join(f"{a // 4}:{a % 4 * 15:02d}-{b // 4}:{b % 4 * 15:02d}" for a, b in spans)


class DaySpec(Spec):
    """The periods of a day, each as hours in local standard time; every quarter-hour belongs to one of them."""

    sharp: str | None = Field(default=None, description='hours like "18-21" or "8:30-11, 22-6"')
    peak: str | None = Field(default=None, description="the same for peak")
    flat: str | None = Field(default=None, description="the same for flat")
    valley: str | None = Field(default=None, description="the same for valley")
    deep: str | None = Field(default=None, description="the same for deep valley")
    other_hours: Period | None = Field(default=None, description="the period of all hours that are not listed")

    @field_validator(*PERIODS)
    @classmethod
    def _are_hours(cls, text: str | None) -> str | None:
        if text is not None:
            slots_of(text)
        return text

    @model_validator(mode="after")
    def _each_hour_once(self) -> Self:
        owner: dict[int, str] = {}
        for period in PERIODS:
            for span in filter(None, (getattr(self, period) or "").split(",")):
                own, slots = f'{period} "{span.strip()}"', slots_of(span)
                twice = [slot for slot in slots if slot in owner]
                if twice:
                    others = dict.fromkeys(owner[slot] for slot in twice)
                    raise ValueError(
                        f"{clock_text(twice)} belong to two periods: {' and '.join([*others, own])}"
                        " (shorten one of them)"
                    )
                owner |= dict.fromkeys(slots, own)
        missing = [slot for slot in range(SLOTS) if slot not in owner]
        if missing and self.other_hours is None:
            raise ValueError(f"{clock_text(missing)} belong to no period (list them, or say other_hours: flat)")
        return self

    def periods(self) -> NDArray[np.int64]:
        """The period of every quarter-hour, as a place in `PERIODS` (96,)."""
        found = np.full(SLOTS, PERIODS.index(self.other_hours) if self.other_hours else -1, np.int64)
        for number, period in enumerate(PERIODS):
            if getattr(self, period):
                found[slots_of(getattr(self, period))] = number
        return found


class PricesSpec(Spec):
    """Price of each period, everything included that is charged by the kWh and not listed as a surcharge."""

    sharp: float | None = Field(default=None, description="of sharp hours, per kWh")
    peak: float | None = Field(default=None, description="of peak hours, per kWh")
    flat: float | None = Field(default=None, description="of flat hours, per kWh")
    valley: float | None = Field(default=None, description="of valley hours, per kWh")
    deep: float | None = Field(default=None, description="of deep-valley hours, per kWh")


class SeasonSpec(Spec):
    """Months with the same hours."""

    months: list[Month] = Field(min_length=1, description="numbers from 1, January, to 12")
    weekday: DaySpec
    weekend: DaySpec | None = Field(default=None, description="Saturday and Sunday; as on weekdays if absent")
    holiday: DaySpec | None = Field(default=None, description="the tariff's holidays; as on weekends if absent")
    price_per_kwh: PricesSpec | None = Field(default=None, description="prices that differ in this season")

    @property
    def days(self) -> tuple[DaySpec, DaySpec, DaySpec]:
        """Weekday, weekend and holiday."""
        weekend = self.weekend or self.weekday
        return self.weekday, weekend, self.holiday or weekend
