"""The `finance:` block: counterfactuals, rate, prices and switches of the money that readers compute from traces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from twin.finance.lines import LINES
from twin.spec import Fraction, NonNegative, Positive, PositiveCount, Spec
from twin.units import HOURS_PER_YEAR

if TYPE_CHECKING:
    from twin.scenario.model import Scenario

LEAP_DAYS = 0.02
"""A horizon may miss whole years of 8760 h by its leap days."""
Rate = Annotated[float, Field(gt=-1)]
Line = Literal[
    "capital", "avoided_capital", "energy", "pv", "demand", "demand_response", "fuel", "interruption", "hardware",
    "time_to_power", "unserved", "flexibility", "option", "carbon_scope_1", "carbon_scope_2",
    "air_quality", "deferral", "o_and_m", "replacement", "salvage", "tax", "debt",
]  # fmt: skip
_GPU_LINES = {"interruption", "hardware", "time_to_power"}
_COUNTED_TWICE = "demand charges fall by the same peak that defers the expansion"


class GpuHourPriceSpec(Spec):
    """What a lost GPU-hour costs: what is paid for it all the same, and what it would have earned."""

    cash: NonNegative = Field(description="lease, energy, staff: paid although nothing is computed")
    opportunity: NonNegative = Field(description="what the hour could have been sold for")


class DriftSpec(Spec):
    """Growth of prices a year; the first year has the scenario's prices."""

    electricity: Rate = Field(default=0.0, description="of energy and demand prices")
    gpu_h: Rate = Field(default=0.0, description="of the price of a GPU-hour")
    fuel: Rate = Field(default=0.0, description="of fuel_price_per_kwh")
    carbon: Rate = Field(default=0.0, description="of price_per_t_co2")
    o_and_m: Rate = Field(default=0.0, description="of operation and maintenance")
    equipment: Rate = Field(default=0.0, description="of replacements; batteries have become cheaper")


class TaxSpec(Spec):
    """Income tax; straight-line depreciation."""

    rate: Fraction = Field(default=0.25, description="on taxable income; 0.25 is China's enterprise income tax")
    depreciation_years: PositiveCount = Field(default=10, description="over which capital is written off evenly")
    salvage_fraction: Fraction = Field(default=0.05, description="of capital that is never written off")
    loss_years: PositiveCount = Field(default=5, description="for which losses are carried forward")


class DebtSpec(Spec):
    """A loan at the start; flows are then those of the owners."""

    fraction: Fraction = Field(description="of the first outlay")
    rate: Rate = Field(description="interest a year")
    years: PositiveCount = Field(description="until it is paid back")
    kind: Literal["annuity", "equal_instalments"] = Field(
        default="annuity",
        description="annuity: equal payments; equal_instalments: equal repayments, interest on the rest",
    )


class DeferralSpec(Spec):
    """A grid expansion that is due once a year's largest 15-minute import is above a limit."""

    limit_kw: Positive = Field(description="import that the connection of today carries")
    capital: Positive = Field(description="cost of the expansion, at today's prices")
    price_growth_per_year: Rate = Field(default=0.0, description="of that cost")
    life_years: Positive = Field(default=30.0, description="of the expansion; what is left of it at the horizon counts")
    beside_demand: bool = Field(default=False, description=f"counts both, although {_COUNTED_TWICE}")


class TruckUsesSpec(Spec):
    """Uses of the same trucks, among which their owner may choose anew each quarter: an option, and its value."""

    designs: list[str] = Field(min_length=2, description="designs with the same trucks, one a use")
    chosen_by: Literal["forecast", "past"] = Field(
        default="forecast",
        description="mean of the quarter over the other replications, or over the quarters seen in this one",
    )
    cost_per_change: NonNegative = Field(default=0.0, description="of use")

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(set(self.designs)) < len(self.designs):
            raise ValueError("designs: one is named twice, and a use of its own is needed for each")
        return self


class FinanceSpec(Spec):
    """Money over the horizon, which must be whole years: every design against each counterfactual."""

    counterfactuals: list[str] = Field(min_length=1, description="designs that the others are measured against")
    discount_rate: Rate = Field(default=0.08, description="a year")
    price_per_gpu_h: GpuHourPriceSpec | None = None
    priced_at: Literal["cash", "opportunity"] = Field(default="cash", description="the price that enters the total")
    price_per_unserved_kwh: NonNegative = Field(default=0.0, description="of load that is no GPU's, lost to outages")
    fuel_price_per_kwh: NonNegative | None = Field(default=None, description="of energy from gensets")
    price_per_t_co2: NonNegative = Field(default=0.0, description="of emitted CO2, each scope on a line of its own")
    price_per_kg_nox: NonNegative = Field(default=0.0, description="of nitrogen oxides from gensets")
    price_per_kg_pm: NonNegative = Field(default=0.0, description="of particulate matter")
    carbon_basis: Literal["location", "market"] = Field(
        default="location", description="factors that price Scope 2: of the grid's region, or of what was bought"
    )
    drift_per_year: DriftSpec = DriftSpec()
    value_at_horizon: Literal["straight_line", "salvage"] = Field(
        default="straight_line", description="of equipment not at its end: by its remaining life, or salvage alone"
    )
    reinvest_rate: Rate | None = Field(default=None, description="of the MIRR; discount_rate if absent")
    deferral: DeferralSpec | None = None
    truck_uses: TruckUsesSpec | None = None
    tax: TaxSpec | None = None
    debt: DebtSpec | None = None
    off: list[Line] = Field(default_factory=list, description="lines that do not count")

    @model_validator(mode="after")
    def _counts_once(self) -> Self:
        if self.deferral and not self.deferral.beside_demand and not {"demand", "deferral"} & set(self.off):
            raise ValueError(
                f"deferral and demand are both on, but {_COUNTED_TWICE} (switch one off, or say beside_demand: true)"
            )
        twice = sorted({name for name in self.counterfactuals if self.counterfactuals.count(name) > 1})
        if twice:
            raise ValueError(f"counterfactuals: '{twice[0]}' is named twice")
        return self


def lacking(finance: FinanceSpec, scenario: Scenario) -> str | None:
    """What a line that counts needs and the scenario does not say; designs are known to the study alone."""
    off, sites = set(finance.off), sorted(scenario.sites.items())
    hours = scenario.horizon.hours
    years = round(hours / HOURS_PER_YEAR)
    if years < 1 or abs(hours / HOURS_PER_YEAR / years - 1.0) > LEAP_DAYS:
        return f"finance: needs a horizon of whole years, {hours:g} h are {hours / HOURS_PER_YEAR:.4g} of them"
    free = [name for name, site in sites if site.tariff is None and site.price_per_kwh is None]
    if free and not {"energy", "demand", "pv"} <= off:
        return f"finance: sites.{free[0]} has no tariff (add one, or off: [energy, demand, pv])"
    if scenario.jobs and finance.price_per_gpu_h is None and not off >= _GPU_LINES:
        return "finance.price_per_gpu_h: is missing, and there are jobs whose GPU-hours can be lost"
    has_gensets = any(site.protection.gensets for _, site in sites)
    if has_gensets and finance.fuel_price_per_kwh is None and "fuel" not in off:
        return "finance.fuel_price_per_kwh: is missing, and there are gensets (or off: [fuel])"
    if finance.price_per_unserved_kwh and scenario.jobs and "unserved" not in off:
        return "finance.price_per_unserved_kwh: counts rows twice, in unserved energy and in lost GPU-hours"
    if (
        finance.price_per_t_co2
        and not {"carbon_scope_1", "carbon_scope_2"} <= off
        and not all(site.carbon for _, site in sites)
    ):
        return "finance.price_per_t_co2: a site has no carbon: factors to count tonnes by"
    for name in ("nox", "pm") if "air_quality" not in off else ():
        if getattr(finance, f"price_per_kg_{name}") and (where := _without_air_factor(scenario, name)):
            return f"finance.price_per_kg_{name}: {where}.genset_{name}_g_per_kwh is missing, and there are gensets"
    if finance.debt is not None and finance.debt.years > years:
        return f"finance.debt.years: {finance.debt.years} is beyond the horizon of {years} years"
    for name, site in sites:
        protection = site.protection
        for key in ("cabinets", "ups", "core_ups"):
            part = getattr(protection, key)
            prices = part.capital if part and part.ageing else None
            if prices is not None and prices.cells_per_kwh is None and "replacement" not in off:
                return f"sites.{name}.protection.{key}.capital.cells_per_kwh: is missing, and cells age here"
    return None


def _without_air_factor(scenario: Scenario, name: str) -> str | None:
    """The first site whose gensets have no factor."""
    for site, spec in sorted(scenario.sites.items()):
        factor = getattr(spec.carbon, f"genset_{name}_g_per_kwh") if spec.carbon else None
        if spec.protection.gensets and factor is None:
            return f"sites.{site}.carbon"
    return None


assert set(Line.__args__) == set(LINES), "the switches are the lines"  # type: ignore[attr-defined]
