"""The page as text: safe, small, whole in both languages, and worded as promised."""

import re
import string

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.answer import sentences
from twin.cli.reporting import OutagesMet, content_of_study
from twin.compare import DRAWBACKS, compare_designs
from twin.experiment import run_designs
from twin.report.content import Returns
from twin.report.limits import limits
from twin.report.markup import esc, phrase, script_json
from twin.report.page import page
from twin.report.table import side_by_side
from twin.words import BOLD, ENGLISH, LANGUAGES, chinese, english

ZH = LANGUAGES["zh"]


def test_both_languages_say_the_same_things():
    assert english.PHRASES.keys() == chinese.PHRASES.keys()
    for key, text in english.PHRASES.items():
        fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
        assert fields == {name for _, name, _, _ in string.Formatter().parse(chinese.PHRASES[key]) if name}, key
        assert text.count("[[") == text.count("]]")


def test_every_metric_of_the_tables_and_every_drawback_has_chinese_words(make_content):
    assert make_content().shown.keys() <= chinese.METRICS.keys()
    assert DRAWBACKS.keys() <= chinese.DRAWBACKS.keys()


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
def test_the_page_is_one_small_file_that_asks_for_nothing(make_content, trace, language):
    text = page(make_content(trace=trace, trace_why="worst_of"), language)
    assert len(text.encode()) < 1_200_000
    assert set(re.findall(r"https?://[^\"' )]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\bsrc\s*=", text)
    assert set(re.findall(r'href="(.)', text)) == {"#"}
    ids = re.findall(r'\sid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]*)"', text)) <= set(ids)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")


def test_the_answer_table_and_figures_stand_without_scripts(make_content, trace):
    text = page(make_content(trace=trace, trace_why="worst_of"))
    still = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert '<p class="answer">' in still
    assert "<table" in still
    assert still.count('role="img" aria-labelledby') >= 3
    assert "<noscript>" in still


HOSTILE = '<img src=x onerror=alert(1)></script><script>alert(2)</script>" onload="x \u202e&amp;'


def test_markup_in_names_and_sources_stays_text(make_content, comparison, trace):
    values = {HOSTILE: comparison.values["central_ups"], "'><svg/onload=x>": comparison.values["cabinets"]}
    hostile = make_content(
        scenario=HOSTILE, question=HOSTILE, command=HOSTILE, currency=HOSTILE, trace=trace,
        comparison=compare_designs(values, comparison.names), notes={HOSTILE: HOSTILE},
        files=[{"name": HOSTILE, "sha256": HOSTILE}],
        assumptions=[make_content().assumptions[0].__class__(HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
    )  # fmt: skip
    text = page(hostile)
    assert "<img" not in text
    assert "<svg/onload" not in text
    assert text.count("<script") == 2  # the data and our own
    assert "\u202e" not in text
    assert "\\u202e" in text


@given(st.text())
def test_no_text_escapes_its_element(text):
    assert not set(esc(text)) & set("<>\"'")
    assert "<" not in script_json({"x": text})
    assert not re.search(r"<(?!/?b>)", phrase(f"{BOLD[0]}x{BOLD[1]}{text.replace(BOLD[0], '').replace(BOLD[1], '')}"))


NAMES = ("lost_gpu_h_per_year", "lost_gpu_h_power_per_year", "lost_gpu_h_hardware_per_year", "all_rows_dark_per_year")


def designs(**columns):
    """Designs that lose so much to power, none to hardware, and are never all dark."""
    values = {
        name: np.column_stack([lost, lost, np.zeros(len(lost)), np.zeros(len(lost))]) for name, lost in columns.items()
    }
    return compare_designs(values, NAMES)


def test_zero_events_are_a_bound_and_never_certain(make_content):
    lost = np.random.default_rng(1).uniform(1e3, 2e3, 40)
    content = make_content(comparison=designs(ups=lost, cabinets=lost / 2), metrics=["all_rows_dark_per_year"])
    table = side_by_side(content, ENGLISH)
    assert "none seen" in table
    assert "at most 0.075" in table
    assert "0 seen in 40 y" in table
    assert "100 %" not in table
    told = " ".join(limits(content, ENGLISH))
    assert "This bounds the rate at 0.075 a year (95 %); it does not show that it cannot happen." in told
    assert "未出现" in side_by_side(content, ZH)


def test_an_unresolved_difference_is_grey_and_says_so(make_content):
    rng = np.random.default_rng(2)
    content = make_content(
        comparison=designs(ups=rng.gamma(1, 1e3, 20), cabinets=rng.gamma(1, 1e3, 20)), metrics=list(NAMES[1:2])
    )
    table = side_by_side(content, ENGLISH)
    assert 'class="difference open"' in table
    assert "not resolved" in table
    assert "no difference" not in page(content)
    assert any("not resolve" in text.replace(BOLD[0], "") for text in sentences(content.comparison))


def test_one_trace_makes_no_statement_about_other_years(make_content, trace):
    content = make_content(comparison=designs(cabinets=np.array([500.0])), metrics=list(NAMES[1:]), trace=trace)
    text = page(content)
    assert "This is one simulated year; no statement about other years." in text
    assert "no statement about other years, and so no intervals" in text
    assert "<i>" not in re.search(r"<tbody>(.*?)</tbody>", text, re.DOTALL)[1]
    assert "One year, replayed" in text
    assert "Worst year" not in text
    assert "对其他年份不作任何结论" in page(content, ZH)


def test_a_difference_below_one_percent_never_reads_zero():
    lost = np.full(30, 1e6) + np.arange(30)
    found = sentences(designs(ups=lost, cabinets=lost * 0.9993))[0]
    assert "0.07 % less" in found


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1e7), min_size=2, max_size=8), st.floats(0.1, 2.0))
def test_any_losses_make_a_page_in_both_languages(make_content, lost, factor):
    values = np.array(lost)
    content = make_content(comparison=designs(ups=values, cabinets=values * factor), metrics=list(NAMES[1:]))
    for language in LANGUAGES.values():
        text = page(content, language)
        assert "nan" not in re.sub(r"<style.*?</style>|<script.*?</script>", "", text, flags=re.DOTALL).lower()


def test_returns_are_told_with_their_counterfactual_years_and_count(make_content):
    lost = np.random.default_rng(3).uniform(1e3, 2e3, 20)
    gained = np.linspace(-4e6, 16e6, 20)
    returns = Returns(
        "ups", 10, 0.08, {"cabinets": gained}, {"cabinets": {"capital": np.full(20, -20e6), "energy": gained + 20e6}}
    )
    text = page(make_content(comparison=designs(ups=lost, cabinets=lost / 2), metrics=list(NAMES[1:]), returns=returns))
    won = int((gained > 0).sum())
    told = (
        "cabinets costs 20 million CNY more to build than ups, and is worth more in <b>{} of 20</b> simulated futures."
    )
    assert told.format(won) in text
    assert "10 simulated years at 8 %" in text
    assert f"cabinets: {20 - won} of 20 lose money" in text


def test_outages_found_while_designs_are_simulated_are_those_of_years_made_again(study, comparison):
    met = OutagesMet(comparison.designs, comparison.n)
    run_designs(study, comparison.designs, comparison.n, look=met.look)
    again = content_of_study(study, comparison)
    found = met.by_design()
    assert set(found) == set(again.outages)
    for design, outages in again.outages.items():
        assert len(outages.duration_h) > 0
        assert np.array_equal(found[design].duration_h, outages.duration_h)
        assert np.array_equal(found[design].survived, outages.survived)
