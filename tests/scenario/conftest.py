"""Fixtures: write a scenario file, load it against the small model, and collect its problems."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_model import Small

from twin.errors import InputError, Problem
from twin.scenario.load import load
from twin.scenario.study import Study


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_file(text: str, name: str = "s.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write_file


@pytest.fixture
def study(write: Callable[..., Path]) -> Callable[..., "Study[Small]"]:
    return lambda text, **options: load(write(text), Small, **options)


@pytest.fixture
def problems(write: Callable[..., Path]) -> Callable[..., list[Problem]]:
    def problems_of(text: str, **options: Any) -> list[Problem]:
        path = write(text)
        with pytest.raises(InputError) as caught:
            load(path, Small, **options)
        return caught.value.problems

    return problems_of
