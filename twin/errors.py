"""The kinds of failure: the user's input is wrong (exit code 2), the machine gave up or we are wrong (exit code 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: what, where, and what to do about it."""

    message: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place += f":{self.line}"
        parts = [place, self.key or "", self.message]
        text = ": ".join(part for part in parts if part)
        return f"{text} ({self.remedy})" if self.remedy else text


class InputError(Exception):
    """The user's input is wrong. Carries every problem found, not only the first; the command line exits with 2."""

    def __init__(self, problems: str | Problem | Sequence[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class HaltedError(Exception):
    """A long command cannot go on, and neither input nor simulation is to blame: the disk is full, workers die.

    What was done is kept; the message says how to go on. The command line exits with 1, in one line.
    """


class InternalError(Exception):
    """A promise of the simulation is broken: a bound met unannounced, an instant that never settles. Always a bug."""
