"""A power cap while rows run on storage, while energy is dear, and during calls."""

from __future__ import annotations

from twin.jobs.application.view import CAP, GO_ON, Offer, Situation


def decide(situation: Situation, offer: Offer, told: int) -> int:
    """Cap for as long as there is a reason."""
    return CAP if situation.on_storage or situation.dear else GO_ON
