"""What a policy may see, and what it returns: no future but prices, calls and what is announced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from twin.ems.storage import Storage

Floats = NDArray[np.float64]

PLAN_H = 48
"""Hours that a plan looks ahead."""


@dataclass(frozen=True)
class View:
    """A site as its policy sees it at the beginning of a slot; slots are of `storage.slot_h`.

    Attributes:
        history_kw: (past slots,) mean net load (load less PV) of every slot so far, or of the last 60 days.
        price: (coming slots,) per kWh, at least to the plan's end and as far as known within this month.
        floor_kwh: (plan slots,) least stored energy at each slot's end: the backup reserve.
        call_kw: (plan slots,) caps on import from demand-response calls; inf where there is none.
        known_kw: (plan slots,) net load where it is announced; NaN elsewhere.
        storage: the aggregate that may act now.
        stored_kwh: in the aggregate now.
        peak_kw: largest billed import of this month so far; with a contract at least its toll-free band.
        demand_price: per kW of the month's peak above `peak_kw`; 0 where it is not billed.
        connection_kw: most import.
        month_slots: slots left in this month, the one that begins now included.
        cap_kw: the cap that stands today; NaN where it is to be chosen, which is at midnight: chosen more often,
            noise ratchets it up.
    """

    history_kw: Floats
    price: Floats
    floor_kwh: Floats
    call_kw: Floats
    known_kw: Floats
    storage: Storage
    stored_kwh: float
    peak_kw: float
    demand_price: float
    connection_kw: float
    month_slots: int
    cap_kw: float = np.nan


@dataclass(frozen=True)
class Plan:
    """A feedback law for the coming slots.

    Attributes:
        up_kwh: charge from the grid up to here.
        down_kwh: discharge down to here.
        import_cap_kw: discharge above, and never charge above; rises with the month's peak, except in calls.
        reserve_kwh: never discharge below.
        cap_kw: the day's cap without calls.
    """

    up_kwh: Floats
    down_kwh: Floats
    import_cap_kw: Floats
    reserve_kwh: Floats
    cap_kw: float


class Policy(Protocol):
    """One decision: what to do in the coming slots.

    With an attribute `within_day = False` it is asked at midnight alone; with `reads_stored = False` it looks at what
    is stored only to choose the day's cap.
    """

    def plan(self, view: View) -> Plan:
        """The plan from now on; a pure function of the view."""
