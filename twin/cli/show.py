"""What reaches the terminal: text that its encoding can show, tables within its width, and strict JSON."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from twin.errors import visible

if TYPE_CHECKING:
    from rich.table import Table

_PLAIN = str.maketrans({"\u2009": " ", "\u2212": "-", "\u2013": "-", "\u00b1": "+-", "\u2500": "-", "\u2026": "..."})
_WIDTH_MAX = 100
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
READER_GONE = 141
"""What a shell reports for a command whose reader (`| head`) has left: 128 + SIGPIPE."""

with_format = click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True, help="how to print"
)


def is_unicode(stream: TextIO) -> bool:
    """Whether the stream can show every character."""
    return (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


def fitted(text: str, stream: TextIO) -> str:
    """The text in characters that the stream's encoding has, none of which the terminal obeys."""
    text = visible(text)
    if is_unicode(stream):
        return text
    encoding = getattr(stream, "encoding", None) or "ascii"
    return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)


def width() -> int:
    """Columns to use: the terminal's, at most 100; 80 where there is none."""
    return min(shutil.get_terminal_size((80, 24)).columns, _WIDTH_MAX)


def say(text: str = "") -> None:
    """Write text and a line break to stdout; ends the program quietly when nobody reads it any more."""
    _write(fitted(text, sys.stdout))


def _write(text: str) -> None:
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_quietly()


def say_wrapped(text: str, indent: str = "") -> None:
    """Write a paragraph, wrapped to the width; `indent` stands before every line but the first."""
    say("\n".join(textwrap.wrap(text, min(width(), 80), subsequent_indent=indent, break_on_hyphens=False)))


def complain(text: str) -> None:
    """Write text and a line break to stderr."""
    try:
        click.echo(fitted(text, sys.stderr), err=True)
    except BrokenPipeError:
        _leave_quietly()


def _leave_quietly() -> NoReturn:
    """Nobody reads on: what is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    raise SystemExit(READER_GONE) from None


def say_json(data: Any) -> None:
    """Write data as JSON, without NaN or infinity: null where there is no number."""
    say(json.dumps(_nulls(data), indent=2, ensure_ascii=not is_unicode(sys.stdout), allow_nan=False))


def _nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _nulls(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_nulls(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def say_table(table: Table) -> None:
    """Write a rich table: colour and width as the terminal has them, no colour with NO_COLOR or in a file."""
    from rich.console import Console

    in_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    console = Console(
        file=io.StringIO(), width=width(), force_terminal=in_colour, highlight=False, legacy_windows=False
    )
    console.print(table)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    _write("\n".join("".join(_painted(line.rstrip())) for line in text.split("\n")).rstrip("\n"))


def _painted(line: str) -> Iterator[str]:
    """The line fit for the stream, its changes of colour left in: they are the table's own."""
    for part in _COLOUR.split(line):
        yield part if _COLOUR.fullmatch(part) else fitted(part, sys.stdout)


def new_table(*columns: str) -> Table:
    """A table with one rule under its head, the first column to the left, the others to the right."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place else "left", no_wrap=bool(place), overflow="fold")
    return table


Cell = tuple[str, str]
"""Two lines: a name and its unit, or a value and its interval."""


def blocks(labels: Sequence[Cell], columns: Sequence[tuple[str, Sequence[Cell]]], head: str = "") -> None:
    """Write a table of two-line cells: as many columns beside each other as fit, then the others below.

    Args:
        labels: of the rows.
        columns: name (which may have two lines) and cells of each column.
        head: above the labels.
    """
    from rich.text import Text

    def widest(texts: Sequence[str]) -> int:
        return max(len(line) for text in texts for line in text.split("\n"))

    label_width = widest([head, *(name for name, _ in labels), *("  " + unit for _, unit in labels)])
    left = list(columns)
    while left:
        shown: list[tuple[str, Sequence[Cell]]] = []
        used = label_width
        while left:
            used += 2 + widest([left[0][0], *(line for cell in left[0][1] for line in cell)])
            if shown and used > width():
                break
            shown.append(left.pop(0))
        table = new_table(head, *(name for name, _ in shown))
        for place, (label, unit) in enumerate(labels):
            cells = [cells[place] for _, cells in shown]
            lines = [Text.assemble((value, "bold"), f"\n{below}" if below else "") for value, below in cells]
            table.add_row(Text.assemble(label, (f"\n{'  ' + unit}", "dim")), *lines)
        say_table(table)
        if left:
            say()


def with_code(command: Any) -> Any:
    """Adds `--allow-code` to a command that simulates."""
    return click.option("--allow-code", is_flag=True, help="let Python files that the scenario names run")(command)


def with_outages(command: Any) -> Any:
    """Adds `--outages` to a command that simulates."""
    text = (
        "replay this outage log (CSV) instead of drawn grid events; columns: start or at_h, duration_s or end, feeders"
    )
    return click.option("--outages", type=click.Path(), help=text)(command)


def with_equal(command: Any) -> Any:
    """Adds `--equal` and `--equal-to` to a command that simulates designs."""
    kinds = click.Choice(["capital", "kwh"])
    text = "also simulate every design scaled to this of the first counterfactual; may be repeated"
    command = click.option("--equal", type=kinds, multiple=True, help=text)(command)
    return click.option("--equal-to", metavar="DESIGN", help="instead of the first counterfactual")(command)


def with_equal_sizes(study: Any, chosen: list[str], equal: tuple[Any, ...], to: str | None) -> tuple[Any, list[str]]:
    """The study and the designs to simulate, with the scaled ones of `--equal`; says what cannot be made."""
    if not equal:
        if to is not None:
            raise click.UsageError("--equal-to needs --equal capital or --equal kwh")
        return study, chosen
    from twin.errors import InputError, Problem
    from twin.experiment import check_designs
    from twin.scenario.equal_sizes import equalised

    finance = study.base.finance
    if finance is None:
        raise InputError(Problem("the scenario has no finance: block", str(study.path), key="--equal"))
    reference = to or next((name for name in finance.counterfactuals if name in study.designs), None)
    if reference is None:
        text = f"none of the counterfactuals {', '.join(finance.counterfactuals)} is among the designs"
        raise InputError(Problem(text, str(study.path), key="--equal", remedy="name one by --equal-to DESIGN"))
    check_designs(study, [reference])
    study, made, left = equalised(study, chosen, tuple(dict.fromkeys(equal)), reference)
    for text in left:
        complain(f"note: {text}")
    for name in made:
        complain(f"note: {name}: {study.designs[name].design_note}")
    return study, [*chosen, *made]


def replaying(study: Any, outages: str | None) -> Any:
    """The study with the log of `--outages` in place of drawn grid events; says how many rows lie outside."""
    if outages is None:
        return study
    from twin.experiment import with_outages as with_log

    study, outside = with_log(study, outages)
    if outside:
        rows = "1 row lies" if outside == 1 else f"{outside} rows lie"
        click.echo(f"note   {rows} outside the horizon and strike nothing", err=True)
    return study


def refuse_to_replace(output: str, is_ours: Callable[[bytes], bool], kind: str) -> None:
    """A file whose first bytes are none of ours stays: it is more likely a scenario than an old output.

    Raises:
        InputError: it is there and is none of ours, or its folder is not there.
    """
    from twin.errors import InputError, Problem

    path = Path(output)
    if not os.path.isdir(path.absolute().parent):
        raise InputError(Problem(f"no folder {path.parent}", output, remedy="make it, or name another file"))
    if os.path.isfile(path):
        try:
            with path.open("rb") as stream:
                start = stream.read(64)
        except OSError as error:
            raise InputError(Problem(f"is there and cannot be read: {error.strerror}", output)) from error
        if start and not is_ours(start):
            raise InputError(Problem(f"is there and is not a {kind}", output, remedy="name another file"))
