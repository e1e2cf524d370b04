"""One language: every sentence by its key. A phrase marks what is to be bold between `BOLD` characters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.estimate import Rounded
from twin.words import chinese, english

BOLD = ("\ue000", "\ue001")
"""Begin and end of a bold part; private characters, so that no name can hold them by chance."""


@dataclass(frozen=True)
class Language:
    """Phrases of one language.

    Attributes:
        code: as in HTML's `lang`.
        phrases: templates by key.
        metrics: name and unit by metric, where they differ from the tables' English.
        drawbacks: by metric, what a design does worse, after its name.
    """

    code: str
    phrases: dict[str, str]
    metrics: dict[str, tuple[str, str]]
    drawbacks: dict[str, str]

    def say(self, key: str, **values: Any) -> str:
        """The phrase with its values put in; [[ and ]] become bold marks."""
        text = self.phrases[key].format(**values)
        return text.replace("[[", BOLD[0]).replace("]]", BOLD[1])

    def join(self, sentences: list[str]) -> str:
        """Sentences one after the other; Chinese sets no space between them."""
        return self.phrases["between_sentences"].join(text for text in sentences if text)

    def ends(self, rounded: Rounded) -> str:
        """The interval of a rounded estimate; "" without one."""
        return self.say("to", low=rounded.low, high=rounded.high) if rounded.low else ""


def plain(text: str) -> str:
    """The text without its bold marks."""
    return text.replace(BOLD[0], "").replace(BOLD[1], "")


ENGLISH = Language("en", english.PHRASES, {}, {})
LANGUAGES = {"en": ENGLISH, "zh": Language("zh", chinese.PHRASES, chinese.METRICS, chinese.DRAWBACKS)}
