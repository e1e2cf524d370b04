"""What plant and bill must agree on about a tariff: its periods, the price of one in a month, the kVA that are billed.

Pure functions of a site's block as the resolved scenario gives it (plain data), so that readers of traces use them too.
"""

from __future__ import annotations

from typing import Any

PERIODS = ("sharp", "peak", "flat", "valley", "deep")
"""Time-of-use periods in the plant's order; the ledger has a column for each."""
Data = dict[str, Any]


def season_of(tariff: Data, month: int) -> Data | None:
    """The season of a calendar month, 1 to 12; None for a tariff without seasons."""
    return next((season for season in (tariff["seasons"] or {}).values() if month in season["months"]), None)


def price_per_kwh(tariff: Data, month: int, period: str) -> float | None:
    """Price of a period in a calendar month, spread about the flat price; None where the tariff has none."""
    prices = tariff["price_per_kwh"] or {}
    season = season_of(tariff, month)
    own = (season or {}).get("price_per_kwh") or {}
    prices = {name: own.get(name) if own.get(name) is not None else prices.get(name) for name in PERIODS}
    price, flat = prices[period], prices["flat"]
    if price is None or flat is None:
        return None if price is None else float(price)
    return float(flat + tariff["spread_factor"] * (price - flat))


def transformer_kva(site: Data) -> float | None:
    """Billed kVA: main transformers of the network, less one sealed in reserve; else as given; None if unknown."""
    main = (site.get("network") or {}).get("main_transformers")
    tariff = site["tariff"]
    if not main:
        given = tariff["transformer_kva"]
        return None if given is None else float(given)
    count = len(site["grid"]["feeders"]) - bool(tariff["sealed_reserve"])
    return float(count * main["rated_kva"])
