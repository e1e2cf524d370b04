"""What `twin check` says of the job records that a site replays: rows that are no job in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache

from twin.inputs.jobs.read import read_record
from twin.inputs.jobs.schema import Reading
from twin.parts.queue import QueueSpec
from twin.scenario.model import Scenario


def job_warnings(site: str, scenario: Scenario) -> Iterator[str]:
    """Rows left out of each record of a site, by reason; a record that is missing is told of elsewhere.

    Raises:
        InputError: no row of a record is usable.
    """
    for name, job in sorted(scenario.jobs.items()):
        if not isinstance(job, QueueSpec) or scenario.site_of(job) != site:
            continue
        if job.file is None or not os.path.isfile(job.file):  # a name too long is no file
            continue
        found = _read(job.file, job.layout, scenario.sites[site].cluster.gpus)
        if found.rejected:
            reasons = ", ".join(f"{count} {reason}" for reason, count in found.reasons().items())
            some = f"{len(found.rejected)} of {found.rows} rows are left out"
            yield f"jobs.{name}: {some}: {reasons} (twin jobs lists them)"
        yield from (f"jobs.{name}: {note}" for note in found.notes)


@lru_cache(maxsize=4)
def _read(file: str, layout: str | None, gpus: int) -> Reading:
    """One reading for all designs of a study."""
    return read_record(file, layout, gpus_max=gpus)
