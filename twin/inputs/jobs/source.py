"""Opens a job record, keeps what a broken file still gives, and reads cells strictly."""

from __future__ import annotations

import csv
import io
import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from twin.errors import InputError, Problem
from twin.files import gunzip, read_bytes
from twin.inputs.jobs.schema import (
    BREAKS_OFF,
    BROKEN,
    ENDS_EARLY,
    NEVER_STARTED,
    NO_GPU,
    NO_TIME,
    NOT_ENDED,
    STARTS_EARLY,
    WRONG_CELL,
    JobRow,
    Rejected,
    RowError,
    Source,
)
from twin.inputs.table import GZIP_MAGIC, salvage

HEAD_BYTES = 4
LARGEST = 1e15
"""No time or count of a job is larger; whole numbers up to it are exact in a float64."""
NO_VALUE = frozenset({"", "none", "null", "nan", "nat", "unknown", "n/a", "na"})
"""Cells that say nothing; layouts differ in the word for it."""
_ODD = "\ufffd"
"""What undecodable bytes become."""

Cells = dict[str, str]
Entry = TypeVar("Entry")


def open_source(path: Path | str) -> Source:
    """Reads a file, plain or gzipped.

    A gzip file that breaks off gives the rows before the break, and the break as a rejected row.

    Raises:
        InputError: there is no such file, it cannot be read, is empty, or nothing can be got from its gzip.
    """
    path = Path(path)
    data = _bytes(path)
    if not data:
        raise InputError(Problem("the file is empty", str(path), 1, remedy="a job record has a head and rows"))
    broken: list[Rejected] = []
    if data.startswith(GZIP_MAGIC):
        try:
            data = gunzip(data)
        except OSError as error:
            raise InputError(Problem(f"the file cannot be read: {error.strerror}", str(path))) from error
        except (EOFError, zlib.error) as error:
            data = salvage(data)
            kind = "truncated" if isinstance(error, EOFError) else "broken"
            line = data.count(b"\n") + 1
            broken.append(Rejected(line, BREAKS_OFF, f"the gzip file is {kind} in this row", bad=True))
            data = data[: data.rfind(b"\n") + 1]
            if not data:
                problem = Problem(
                    f"the gzip file is {kind} in this row", str(path), line, remedy="fetch the file again"
                )
                raise InputError(problem) from error
    elif path.suffix == ".gz":
        raise InputError(Problem("the file is named .gz but is not gzip", str(path), 1))
    head = data[:HEAD_BYTES]
    return Source(path, head, "" if head == b"PAR1" else data.decode("utf-8-sig", errors="replace"), broken)


def _bytes(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except FileNotFoundError as error:
        raise InputError(Problem("there is no such file", str(path))) from error
    except OSError as error:
        raise InputError(Problem(f"the file cannot be read: {error.strerror}", str(path))) from error


def cells_of(
    source: Source, required: Sequence[str], convert: Callable[[int, Cells], JobRow], delimiter: str = ","
) -> Iterator[JobRow | Rejected]:
    """The rows of a table with a head line, each through `convert`, which raises `RowError` for those that are no job.

    Raises:
        InputError: a required column is not there, or a column is there twice.
    """
    reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=delimiter)
    header: list[str] | None = None
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Rejected(line, BROKEN, str(error), bad=True)
            line = reader.line_num + 1
            continue
        start, line = line, reader.line_num + 1
        if not any(cells):
            continue
        if header is None:
            header = _header(source, cells, required, start)
        elif len(cells) != len(header):
            yield Rejected(start, BROKEN, f"the row has {len(cells)} cells, the header {len(header)}", bad=True)
        elif any(_ODD in cell for cell in cells):
            yield Rejected(start, BROKEN, "the row is not UTF-8 text", bad=True)
        else:
            yield attempt(start, convert, dict(zip(header, cells, strict=True)))


def _header(source: Source, cells: list[str], required: Sequence[str], line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    missing = [name for name in required if name not in names]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    problems = [Problem(f"the column {name!r} is there twice", str(source.path), line) for name in twice]
    problems += [
        Problem(f"there is no column {name!r}", str(source.path), line, remedy=f"columns: {', '.join(names[:12])}")
        for name in missing
    ]
    if problems:
        raise InputError(problems)
    return names


def attempt(line: int, convert: Callable[[int, Entry], JobRow], entry: Entry) -> JobRow | Rejected:
    """A row's job, or the row rejected."""
    try:
        return convert(line, entry)
    except RowError as error:
        return error.at(line)


def says(text: str | None) -> bool:
    """Whether a cell says anything."""
    return text is not None and text.strip().lower() not in NO_VALUE


def number(name: str, text: str, *, minimum: float = 0.0) -> float:
    """A cell as a finite number.

    Raises:
        RowError: it is none, or below the minimum.
    """
    try:
        value = float(text)
    except ValueError as error:
        raise RowError(WRONG_CELL, f"{name} {text.strip()!r} is not a number") from error
    if not math.isfinite(value):
        raise RowError(WRONG_CELL, f"{name} {text.strip()!r} is not a finite number")
    if abs(value) > LARGEST:
        raise RowError(WRONG_CELL, f"{name} {text.strip()} is beyond {LARGEST:g}")
    if value < minimum:
        raise RowError(WRONG_CELL, f"{name} {text.strip()} must not be below {minimum:g}")
    return value


def count(name: str, text: str) -> int:
    """A cell as a whole number from 0.

    Raises:
        RowError: it is none.
    """
    value = number(name, text)
    if value != math.floor(value):
        raise RowError(WRONG_CELL, f"{name} {text.strip()} must be a whole number")
    return int(value)


def optional(name: str, text: str | None) -> float:
    """A cell as a number from 0; NaN where it says nothing."""
    return number(name, text) if text is not None and says(text) else math.nan


def checked(row: JobRow) -> JobRow:
    """The row, where it is a job that ran on GPUs.

    Raises:
        RowError: it is none, or its times contradict each other.
    """
    if not row.job_id:
        raise RowError(WRONG_CELL, "the job's id is empty")
    if row.gpus < 1:
        raise RowError(NO_GPU, f"job {row.job_id}", bad=False)
    if row.start_s < row.submit_s:
        raise RowError(STARTS_EARLY, f"job {row.job_id}, by {row.submit_s - row.start_s:g} s")
    if row.duration_s < 0.0:
        raise RowError(ENDS_EARLY, f"job {row.job_id}, by {-row.duration_s:g} s")
    if row.duration_s == 0.0:
        raise RowError(NO_TIME, f"job {row.job_id}", bad=False)
    return row


def span_s(job_id: str, start_s: float, end_s: float) -> float:
    """Run time from start to end [s]; negative where the row ends before it starts.

    Raises:
        RowError: there is no start, or no end.
    """
    if math.isnan(start_s):
        raise RowError(NEVER_STARTED, f"job {job_id}", bad=False)
    if math.isnan(end_s):
        raise RowError(NOT_ENDED, f"job {job_id}", bad=False)
    return end_s - start_s
