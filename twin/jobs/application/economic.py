"""Does what costs least: a GPU-hour, the energy that it takes, or the work that an outage would take away.

While energy is dear, pausing pays where the energy saved costs more than the GPU-hours forgone, and capping where that
holds for the slice that a cap saves. On storage, a stop pays where the work at risk, times the chance that the outage
outlasts the storage, is worth more than a needless stop and restart, times the chance that it does not. An outage that
has lasted s lasts another t with the chance s / (s + t): the same on every scale of time (Pareto, exponent one).
"""

from __future__ import annotations

from twin.jobs.application.view import CAP, GO_ON, PAUSE, STOP, Offer, Situation


def decide(situation: Situation, offer: Offer, told: int) -> int:
    """The cheapest of going on, capping, pausing and stopping."""
    if situation.on_storage:
        lead_h = offer.write_h + situation.margin_h
        if told == STOP:
            return STOP
        if situation.dark_in_h > lead_h:
            return GO_ON
        outlasts = situation.outage_h / max(situation.outage_h + situation.dark_in_h, 1e-9)
        gain_h = outlasts * (offer.exposed_h + situation.dark_in_h)
        cost_h = situation.dark_in_h + (1.0 - outlasts) * offer.restart_h
        return STOP if gain_h > cost_h else GO_ON
    if not situation.dear or not offer.gpus:
        return GO_ON
    gpu_h_per_h = situation.value_per_gpu_h * offer.gpus
    if situation.price_per_kwh * offer.pause_saves_kw > gpu_h_per_h:
        return PAUSE
    if situation.price_per_kwh * offer.cap_saves_kw > gpu_h_per_h * offer.cap_slows_fraction:
        return CAP
    return GO_ON
