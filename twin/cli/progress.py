"""Progress on stderr: a bar in a terminal, one plain line each 10 % elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from twin.cli.show import complain, is_unicode


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
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(done: int, total: int, values: Mapping[str, Any]) -> None:  # noqa: ARG001 - part of the protocol
            bar.update(task, completed=done, total=total)

        yield show


class _Lines:
    """One line for each tenth of the way."""

    def __init__(self, what: str) -> None:
        self._what, self._tenth, self._began = what, 0, time.monotonic()

    def __call__(self, done: int, total: int, values: Mapping[str, Any]) -> None:
        tenth = 10 * done // total
        if tenth > self._tenth:
            self._tenth = tenth
            complain(f"{self._what}: {10 * tenth} % ({done} of {total}), {time.monotonic() - self._began:.0f} s")
