"""Every key of a scenario file says what it is, for the model reference, the JSON Schema and editors."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "_ext"))

import blocks

PLACES = {place or "the root": block for block, place in blocks.places().items()}


@pytest.mark.parametrize("place", PLACES)
def test_every_key_has_a_description(place):
    assert [key.name for key in blocks.keys(PLACES[place]) if not key.meaning] == []


def test_blocks_are_found_and_their_keys_too():
    assert len(PLACES) > 100
    assert PLACES["sites.NAME.protection.cabinets"].__name__ == "CabinetsSpec"
    assert "per_row" in {key.name for key in blocks.keys(PLACES["sites.NAME.protection.cabinets"])}
