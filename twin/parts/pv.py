"""Photovoltaics of a site: hourly power by `pvlib` once at build, then an edge of the plant that costs no event.

PV lowers import; what is over is exported as far as allowed, else curtailed. The plant has no failures of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field, model_validator

from twin.parts.capital import CapitalSpec
from twin.spec import NonNegative, Positive, Spec
from twin.world.profile import ProfileSpec
from twin.world.pv_plan import PvPlan

if TYPE_CHECKING:
    from twin.world.blueprint import SiteBuilder
    from twin.world.site import Site
    from twin.world.world import World


class CloudsSpec(Spec):
    """Clouds over a clear sky: days of their own clearness, hours scattered about it (`twin/plant/clouds.py`)."""

    mean_fraction: float = Field(default=0.7, gt=0, lt=1, description="share of the clear-sky energy that is left")
    hourly_scatter_fraction: float = Field(default=0.3, ge=0, le=0.5, description="largest, on half-clear days")


class WeatherSpec(Spec):
    """A weather file, or a clear sky with or without clouds."""

    file: str | None = Field(default=None, description="typical year, 8,760 rows (TMY3 or PVGIS columns)")
    clouds: CloudsSpec | None = Field(default=None, description="drawn for each replication; none: clear every day")
    ambient_c: float = Field(default=20.0, ge=-60, le=60, description="mean by day, where no file says it")
    wind_m_per_s: NonNegative = Field(default=2.0, description="at the modules, where no file says it")

    @model_validator(mode="after")
    def _one_sky(self) -> Self:
        if self.file is not None and self.clouds is not None:
            raise ValueError("a weather file has its own clouds: give file or clouds, and not both")
        return self


class PvSpec(Spec):
    """One PV plant."""

    peak_kw: Positive = Field(description="DC, at 1000 W/m2 and 25 C")
    profile: ProfileSpec | None = Field(default=None, description="AC power by a record [kW], instead of sun and sky")
    tilt_deg: float = Field(default=30.0, ge=0, le=90, description="of the modules from the horizontal")
    azimuth_deg: float = Field(default=180.0, ge=0, le=360, description="90 east, 180 south, 270 west")
    system_loss_fraction: float = Field(default=0.14, ge=0, lt=1, description="soiling, mismatch, wiring, shading")
    inverter_kw: Positive | None = Field(default=None, description="AC limit; peak_kw if absent")
    inverter_efficiency_fraction: float = Field(
        default=0.96, gt=0, le=1, description="at its rating, as pvlib's PVWatts model has it"
    )
    temperature_coefficient_per_c: float = Field(
        default=-0.0035,
        ge=-0.02,
        le=0,
        description="of power, per degree of the cells above 25 C; -0.0035 is usual for silicon",
    )
    yearly_fade_fraction: float = Field(default=0.005, ge=0, le=0.1, description="from the second year on")
    weather: WeatherSpec = WeatherSpec()
    export_limit_kw: NonNegative = Field(default=0.0, description="what is over is curtailed; 0: no export")
    capital: CapitalSpec | None = None
    islanding: bool = Field(
        default=False, description="strings wired to the cabinets serve their loads without the grid, up to these"
    )

    @model_validator(mode="after")
    def _sky_or_record(self) -> Self:
        if self.profile is not None and (self.weather.file is not None or self.weather.clouds is not None):
            raise ValueError("a profile has its own weather: leave weather out")
        return self


@dataclass(frozen=True)
class Place:
    """Where the plant stands."""

    latitude: float
    longitude: float
    altitude_m: float
    timezone: str


class Pv:
    """The PV plant of a site; it acts through the plant's edges."""

    def __init__(self, spec: PvSpec, place: Place | None, start: date) -> None:
        self.spec, self._place, self._start = spec, place, start

    def declare(self, site: SiteBuilder) -> None:
        """Its item and its hours."""
        from twin.parts.pv_series import hourly_kw

        spec, clouds = self.spec, self.spec.weather.clouds
        site.pv = PvPlan(
            item=site.item("pv", "pv"), start=self._start,
            hourly_kw=hourly_kw(spec, self._place) if self._place else np.zeros(8760), record=spec.profile,
            inverter_kw=spec.peak_kw if spec.inverter_kw is None else spec.inverter_kw,
            yearly_fade_fraction=spec.yearly_fade_fraction,
            clouds=(clouds.mean_fraction, clouds.hourly_scatter_fraction) if clouds else None,
            export_limit_kw=spec.export_limit_kw, islanding=spec.islanding,
        )  # fmt: skip

    def install(self, world: World, site: Site, ids: dict[str, int]) -> None:
        """Nothing runs by itself."""
