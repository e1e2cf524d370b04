"""What a dispatcher knows: who lacks supply since when, what is announced, where trucks are; never how long it lasts.

Expectations come from the laws that the scenario states: how long outages of a site last, given that this one has
lasted so long; how long roads take. A policy reads a `View` and returns a `Plan`; it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Reason = Literal["home", "outage", "notice", "price", "relay", "lease"]
REASONS: tuple[Reason, ...] = ("home", "outage", "notice", "price", "relay", "lease")


@dataclass(frozen=True)
class Order:
    """Relocate a truck to a place, for a reason; to where it is: stay there after all."""

    truck: str
    place: str
    reason: Reason


@dataclass(frozen=True)
class Plan:
    """Orders, and when to ask the policy again even if nothing happens [h]."""

    orders: list[Order] = field(default_factory=list)
    again_h: float | None = None


@dataclass(frozen=True)
class Outlook:
    """How long outages of a site last: equally likely durations, with the rates of their sources as weights."""

    duration_h: NDArray[np.float64]
    weight: NDArray[np.float64]

    def saved_h(self, elapsed_h: float, arrive_h: float, carry_h: float) -> float:
        """Expected dark hours that a truck avoids which arrives in `arrive_h` and carries for `carry_h`.

        E[min(D - t, a + x) - a | D > t]+ for an outage that has lasted t.
        """
        lasting = self.duration_h > elapsed_h
        weight = self.weight[lasting]
        total = float(weight.sum())
        if total <= 0.0:
            return min(carry_h, 0.5 * elapsed_h)  # longer than any known: as a rule of thumb half as long again
        left_h = self.duration_h[lasting] - elapsed_h
        saved = np.clip(left_h - arrive_h, 0.0, carry_h)
        return float((weight * saved).sum() / total)


@dataclass(frozen=True)
class Announced:
    """Supply that will be away from what a place serves, as announced, and what that needs."""

    place: str
    start_h: float
    end_h: float
    need_kw: float


@dataclass
class PlaceView:
    """A connection point as the dispatcher sees it; its key is "site/point".

    Attributes:
        down_since_h: since when load points that trucks could carry lack section supply; None: they have it.
        need_kw: what they need at full level.
        carried_kw: what plugged trucks carry now.
        trades, buffers: what plugged trucks do beside the grid: follow the price; hold import below a limit.
        exposure: probability that an outage here needs a truck at all: that gensets, where there are some, fail.
        value_per_h: what an hour without supply costs at this site: GPUs x value of a GPU-hour.
        spread_per_kwh: mean of the k dearest hours less that of the k cheapest, of the day that holds a time [h].
    """

    key: str
    site: str
    berths: int
    limit_kw: float
    value_per_h: float
    outlook: Outlook
    trades: bool
    buffers: bool
    exposure: float
    reserve_fraction: float
    spread_per_kwh: Callable[[float, int], float]
    connect_h: float
    disconnect_h: float
    down_since_h: float | None = None
    need_kw: float = 0.0
    carried_kw: float = 0.0


@dataclass
class TruckView:
    """A truck as the dispatcher sees it.

    Attributes:
        at: the place where it stands, None on the road; `bound_for` the place that it has been ordered to, else `at`.
        reason: of its last order.
        free: whether an order would be obeyed: plugged, idle, queueing, or still waiting for its crew.
        usable: looks up what it holds above the floor, at the load's side; `full_kwh` is that of a full one.
    """

    name: str
    home: str
    rated_kw: float
    usable: Callable[[], float]
    full_kwh: float
    at: str | None
    bound_for: str
    reason: Reason
    free: bool
    generator: bool = False

    @property
    def usable_kwh(self) -> float:
        """What it could give to a load now [kWh]."""
        return self.usable()

    def carry_h(self, kw: float) -> float:
        """How long it carries `kw`, or what it can of that [h]."""
        return 1e9 if self.generator else self.usable_kwh / max(min(kw, self.rated_kw), 1e-9)


@dataclass(frozen=True)
class View:
    """Everything that a policy may look at."""

    now_h: float
    hour_of_day: float
    places: dict[str, PlaceView]
    trucks: list[TruckView]
    announced: list[Announced]
    response_h: float
    km: Callable[[str, str], float]
    drive_h: Callable[[str, str], float]
    cost_per_km: float

    def reach_h(self, truck: TruckView, place: str) -> float:
        """Expected time from an order until the truck could carry load there [h]; 0 where it is plugged."""
        if truck.at == place:
            return 0.0
        if truck.at is None:
            return float("inf")
        here, there = self.places[truck.at], self.places[place]
        return self.response_h + here.disconnect_h + self.drive_h(here.site, there.site) + there.connect_h

    def down(self) -> list[PlaceView]:
        """Places without supply, longest first."""
        down = [(place.down_since_h, key) for key, place in self.places.items() if place.down_since_h is not None]
        return [self.places[key] for _, key in sorted(down)]

    def assigned(self, place: PlaceView) -> list[TruckView]:
        """Trucks at a place, or bound for it."""
        return [truck for truck in self.trucks if truck.bound_for == place.key]
