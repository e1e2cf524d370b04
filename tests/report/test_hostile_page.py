"""Markup through every door of a scenario file: the pages made of it run nothing, ask for nothing and link nowhere."""

import json
import os
import re
from html.parser import HTMLParser

import pytest
from browser import Browser, find_chromium
from click.testing import CliRunner

from twin.cli.app import twin as command
from twin.scenario.load import find

SEIZE = "document.title='seized'"
MARKUP = f'<img src=x onerror="{SEIZE}">'
CLOSING = f"</script></td><script>{SEIZE}</script><svg onload={SEIZE}>"
QUOTES = f'" onmouseover="{SEIZE}" x=\''
URL = "https://elsewhere.example/x.js"
TROJAN = f"javascript:{SEIZE}"
LINK = f'<a href="{TROJAN}">click</a> <script src="{URL}"></script> {URL}'
NAME = "<b onclick=x>"
"""Short enough, and without a dot, to be the name of a thing."""
SOON = "new Promise(r => setTimeout(r, 200))"
PAGES = ("compared", "campaign", "trace")


def hostile_text():
    """02_one_outage with markup for every name, question, unit of money and source that it can hold."""
    text = find("02_one_outage").read_text(encoding="utf-8")
    renamed = {
        "  hall:\n": f"  {json.dumps(NAME + 'site')}:\n    source: {json.dumps(LINK)}\n"
        f"    tariff: {{price_per_kwh: {{flat: 1}}, surcharges_per_kwh: {{{json.dumps(MARKUP)}: 0.1}},"
        f" source: {json.dumps(TROJAN)}}}\n    load_points: {{{json.dumps(NAME + 'point')}: {{load_kw: 1}}}}\n",
        "name: one_outage\n": f"name: {json.dumps(MARKUP + CLOSING)}\ncurrency: {json.dumps(NAME + QUOTES)}\n",
        "question: What": f"question: {json.dumps(CLOSING + LINK)}\nsource: {json.dumps(QUOTES)} # What",
        "feeders: {A: {}}": f"feeders: {{{json.dumps(NAME + 'feeder')}: {{source: {json.dumps(MARKUP)}}}}}",
        "  training:\n": f"  {json.dumps(NAME + 'job')}:\n    source: {json.dumps(CLOSING)}\n",
        "core: {load_kw: 100}": "core: {load_kw: {value: 100, low: 90, high: 110, source: " + json.dumps(LINK) + "}}",
    }
    for old, new in renamed.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    designs = {f"{NAME}{word}": {"design_note": f"{MARKUP}{LINK}"} for word in ("one", "two")}
    designs[f"{NAME}two"]["sites.*.protection.cabinets"] = {"rated_kwh": 200, "source": CLOSING + TROJAN}
    return f"{text}designs: {json.dumps(designs)}\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """By name the pages of a comparison, of a campaign and of one trace, in English and in Chinese."""
    folder = tmp_path_factory.mktemp("hostile")
    scenario = folder / "<img src=x onerror=alert(1)>.yaml"
    scenario.write_text(hostile_text(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for arguments in (
            ("compare", scenario.name, "-n", "2", "--html", "compared.html"),
            ("campaign", scenario.name, "-n", "2", "--workers", "1", "-o", "campaign.h5"),
            ("run", scenario.name, "--design", f"{NAME}two", "-o", "trace.h5"),
            ("report", "campaign.h5", "-o", "campaign.html", "--language", "zh"),
            ("report", "trace.h5", "-o", "trace.html"),
        ):
            done = CliRunner().invoke(command, list(arguments))
            assert done.exit_code == 0, done.output
    return {name: folder / f"{name}.html" for name in PAGES}


class Elements(HTMLParser):
    """What a page holds: its elements, where its links go, what it loads, what it would do on an event."""

    def __init__(self, text):
        super().__init__()
        self.names, self.links, self.loads, self.handlers = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.links |= {value[:1] for key, value in attrs if key.endswith("href")}
        self.loads += [value for key, value in attrs if key in ("src", "srcset", "data", "action", "poster", "style")
                       and re.search(r"//|url\(|javascript:", value or "")]  # fmt: skip
        self.handlers += [key for key, _ in attrs if key.startswith("on")]


@pytest.mark.parametrize("name", PAGES)
def test_no_text_of_a_scenario_becomes_an_element_a_link_or_a_handler(pages, name):
    text = pages[name].read_text(encoding="utf-8")
    found = Elements(text)
    assert found.handlers == []
    assert found.loads == []
    assert found.links == {"#"}
    assert found.names.count("script") == 2  # the data and our own
    assert not {"img", "iframe", "object", "embed", "form", "base", "link"} & set(found.names)
    assert "elsewhere.example" in text  # it is told, as text
    assert "&lt;img src=x" in text


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if find_chromium() is None and not os.environ.get("TWIN_REQUIRE_BROWSER"):
        pytest.skip("no chromium here (Debian: apt-get install chromium)")
    one = Browser(tmp_path_factory.mktemp("browser"))
    yield one
    one.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_browser_runs_nothing_of_it_and_asks_for_nothing(browser, pages, name):
    browser.open(pages[name])
    browser.run(SOON)
    browser.run(
        "document.querySelectorAll('*').forEach(e => { e.click && e.click();"
        " e.dispatchEvent(new MouseEvent('mouseover')) })"
    )
    browser.run(SOON)
    assert browser.run("document.title").startswith("twin")
    assert browser.run("document.querySelectorAll('img, iframe, object, embed, [onclick], [onerror]').length") == 0
    assert browser.run("[...document.links].every(a => a.getAttribute('href').startsWith('#'))")
    assert browser.requests() == []
    assert browser.complaints() == []
