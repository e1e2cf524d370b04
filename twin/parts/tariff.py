"""What a site pays for electricity: energy by time of use or by a price series, demand, transformer kVA, adjustments.

The plant learns period and price of every instant and books import by both; the bill is made from the trace alone
(`twin.finance.bill`). Rules of two-part tariffs in China, as far as public transcriptions give them: a month is charged
by its largest 15-minute mean, or by a contracted maximum (double price above 105 % of it, at least 40 % of the
transformers' kVA), or by the kVA; the demand price is cut to 0.9 in months with 260 kWh and more for each kVA. Hours
are in local standard time, without daylight saving. Left out: block tariffs, yearly ratchets, taxes apart.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from twin.parts.demand_response import ProgrammeSpec
from twin.parts.presets import known_preset, with_preset
from twin.parts.tariff_hours import SLOTS, PricesSpec, SeasonSpec
from twin.plant import fields as f
from twin.spec import Fraction, NonNegative, Positive, Spec
from twin.tariff_terms import PERIODS, price_per_kwh
from twin.world.profile import QUARTER_US, Clockwork, Floats, Ints, ProfileSpec, changes, guard_edges

ALL_YEAR = list(range(1, 13))


class DiscountSpec(Spec):
    """A lower demand price in months that use the transformers well."""

    from_kwh_per_kva_month: Positive = Field(
        default=260.0,
        description="a month's import over the transformers' kVA from which it holds; 260 by China's rule of 2023",
    )
    factor: float = Field(default=0.9, gt=0, le=1, description="on the demand price; 0.9 in the same rule")


class DemandSpec(Spec):
    """The part of the bill that is charged by kW or kVA and month; months cut by the horizon pay their share."""

    mode: Literal["actual", "contracted", "capacity"] = Field(
        description="actual: the month's largest 15-minute import; contracted: a contract with band and floor;"
        " capacity: the transformers' kVA"
    )
    price_per_kw_month: NonNegative | None = Field(default=None, description="of modes actual and contracted")
    price_per_kva_month: NonNegative | None = Field(default=None, description="of mode capacity")
    contract_kw: NonNegative | None = Field(default=None, description="contracted maximum, mode contracted only")
    band_fraction: NonNegative = Field(default=0.05, description="above the contract, not yet at the excess price")
    excess_multiple: Positive = Field(default=2.0, description="of the price, for kW above the band")
    floor_fraction: Fraction = Field(default=0.4, description="of the transformers' kVA, least that a contract counts")
    discount: DiscountSpec | None = None

    @model_validator(mode="after")
    def _of_its_mode(self) -> Self:
        if self.mode == "capacity" and self.price_per_kva_month is None:
            raise ValueError("mode capacity needs price_per_kva_month")
        if self.mode != "capacity" and self.price_per_kw_month is None:
            raise ValueError(f"mode {self.mode} needs price_per_kw_month")
        if (self.mode == "contracted") != (self.contract_kw is not None):
            raise ValueError("contract_kw and mode: contracted go together")
        return self

    @property
    def needs_kva(self) -> bool:
        """Whether the bill depends on the transformers' kVA."""
        return self.mode != "actual" or self.discount is not None


class PowerFactorSpec(Spec):
    """Surcharge or rebate on energy and demand, in steps of 0.01 (rule of 1983): see `twin.finance.bill`."""

    target: float = Field(default=0.9, description="0.9, 0.85 or 0.8")
    value: float | None = Field(
        default=None, gt=0, le=1, description="of the site's import; that of the network's load points if absent"
    )

    @field_validator("target")
    @classmethod
    def _is_tabled(cls, target: float) -> float:
        if target not in (0.8, 0.85, 0.9):
            raise ValueError(f"must be 0.9, 0.85 or 0.8, is {target:g}")
        return target


class ExportSpec(Spec):
    """Energy fed into the grid is paid for; without this block export is banned."""

    price_per_kwh: float = Field(description="paid for exported energy; below zero it costs")


class TariffSpec(Spec):
    """A tariff: time of use (`seasons`, `price_per_kwh`) or a series of prices, and what is charged besides."""

    preset: str | None = Field(default=None, description="named figures that the keys here are laid over")
    price_per_kwh: PricesSpec | None = Field(default=None, description="by period")
    spread_factor: Positive = Field(default=1.0, description="stretches all prices about the flat one")
    seasons: dict[str, SeasonSpec] = Field(default_factory=dict, description="all hours are flat where there are none")
    holidays: list[str] = Field(default_factory=list, description='dates: "2026-10-01", or "10-01" for every year')
    price_series: ProfileSpec | None = Field(default=None, description="price per kWh that follows the clock instead")
    demand: DemandSpec | None = None
    transformer_kva: Positive | None = Field(
        default=None, description="billed kVA where the network has no main_transformers"
    )
    sealed_reserve: bool = Field(default=False, description="one main transformer is sealed and not billed")
    power_factor: PowerFactorSpec | None = None
    surcharges_per_kwh: dict[str, float] = Field(default_factory=dict, description="by name, on every imported kWh")
    export: ExportSpec | None = None
    demand_response: dict[str, ProgrammeSpec] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _over_preset(cls, data: Any) -> Any:
        instead = {"seasons": ["seasons"], "price_series": ["seasons", "price_per_kwh"]}
        return with_preset("tariff", data, instead)

    @field_validator("preset")
    @classmethod
    def _is_preset(cls, name: str | None) -> str | None:
        return known_preset("tariff", name)

    @field_validator("holidays")
    @classmethod
    def _are_dates(cls, texts: list[str]) -> list[str]:
        for text in texts:
            try:
                date.fromisoformat(text if len(text) > 5 else f"2000-{text}")
            except ValueError as error:
                raise ValueError(f"must be dates like 2026-10-01 or 10-01, one is '{text}'") from error
        return texts

    @field_validator("seasons")
    @classmethod
    def _each_month_once(cls, seasons: dict[str, SeasonSpec]) -> dict[str, SeasonSpec]:
        listed = [month for season in seasons.values() for month in season.months]
        missing = [str(month) for month in ALL_YEAR if seasons and month not in listed]
        twice = [str(month) for month in ALL_YEAR if listed.count(month) > 1]
        if missing:
            raise ValueError(f"in no season: month {', '.join(missing)} (each month belongs to one)")
        if twice:
            raise ValueError(f"listed twice: month {', '.join(twice)} (each month belongs to one season)")
        return seasons

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if self.price_series is not None:
            if self.price_per_kwh is not None or self.seasons:
                raise ValueError("price_series and periods (price_per_kwh, seasons) exclude each other")
            return self
        data = self.model_dump(mode="json")
        used = [(1, f.FLAT)] if not self.seasons else []
        for season in self.seasons.values():
            used += [(season.months[0], int(k)) for day in season.days for k in np.unique(day.periods())]
        for month, period in used:
            if price_per_kwh(data, month, PERIODS[period]) is None:
                raise ValueError(
                    f"hours in period {PERIODS[period]} have no price (add price_per_kwh.{PERIODS[period]})"
                )
        if self.spread_factor != 1.0 and (self.price_per_kwh is None or self.price_per_kwh.flat is None):
            raise ValueError("spread_factor stretches prices about price_per_kwh.flat, which is missing")
        return self

    def clockworks(self) -> dict[int, Clockwork]:
        """What follows the clock, by row of the edge block."""
        if self.price_series is not None:
            return {f.E_PRICE_PER_KWH: self.price_series}
        return {f.E_PERIOD: _Periods(self, priced=False), f.E_PRICE_PER_KWH: _Periods(self, priced=True)}


class _Periods:
    """Period or price of every instant: the calendar walked day by day, quarter-hour by quarter-hour."""

    def __init__(self, tariff: TariffSpec, *, priced: bool) -> None:
        self.tariff, self._priced = tariff, priced

    def steps(self, start: date, horizon_us: int) -> tuple[Ints, Floats]:
        """Ticks at which it changes and the values; a price also changes where a season ends."""
        count = -(-horizon_us // QUARTER_US)
        guard_edges(count, QUARTER_US)
        dates = np.datetime64(start, "D") + np.arange(-(-count // SLOTS)).astype("timedelta64[D]")
        of_day = self._table()[dates.astype("datetime64[M]").astype(np.int64) % 12, self._kinds(dates)]
        return changes(of_day.reshape(-1)[:count], QUARTER_US)

    def _kinds(self, dates: Any) -> Ints:
        """0 weekday, 1 weekend, 2 holiday."""
        kind: Ints = (~np.is_busday(dates)).astype(np.int64)
        years = np.unique(dates.astype("datetime64[Y]"))
        for text in self.tariff.holidays:
            days = (
                [text] if len(text) > 5 else [f"{year}-{text}" for year in years if text != "02-29" or _is_leap(year)]
            )
            kind[np.isin(dates, np.array(days, "datetime64[D]"))] = 2
        return kind

    def _table(self) -> Floats:
        """(12 months, 3 kinds of day, 96 quarter-hours)."""
        table = np.full((12, 3, SLOTS), float(f.FLAT))
        for season in self.tariff.seasons.values():
            for month in season.months:
                table[month - 1] = [day.periods() for day in season.days]
        if not self._priced:
            return table
        data = self.tariff.model_dump(mode="json")
        price = np.array([[price_per_kwh(data, month, name) or 0.0 for name in PERIODS] for month in ALL_YEAR])
        return price[np.arange(12)[:, None, None], table.astype(np.int64)]


def _is_leap(year: Any) -> bool:
    next_year = year + np.timedelta64(1, "Y")
    return bool(next_year.astype("datetime64[D]") - year.astype("datetime64[D]") == np.timedelta64(366, "D"))
