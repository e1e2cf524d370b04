"""A site's edge block: every tick at which a month begins or something that follows the clock changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError
from twin.plant import fields as f
from twin.world.profile import Clockwork, months
from twin.world.repeated import repeated

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_NEUTRAL = {f.E_PRICE_PER_KWH: 0.0, f.E_PV_KW: 0.0, f.E_PERIOD: float(f.FLAT)}
"""What holds in a row of the edge block that nothing fills; 1 elsewhere, a share of the whole."""
_KEYS = {
    f.E_HOUSE_FRACTION: "house_load_profile",
    f.E_UTILISATION_FRACTION: "cluster.utilisation_profile",
    f.E_PRICE_PER_KWH: "price_per_kwh or tariff.price_series",
}
"""Keys of a site that fill them."""


def edge_block(site: SiteBuilder, start: date, horizon_us: int) -> tuple[Ints, Floats, Ints]:
    """Every tick at which a month begins or a profile changes, what holds from it, and the months alone."""
    month_us = months(start, horizon_us)
    cooling = [site.cooling_fraction[(start.month - 1 + k) % 12] for k in range(month_us.size)]
    columns = [(np.arange(month_us.size, dtype=np.float64), month_us), (np.array(cooling), month_us)]
    if site.cooling_values is not None:
        at_us, values = repeated(*site.cooling_values, start, horizon_us)
        columns[1] = (values, at_us)
    for row in range(f.E_HOUSE_FRACTION, f.E_NEXT):
        profile = site.profiles.get(row)
        neutral = np.full(1, _NEUTRAL.get(row, 1.0))
        at_us, values = _steps(site, row, profile, start, horizon_us) if profile else (month_us[:1], neutral)
        if row == f.E_PV_KW and site.pv is not None:
            at_us, values = site.pv.steps(horizon_us)
        columns.append((values, at_us))
    edge_us = np.unique(np.concatenate([at_us for _, at_us in columns]))
    edge = np.array([values[np.searchsorted(at_us, edge_us, side="right") - 1] for values, at_us in columns])
    return edge_us, np.vstack([edge, _next(site, edge)]), month_us


def _steps(site: SiteBuilder, row: int, profile: Clockwork, start: date, horizon_us: int) -> tuple[Ints, Floats]:
    """Of one profile; a record that does not do is told with the key that names it."""
    try:
        return profile.steps(start, horizon_us)
    except InputError as error:
        key = f"sites.{site.name}.{_KEYS.get(row, 'tariff')}"
        raise InputError([replace(one, key=one.key or key) for one in error.problems]) from error


def _next(site: SiteBuilder, edge: Floats) -> Floats:
    """Of each column the next one in which a power may change; with a network every edge cuts the spans.

    A price moves the power of trucks alone.
    """
    money = [f.E_MONTH, f.E_PERIOD] if site.points else [f.E_MONTH, f.E_PERIOD, f.E_PRICE_PER_KWH]
    if site.pv is not None and site.pv.clouds is not None:
        edge = edge.copy()  # clouds change any hour of daylight
        edge[f.E_PV_KW] = np.where(edge[f.E_PV_KW] > 0.0, np.arange(edge.shape[1]), -1.0)
    of_power = np.delete(edge, money, axis=0)
    moved = np.append((of_power[:, 1:] != of_power[:, :-1]).any(axis=0) | (site.network is not None), True)
    places = np.flatnonzero(moved) + 1
    return places[np.searchsorted(places, np.arange(moved.size), side="right")].astype(np.float64)
