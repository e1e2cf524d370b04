"""The page: sections in the order of questions, one file without a network, the answer standing without scripts."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

import numpy as np
from matplotlib import colormaps

from twin.answer import sentences, span
from twin.compare import HEADLINE
from twin.plot.style import short
from twin.report import charts
from twin.report.content import Content, Returns
from twin.report.lanes import EVENTS_MAX, events
from twin.report.limits import limits
from twin.report.markup import esc, phrase, rows, script_json, tag
from twin.report.payload import replay, resolution_kw
from twin.report.table import side_by_side
from twin.words import ENGLISH, Language

_STATES = (
    "away", "dark", "running", "battery", "here", "coming", "planned", "power",
)  # fmt: skip
_LINES = ("load", "grid", "pv", "storage", "genset")


def page(content: Content, language: Language = ENGLISH) -> str:
    """The whole HTML text.

    Args:
        content: what stands on it.
        language: of every word of ours; names and sources stay as they were written.
    """
    script = _asset("replay.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; img-src data:"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{esc(language.say('title'))}: {esc(content.scenario)}</title><style>{_asset('report.css')}</style>"
    )
    sections = _sections(content, language)
    body = _header(content, language, sections) + tag("main", "".join(text for _, _, text in sections))
    body += _footer(content, language) + f"<script>{script}</script>"
    return f'<!doctype html><html lang="{language.code}"><head>{head}</head><body>{body}</body></html>\n'


def _asset(name: str) -> str:
    return files("twin.report").joinpath("assets", name).read_text(encoding="utf-8")


def _sections(content: Content, language: Language) -> list[tuple[str, str, str]]:
    """Anchor, title and HTML of every section that has something to say."""
    parts = [
        ("table", "side_by_side", side_by_side(content, language)),
        ("spread", "distributions", charts.spread(content, language)),
        ("money", "money", charts.money(content, language)),
        ("limits", "limits", _limits(content, language)),
        ("worst", "worst_year" if content.trace_why == "worst_of" else "this_year", _worst(content, language)),
        ("assumptions", "assumptions", _assumptions(content, language)),
    ]
    return [
        (anchor, language.say(title), tag("h2", esc(language.say(title)), id=anchor) + text)
        for anchor, title, text in parts
        if text
    ]


def _header(content: Content, language: Language, sections: list[tuple[str, str, str]]) -> str:
    comparison = content.comparison
    known = {"scenario": content.scenario, "span": span(comparison, language)}
    if len(comparison.designs) == 1:
        about = language.say("identity_one", design=comparison.reference, **known)
    else:
        about = language.say("identity", designs=len(comparison.designs), **known)
    question = content.question or language.say("no_question")
    told = sentences(comparison, HEADLINE, language)
    beside = told.pop() if len(told) > 1 and comparison.n > 1 else ""
    answer = phrase(language.join(told))
    if content.returns is not None:
        answer += " " + phrase(_worth(content, content.returns, language))
    links = "".join(tag("a", esc(title), href=f"#{anchor}") for anchor, title, _ in sections)
    button = tag("button", esc(language.say("light_dark")), id="theme", type="button")
    return tag(
        "header",
        tag("h1", f"{esc(question)} &nbsp;\u00b7&nbsp; {esc(about)}")
        + tag("p", answer, class_="answer")
        + (tag("p", phrase(beside), class_="answer more") if beside else "")
        + tag("nav", links + button),
    )


def _worth(content: Content, returns: Returns, language: Language) -> str:
    """What the design of the answer costs more to build, and in how many futures it is worth more."""
    design = charts.money_design(content, returns)
    lines, npv = returns.lines[design], returns.futures[design]
    capital = -sum(float(np.mean(lines[name])) for name in ("capital", "avoided_capital") if name in lines)
    scale, unit = charts.money_unit(abs(capital), content.currency, language)
    key = "worth_more_capital" if capital >= 0 else "worth_less_capital"
    return language.say(
        key, design=design, against=returns.against, capital=short(abs(capital) * scale), unit=unit,
        k=int((npv > 0).sum()), n=len(npv),
    )  # fmt: skip


def _limits(content: Content, language: Language) -> str:
    return tag("div", "".join(tag("p", phrase(text)) for text in limits(content, language)), class_="limits")


def _worst(content: Content, language: Language) -> str:
    trace = content.trace
    if trace is None:
        return ""
    why = language.say(content.trace_why, n=content.comparison.n)
    told = language.say("replay_note", design=trace.meta["design"], replication=trace.meta["replication"], why=why)
    exact = language.say("resolution", kw=f"{resolution_kw(trace):.2g}")
    data = replay(trace)
    note = tag("p", f"{phrase(told)} {phrase(exact)}", class_="note")
    still = tag("noscript", charts.worst_outage(content, language))
    return note + _bar(data, language) + _canvas(language) + still + _data(data, language) + _events(content, language)


def _bar(data: dict[str, Any], language: Language) -> str:
    names = {"worst": "worst_outage", "week": "one_week", "year": "whole_year"}
    names |= {"previous": "previous_event", "next": "next_event"}
    found = [
        tag("button", esc(language.say(words)), id=f"replay-{name}", type="button") for name, words in names.items()
    ]
    if len(data["sites"]) > 1:
        options = "".join(tag("option", esc(site["name"])) for site in data["sites"])
        found.insert(0, tag("select", options, id="replay-site", aria_label=language.say("site")))
    drawn = {line["key"] for site in data["sites"] for line in site["lines"]}
    keys = [key for key in _LINES if key in drawn] + ["outage"]
    found += [tag("span", f'<i style="background:var(--{key})"></i>{esc(language.say(key))}') for key in keys]
    return tag("div", "".join(found), class_="bar")


def _canvas(language: Language) -> str:
    name = language.say("replay_name")
    canvas = tag("canvas", "", id="replay-canvas", tabindex="0", role="img", aria_label=name)
    return tag("div", canvas, id="replay") + tag("p", "", id="replay-readout", aria_live="polite")


def _data(data: dict[str, Any], language: Language) -> str:
    shades = colormaps["cividis"]([k / 100 for k in range(101)])[:, :3]
    words = {key: language.say(key) for key in (*_LINES, "whole_year", "units", "soc", "out")}
    words |= {state: language.say(f"state_{state}") for state in _STATES}
    busiest = max(data["sites"], key=lambda site: site["worst"][1] - site["worst"][0])
    whole = data | {
        "words": words, "cividis": (255 * shades).round().astype(int).tolist(), "opens_on": busiest["name"],
        "months": language.say("months").split(),
    }  # fmt: skip
    return f'<script type="application/json" id="replay-data">{script_json(whole)}</script>'


def _events(content: Content, language: Language) -> str:
    """The events of the replay as a table, for those who do not see it and for print."""
    trace = content.trace
    assert trace is not None
    found, count = [], 0
    for site in trace.meta["sites"]:
        own, of_site = events(trace, site)
        found += own
        count += of_site
    found = sorted(found, key=lambda one: -one.lost_gpu_h)[:EVENTS_MAX]
    cells = [
        [
            tag("td", esc(_clock(trace.meta["start"], one.time_h))), tag("td", esc(one.text)),
            tag("td", f"{one.lost_gpu_h:,.0f}".replace(",", "\u2009") if one.lost_gpu_h else ""),
            tag("td", esc(" \u2192 ".join(one.chain))),
        ]
        for one in sorted(found, key=lambda one: one.time_h)
    ]  # fmt: skip
    names = [tag("th", esc(language.say(key)), scope="col") for key in ("time", "event", "lost", "began_by")]
    head = f"<thead><tr>{''.join(names)}</tr></thead>"
    title = language.say("events_table", shown=len(cells), all=count)
    table = tag("table", f"{head}<tbody>{rows(cells)}</tbody>", class_="left")
    return tag("details", tag("summary", esc(title)) + tag("div", table, class_="scroll"))


def _clock(start: str, time_h: float) -> str:
    at = np.datetime64(f"{start}T00:00:00") + np.timedelta64(round(time_h * 3600), "s")
    return str(at).replace("T", " ")


def _assumptions(content: Content, language: Language) -> str:
    if not content.assumptions:
        return tag("p", esc(language.say("no_assumptions")), class_="note")
    ranged = any(one.bounds for one in content.assumptions)
    cells = [
        [
            tag("th", esc(one.path), scope="row"), tag("td", esc(one.values)),
            *([tag("td", esc(one.bounds))] if ranged else []), tag("td", esc(one.source or language.say("no_source"))),
        ]
        for one in content.assumptions
    ]  # fmt: skip
    keys = ("input", "value", "range", "source") if ranged else ("input", "value", "source")
    names = [tag("th", esc(language.say(key)), scope="col") for key in keys]
    head = f"<thead><tr>{''.join(names)}</tr></thead>"
    table = tag("table", f"{head}<tbody>{rows(cells)}</tbody>", class_="left")
    return tag("p", esc(language.say("assumptions_note")), class_="note") + tag("div", table, class_="scroll")


def _footer(content: Content, language: Language) -> str:
    told = language.say(
        "foot", version=content.version, digest=content.digest[:16], seed=content.seed,
        replications=content.comparison.n, first=content.first,
    )  # fmt: skip
    lines = [tag("p", esc(told))]
    command = esc(language.say("command", command="\0")).replace("\\u0000", tag("code", esc(content.command)))
    lines.append(tag("p", command))
    if content.files:
        named = ", ".join(f"{one['name']} (sha256 {str(one['sha256'])[:12]})" for one in content.files)
        lines.append(tag("p", esc(language.say("files", files=named))))
    return tag("footer", "".join(lines))
