"""Traces and comparisons that the report's tests share: simulated once."""

import pytest

import twin
from twin.cli.figures import SHOWN, shown_metrics
from twin.compare import compare_designs
from twin.experiment import run_designs
from twin.report.content import Content, assumptions_of

DESIGNS = ("central_ups", "cabinets")


@pytest.fixture(scope="session")
def study():
    return twin.load("01_flagship_weak")


@pytest.fixture(scope="session")
def comparison(study):
    names, values = run_designs(study, DESIGNS, 12)
    return compare_designs(values, names)


@pytest.fixture(scope="session")
def trace(study):
    return twin.simulate(study, "cabinets", 0)


@pytest.fixture(scope="session")
def make_content(study, comparison):
    """Content of a page; keywords replace what it holds."""

    def make(**changed):
        held = {
            "scenario": study.name, "question": study.base.question, "digest": study.digest, "seed": 1, "version": "0",
            "command": "twin compare x", "currency": "CNY", "comparison": comparison, "shown": SHOWN,
            "metrics": shown_metrics([comparison.rows]),
            "assumptions": assumptions_of({"a": {"x_kw": 1.0, "source": "a book"}}, {"a.x_kw": (0.5, 2.0)}),
        }  # fmt: skip
        return Content(**held | changed)

    return make
