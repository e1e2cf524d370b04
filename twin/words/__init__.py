"""The languages of the report: phrases with places for figures, names and units of metrics, words for drawbacks."""

from twin.words.language import BOLD, ENGLISH, LANGUAGES, Language

__all__ = ["BOLD", "ENGLISH", "LANGUAGES", "Language"]
