"""What a report does not know, said by rules before the reader looks at one year."""

from __future__ import annotations

import math

from twin.answer import span
from twin.estimate import number, round_to_error
from twin.report.content import Content
from twin.report.table import label
from twin.words import Language

_UNRESOLVED_MAX = 6


def limits(content: Content, language: Language) -> list[str]:
    """Sentences, the sharpest first; the limits of the model always come last."""
    found = [*_none_seen(content, language), *_unresolved(content, language)]
    comparison = content.comparison
    years = comparison.n * comparison.years_each
    if comparison.n == 1:
        one = language.say("one_replication", years_each=f"{comparison.years_each:.3g}")
        found.append(language.say("one_year") if comparison.years_each == 1.0 else one)
    else:
        found.append(language.say("limit_rare", years=number(years / -math.log(0.05), 0 if years > 30 else 1)))
    ranged = sum(len(one.bounds.split(", ")) for one in content.assumptions if one.bounds)
    if ranged:
        found.append(language.say("limit_ranges", count=ranged))
    bare = sum(one.source is None for one in content.assumptions)
    if bare:
        found.append(language.say("limit_no_source", count=bare))
    return [*found, language.say("limit_model")]


def _none_seen(content: Content, language: Language) -> list[str]:
    comparison = content.comparison
    found = []
    for name in content.metrics:
        estimates = comparison.row(name).estimates
        designs = [design for design, one in estimates.items() if one.one_sided]
        if designs:
            bound = round_to_error(estimates[designs[0]]).high
            found.append(
                language.say(
                    "limit_none_seen", metric=label(name, content.shown, language)[0],
                    designs=language.say("between_amounts").join(designs), bound=bound,
                    years=number(comparison.n * comparison.years_each, 0),
                )
            )  # fmt: skip
    return found


def _unresolved(content: Content, language: Language) -> list[str]:
    comparison = content.comparison
    if comparison.n == 1 or len(comparison.designs) == 1:
        return []
    open_ones = []
    for name in content.metrics:
        for design, paired in comparison.row(name).differences.items():
            if paired.estimate.n and not paired.is_resolved and paired.equal < paired.estimate.n:
                open_ones.append(f"{label(name, content.shown, language)[0]} ({design})")
    if not open_ones:
        return []
    shown = open_ones[:_UNRESOLVED_MAX] + (["\u2026"] if len(open_ones) > _UNRESOLVED_MAX else [])
    joined = ", ".join(shown)
    return [
        language.say(
            "limit_unresolved", reference=comparison.reference, span=span(comparison, language), metrics=joined
        )
    ]
