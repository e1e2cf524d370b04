"""The side-by-side table: metric by design, the intervals on one axis, and the paired difference."""

from __future__ import annotations

import math

from twin.answer import contenders, span
from twin.compare import Comparison, MetricRow
from twin.estimate import Estimate, PairedDifference, number, round_to_error
from twin.report.content import Content, Shown
from twin.report.markup import esc, phrase, rows, tag
from twin.words import Language

_WIDE, _LINE = 160, 10


def side_by_side(content: Content, language: Language) -> str:
    """Note and table."""
    comparison = content.comparison
    other = _difference_of(comparison)
    head = [tag("th", "", scope="col")]
    head += [tag("th", esc(design), scope="col", title=content.notes.get(design)) for design in comparison.designs]
    if comparison.n > 1 and len(comparison.designs) > 1:
        head.append(tag("th", _key(comparison), scope="col", class_="strip"))
    if other:
        sign = f"{esc(other)}<br>\u2212 {esc(comparison.reference)}<br>{esc(language.say('paired'))}"
        head.append(tag("th", sign, scope="col", class_="difference"))
    body = rows(_row(content, name, other, language) for name in content.metrics)
    narrow = "narrow" if len(comparison.designs) < 3 else None
    table = tag("table", f"<thead><tr>{''.join(head)}</tr></thead><tbody>{body}</tbody>", class_=narrow)
    if comparison.n == 1:
        note = language.say("table_note_one")
    else:
        note = language.say("table_note" if other else "table_note_single", span=span(comparison, language))
    return tag("p", phrase(note), class_="note") + tag("div", table, class_="scroll")


def _difference_of(comparison: Comparison) -> str:
    """The design whose difference to the reference is shown: the one that the answer speaks of."""
    if len(comparison.designs) == 1:
        return ""
    return next(design for design in contenders(comparison) if design != comparison.reference)


def label(name: str, shown: Shown, language: Language) -> tuple[str, str]:
    """Name and unit of a metric in a language."""
    return language.metrics.get(name, shown[name][:2])


def _row(content: Content, name: str, other: str, language: Language) -> list[str]:
    comparison, scale = content.comparison, content.shown[name][2]
    row = comparison.row(name)
    title, unit = label(name, content.shown, language)
    years = comparison.n * comparison.years_each
    cells = [tag("th", esc(title) + tag("span", esc(unit), class_="unit"), scope="row")]
    cells += [tag("td", _estimate(row.estimates[d], years, scale, language)) for d in comparison.designs]
    if comparison.n > 1 and len(comparison.designs) > 1:
        cells.append(tag("td", _strip(comparison, row), class_="strip"))
    if other:
        cells.append(_difference(row.differences[other], scale, language))
    return cells


def _estimate(one: Estimate, years: float, scale: float, language: Language) -> str:
    """Value, interval, and what was seen; zero events are a bound, never a certainty."""
    if one.n == 0:
        return "\u2013"
    rounded = round_to_error(one, scale)
    span_years = number(years, 0 if years >= 10 else 1)
    if one.one_sided:
        seen = language.say("none_seen_in", years=span_years)
        return _cell(language.say("none_seen"), language.say("at_most", bound=rounded.high), seen)
    if one.n > 1 and one.events == 0:
        if one.mean == 0:
            return _cell(language.say("none"), language.say("none_in", years=span_years))
        return _cell(rounded.value, language.say("always_same", years=span_years))
    seen = language.say("seen_in", count=one.events, years=span_years) if one.method == "exact poisson" else ""
    return _cell(rounded.value, language.ends(rounded), seen)


def _cell(value: str, *below: str) -> str:
    return f"<b>{esc(value)}</b>" + "".join(f"<i>{esc(text)}</i>" for text in below if text)


def _difference(paired: PairedDifference, scale: float, language: Language) -> str:
    if not paired.estimate.n:
        return tag("td", "\u2013", class_="difference")
    rounded = round_to_error(paired.estimate, scale)
    if paired.equal == paired.estimate.n:
        return tag("td", f"<b>{esc(language.say('always_equal'))}</b>", class_="difference open")
    if paired.is_resolved or paired.estimate.n == 1:
        sign = "+" if paired.estimate.mean > 0 else ""
        return tag("td", _cell(sign + rounded.value, language.ends(rounded)), class_="difference")
    return tag("td", _cell(language.say("not_resolved"), language.ends(rounded)), class_="difference open")


def _key(comparison: Comparison) -> str:
    """Which mark is which design."""
    marks = [
        f'<span class="key"><svg viewBox="0 0 12 12" aria-hidden="true">{_mark(k, 6, 6)}</svg>{esc(design)}</span>'
        for k, design in enumerate(comparison.designs)
    ]
    return "".join(marks)


def _strip(comparison: Comparison, row: MetricRow) -> str:
    """All intervals of a metric on one axis; a bound for nothing seen is an arrow from zero, never a point."""
    known = [row.estimates[design] for design in comparison.designs]
    ends = [x for one in known for x in (one.low, one.high, one.mean) if math.isfinite(x)]
    if not ends:
        return ""
    low, high = min(ends), max(ends)
    spread = (high - low) or 1.0

    def at(x: float) -> float:
        return round(8 + (x - low) / spread * (_WIDE - 16), 1)

    tall = _LINE * len(known) + 4
    parts = [f'<path stroke="var(--dim)" d="M4 {tall - 1}H{_WIDE - 4}"/>']
    for k, one in enumerate(known):
        y, colour = 7 + _LINE * k, f"var(--d{k % 5})"
        if not math.isfinite(one.mean):
            continue
        if one.one_sided:
            x = at(one.high)
            arrow = f"M{at(0.0) if low <= 0 <= high else 4} {y}H{x}"
            parts.append(f'<path stroke="{colour}" stroke-dasharray="2 2" d="{arrow}"/>')
            parts.append(f'<path stroke="{colour}" fill="none" d="M{x - 5} {y - 3}L{x} {y}L{x - 5} {y + 3}"/>')
            continue
        if math.isfinite(one.low):
            parts.append(f'<path stroke="{colour}" stroke-width="2" d="M{at(one.low)} {y}H{at(one.high)}"/>')
        parts.append(_mark(k, at(one.mean), y))
    text = "; ".join(design for design in comparison.designs)
    return f'<svg viewBox="0 0 {_WIDE} {tall}" role="img" aria-label="{esc(text)}">{"".join(parts)}</svg>'


def _mark(place: int, x: float, y: float) -> str:
    """The mark of a design: circle, square, triangle, diamond, cross, ... in its colour."""
    fill = f'fill="var(--d{place % 5})"'
    shapes = (
        f'<circle {fill} cx="{x}" cy="{y}" r="3.5"/>',
        f'<rect {fill} x="{x - 3}" y="{y - 3}" width="6" height="6"/>',
        f'<path {fill} d="M{x} {y - 4}l4 7h-8z"/>',
        f'<path {fill} d="M{x} {y - 4}l4 4l-4 4l-4 -4z"/>',
        f'<path {fill} d="M{x - 4} {y - 2}l2 -2l2 2l2 -2l2 2l-2 2l2 2l-2 2l-2 -2l-2 2l-2 -2l2 -2z"/>',
        f'<path {fill} d="M{x} {y + 4}l4 -7h-8z"/>',
    )
    return shapes[place % len(shapes)]
