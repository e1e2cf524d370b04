"""What the scheduler offers the energy management, and what the management knows when it accepts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

GO_ON, CAP, PAUSE, STOP = range(4)
"""What a job does: trains; trains under a power cap; stands still in memory; has saved and stopped."""


@dataclass(frozen=True)
class Offer:
    """One job, or queue of jobs, as it stands now."""

    name: str
    gpus: int
    """GPUs busy, or held back."""
    exposed_h: float
    """Training that a loss of power would take away now [h]."""
    write_h: float
    """Until a checkpoint at once would be durable [h]."""
    restart_h: float
    """From a resume to training, if nothing was lost meanwhile [h]."""
    pause_saves_kw: float
    """What its rows draw less when its GPUs are idle [kW]."""
    cap_saves_kw: float
    """What its rows draw less under the power cap [kW]."""
    cap_slows_fraction: float
    """Training that the power cap costs."""


@dataclass(frozen=True)
class Situation:
    """The site's supply now; no future."""

    on_storage: bool
    """Rows or core run on stored energy, or cooling is away and heat is rising."""
    outage_h: float
    """How long that has lasted [h]."""
    dark_in_h: float
    """When the first of them goes dark at present powers [h]; infinite where nothing runs out."""
    margin_h: float
    """Time that the site keeps in hand [h]."""
    dear: bool
    """The price is above the site's threshold, or a demand-response call is on."""
    price_per_kwh: float
    value_per_gpu_h: float


Decide = Callable[[Situation, Offer, int], int]
"""A policy: from the situation, an offer, and what that job has been told to do, what it is to do now."""
