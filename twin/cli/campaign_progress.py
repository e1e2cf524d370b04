"""Progress of a campaign on stderr: replications, the next look, the running interval, time left."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twin.cli.show import complain, is_unicode

if TYPE_CHECKING:
    from twin.campaign.loop import Progress, State

_EACH_S, _LINE_EACH_S = 0.5, 10.0
"""At most this often the bar moves, and a plain line is written where there is no terminal."""


@contextmanager
def campaign_progress(until_ci: float | None) -> Iterator[Progress]:
    """A callback for `run_campaign`."""
    if not sys.stderr.isatty():
        yield _Lines(until_ci)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True, safe_box=not is_unicode(sys.stderr))
    with Progress(BarColumn(bar_width=24), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task, shown_s = bar.add_task("starting workers", total=None), -math.inf
        texts = _Texts(until_ci)

        def show(state: State) -> None:
            nonlocal shown_s
            now_s = time.monotonic()
            if now_s - shown_s >= _EACH_S:
                shown_s = now_s
                bar.update(task, completed=state.done, total=state.total, description=texts.of(state))

        yield show


class _Texts:
    """What is said about a state."""

    def __init__(self, until_ci: float | None) -> None:
        self._until_ci = until_ci

    def of(self, state: State) -> str:
        """Done, complete, the next look, the widest running interval, time left."""
        parts = [f"{state.done} of {state.total}", f"{state.complete} in a row, next look {state.next_look}"]
        width = self._width(state)
        if width is not None:
            goal = "" if self._until_ci is None else f" (to {100 * self._until_ci:g} %)"
            parts.append(f"interval +-{100 * width:.1f} %{goal}")
        if state.restarts:
            parts.append(f"{state.restarts} restarts")
        left_s = state.left_s
        if left_s is not None:
            parts.append(f"at most {_span(left_s)} left" if self._until_ci else f"{_span(left_s)} left")
        return ", ".join(parts)

    def _width(self, state: State) -> float | None:
        """The widest relative half-width of the targets, of the first designs of a long sweep."""
        values = state.rows.beginning()
        if len(values) < 10:
            return None
        widest = state.plan.widest(values[:, :16])
        return widest if math.isfinite(widest) else None


class _Lines:
    """A line every ten seconds."""

    def __init__(self, until_ci: float | None) -> None:
        self._texts, self._shown_s = _Texts(until_ci), time.monotonic()

    def __call__(self, state: State) -> None:
        now_s = time.monotonic()
        if now_s - self._shown_s >= _LINE_EACH_S:
            self._shown_s = now_s
            complain(f"campaign: {self._texts.of(state)}")


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
