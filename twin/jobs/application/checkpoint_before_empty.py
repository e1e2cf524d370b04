"""A last checkpoint before the storage is empty or the rows are too hot, and no training until supply is back.

The stop costs the training that was still possible if supply returns in time; it saves the work since the last
checkpoint if it does not, and what idle GPUs leave in the storage.
"""

from __future__ import annotations

from twin.jobs.application.view import GO_ON, STOP, Offer, Situation


def decide(situation: Situation, offer: Offer, told: int) -> int:
    """Stop when what is left is just enough for a checkpoint and the margin; go on when supply is back."""
    if not situation.on_storage:
        return GO_ON
    if told == STOP or situation.dark_in_h <= offer.write_h + situation.margin_h:
        return STOP
    return GO_ON
