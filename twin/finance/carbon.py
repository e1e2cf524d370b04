"""CO2 of a site's energy from a trace alone: Scope 2 by place and by market, Scope 1 of gensets (GHG Protocol).

And what gensets put into the air beside it, by the factors of the sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.finance.terms import site_terms
from twin.trace import Trace


@dataclass(frozen=True)
class Emissions:
    """Tonnes of CO2 over the horizon: grid energy by place (Scope 2), by market (Scope 2), gensets (Scope 1)."""

    location_t: float
    market_t: float
    genset_t: float


def carbon(trace: Trace, site: str) -> Emissions | None:
    """Emissions of a site; losses of storage and network are in its import. None where it has no factors."""
    monthly = monthly_carbon(trace, site)
    return None if monthly is None else Emissions(**{name: float(np.add.reduce(t)) for name, t in monthly.items()})


def monthly_carbon(trace: Trace, site: str) -> dict[str, NDArray[np.float64]] | None:
    """The same by billing month [t]: location_t, market_t and genset_t."""
    terms = site_terms(trace, site).get("carbon")
    if terms is None:
        return None
    import_kwh, genset_kwh = (trace.ledger[site][name] for name in ("import_kwh", "genset_kwh"))
    place = terms["location_kg_per_kwh"]
    market = terms["market_kg_per_kwh"] if terms["market_kg_per_kwh"] is not None else place
    return {
        "location_t": import_kwh * (place / 1000.0),
        "market_t": import_kwh * ((1.0 - terms["green_fraction"]) * market / 1000.0),
        "genset_t": genset_kwh * (terms["genset_l_per_kwh"] * terms["fuel_kg_per_l"] / 1000.0),
    }


def monthly_air(trace: Trace, site: str) -> dict[str, NDArray[np.float64]]:
    """NOx and particulate matter of gensets by billing month [kg]; zero where there is no factor."""
    terms = site_terms(trace, site).get("carbon") or {}
    genset_kwh = trace.ledger[site]["genset_kwh"]
    return {name: genset_kwh * ((terms.get(f"genset_{name}_g_per_kwh") or 0.0) / 1000.0) for name in ("nox", "pm")}
