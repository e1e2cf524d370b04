"""One replication in operation: powers, state of charge of every unit, and where trucks were."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from twin.errors import InputError
from twin.plot import style
from twin.schema_trace import Table
from twin.trace import Trace
from twin.units import TICKS_PER_H

Float = NDArray[np.float64]

LINES = {
    "load": (style.LOAD, "load"),
    "grid": (style.GRID, "grid"),
    "pv": (style.PV, "PV"),
    "storage": (style.STORAGE, "storage (+ discharge)"),
    "genset": (style.GENSET, "gensets"),
}
"""Of each power drawn its colour and its name."""


def powers_mw(series: Table) -> dict[str, Float]:
    """The powers that operation is read by [MW], by the names of `LINES`; those that are always zero are left out.

    `load` is what servers, cooling and the building take, `grid` import less export, `storage` discharge less charge.
    """
    load = series["it_kw"] + series["cooling_kw"] + series["house_kw"]
    found = {
        "load": load,
        "grid": series["import_kw"] - series["export_kw"],
        "pv": series["pv_kw"],
        "storage": series["discharge_kw"] - series["charge_kw"],
        "genset": series["genset_kw"],
    }
    return {name: kw / 1000 for name, kw in found.items() if name in {"load", "grid"} or np.any(kw != 0)}


def dispatch(trace: Trace, site: str, start_h: float = 0.0, end_h: float | None = None, ax: Axes | None = None) -> Axes:
    """Powers of a site over time [MW]; a value holds from its time; shaded where no supply was drawn though load was.

    Args:
        trace: recorded at level "series" or "units".
        site: its name.
        start_h: from here [h since the scenario's start].
        end_h: to there; the horizon if None.
        ax: where to draw; a new figure if None.

    Raises:
        InputError: the trace holds no series of that site.
    """
    if site not in trace.series or not len(trace.series[site]["time_us"]):
        raise InputError(f"no powers of site '{site}' in this trace (recorded at levels 'series' and 'units')")
    ax = style.new_axes(ax, "MW", (7.5, 3.0))
    series = trace.series[site]
    horizon_h = trace.meta["horizon_us"] / TICKS_PER_H
    last_h = horizon_h if end_h is None else end_h
    time_h = np.append(series["time_us"] / TICKS_PER_H, horizon_h)
    first = max(int(np.searchsorted(time_h, start_h, side="right")) - 1, 0)
    stop = int(np.searchsorted(time_h, last_h)) + 1
    span = slice(first, stop)
    heights = {}
    for name, mw in powers_mw(series).items():
        held = np.append(mw, mw[-1])
        ax.plot(time_h[span], held[span], drawstyle="steps-post", color=LINES[name][0], lw=1.2, label=LINES[name][1])
        heights[name] = float(held[min(stop, len(held)) - 1])
    for begin, end in away_spans_h(trace, site):
        if end > start_h and begin < last_h:
            ax.axvspan(max(begin, start_h), min(end, last_h), color=style.OUTAGE, alpha=0.16, lw=0)
    ax.set_xlim(start_h, last_h)
    ax.axhline(0, color=style.DIM, lw=0.6)
    low, high = ax.get_ylim()
    places = style.spread_labels([(y - low) / (high - low) for y in heights.values()], 0.09)
    for name, place in zip(heights, places, strict=True):
        colour, text = LINES[name]
        ax.text(1.01, place, text, transform=ax.transAxes, color=colour, fontsize=style.FONT_PT, va="center")
    style.name_x(ax, "h")
    return ax


def away_spans_h(trace: Trace, site: str) -> list[tuple[float, float]]:
    """Spans [h] in which no feeder of a site has supply; one that is open at the horizon ends there."""
    events = trace.events
    place = trace.meta["sites"].index(site)
    feeders = [k for k, kind in enumerate(trace.items["kind"]) if kind == "feeder" and trace.items["site"][k] == place]
    own = (events["what"] == trace.what("energised")) & np.isin(events["item"], feeders)
    up = dict.fromkeys(feeders, 1)
    found: list[tuple[float, float]] = []
    since: int | None = None
    rows = zip(*(events[name][own].tolist() for name in ("time_us", "item", "value")), strict=True)
    for time_us, item, value in rows:
        up[item] = value
        if since is None and not any(up.values()):
            since = time_us
        elif since is not None and any(up.values()):
            if time_us > since:
                found.append((since / TICKS_PER_H, time_us / TICKS_PER_H))
            since = None
    if since is not None:
        found.append((since / TICKS_PER_H, trace.meta["horizon_us"] / TICKS_PER_H))
    return found


def charge_by_hour(trace: Trace, site: str, step_h: float = 1.0) -> tuple[list[str], Float]:
    """Least state of charge of every unit of a site in every step, against the most that it ever held.

    Returns:
        Names of the units in order of name, and their charge, (units, steps) between 0 and 1; nan before a unit's
        first point.
    """
    table = trace.units.get(site)
    if table is None or not len(table["time_us"]):
        raise InputError(f"no stored energy at site '{site}' in this trace (recorded at level 'units')")
    steps = int(np.ceil(trace.meta["horizon_us"] / TICKS_PER_H / step_h))
    edges_us = np.arange(steps + 1) * step_h * TICKS_PER_H
    rows = np.unique(table["item"])
    found = np.full((len(rows), steps), np.nan)
    for k, row in enumerate(rows):
        own = table["item"] == row
        time_us, energy_kwh = table["time_us"][own], table["energy_kwh"][own]
        at_edge = np.interp(edges_us, time_us, energy_kwh, left=np.nan)
        least = np.fmin(at_edge[:-1], at_edge[1:])
        inside = np.minimum((time_us / (step_h * TICKS_PER_H)).astype(int), steps - 1)
        np.fmin.at(least, inside, energy_kwh)
        found[k] = least / max(float(energy_kwh.max()), 1e-9)
    return [trace.items["name"][row] for row in rows], found


def state_of_charge(trace: Trace, site: str, step_h: float = 1.0, ax: Axes | None = None) -> Axes:
    """State of charge of every unit over time, dark where empty: the least of each step.

    Args:
        trace: recorded at level "units".
        site: its name.
        step_h: width of a step [h].
        ax: where to draw; a new figure if None.

    Raises:
        InputError: the trace holds no stored energy of that site.
    """
    names, charge = charge_by_hour(trace, site, step_h)
    ax = style.new_axes(ax, "state of charge", (7.5, 3.0))
    ax.grid(visible=False)
    image = ax.imshow(
        charge, aspect="auto", cmap="cividis", vmin=0, vmax=1, interpolation="nearest",
        extent=(0.0, charge.shape[1] * step_h, len(names), 0.0),
    )  # fmt: skip
    ax.set_yticks([0.5, len(names) - 0.5], [names[0], names[-1]])
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.6, ticks=[0, 0.5, 1], format=lambda y, _: f"{100 * y:.0f} %")
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=style.FONT_PT)
    style.name_x(ax, "h")
    return ax


def truck_tracks(trace: Trace, ax: Axes | None = None) -> Axes:
    """Where every truck was: flat while it is plugged in at a site, slanted on the road, on top while lent.

    Args:
        trace: of any level.
        ax: where to draw; a new figure if None.

    Raises:
        InputError: the trace has no trucks.
    """
    stays, trips = trace.stays, trace.trips
    trucks = np.unique(np.concatenate([stays["item"], trips["item"]]))
    if not len(trucks):
        raise InputError("no truck in this trace")
    sites: list[str] = trace.meta["sites"]
    ax = style.new_axes(ax, size_in=(7.5, 1.0 + 0.4 * (len(sites) + 1)))
    for place, row in enumerate(trucks):
        colour, mark = style.mark_of(place)
        own = stays["item"] == row
        level = np.where(stays["site"][own] < 0, len(sites), stays["site"][own]) + 0.12 * (place - len(trucks) / 2)
        time_h = np.stack([stays["start_us"][own], stays["end_us"][own]], 1) / TICKS_PER_H
        ax.plot(time_h.ravel(), np.repeat(level, 2), color=colour, lw=1.4, marker=mark, markevery=[0], ms=4,
                label=trace.items["name"][row])  # fmt: skip
    ax.set_yticks(range(len(sites) + 1), [*sites, "lent"])
    ax.set_ylim(-0.6, len(sites) + 0.6)
    ax.legend(frameon=False, fontsize=style.FONT_PT, ncols=4, loc="lower left", bbox_to_anchor=(0, 1))
    style.name_x(ax, "h")
    return ax
