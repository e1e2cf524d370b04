"""OpenDC's tasks, `tasks.parquet`: id, submission_time [ms, UTC], duration [ms], gpu_count.

It is read by pyarrow (extra `parquet`), and of it only the columns that a job here needs. A task without gpu_count asks
for no GPU. The deadline is a date, no limit of run time, and is not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from twin.errors import InputError, Problem
from twin.inputs.jobs.schema import NOT_ENDED, WRONG_CELL, JobRow, Layout, Rejected, RowError, Source
from twin.inputs.jobs.source import attempt, checked

_NEEDED = ("id", "submission_time", "duration")
_MAGIC = b"PAR1"


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - the extra, and only for this layout
    except ImportError as error:
        remedy = "python -m pip install 'twin-datacenter[parquet]'"
        raise InputError(Problem("Parquet needs pyarrow", str(source.path), remedy=remedy)) from error
    place = str(source.path)
    try:
        file = parquet.ParquetFile(place)
        names = file.schema_arrow.names
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            remedy = f"columns: {', '.join(names[:12])}; OpenDC keeps jobs in tasks.parquet"
            raise InputError([Problem(f"there is no column {name!r}", place, remedy=remedy) for name in missing])
        columns = [name for name in (*_NEEDED, "gpu_count") if name in names]
        row = 0
        for batch in file.iter_batches(columns=columns):
            for cells in batch.to_pylist():
                row += 1
                yield attempt(row, _job, cells)
    except (ArrowException, OSError, KeyError, ValueError, OverflowError) as error:  # a time zone, say, of no name
        raise InputError(Problem(f"the Parquet file is broken: {error}", place, remedy="fetch it again")) from error


def _job(row: int, cells: dict[str, Any]) -> JobRow:
    if cells["id"] is None or cells["submission_time"] is None:
        raise RowError(WRONG_CELL, "id or submission_time is null")
    if cells["duration"] is None:
        raise RowError(NOT_ENDED, f"job {cells['id']}", bad=False)
    submitted = cells["submission_time"]
    if isinstance(submitted, datetime):
        zoned = submitted if submitted.tzinfo else submitted.replace(tzinfo=UTC)
        submit_s = zoned.timestamp()
    else:
        submit_s = float(submitted) / 1e3
    return checked(
        JobRow(row, str(cells["id"]), submit_s, float(cells["duration"]) / 1e3, int(cells.get("gpu_count") or 0))
    )


LAYOUT = Layout(
    "opendc", "OpenDC's tasks.parquet", absolute=True, fits=lambda source: source.data == _MAGIC, rows=_rows
)
