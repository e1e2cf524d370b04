"""The blocks of cases shared out over numba's threads; compiled only where more than one thread is asked for."""

from __future__ import annotations

from typing import Any

import numba

from twin.errors import InputError, Problem
from twin.kernel import threaded
from twin.powerflow.sweep_lanes import solve_blocks


@threaded
def _share_out(
    threads: Any,
    rows: Any,
    inputs: Any,
    forest: Any,
    opened: Any,
    tolerance: Any,
    max_sweeps: Any,
    work: Any,
    outputs: Any,
) -> Any:
    for thread in numba.prange(threads):
        solve_blocks(thread, threads, rows, inputs, forest, opened, tolerance, max_sweeps, work, outputs)


def solve_blocks_on_threads(threads: int, *arguments: Any) -> None:
    """As `solve_blocks`, on several threads at once. The split changes no number: blocks are independent."""
    if threads > numba.config.NUMBA_NUM_THREADS:
        raise InputError(
            Problem(f"{threads} threads asked for, this machine gives {numba.config.NUMBA_NUM_THREADS}", key="threads")
        )
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        _share_out(threads, *arguments)
    finally:
        numba.set_num_threads(before)
