"""A site's PV as the plant meets it: hourly AC power as edges; with clouds, each replication has a row of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from twin.chance.philox import stream_key
from twin.errors import InputError, Problem
from twin.plant import fields as f
from twin.plant.clouds import clearness
from twin.units import TICKS_PER_H
from twin.world.profile import EDGES_MAX, Clockwork

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PvPlan:
    """What all replications share.

    Attributes:
        item: full name of the PV plant, key of its clouds.
        start: the scenario's first day.
        hourly_kw: (8760,) AC power before the inverter's limit, by hour from 1 January, local standard time.
        inverter_kw: the limit, after clouds.
        yearly_fade_fraction: lost each year since the start, in steps of a year.
        clouds: mean and scatter of the share of `hourly_kw` that clouds leave; None for none.
        export_limit_kw: what may be exported.
        islanding: strings are wired to the cabinets and go on giving while these carry their loads.
        record: AC power that follows the clock, instead of `hourly_kw`.
    """

    item: str
    start: date
    hourly_kw: Floats
    inverter_kw: float
    yearly_fade_fraction: float
    clouds: tuple[float, float] | None
    export_limit_kw: float
    islanding: bool
    record: Clockwork | None = None

    def fill(self, clock: Ints, site: Floats, units_of: list[int]) -> None:
        """Set the plant's ratings; `units_of`: units of each feed that can form an island."""
        clock[f.PV] = 1
        site[f.EXPORT_LIMIT_KW] = self.export_limit_kw
        units = sum(units_of)
        site[f.PV_UNIT_SHARE] = 1.0 / units if self.islanding and units > 0 else 0.0

    def unlimited_kw(self, hour: Ints) -> Floats:
        """AC power before clouds and the inverter's limit in hours counted from the scenario's start [kW]."""
        since_h = (self.start - date(self.start.year, 1, 1)).days * 24
        kept = (1.0 - self.yearly_fade_fraction) ** (hour // self.hourly_kw.size)
        return np.asarray(self.hourly_kw[(since_h + hour) % self.hourly_kw.size] * kept)

    def steps(self, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which the power may change (the first is 0), and the power under the inverter's limit [kW].

        With clouds there is a step at every hour of daylight, and the power is the one that no cloud dims.

        Raises:
            InputError: the horizon holds more hours than a plant can keep.
        """
        if self.record is not None:
            at_us, power_kw = self.record.steps(self.start, horizon_us)
            if power_kw.min() < 0.0:
                raise InputError(Problem("PV is negative", key="pv.profile", remedy="give kW, 0 by night"))
            return at_us, np.minimum(power_kw, self.inverter_kw)
        count = -(-horizon_us // TICKS_PER_H)
        if count > EDGES_MAX:
            message = f"PV is for horizons of up to {EDGES_MAX / 8760:.0f} years"
            raise InputError(Problem(message, key="pv", remedy="shorten the horizon; run more replications"))
        hour = np.arange(count)
        free_kw = self.unlimited_kw(hour)
        power_kw = np.minimum(free_kw, self.inverter_kw)
        keep = np.append(True, power_kw[1:] != power_kw[:-1])
        if self.clouds is not None:
            keep |= free_kw > 0.0
        return np.flatnonzero(keep) * TICKS_PER_H, power_kw[keep]

    def edges(self, edge: Floats, edge_us: Ints, seed: int, replication: np.uint64) -> Floats:
        """The site's edge block for one replication: a copy with its clouds in the row of PV, or the block itself."""
        if self.clouds is None:
            return edge
        hour = edge_us // TICKS_PER_H
        since_h = (self.start - date(1970, 1, 1)).days * 24
        share = np.empty(hour.size)
        keys = stream_key(seed, self.item, "daily_clearness"), stream_key(seed, self.item, "hourly_clearness")
        clearness(*keys, replication, since_h + hour, *self.clouds, share)
        own = edge.copy()
        own[f.E_PV_KW] = np.minimum(self.unlimited_kw(hour) * share, self.inverter_kw)
        return own
