"""Jobs stand still with idle GPUs while rows run on storage, while energy is dear, and during calls."""

from __future__ import annotations

from twin.jobs.application.view import GO_ON, PAUSE, Offer, Situation


def decide(situation: Situation, offer: Offer, told: int) -> int:
    """Pause for as long as there is a reason; what is in memory is lost if power goes."""
    return PAUSE if situation.on_storage or situation.dear else GO_ON
