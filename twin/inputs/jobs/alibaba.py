"""Alibaba's GPU cluster of 2023, `openb_pod_list_*.csv` (Weng et al., USENIX ATC 2023), and the same pods as a table.

Original columns: name, num_gpu, gpu_milli, qos, pod_phase, creation_time, scheduled_time, deletion_time [s after the
start of the record]. As a table: job_id, submit_s, start_s, end_s, num_gpu, gpus, qos, state. A pod that shares a GPU
with others counts as one GPU: a job here holds whole ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twin.inputs.jobs.schema import JobRow, Layout, Rejected, Source
from twin.inputs.jobs.source import Cells, cells_of, checked, count, number, optional, span_s

_STATES = {"Running": "running", "Succeeded": "completed", "Failed": "failed", "Pending": "unknown"}
_ORIGINAL = {
    "id": "name", "submit": "creation_time", "start": "scheduled_time", "end": "deletion_time", "state": "pod_phase"
}  # fmt: skip
_TABLE = {"id": "job_id", "submit": "submit_s", "start": "start_s", "end": "end_s", "state": "state"}


def _rows(source: Source) -> Iterator[JobRow | Rejected]:
    names = _ORIGINAL if "creation_time" in source.columns() else _TABLE
    shared = [0]

    def job(line: int, cells: Cells) -> JobRow:
        row = _job(names, line, cells)
        shared[0] += _share(cells) < 1.0
        return row

    yield from cells_of(source, (*names.values(), "num_gpu"), job)
    if shared[0]:
        source.notes.append(f"{shared[0]} jobs ask for a share of one GPU; each counts as one whole GPU")


def _share(cells: Cells) -> float:
    """GPUs of each of the pod's GPUs that are its own: below 1 where it shares one."""
    if "gpu_milli" in cells:
        return number("gpu_milli", cells["gpu_milli"]) / 1000.0
    return number("gpus", cells["gpus"]) if "gpus" in cells else 1.0


def _job(names: Mapping[str, str], line: int, cells: Cells) -> JobRow:
    job_id = cells[names["id"]].strip()
    start_s = optional(names["start"], cells[names["start"]])
    end_s = optional(names["end"], cells[names["end"]])
    return checked(
        JobRow(
            line,
            job_id,
            number(names["submit"], cells[names["submit"]]),
            span_s(job_id, start_s, end_s),
            count("num_gpu", cells["num_gpu"]),
            start_s,
            servers=1,
            state=_STATES.get(cells[names["state"]].strip().capitalize(), "unknown"),
            tenant=cells.get("qos", ""),
        )
    )


LAYOUT = Layout(
    "alibaba",
    "Alibaba's openb_pod_list of 2023, or its table",
    absolute=False,
    fits=lambda source: {"num_gpu", "qos"} <= source.columns(),
    rows=_rows,
)
