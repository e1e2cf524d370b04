"""The pages keep their word: commands and examples run and print what is shown, files that they name are there."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
UNRUN = (
    r"git clone \S+",
    r"python3 -m venv .venv && .*",
    r"(\.venv/bin/)?python -m pip install .*",
    r"(.* )?dask (scheduler|worker) tcp.*|dask scheduler .*|.* dask worker .*",
    r"twin campaign .* --scheduler .*",
    r"python -m sphinx -W --keep-going docs build/docs",
    r"python docs/examples.py .*",
    r"python -m pytest -m long .*",
    r"python -m twin\.inputs\.samples \S+",
)
"""What a `sh` block may hold: commands that install, start clusters or take long; they are not run here."""


def load_examples():
    spec = importlib.util.spec_from_file_location("examples", DOCS / "examples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["examples"] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


examples = load_examples()
PAGES = {str(page.relative_to(DOCS)): page.read_text(encoding="utf-8") for page in examples.PAGES}
PLAYED = [name for name, text in PAGES.items() if any(True for _ in examples.steps(text))]


@pytest.mark.parametrize("name", PLAYED)
def test_what_a_page_tells_to_do_runs_and_prints_what_it_shows(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert examples.check(PAGES[name]) > 0


def test_output_that_differs_in_more_than_numbers_is_seen():
    printed = "lost to power   5\n  0 to 9\nnext 3\n"
    assert examples.missing("lost to power   12\n  7 to 19\n", printed) is None
    assert examples.missing("lost to power   12\n...\nnext 4\n", printed) is None
    assert examples.missing("lost to power   12\nnext 4\n", printed)
    assert examples.missing("lost to hardware   5\n", printed)
    assert examples.fresh("next 9\n...\n", printed) == "next 3\n...\n"


@pytest.mark.parametrize("name", PAGES)
def test_every_block_of_a_page_is_run_or_of_a_kind_that_need_not_be(name):
    for fence in re.finditer(r"^```([^\n]*)\n(.*?)^```$", PAGES[name], re.MULTILINE | re.DOTALL):
        head, body = fence[1], fence[2]
        assert head.startswith("{") or head in {"console", "python", "text", "yaml", "sh"}, head
        for line in body.splitlines() if head == "sh" else ():
            assert any(re.fullmatch(one, line.strip()) for one in UNRUN), line


@pytest.mark.parametrize("name", PAGES)
def test_files_that_a_page_names_are_there(name):
    named = re.findall(r"`((?:twin|tests|benchmarks|scenarios|docs)/[\w/.-]+\.\w+)`", PAGES[name])
    for folder, more in re.findall(r"`((?:tests|twin)/[\w/]+/)[\w.]+`((?:, `\w+\.py`)+)", PAGES[name]):
        named += [folder + one for one in re.findall(r"`(\w+\.py)`", more)]
    missing = [file for file in named if not (REPOSITORY / file).exists() and "*" not in file]
    assert not missing


def test_ci_builds_the_pages_with_warnings_as_errors():
    lines = (REPOSITORY / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if "-m sphinx -W" in line and line.endswith("docs build/docs")]


def test_the_design_page_names_every_package():
    packages = sorted(folder.parent.name for folder in (REPOSITORY / "twin").glob("*/__init__.py"))
    assert not [name for name in packages if f"`twin.{name}`" not in PAGES["design.md"]]


def test_every_page_is_reached_from_the_readme_or_the_index():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(docs/([\w/]+\.md)\)", readme))
    listed = {page for text in PAGES.values() for page in re.findall(r"^([\w/]+)$", text, re.MULTILINE)}
    assert linked <= set(PAGES)
    assert not [
        name
        for name in PAGES
        if name not in linked
        and name.removesuffix(".md").split("/")[-1] not in {one.split("/")[-1] for one in listed}
        and name != "index.md"
    ]
