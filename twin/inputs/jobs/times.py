"""Dates, zones and spans of job records, as seconds.

All dates of a record must tell the same kind of time: either none has a zone, or all have an offset from UTC. Dates
with another offset than the first are exact instants and are converted; a date of the other kind is ambiguous, and its
row is rejected.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from twin.inputs.jobs.schema import MIXED_ZONES, WRONG_CELL, RowError, Source
from twin.inputs.jobs.source import says

_SPAN = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,9}):)?(\d{1,9}):(\d{1,9})(?:\.\d+)?", re.ASCII)
_FIRST_YEAR = 1970


class Clock:
    """Dates of one record as seconds after 1970 in the local time of its first date."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._offset: timedelta | None = None
        self._begun = False
        self._converted = False

    def seconds(self, name: str, text: str | None) -> float:
        """A cell with a date [s]; NaN where it says nothing.

        Raises:
            RowError: it is no date, or tells another kind of time than the record's first date.
        """
        if text is None or not says(text):
            return math.nan
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise RowError(WRONG_CELL, f"{name} {text.strip()!r} is not a date like 2024-05-01 08:30:00") from error
        if moment.year < _FIRST_YEAR:
            raise RowError(WRONG_CELL, f"{name} {text.strip()!r} is before {_FIRST_YEAR}")
        offset = moment.utcoffset()
        if not self._begun:
            self._begun, self._offset = True, offset
        if (offset is None) != (self._offset is None):
            has = "no zone" if offset is None else "a zone"
            first = "none" if self._offset is None else "one"
            raise RowError(MIXED_ZONES, f"{name} {text.strip()!r} has {has}, the record's first date has {first}")
        if offset is None or self._offset is None:
            return moment.replace(tzinfo=UTC).timestamp()
        if offset != self._offset and not self._converted:
            self._converted = True
            self._source.notes.append("dates have several offsets from UTC; all are converted to that of the first")
        return moment.timestamp() + self._offset.total_seconds()


def span(name: str, text: str) -> float:
    """A span like Slurm's, `[days-][hours:]minutes:seconds`, in s.

    Raises:
        RowError: it is none.
    """
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise RowError(WRONG_CELL, f"{name} {text.strip()!r} is not a span like 1-02:30:00")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return float(((days * 24 + hours) * 60 + minutes) * 60 + seconds)
