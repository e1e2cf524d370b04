"""A row of keys holds the keys of its items, however many rows there are, and cannot be changed by who reads it."""

import numpy as np
import pytest

from twin.chance.philox import stream_key, stream_keys


def test_a_row_holds_the_keys_of_its_items() -> None:
    names = tuple(f"campus/row-{i:02d}/cabinet-{k}" for i in range(20) for k in range(8))
    row = stream_keys(7, names, "failure")
    assert row.dtype == np.uint64
    assert row.tolist() == [int(stream_key(7, name, "failure")) for name in names]
    assert stream_keys(7, (), "failure").size == 0
    with pytest.raises(ValueError, match="read-only"):
        row[0] = 0
