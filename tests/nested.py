"""Nested data against nested data: the same keys and texts, numbers as near as asked."""

import math
from typing import Any


def nearly_equal(found: Any, expected: Any, rel: float = 1e-3, least: float = 2e-3) -> bool:
    """Whether two trees of mappings and lists agree; numbers to `rel`, or to `least` where they are small."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and list(found) == list(expected)
            and all(nearly_equal(found[key], value, rel, least) for key, value in expected.items())
        )
    if isinstance(expected, list):
        return len(found) == len(expected) and all(
            nearly_equal(one, other, rel, least) for one, other in zip(found, expected, strict=True)
        )
    if isinstance(expected, int | float):
        return math.isclose(found, expected, rel_tol=rel, abs_tol=least)
    return bool(found == expected)
