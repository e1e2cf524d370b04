"""Fixtures for all tests: the folder of measured records, which the project does not hold."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """A function from a record's folder name to its path below TWIN_DATA (default: ../shared/data).

    A record that is not there skips the test, but fails it where TWIN_REQUIRE_DATA=1.
    """

    def find(folder_name: str) -> Path:
        folder = Path(os.environ.get("TWIN_DATA") or REPOSITORY.parent / "shared" / "data") / folder_name
        if folder.is_dir():
            return folder
        message = f"there is no measured record {folder} (set TWIN_DATA to the folder of records)"
        if os.environ.get("TWIN_REQUIRE_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)

    return find
