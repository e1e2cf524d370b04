"""Jobs train on until they lose power."""

from __future__ import annotations

from twin.jobs.application.view import GO_ON, Offer, Situation


def decide(situation: Situation, offer: Offer, told: int) -> int:
    """Nothing is accepted."""
    return GO_ON
