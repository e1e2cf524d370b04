"""The page's figures: which of `twin.plot` stand there, under which titles, with which words beside them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes

from twin.answer import contenders, span
from twin.compare import POWER, Comparison
from twin.estimate import mean_interval
from twin.plot import dispatch, exceedance, paired_differences, return_dots, style, survival, tornado, waterfall
from twin.plot.futures import DOTS, Change, Swing
from twin.plot.spread import EXCEEDANCE_YEARS_MIN
from twin.plot.survival import SURVIVAL_OUTAGES_MIN
from twin.report.content import Content, Returns
from twin.report.figures import svg
from twin.report.lanes import worst_outage_h
from twin.report.markup import esc, phrase, tag
from twin.words import Language

_LINES = (
    ("energy_cost_per_year", 1.0),
    ("demand_cost_per_year", 1.0),
    ("truck_cost_per_year", 1.0),
    ("lost_value_per_year", 1.0),
    ("lending_income_per_year", -1.0),
)
"""Lines of the yearly cost, and the sign with which each counts."""
_MILLIONS_FROM = 1e6


def spread(content: Content, language: Language) -> str:
    """Bad years, survival, and the same year under two designs; nothing for a single replication."""
    comparison = content.comparison
    found = []
    has_power = POWER in comparison.names and any(np.any(comparison.column(d, POWER)) for d in comparison.designs)
    if comparison.n >= EXCEEDANCE_YEARS_MIN and has_power:
        axes = exceedance(comparison, POWER, words=language.phrases)
        style.name_x(axes, language.say("exceedance_x"))
        note = language.say("exceedance_note", span=span(comparison, language), n=comparison.n)
        found.append(_figure("exceedance", language.say("bad_years"), note, axes, language))
    if any(len(one.duration_h) >= SURVIVAL_OUTAGES_MIN for one in content.outages.values()):
        axes = survival(content.outages)
        style.name_x(axes, language.say("survival_x"))
        years = language.say("year" if content.outage_years == 1 else "years", count=f"{content.outage_years:.3g}")
        note = language.say("survival_note", span=years)
        found.append(_figure("survival", language.say("survival"), note, axes, language))
    if comparison.n > 1 and len(comparison.designs) > 1 and has_power:
        found.append(_paired(comparison, language))
    return tag("div", "".join(found), class_="two") if found else ""


def _paired(comparison: Comparison, language: Language) -> str:
    design = next(one for one in contenders(comparison, POWER) if one != comparison.reference)
    paired = comparison.paired(design, comparison.reference, POWER)
    names = {"design": design, "reference": comparison.reference}
    axes = paired_differences(comparison, design, POWER, words=language.phrases)
    axes.set_title(language.say("paired_y", **_brief(names)), loc="left", fontsize=style.FONT_PT, color=style.INK)
    ratio = math.sqrt(paired.variance_ratio) if paired.variance_ratio > 0 else math.nan
    wider = language.say("paired_wider", ratio=f"{ratio:.1f}") if 1.05 < ratio < math.inf else ""
    note = language.say("paired_note", n=comparison.n, wider=wider)
    return _figure("paired", language.say("differences"), note, axes, language, **names)


def money(content: Content, language: Language) -> str:
    """Changes of the yearly cost, returns as dots, and the inputs that could turn the answer."""
    returns = content.returns
    if returns is None:
        found = list(_waterfall(content, language))
    else:
        found = [_present_values(content, returns, language), _dots(content, returns, language)]
        if returns.swings:
            scale, unit = _unit(returns, content, language)
            scaled = [
                Swing(one.name, one.low, one.high, scale * one.at_low, scale * one.at_high) for one in returns.swings
            ]
            axes = tornado(scaled, scale * returns.base)
            style.name_x(axes, unit)
            found.append(_figure("tornado", language.say("tornado"), language.say("tornado_note"), axes, language))
    return tag("div", "".join(found), class_="two") if found else ""


def _unit(returns: Returns, content: Content, language: Language) -> tuple[float, str]:
    """Scale and name of the money of these returns."""
    largest = max(float(np.abs(npv).max()) for npv in returns.futures.values())
    return money_unit(largest, content.currency, language)


def money_unit(largest: float, currency: str, language: Language) -> tuple[float, str]:
    """Scale and name of money: millions, or thousands where all is less."""
    if largest >= _MILLIONS_FROM:
        return 1e-6, language.say("million", currency=currency)
    return 1e-3, language.say("thousands", currency=currency)


def _present_values(content: Content, returns: Returns, language: Language) -> str:
    """Where the money moves over the years: present cost of each line, design less counterfactual."""
    design = money_design(content, returns)
    scale, unit = _unit(returns, content, language)
    changes = []
    for name, values in returns.lines[design].items():
        if np.any(values):
            one = mean_interval(-values * scale)
            changes.append(Change(language.say(f"line_{name}"), one.mean, one.low, one.high))
    names = {"design": design, "reference": returns.against}
    axes = waterfall(changes, total=language.say("net_change"))
    axes.set_title(
        language.say("waterfall_y", unit=style.brief(unit), **_brief(names)), loc="left", fontsize=style.FONT_PT
    )
    note = language.say("present_note", unit=unit, years=returns.years, rate=f"{100 * returns.rate:g}", **names)
    return _figure("waterfall", language.say("present"), note, axes, language, **names)


def _dots(content: Content, returns: Returns, language: Language) -> str:
    scale, unit = _unit(returns, content, language)
    axes = return_dots({name: npv * scale for name, npv in returns.futures.items()}, words=language.phrases)
    style.name_x(axes, unit)
    count = min(len(next(iter(returns.futures.values()))), DOTS)
    note = language.say(
        "return_note", reference=returns.against, dots=count, years=returns.years, rate=f"{100 * returns.rate:g}"
    )
    return _figure("returns", language.say("return_dots"), note, axes, language)


def money_design(content: Content, returns: Returns) -> str:
    """The design that money is told of: the one that the answer speaks of, where it has a value of its own."""
    spoken = contenders(content.comparison) if len(content.comparison.designs) > 1 else ()
    return next((design for design in spoken if design in returns.futures), next(iter(returns.futures)))


def _waterfall(content: Content, language: Language) -> Iterator[str]:
    comparison = content.comparison
    if len(comparison.designs) == 1 or "bill_per_year" not in comparison.names:
        return
    if not any(np.nansum(comparison.column(design, "bill_per_year")) for design in comparison.designs):
        return
    design = next(one for one in contenders(comparison) if one != comparison.reference)
    changes, largest = [], 0.0
    for name, sign in _LINES:
        if name not in comparison.names:
            continue
        one = comparison.paired(design, comparison.reference, name).estimate
        if one.n and one.mean:
            low, high = sorted((sign * one.low, sign * one.high)) if comparison.n > 1 else (math.nan, math.nan)
            changes.append((name, sign * one.mean, low, high))
            largest = max(largest, abs(one.mean))
    if not changes:
        return
    scale, unit = money_unit(largest, content.currency, language)
    bars = [
        Change(language.metrics.get(name, content.shown[name])[0], value * scale, low * scale, high * scale)
        for name, value, low, high in changes
        if name in content.shown
    ]
    names = {"design": design, "reference": comparison.reference}
    axes = waterfall(bars, total=language.say("net_change"))
    axes.set_title(
        language.say("waterfall_y", unit=style.brief(unit), **_brief(names)), loc="left", fontsize=style.FONT_PT
    )
    note = language.say("waterfall_note", unit=unit, **names)
    yield _figure("waterfall", language.say("waterfall"), note, axes, language, **names)


def worst_outage(content: Content, language: Language) -> str:
    """The costliest supply interruption as a drawing, for readers without scripts."""
    trace = content.trace
    assert trace is not None
    spans = {name: worst_outage_h(trace, name) for name in trace.meta["sites"]}
    site = max(spans, key=lambda name: spans[name][1] - spans[name][0])
    begin, end = spans[site]
    margin = max(12.0, end - begin)
    horizon_h = trace.meta["horizon_us"] / 3.6e9
    axes = dispatch(trace, site, max(begin - margin, 0.0), min(end + margin, horizon_h))
    return tag("p", phrase(language.say("replay_static")), class_="note") + svg(axes, str(site), "dispatch")


def _brief(names: dict[str, str]) -> dict[str, str]:
    return {key: style.brief(name) for key, name in names.items()}


def _figure(key: str, title: str, note: str, axes: Axes, language: Language, **names: str) -> str:
    finding = language.say(f"{ {'returns': 'return'}.get(key, key) }_finding", **names)
    caption = tag("figcaption", tag("h3", esc(title)) + phrase(note))
    return tag("figure", caption + svg(axes, finding, key))
