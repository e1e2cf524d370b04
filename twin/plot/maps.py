"""Networks by distance and as a map, and the plane on which each design is the cheapest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from twin.plot import style

Int = NDArray[np.int64]
Float = NDArray[np.float64]


class Branches(Protocol):
    """What a drawing asks of a network; `twin.powerflow.Network` has it."""

    from_bus: Int
    to_bus: Int
    r_ohm: Float
    x_ohm: Float
    slack: int


def break_even_map(
    per_year: ArrayLike, price_per_gpu_h: ArrayLike, cost: ArrayLike, designs: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Which design is the cheapest, by supply events a year and price of a GPU-hour; areas are named inside.

    Args:
        per_year: supply events a year, (x,).
        price_per_gpu_h: (y,).
        cost: yearly cost of each design, (designs, y, x).
        designs: their names.
        ax: where to draw; a new figure if None.
    """
    x, y = np.asarray(per_year, np.float64), np.asarray(price_per_gpu_h, np.float64)
    cheapest = np.argmin(np.asarray(cost, np.float64), axis=0)
    ax = style.new_axes(ax, "price of a GPU-hour")
    ax.grid(visible=False)
    colours = ListedColormap([style.mark_of(k)[0] for k in range(len(designs))])
    ax.pcolormesh(x, y, cheapest, cmap=colours, vmin=-0.5, vmax=len(designs) - 0.5, alpha=0.35, lw=0, rasterized=True)
    for k, name in enumerate(designs):
        rows, columns = np.nonzero(cheapest == k)
        if len(rows):
            style.write(
                ax, float(np.median(x[columns])), float(np.median(y[rows])), name, style.mark_of(k)[0], ha="center"
            )
    style.name_x(ax, "supply events a year")
    return ax


def voltage_profile(network: Branches, v_pu: ArrayLike, ax: Axes | None = None) -> Axes:
    """Voltage of every bus against its electrical distance from the slack, branch by branch.

    Args:
        network: its branches.
        v_pu: (buses,), nan where a bus is dead.
        ax: where to draw; a new figure if None.
    """
    volts = np.asarray(v_pu, np.float64)
    ax = style.new_axes(ax, "voltage [p.u.]")
    distance = _distance(network, len(volts), np.hypot(network.r_ohm, network.x_ohm))
    lines = [
        [(distance[a], volts[a]), (distance[b], volts[b])]
        for a, b in zip(network.from_bus, network.to_bus, strict=True)
    ]
    ax.add_collection(LineCollection(lines, colors=style.GRID, linewidths=1.4))
    ax.plot(distance, volts, "o", color=style.INK, ms=3)
    ax.margins(0.05)
    style.name_x(ax, "impedance from the source [ohm]")
    return ax


def network_map(network: Branches, loading: ArrayLike | None = None, ax: Axes | None = None) -> Axes:
    """The network as a tree from its slack, branches coloured by their loading; loops are drawn dashed.

    Args:
        network: its branches.
        loading: share of each branch's rating, (branches,); plain lines if None.
        ax: where to draw; a new figure if None.
    """
    buses = int(max(network.from_bus.max(), network.to_bus.max())) + 1
    depth = _distance(network, buses, np.ones(len(network.from_bus)))
    place, tree = _layout(network, buses)
    ax = style.new_axes(ax, size_in=(7.5, 4.0))
    ax.grid(visible=False)
    ends = [
        [(place[a], -depth[a]), (place[b], -depth[b])] for a, b in zip(network.from_bus, network.to_bus, strict=True)
    ]
    lines = LineCollection(ends, linewidths=1.6, linestyles=["-" if own else "--" for own in tree])
    if loading is None:
        lines.set_color(style.GRID)
    else:
        lines.set_array(np.asarray(loading, np.float64) * 100)
        lines.set_cmap("viridis")
        bar = ax.figure.colorbar(lines, ax=ax, shrink=0.6, label="loading [%]")
        bar.outline.set_visible(False)
    ax.add_collection(lines)
    ax.plot(place, -depth, "o", color=style.INK, ms=3)
    ax.margins(0.05)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines["bottom"].set_visible(False)
    return ax


def _distance(network: Branches, buses: int, length: ArrayLike) -> Float:
    """Length of the shortest way from the slack to every bus; nan where there is none."""
    weight = np.maximum(np.asarray(length, np.float64), 1e-12)
    graph = coo_matrix((weight, (network.from_bus, network.to_bus)), shape=(buses, buses))
    found = dijkstra(graph.tocsr(), directed=False, indices=network.slack)
    return np.where(np.isfinite(found), found, np.nan)


def _layout(network: Branches, buses: int) -> tuple[Float, list[bool]]:
    """Across: leaves side by side, every other bus over the middle of its children; and which branches are the tree."""
    near: dict[int, list[tuple[int, int]]] = {}
    for branch, (a, b) in enumerate(zip(network.from_bus.tolist(), network.to_bus.tolist(), strict=True)):
        near.setdefault(a, []).append((b, branch))
        near.setdefault(b, []).append((a, branch))
    order, parent, used = [network.slack], {network.slack: -1}, set()
    for bus in order:
        for other, branch in near.get(bus, []):
            if other not in parent:
                parent[other] = bus
                used.add(branch)
                order.append(other)
    place = np.full(buses, np.nan)
    children: dict[int, list[int]] = {}
    for bus in order[1:]:
        children.setdefault(parent[bus], []).append(bus)
    leaf = 0
    stack = [(network.slack, False)]
    while stack:
        bus, is_done = stack.pop()
        own = children.get(bus, [])
        if not own:
            place[bus] = leaf
            leaf += 1
        elif is_done:
            place[bus] = np.mean(place[own])
        else:
            stack.append((bus, True))
            stack += [(child, False) for child in reversed(own)]
    return place, [k in used for k in range(len(network.from_bus))]
