"""Progress on stderr: a bar in a terminal, one plain line each 10 % elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from twin.cli.show import complain, is_unicode

_EACH_S = 0.5
"""At most this often the running interval is worked out."""
_INTERVAL_FROM = 5
"""Replications before there is anything to say about an interval."""


def note_cold_kernels() -> None:
    """Say so if the kernels have never been compiled here: the first run then takes some seconds longer."""
    from twin.kernel import is_cold

    if is_cold():
        complain("compiling kernels (first run only)")


@contextmanager
def progress(what: str) -> Iterator[Any]:
    """A callback (done, total, values) for `run_designs`, which shows how far it is."""
    if not sys.stderr.isatty():
        yield _Lines(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True, safe_box=not is_unicode(sys.stderr))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.completed} of {task.total}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[interval]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task, told_s = bar.add_task(what, total=None, interval=""), 0.0
        interval = ""

        def show(done: int, total: int, values: Mapping[str, Any]) -> None:
            nonlocal told_s, interval
            if time.monotonic() - told_s >= _EACH_S:
                told_s = time.monotonic()
                interval = _interval(values)
            bar.update(task, completed=done, total=total, interval=interval)

        yield show


def _interval(values: Mapping[str, Any]) -> str:
    """The widest 95 % interval of lost GPU-hours so far, as a share of its mean: a user may stop early."""
    import numpy as np

    from twin.campaign.plan import HEADLINE
    from twin.campaign.stop import widths
    from twin.metrics.names import NAMES

    if not values or min(len(one) for one in values.values()) < _INTERVAL_FROM:
        return ""
    stacked = np.stack(list(values.values()), axis=1)[:, :, : len(NAMES)]
    widest = max((one.relative for one in widths(stacked, NAMES, [HEADLINE])), default=math.inf)
    return f"+-{100 * widest:.1f} %" if math.isfinite(widest) else ""


class _Lines:
    """One line for each tenth of the way."""

    def __init__(self, what: str) -> None:
        self._what, self._tenth, self._began = what, 0, time.monotonic()

    def __call__(self, done: int, total: int, values: Mapping[str, Any]) -> None:
        tenth = 10 * done // total
        if tenth > self._tenth:
            self._tenth = tenth
            interval = _interval(values)
            spent = f"{time.monotonic() - self._began:.0f} s"
            complain(f"{self._what}: {10 * tenth} % ({done} of {total}), {spent}{', ' if interval else ''}{interval}")
