"""The forest of one switch state: buses in depth-first order from the sources, and the branches that close loops.

Voltages are solved as U = V / T, where T is the source voltage times every ratio on the way down. Then each root stands
at U = 1, ideal transformers vanish from the tree, and a power drawn stays the power drawn (current K = conj(T) I).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.kernel import kernel

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]


@dataclass
class Topology:
    """Arrays by position (depth-first order, parents first) of one switch state; a subtree is a range of positions.

    order: bus of each position. parent: position above, -1 for a root. branch: branch to it, -1 for a root.
    size: positions of the subtree. z: series impedance of the branch above, p.u. in U. turn: T. shunt: susceptance,
    p.u. in U. roots: positions of the sources, in their order. trees: (trees, 2) ranges that hang from a root.
    position: by bus, -1 where dead. child: by branch, the position below it, -1 where it is in no tree.
    ties: branches that close loops, between positions tie_a (from) and tie_b (to), with alpha U_a - beta U_b = tie_z L.
    """

    order: Ints
    parent: Ints
    branch: Ints
    size: Ints
    z: Complexes
    turn: Complexes
    shunt: Floats
    roots: Ints
    trees: Ints
    position: Ints
    child: Ints
    ties: Ints
    tie_a: Ints
    tie_b: Ints
    alpha: Complexes
    beta: Complexes
    tie_z: Complexes
    reach: Complexes  # (positions, ties): fall of U by one unit of each tie's current
    loop_inverse: Complexes  # (ties, ties)
    scratch: dict[int, Any] = field(default_factory=dict)  # workspaces by number of threads

    @property
    def turned(self) -> bool:
        """Whether V differs from U."""
        return bool(np.any(self.turn != 1.0))


def compile_topology(
    from_bus: Ints, to_bus: Ints, z: Complexes, b: Floats, ratio: Complexes, closed: Any, buses: int, sources: Any
) -> Topology:
    """The forest for the closed branches, from the sources [(bus, voltage)] down. z, b per unit, at the to side."""
    source_bus = np.array([bus for bus, _ in sources], dtype=np.int64)
    source_v = np.array([v for _, v in sources], dtype=np.complex128)
    branches = from_bus.size
    ints = [np.empty(buses, np.int64) for _ in range(3)]  # order, parent, branch
    ints += [np.full(n, -1, np.int64) for n in (buses, branches)]  # position, child
    ints += [np.zeros(n, np.int64) for n in (buses + 2, 2 * branches, buses, branches)]  # start, ends, is_source, ties
    whole = (*ints, np.ones(buses, np.int64))
    zed, turn, shunt = np.zeros(buses, np.complex128), np.ones(buses, np.complex128), np.zeros(buses)
    stack = np.zeros((2 * branches + 1, 3), np.int64)
    n, n_ties = _grow(from_bus, to_bus, z, b, ratio, closed, source_bus, source_v, whole, stack, zed, turn, shunt)
    order, parent, branch, position, child, _, _, _, ties, size = whole
    order, parent, branch, size = order[:n].copy(), parent[:n].copy(), branch[:n].copy(), size[:n].copy()
    zed, turn, shunt, ties = zed[:n].copy(), turn[:n].copy(), shunt[:n].copy(), ties[:n_ties].copy()
    a, b_at = position[from_bus[ties]], position[to_bus[ties]]
    alpha, beta = turn[a] / ratio[ties], turn[b_at]
    reach = np.zeros((n, n_ties), np.complex128)
    if n_ties:
        _reach(parent, zed, a, b_at, alpha, beta, reach)
    loop: Complexes = alpha[:, None] * reach[a] - beta[:, None] * reach[b_at] + np.diag(z[ties])
    top = np.nonzero((parent >= 0) & (parent[np.maximum(parent, 0)] < 0))[0]
    return Topology(
        order=order, parent=parent, branch=branch, size=size, z=zed, turn=turn, shunt=shunt,
        roots=position[source_bus], trees=np.stack([top, top + size[top]], axis=1).astype(np.int64).reshape(-1, 2),
        position=position, child=child, ties=ties, tie_a=a, tie_b=b_at, alpha=alpha, beta=beta, tie_z=z[ties],
        reach=reach, loop_inverse=np.linalg.inv(loop).astype(np.complex128),
    )  # fmt: skip


def path_impedance(topology: Topology, at: Ints) -> Complexes:
    """(positions, at) fall of U at every position by one unit of current drawn at each of `at`, loops closed, p.u.

    In a tree, the impedance that the paths of both to the root have in common.
    """
    t = topology
    path = np.zeros((t.order.size, at.size), dtype=np.complex128)
    _reach(t.parent, t.z, at, at, np.ones(at.size, np.complex128), np.zeros(at.size, np.complex128), path)
    if t.ties.size:
        path -= t.reach @ (t.loop_inverse @ (t.alpha[:, None] * path[t.tie_a] - t.beta[:, None] * path[t.tie_b]))
    return path


@kernel
def _grow(
    from_bus: Any,
    to_bus: Any,
    z: Any,
    b: Any,
    ratio: Any,
    closed: Any,
    source_bus: Any,
    source_v: Any,
    whole: Any,
    stack: Any,
    series: Any,
    turn: Any,
    shunt: Any,
) -> Any:
    """Depth first from each source in turn; a source never hangs from another. Fills `whole`, series, turn and shunt.

    Returns:
        How many buses are energised, and how many branches close a loop.
    """
    branches, buses = from_bus.size, series.size
    order, parent, branch, position, child, start, ends, is_source, ties, size = whole
    for e in range(branches):
        if closed[e]:
            start[from_bus[e] + 2] += 1
            start[to_bus[e] + 2] += 1
    for bus in range(buses):
        start[bus + 2] += start[bus + 1]
    for e in range(branches):
        if closed[e]:
            f, t = from_bus[e] + 1, to_bus[e] + 1
            ends[start[f]] = e
            start[f] += 1
            ends[start[t]] = e
            start[t] += 1
    for s in range(source_bus.size):
        is_source[source_bus[s]] = 1
    n = 0
    for s in range(source_bus.size):
        stack[0, 0], stack[0, 1], stack[0, 2] = source_bus[s], -1, -1
        depth = 1
        while depth > 0:
            depth -= 1
            bus, above, e = stack[depth, 0], stack[depth, 1], stack[depth, 2]
            if position[bus] >= 0:
                continue
            if above < 0:
                turn[n], series[n] = source_v[s], 0.0
            else:
                child[e] = n
                downward = to_bus[e] == bus
                turn[n] = turn[above] / ratio[e] if downward else turn[above] * ratio[e]
                at_to = turn[n] if downward else turn[above]
                series[n] = z[e] / (at_to.real**2 + at_to.imag**2)
            position[bus], order[n], parent[n], branch[n] = n, bus, above, e
            for i in range(start[bus], start[bus + 1]):
                other = from_bus[ends[i]] + to_bus[ends[i]] - bus
                if position[other] < 0 and not is_source[other]:
                    stack[depth, 0], stack[depth, 1], stack[depth, 2] = other, n, ends[i]
                    depth += 1
            n += 1
    n_ties = 0
    for e in range(branches):
        f, t = position[from_bus[e]], position[to_bus[e]]
        if closed[e] and f >= 0 and t >= 0:
            at_from = turn[f] / ratio[e]
            shunt[f] += 0.5 * b[e] * (at_from.real**2 + at_from.imag**2)
            shunt[t] += 0.5 * b[e] * (turn[t].real ** 2 + turn[t].imag ** 2)
            if child[e] < 0:
                ties[n_ties] = e
                n_ties += 1
    for k in range(n - 1, 0, -1):
        if parent[k] >= 0:
            size[parent[k]] += size[k]
    return n, n_ties


@kernel
def _reach(parent: Any, z: Any, a: Any, b: Any, alpha: Any, beta: Any, reach: Any) -> Any:
    """How far U falls at each position by one unit of current in each tie."""
    m = parent.size
    for tie in range(a.size):
        reach[a[tie], tie] += np.conj(alpha[tie])
        reach[b[tie], tie] -= np.conj(beta[tie])
        for k in range(m - 1, 0, -1):
            if parent[k] >= 0:
                reach[parent[k], tie] += reach[k, tie]
        for k in range(m):
            above = reach[parent[k], tie] if parent[k] >= 0 else 0.0
            reach[k, tie] = above + z[k] * reach[k, tie] if parent[k] >= 0 else 0.0
