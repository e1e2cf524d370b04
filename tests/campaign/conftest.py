"""The small scenario, and results of it that nothing disturbed."""

import pytest
from small_campaign import run_here, small

from twin.scenario.load import load


@pytest.fixture(scope="session")
def scenario(tmp_path_factory):
    return small(tmp_path_factory.mktemp("scenario"))


@pytest.fixture(scope="session")
def study(scenario):
    return load(scenario)


@pytest.fixture(scope="session")
def undisturbed(study, tmp_path_factory):
    """The results file of `REPLICATIONS` replications that nothing disturbed."""
    path = tmp_path_factory.mktemp("undisturbed") / "r.h5"
    run_here(study, path)
    return path
