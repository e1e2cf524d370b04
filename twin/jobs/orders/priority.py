"""The highest priority first."""

from __future__ import annotations


def key(priority: float, expected_us: int) -> float:
    """The larger `priority`, the sooner."""
    return -priority
