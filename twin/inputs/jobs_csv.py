"""Reads a table of cluster jobs: when each was submitted, how long it runs, how many GPUs it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from twin.inputs.table import Floats, Ints, Table, read_table

TENANT_COLUMNS = ("tenant", "vc", "user")
"""The columns that may say whose a job is; the first one there counts."""


@dataclass(frozen=True)
class Jobs:
    """Jobs in order of submission, then of id. All arrays have one entry a job."""

    job_id: list[str]
    tenant: list[str]
    """Whose job it is; "" where the table does not say."""
    submit_s: Floats
    """Time of submission after the record's origin [s], >= 0."""
    duration_s: Floats
    """Run time on GPUs without interruption [s], > 0."""
    gpus: Ints
    """GPUs held while running, >= 1."""
    priority: Floats
    """Larger goes first; 0 where the table does not say."""
    requested_s: Floats
    """Run time that was asked for [s]; NaN where the table does not say."""

    def __len__(self) -> int:
        return len(self.job_id)


def read_jobs(path: Path | str) -> Jobs:
    """Reads jobs from a CSV file with the columns job_id, submit_s, duration_s, gpus and perhaps tenant, vc or user,
    priority, requested_s.

    The layout is that of the flattened Philly table (Jeon et al., USENIX ATC 2019).

    Raises:
        InputError: the file cannot be read (see `read_table`), or rows are wrong: an id empty or there twice,
            submission before 0, duration not above 0, GPUs below 1 or not whole.
    """
    table = read_table(path, ("job_id", "submit_s", "duration_s", "gpus"))
    submit_s = table.numbers("submit_s", minimum=0.0)
    duration_s = table.numbers("duration_s", above=0.0)
    gpus = table.numbers("gpus", minimum=1.0, whole=True)
    extra = {name: table.numbers(name) for name in ("priority", "requested_s") if name in table.columns}
    job_id = _unique_ids(table)
    table.refuse()
    tenant_column = next((name for name in TENANT_COLUMNS if name in table.columns), None)
    tenant = table.columns[tenant_column] if tenant_column else ("",) * len(table)
    by_id = np.array(sorted(range(len(table)), key=job_id.__getitem__), dtype=np.int64)
    order = by_id[np.argsort(submit_s[by_id], kind="stable")]
    rows = order.tolist()
    return Jobs(
        job_id=[job_id[row] for row in rows],
        tenant=[tenant[row] for row in rows],
        submit_s=submit_s[order],
        duration_s=duration_s[order],
        gpus=gpus[order].astype(np.int64),
        priority=extra.get("priority", np.zeros(len(table)))[order],
        requested_s=extra.get("requested_s", np.full(len(table), np.nan))[order],
    )


def _unique_ids(table: Table) -> tuple[str, ...]:
    job_id = table.columns["job_id"]
    if len(set(job_id)) == len(job_id) and "" not in job_id:
        return job_id
    first: dict[str, int] = {}
    for row, name in enumerate(job_id):
        if not name:
            table.fault(row, "job_id", "is empty")
        elif name in first:
            table.fault(row, "job_id", f"{name!r} is there twice, first in row {table.lines[first[name]]}")
        else:
            first[name] = row
    return job_id
