"""The equipment of a design and what it costs, from the resolved scenario alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.finance.terms import Data

Float = NDArray[np.float64]

EQUAL_FRACTION = 0.01
"""Capital or kWh of two designs that differ by no more of the larger are called equal."""


@dataclass(frozen=True)
class Equipment:
    """One kind of equipment at one place: nameplates in all, and the terms of its `capital:` block."""

    name: str
    units: float
    rated_kw: float
    rated_kwh: float
    terms: Data

    @property
    def capital(self) -> float:
        """What all of it costs new."""
        terms = self.terms
        parts = (self.rated_kwh * terms["per_kwh"], self.rated_kw * terms["per_kw"], self.units * terms["per_unit"])
        return math.fsum(parts)

    def o_and_m_per_year(self) -> float:
        """Operation and maintenance of a year at the first year's prices."""
        return float(self.capital * self.terms["o_and_m_fraction_per_year"])

    def bought_again(self, years: int, drift: float) -> Float:
        """Capital spent at ends of life within the horizon: (years + 1,), nothing at the horizon itself."""
        spent = np.zeros(years + 1)
        at = self.terms["life_years"]
        while at < years:
            spent[math.ceil(at)] += self.capital * (1.0 + drift) ** at
            at += self.terms["life_years"]
        return spent

    def worth_at(self, years: int, drift: float, *, straight_line: bool) -> float:
        """What it is worth after some years: salvage, and by the straight line the share of life that is left."""
        terms, life = self.terms, self.terms["life_years"]
        bought_at = life * max(math.ceil(years / life) - 1, 0)
        left = 1.0 - (years - bought_at) / life if straight_line else 0.0
        price = self.capital * (1.0 + drift) ** bought_at
        return float(price * (terms["salvage_fraction"] + (1.0 - terms["salvage_fraction"]) * left))


def equipment(scenario: Data, file: str | None = None) -> list[Equipment]:
    """All equipment of a design that has a price.

    Args:
        scenario: the resolved scenario as plain data.
        file: named in the message.

    Raises:
        InputError: naming all equipment without a `capital:` block.
    """
    found, missing = [], []
    for key, units, kw, kwh, terms in _pieces(scenario):
        if not units:
            continue
        if terms is None:
            remedy = f"add {key}.capital: {{per_kwh: ...}}, best in its catalogue block, or finance.off: [capital, ...]"
            missing.append(Problem("has no capital cost", file, None, key, remedy))
        else:
            found.append(Equipment(key, units, kw, kwh, terms))
    if missing:
        raise InputError(missing)
    return found


def compared_as(own: Sequence[Equipment], other: Sequence[Equipment]) -> str:
    """What two designs have in common: `equal capital`, `equal kWh`, both, or else each is taken `as built`.

    Capital is what all equipment costs new, kWh the nameplate of all storage, equal within `EQUAL_FRACTION`. Two
    designs without any storage do not count as of equal kWh.
    """
    capital, kwh = (
        [math.fsum(getattr(piece, figure) for piece in side) for side in (own, other)]
        for figure in ("capital", "rated_kwh")
    )
    found = [
        name
        for name, (one, two) in (("capital", capital), ("kWh", kwh))
        if max(one, two) > 0.0 and abs(one - two) <= EQUAL_FRACTION * max(one, two)
    ]
    return f"equal {' and '.join(found)}" if found else "as built"


def _pieces(scenario: Data) -> Iterator[tuple[str, float, float, float, Data | None]]:
    """Key path, units, kW, kWh and capital block of all that has a nameplate."""
    for name, site in sorted(scenario["sites"].items()):
        at, protection = f"sites.{name}", site["protection"]
        if cabinets := protection["cabinets"]:
            units = cabinets["per_row"] * site["cluster"]["rows"] + cabinets["core"] + cabinets["cooling"]
            each = (units * cabinets["rated_kw"], units * cabinets["rated_kwh"])
            yield f"{at}.protection.cabinets", units, *each, cabinets["capital"]
        for part in ("ups", "core_ups"):
            if ups := protection[part]:
                modules = ups["modules"]
                kw = ups["blocks"] * (modules["n"] + modules["r"]) * modules["rated_kw"]
                kwh = ups["blocks"] * modules["n"] * modules["rated_kw"] * ups["autonomy_min"] / 60.0
                yield f"{at}.protection.{part}", ups["blocks"], kw, kwh, ups["capital"]
        if gensets := protection["gensets"]:
            units = gensets["n"] + gensets["r"]
            yield f"{at}.protection.gensets", units, units * gensets["rated_kw"], 0.0, gensets["capital"]
        if pv := site["pv"]:
            yield f"{at}.pv", 1.0, pv["peak_kw"], 0.0, pv["capital"]
    for name, truck in sorted(scenario["trucks"].items()):
        yield f"trucks.{name}", 1.0, truck["rated_kw"], truck["rated_kwh"] or 0.0, truck["capital"]
