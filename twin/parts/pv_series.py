"""Hourly AC power of a PV plant by `pvlib`: sun, irradiance in the plane of the modules, cell temperature, PVWatts.

- Sky: a weather file, or Ineichen's clear sky with pvlib's climatological Linke turbidity of the place and month.
- Plane: Hay and Davies. No losses by angle of incidence, no shading, no snow: they belong to the system loss.
- Cells: Faiman (u0 25, u1 6.84). DC: peak x irradiance / 1000 x (1 + coefficient x (cell - 25 C)) x (1 - system loss).
- Inverter: constant efficiency. Its limit comes after clouds, in `twin.world.pv_plan`.

The clear sky is averaged over four quarter-hours of each hour; a file's hour has the sun of its middle.
"""

from __future__ import annotations

import warnings
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import InputError, Problem
from twin.inputs.weather_csv import HOURS, YEAR, Weather, read_weather, standard_offset_h

if TYPE_CHECKING:
    from twin.parts.pv import Place, PvSpec

Floats = NDArray[np.float64]

GROUND_ALBEDO = 0.2
NIGHT_SHARE_MAX = 0.01
"""More of a file's irradiation with the sun down means that it is of another place or zone."""


def hourly_kw(spec: PvSpec, place: Place) -> Floats:
    """AC power before clouds and the inverter's limit, (8760,) by hour of local standard time [kW]. Do not write to it.

    Raises:
        InputError: the weather file is broken, or the sun of the site does not fit it.
    """
    with warnings.catch_warnings():
        # pvlib 0.16 still says what pandas 3 calls by another name; its values are the same
        warnings.filterwarnings("ignore", message="DatetimeIndex.dayofyear")
        return _hourly_kw(spec, place)


def _hourly_kw(spec: PvSpec, place: Place) -> Floats:
    offset_h = standard_offset_h(place.timezone)
    if spec.weather.file is None:
        return _clear_sky_kw(spec, place, offset_h)
    weather = read_weather(spec.weather.file, offset_h)
    sun = _sun(place, offset_h, 1)
    down = sun["elevation"].to_numpy() < -1.0
    ghi = weather.ghi_w_per_m2
    if ghi[down].sum() > NIGHT_SHARE_MAX * ghi.sum():
        share = ghi[down].sum() / ghi.sum()
        message = (
            f"{share:.0%} of the irradiation comes with the sun of {place.latitude:g} N {place.longitude:g} E down"
        )
        remedy = "name a file of the site's place, in its local standard time (PVGIS: in UTC)"
        raise InputError(Problem(message, file=spec.weather.file, key="pv.weather", remedy=remedy))
    return _power_kw(spec, sun, weather)


def _sun(place: Place, offset_h: float, parts: int) -> Any:
    """Sun at the middle of each of `parts` spans of every hour, a DataFrame by time."""
    import pandas
    from pvlib import solarposition

    first = datetime(YEAR, 1, 1)  # noqa: DTZ001 - local standard time, made UTC in the next line
    step = pandas.Timedelta(hours=1) / parts
    times = pandas.date_range(first, periods=HOURS * parts, freq=step) + step / 2 - pandas.Timedelta(hours=offset_h)
    return solarposition.get_solarposition(
        times.tz_localize("UTC"), place.latitude, place.longitude, altitude=place.altitude_m
    )


@lru_cache(maxsize=64)
def _clear_sky_kw(spec: PvSpec, place: Place, offset_h: float) -> Floats:
    from pvlib import atmosphere, clearsky, irradiance

    sun = _sun(place, offset_h, 4)
    pressure_pa = atmosphere.alt2pres(place.altitude_m)
    airmass = atmosphere.get_relative_airmass(sun["apparent_zenith"])
    sky = clearsky.ineichen(
        sun["apparent_zenith"], atmosphere.get_absolute_airmass(airmass, pressure_pa),
        clearsky.lookup_linke_turbidity(sun.index, place.latitude, place.longitude), place.altitude_m,
        irradiance.get_extra_radiation(sun.index),
    )  # fmt: skip
    full = np.ones(len(sun))
    ghi, dni, dhi = (sky[name].fillna(0.0).to_numpy() for name in ("ghi", "dni", "dhi"))
    air_c, wind_m_per_s = full * spec.weather.ambient_c, full * spec.weather.wind_m_per_s
    by_quarter_kw = _power_kw(spec, sun, Weather(ghi, dni, dhi, air_c, wind_m_per_s))
    return np.asarray(by_quarter_kw.reshape(HOURS, 4).mean(axis=1))


def _power_kw(spec: PvSpec, sun: Any, weather: Weather) -> Floats:
    """AC power at each of the sun's times [kW]."""
    from pvlib import irradiance, pvsystem, temperature

    plane = irradiance.get_total_irradiance(
        spec.tilt_deg, spec.azimuth_deg, sun["apparent_zenith"].to_numpy(), sun["azimuth"].to_numpy(),
        weather.dni_w_per_m2, weather.ghi_w_per_m2, weather.dhi_w_per_m2,
        dni_extra=irradiance.get_extra_radiation(sun.index).to_numpy(), albedo=GROUND_ALBEDO, model="haydavies",
    )["poa_global"]  # fmt: skip
    plane = np.maximum(np.nan_to_num(np.asarray(plane)), 0.0)
    cell_c = temperature.faiman(plane, weather.air_c, weather.wind_m_per_s)
    dc_kw = pvsystem.pvwatts_dc(plane, cell_c, spec.peak_kw, spec.temperature_coefficient_per_c)
    ac_kw = dc_kw * (1.0 - spec.system_loss_fraction) * spec.inverter_efficiency_fraction
    return np.maximum(np.asarray(ac_kw, np.float64), 0.0)
