"""The kinds of failure: the user's input is wrong (exit code 2), the machine gave up or we are wrong (exit code 1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORDS_MAX, _NAME_MAX = 2000, 300
"""Characters of a message, and of a name in it; more would hide what it says."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: what, where, and what to do about it."""

    message: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    remedy: str | None = None

    def __str__(self) -> str:
        place = shortened(self.file or "", _NAME_MAX)
        if self.line is not None:
            place += f":{self.line}"
        parts = [place, shortened(self.key or "", _NAME_MAX), shortened(self.message, _WORDS_MAX)]
        text = ": ".join(part for part in parts if part)
        return f"{text} ({shortened(self.remedy, _WORDS_MAX)})" if self.remedy else text


def visible(text: str) -> str:
    """The text with what a terminal would obey or hide (escapes, turns of direction, halves of characters) written out.

    Line ends and tabs stay. What is written out is also JSON's way to write it.
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shortened(text: str, most: int) -> str:
    """The text, with its middle left out where it is longer than `most`."""
    return text if len(text) <= most else f"{text[: most // 2]} ... {text[-(most // 2) :]}"


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


def other_schema(what: str, version: int, known: tuple[int, ...], release: str | None, file: str) -> InputError:
    """The refusal of a file whose schema this version does not read: it names the release that does.

    Args:
        what: the kind of file, as "trace".
        version: its schema.
        known: schemas that are read, ascending.
        release: the version of twin that wrote it, where the file says so.
        file: its name.
    """
    wrote = f"the release that wrote it, twin {release}" if release else "the release that wrote it"
    if version > known[-1]:
        text, remedy = f"newer than this twin's schema {known[-1]}", f"read it with a newer twin: {wrote}"
    else:
        text, remedy = f"older than schema {known[0]}, the first that this twin reads", f"read it with {wrote}"
    return InputError(Problem(f"{what} of schema {version}, {text}", file=file, remedy=remedy))
