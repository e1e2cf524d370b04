"""The examples of a page, run as a reader would run them: by the tests, and to refresh what the page shows.

    python docs/examples.py PAGE.md     pastes what is printed now; reports what must be mended by hand

A page is read from top to bottom, in one folder of its own:

- a block with a caption (`:caption: campus.yaml`) is a file of that name;
- a `console` block holds commands (`$ twin ...`) with what they print; `...` stands for lines left out;
- a `python` block runs in one namespace with those before it; a `text` block right after it is what it prints;
- a `sh` block is not run (installing, clusters, long benchmarks).

What is printed is compared in form: numbers, intervals and the breaks of lines may differ.
"""

import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGES = sorted(page for page in HERE.rglob("*.md") if page.parent.name != "results")
_FENCE = re.compile(r"^```(?P<head>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_OPTION = re.compile(r"^:(\w+): (.*)\n", re.MULTILINE)
_NUMBER = r"[+\-−]?\d[\d\u2009.,]*(e[+-]?\d+)?"
_FORMS = (
    (r"always the same in # y|at most #|(# )?in # y|# to #|−?infinity to #|# to −?infinity", "INTERVAL"),
    (r"none seen|none\b|#", "VALUE"),
    (r"[─-]{3,}", "RULE"),
)


class WrongError(AssertionError):
    """A page says what is not so."""


@dataclass(frozen=True)
class Step:
    """A file to write, a command or a cell; `shown` is what the page says it prints, at `begin` to `end` of it."""

    kind: str
    what: str
    text: str
    shown: str = ""
    begin: int = 0
    end: int = 0


def steps(page: str) -> Iterator[Step]:
    """What a page does, in order."""
    last: Step | None = None
    for fence in _FENCE.finditer(page):
        language, body = fence["head"].removeprefix("{code-block} ").strip(), fence["body"]
        begin = fence.start("body")
        options: dict[str, str] = {}
        while option := _OPTION.match(body):
            options[option[1]] = option[2]
            body, begin = body[option.end() :], begin + option.end()
        if language == "text" and last is not None and last.kind == "python":
            last, told = None, replace(last, shown=body, begin=begin, end=begin + len(body))
            yield told
            continue
        if last is not None:
            yield last
        last = None
        if "caption" in options:
            yield Step("file", options["caption"], body.lstrip("\n"))
        elif language == "python":
            last = Step("python", "", body)
        elif language == "console":
            for command in re.finditer(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", body, re.MULTILINE):
                place = begin + command.start(2)
                yield Step("command", command[1].replace("\\\n", " "), "", command[2], place, place + len(command[2]))
    if last is not None:
        yield last


def printed(step: Step, namespace: dict[str, Any]) -> str:
    """What a step prints, in the folder where we are.

    Raises:
        WrongError: a command ends with another code than 0, or is none of `twin`.
    """
    if step.kind == "file":
        Path(step.what).parent.mkdir(parents=True, exist_ok=True)
        Path(step.what).write_text(step.text, encoding="utf-8")
        return ""
    if step.kind == "python":
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(step.text, "<page>", "exec"), namespace)  # noqa: S102 - our own pages
        return out.getvalue()
    words = step.what.split()
    if words[0] != "twin":
        raise WrongError(f"a command that is not ours stands in a console block: {step.what}")
    from click.testing import CliRunner  # noqa: PLC0415 - pages are read without it

    from twin.cli.app import twin  # noqa: PLC0415

    done = CliRunner().invoke(twin, words[1:], prog_name="twin")
    if done.exit_code != 0:
        raise WrongError(f"{step.what}\nended with {done.exit_code}\n{done.output}")
    return done.stdout


def form(text: str) -> str:
    """Text without what may differ between machines: numbers, intervals, line breaks."""
    text = re.sub(_NUMBER, "#", text)
    for pattern, name in _FORMS:
        text = re.sub(pattern, name, text)
    return " ".join(text.split())


def missing(shown: str, actual: str) -> str | None:
    """The first stretch of what a page shows that was not printed, in this order; None where all was."""
    rest = form(actual)
    for part in re.split(r"^ *\.\.\. *$", shown, flags=re.MULTILINE):
        wanted = form(part)
        place = rest.find(wanted)
        if place < 0:
            return part
        rest = rest[place + len(wanted) :]
    return None


def fresh(shown: str, actual: str) -> str:
    """What a page shows, with every line as it is printed now; lines of which the form has no match stay."""
    lines = actual.splitlines()
    found, place = [], 0
    for line in shown.splitlines():
        match = (
            next((k for k in range(place, len(lines)) if form(lines[k]) == form(line)), None) if line.strip() else None
        )
        found.append(line if match is None else lines[match])
        place = place if match is None else match + 1
    return "".join(f"{line}\n" for line in found)


def play(page: str) -> Iterator[tuple[Step, str]]:
    """Every step with what it prints, in the folder where we are."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for step in steps(page):
        yield step, printed(step, namespace)


def check(page: str) -> int:
    """Play a page and compare; how many steps it has.

    Raises:
        WrongError: something printed is not as the page shows it.
    """
    count = 0
    for step, actual in play(page):
        count += 1
        lacking = missing(step.shown, actual)
        if lacking is not None:
            raise WrongError(f"{step.what or step.text}\ndoes not print\n{lacking}\nbut\n{actual}")
    return count


def refresh(path: Path) -> None:
    """Paste what is printed now into a page."""
    page = path.read_text(encoding="utf-8")
    pasted = page
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for step, actual in reversed(list(play(page))):
            if step.shown:
                now = fresh(step.shown, actual)
                pasted = pasted[: step.begin] + now + pasted[step.end :]
                if missing(now, actual) is not None:
                    print(f"{path.name}: to be mended by hand: {step.what or step.text}\n{actual}")
    path.write_text(pasted, encoding="utf-8")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    for name in sys.argv[1:] or map(str, PAGES):
        refresh(Path(name))
