"""Hostile inputs through the command line: refused in words, in time, within memory, and nothing is written over.

python benchmarks/hostile_input.py --count 10000 --seed 1     # as many as you like, with a table of what happened
"""

import sys

import pytest
from pool import judged
from victims import make

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured in /proc")

COUNT = 150


@pytest.fixture(scope="session")
def victims(tmp_path_factory):
    return make(tmp_path_factory.mktemp("victims"))


def test_hostile_inputs_are_refused_in_words_and_change_nothing(victims):
    found = list(judged(victims, "ci", range(COUNT), 2))
    wrong = [
        (one["number"], one["arguments"], one["findings"], one["stderr"][-500:]) for one in found if one["findings"]
    ]
    assert not wrong
    assert len(found) == COUNT
    assert {"done", "refused"} <= {one["outcome"] for one in found}
