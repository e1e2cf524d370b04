"""Figures as matplotlib Axes: `twin.plot.exceedance(comparison)` in a notebook draws what the report shows.

Every function takes its data and `ax=None` (a new figure), and returns the Axes. Nothing here simulates.
"""

from twin.plot.futures import return_dots, tornado, waterfall
from twin.plot.laws import fitted_laws
from twin.plot.maps import break_even_map, network_map, voltage_profile
from twin.plot.operation import dispatch, state_of_charge, truck_tracks
from twin.plot.spread import exceedance, paired_differences
from twin.plot.survival import Outages, outages_of, survival

__all__ = [
    "Outages",
    "break_even_map",
    "dispatch",
    "exceedance",
    "fitted_laws",
    "network_map",
    "outages_of",
    "paired_differences",
    "return_dots",
    "state_of_charge",
    "survival",
    "tornado",
    "truck_tracks",
    "voltage_profile",
    "waterfall",
]
