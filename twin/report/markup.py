"""Text into HTML: the only door. Everything that a user wrote passes `esc`."""

from __future__ import annotations

import html
import json
import unicodedata
from collections.abc import Iterable
from typing import Any

from twin.words import BOLD


def esc(text: object) -> str:
    r"""The text as HTML text or attribute; control and direction characters are shown as \u202e and not obeyed."""
    return html.escape("".join(map(_visible, str(text))), quote=True)


def _visible(character: str) -> str:
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co"} and character not in "\n\t":
        return f"\\u{ord(character):04x}"
    return character


def phrase(text: str) -> str:
    """A phrase of ours as HTML, its `BOLD` parts bold. Names in it are escaped like the rest."""
    pieces = text.replace(BOLD[0], "\0<\0").replace(BOLD[1], "\0>\0").split("\0")
    return "".join({"<": "<b>", ">": "</b>"}.get(piece, esc(piece)) for piece in pieces)


def tag(name: str, inside: str = "", **attributes: object) -> str:
    """An element; `inside` is HTML already. A trailing underscore in an attribute's name is left out (class_)."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{esc(value)}"' for key, value in attributes.items() if value is not None
    )
    return f"<{name}{given}>{inside}</{name}>"


def rows(cells: Iterable[Iterable[str]]) -> str:
    """Table rows of ready cells."""
    return "".join(f"<tr>{''.join(row)}</tr>" for row in cells)


def script_json(data: Any) -> str:
    """Data for a script element of type application/json: no character in it can end the element or begin a tag."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
