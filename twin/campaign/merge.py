"""Join parts of a campaign that were simulated apart, such as the ranges of a job array, into one results file."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from twin.campaign import export, journal
from twin.campaign.export import Content
from twin.campaign.plan import check_same
from twin.errors import InputError, Problem
from twin.files import refuse_irregular

_SQLITE = b"SQLite format 3\x00"


def merge(paths: Sequence[str | os.PathLike[str]]) -> Content:
    """The replications of all files; journals and results files may be mixed, equal rows may be there twice.

    Raises:
        InputError: files of different campaigns, the same replication with other values, or replications missing.
    """
    parts = [(os.fspath(path), _read(path)) for path in paths]
    name, (first_content, _) = parts[0]
    pieces = []
    for other, (content, blocks) in parts:
        check_same(content.identity, first_content.identity, other, f"it was not made by the campaign of {name}")
        pieces += [(first, rows, other) for first, rows in blocks]
    pieces.sort(key=lambda piece: piece[0])
    begin = pieces[0][0] if pieces else 0
    end = max((first + len(rows) for first, rows, _ in pieces), default=0)
    values = np.empty((end - begin, len(first_content.identity["designs"]), len(first_content.identity["metrics"])))
    filled = begin
    for first, rows, file in pieces:
        if first > filled:
            text = f"replications {filled} to {first - 1} are missing"
            raise InputError(
                Problem(text, remedy=f"simulate them with --range {filled}:{first}, and name that file too")
            )
        again = min(filled - first, len(rows))
        if not np.array_equal(values[first - begin : first - begin + again], rows[:again], equal_nan=True):
            raise InputError(Problem(f"replications {first} on differ from those of the other files", file))
        values[first - begin + again : first - begin + len(rows)] = rows[again:]
        filled = max(filled, first + len(rows))
    if not len(values):
        raise InputError(Problem("there is not one replication in these files"))
    return Content(first_content.identity, values, begin)


def _read(path: str | os.PathLike[str]) -> tuple[Content, list[tuple[int, export.Float]]]:
    try:
        refuse_irregular(os.stat(path).st_mode)
        with open(path, "rb") as file:
            is_journal = file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror}", os.fspath(path))) from error
    if is_journal:
        identity, blocks = journal.read(path)
        return Content(identity, np.empty((0, 0, 0))), blocks
    content = export.read(path)
    return content, [(content.first, content.values)]
