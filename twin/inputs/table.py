"""Reads a CSV file (plain or gzipped) into named columns, and says by row what is wrong with it."""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import itertools
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.files import expansion_max, gunzip, read_bytes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROWS_NAMED_MAX = 10
WHOLE_NUMBER_MAX = 2**53
"""Whole numbers above this are not exact in a float64."""
GZIP_MAGIC = b"\x1f\x8b"


class Fault(NamedTuple):
    """One thing wrong with one row: its line in the file (1-based, the header is line 1), column and message."""

    line: int
    column: str | None
    message: str


@dataclass(frozen=True)
class Table:
    """The rows of a CSV file as columns of text. Readers call `refuse` once they have taken what they need."""

    path: Path
    columns: dict[str, tuple[str, ...]]
    lines: Ints
    """The line of the file on which each row starts [n]."""
    faults: list[Fault] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def require(self, *names: str) -> None:
        """Checks that columns are there.

        Raises:
            InputError: columns are missing; the nearest name there is suggested.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise InputError([self._missing(name) for name in missing])

    def numbers(
        self,
        name: str,
        *,
        above: float | None = None,
        minimum: float | None = None,
        whole: bool = False,
        blank_is_nan: bool = False,
    ) -> Floats:
        """A column as float64 [n]; cells that are no number, not finite or out of bounds become faults.

        Args:
            name: the column.
            above: values must be larger than this.
            minimum: values must not be smaller than this.
            whole: values must be whole numbers.
            blank_is_nan: empty cells are NaN instead of faults.

        Raises:
            InputError: there is no such column.
        """
        self.require(name)
        values, blank = self._parsed(name, blank_is_nan)
        usable = np.isfinite(values)
        self._refuse_cells(name, ~usable & ~blank, "is not a finite number")
        if above is not None:
            self._refuse_cells(name, usable & (values <= above), f"must be above {above:g}")
        if minimum is not None:
            self._refuse_cells(name, usable & (values < minimum), f"must not be below {minimum:g}")
        if whole:
            fits = (values == np.floor(values)) & (np.abs(values) <= WHOLE_NUMBER_MAX)
            self._refuse_cells(name, usable & ~fits, "must be a whole number")
        return values

    def keep(self, rows: npt.NDArray[np.bool_]) -> Table:
        """The table with the marked rows only; faults go on being collected together."""
        kept = np.flatnonzero(rows).tolist()
        columns = {name: tuple(map(texts.__getitem__, kept)) for name, texts in self.columns.items()}
        return replace(self, columns=columns, lines=self.lines[rows])

    def fault(self, row: int, column: str | None, message: str) -> None:
        """Notes what is wrong with a row (0-based index in this table)."""
        self.faults.append(Fault(int(self.lines[row]), column, message))

    def refuse(self) -> None:
        """Checks that no faults were noted.

        Raises:
            InputError: rows are wrong; up to ten are named, then "and N more".
        """
        if not self.faults:
            return
        faults = sorted(self.faults, key=lambda fault: fault.line)
        named = faults[:ROWS_NAMED_MAX]
        problems = [Problem(fault.message, str(self.path), fault.line, fault.column) for fault in named]
        if len(faults) > len(named):
            problems.append(Problem(f"and {len(faults) - len(named)} more", str(self.path)))
        raise InputError(problems)

    def _missing(self, name: str) -> Problem:
        near = difflib.get_close_matches(name, self.columns, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else f"columns: {', '.join(list(self.columns)[:8])}"
        return Problem(f"there is no column {name!r}", str(self.path), 1, remedy=remedy)

    def _parsed(self, name: str, blank_is_nan: bool) -> tuple[Floats, npt.NDArray[np.bool_]]:
        texts = self.columns[name]
        blank = np.zeros(len(texts), dtype=np.bool_)
        try:
            return np.fromiter(map(float, texts), np.float64, len(texts)), blank
        except ValueError:
            values = np.full(len(texts), np.nan)
        for row, text in enumerate(texts):
            try:
                values[row] = float(text)
            except ValueError:
                blank[row] = True
                if text.strip():
                    self.fault(row, name, f"{text!r} is not a number")
                elif not blank_is_nan:
                    self.fault(row, name, "is empty")
        return values, blank

    def _refuse_cells(self, name: str, wrong: npt.NDArray[np.bool_], message: str) -> None:
        for row in np.flatnonzero(wrong).tolist():
            self.fault(row, name, f"{self.columns[name][row].strip()} {message}")


def read_table(path: Path | str, required: Sequence[str] = ()) -> Table:
    """Reads a CSV file with a header line, UTF-8, plain or gzipped.

    Rows with too few or too many cells are left out and noted as faults of the table; blank lines are passed over.

    Raises:
        InputError: no such file, truncated or broken gzip, not UTF-8, broken quotes, no header, no rows, a column
            named twice, or a column of `required` is missing.
    """
    path = Path(path)
    text = _decode(path, _read(path))
    sheet = _plain_sheet(text) or _parsed_sheet(path, text)
    names = [name.strip() for name in sheet.header]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        place = (str(path), sheet.header_line)
        raise InputError([Problem(f"the column {name!r} is there twice", *place) for name in twice])
    table = Table(path, dict(zip(names, sheet.columns, strict=True)), sheet.lines, sheet.faults)
    table.require(*required)
    if not len(table) and not table.faults:
        raise InputError(Problem("the file has a header but no rows", str(path), sheet.header_line))
    return table


class _Sheet(NamedTuple):
    header: list[str]
    header_line: int
    columns: list[tuple[str, ...]]
    lines: Ints
    faults: list[Fault]


def _plain_sheet(text: str) -> _Sheet | None:
    """Columns of a text without quotes in which all rows have the same cells; None where it is not so simple.

    It gives what `_parsed_sheet` gives, and takes a quarter of the time: large records are of this kind.
    """
    if '"' in text or "\r" in text or not text.endswith("\n"):
        return None
    rows = text[:-1].split("\n")
    commas = set(map(str.count, rows, itertools.repeat(",")))
    if len(commas) != 1 or commas == {0}:
        return None
    width = commas.pop() + 1
    cells = text[:-1].replace("\n", ",").split(",")
    columns = [tuple(cells[column::width][1:]) for column in range(width)]
    return _Sheet(cells[:width], 1, columns, np.arange(2, len(rows) + 1), [])


def _parsed_sheet(path: Path, text: str) -> _Sheet:
    rows, lines = _parse(path, text)
    if not rows:
        raise InputError(Problem("the file is empty", str(path), 1, remedy="a header line and rows are needed"))
    header, header_line = rows[0], int(lines[0])
    rows, lines = rows[1:], lines[1:]
    width = len(header)
    faults = [
        Fault(line, None, f"the row has {len(row)} cells, the header {width}")
        for row, line in zip(rows, lines.tolist(), strict=True)
        if len(row) not in (0, width)
    ]
    lines = lines[np.array([len(row) == width for row in rows], dtype=np.bool_)]
    rows = [row for row in rows if len(row) == width]
    columns: list[tuple[str, ...]] = list(zip(*rows, strict=True)) if rows else [()] * width
    return _Sheet(header, header_line, columns, lines, faults)


def _parse(path: Path, text: str) -> tuple[list[list[str]], Ints]:
    """Rows from the header on, and the line on which each starts (a quoted cell may hold line ends)."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        line = _starts(text)[-1]
        problem = Problem(f"the row that starts here is broken: {error}", str(path), line, remedy="an open quote?")
        raise InputError(problem) from error
    one_line_each = reader.line_num == len(rows)
    starts = np.arange(1, len(rows) + 1) if one_line_each else np.array(_starts(text)[:-1], dtype=np.int64)
    header = next((index for index, row in enumerate(rows) if row), len(rows))
    return rows[header:], starts[header:]


def _starts(text: str) -> list[int]:
    """The line on which each row starts, and last the one after them; up to the first broken row."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    starts = [1]
    with contextlib.suppress(csv.Error):
        starts.extend(reader.line_num + 1 for _ in reader)
    return starts


def _read(path: Path) -> bytes:
    try:
        data = read_bytes(path)
    except FileNotFoundError as error:
        raise InputError(Problem("there is no such file", str(path))) from error
    except OSError as error:
        raise InputError(Problem(f"the file cannot be read: {error.strerror}", str(path))) from error
    if not data.startswith(GZIP_MAGIC):
        if data and path.suffix == ".gz":
            raise InputError(Problem("the file is named .gz but is not gzip", str(path), 1))
        return data
    try:
        return gunzip(data)
    except OSError as error:
        raise InputError(Problem(f"the file cannot be read: {error.strerror}", str(path))) from error
    except (EOFError, zlib.error) as error:
        line = salvage(data).count(b"\n") + 1
        kind = "truncated" if isinstance(error, EOFError) else "broken"
        problem = Problem(f"the gzip file is {kind} in this row", str(path), line, remedy="fetch the file again")
        raise InputError(problem) from error


def salvage(data: bytes) -> bytes:
    """What can be read of a gzip member before it breaks; fed in small pieces so that little before it is lost."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    pieces: list[bytes] = []
    left = expansion_max(len(data))
    try:
        for start in range(0, len(data), 64):
            pieces.append(stream.decompress(data[start : start + 64]))
            left -= len(pieces[-1])
            if left < 0:
                break
    except zlib.error:
        pass
    return b"".join(pieces)


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        remedy = "save the file as UTF-8"
        raise InputError(Problem("the file is not UTF-8 text", str(path), line, remedy=remedy)) from error
