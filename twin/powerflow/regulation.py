"""Find what every control injects: Newton's method on the curves, around solves of the network at given injections.

The network answers an injection q with voltages V(q) at the controlled buses. About the last solve that is V + M dq;
`meeting` finds where all curves meet this plane, and there the network is solved again. M begins as the common path
reactances turned by the voltages' angles, and learns from each solve (Broyden 1965) how the loads answer. A limit is a
piece of a curve like any other: a control enters and leaves it in the same step. Only cases that have not arrived are
solved again.

Cost: a case at ordinary load takes one to five solves. A batch with one inverter that holds its voltage takes 3 to 7
times as long as without, with three 6 to 13, with twenty droops 11 to 92: the small systems of equations then outweigh
the network, most so a small one (benchmarks/power_flow.py).

Left out: what loads and the charging of lines do to M before the first solves. So a case near collapse takes more, and
transmission networks, whose lines hold their voltage up, may find no solution that is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from twin.powerflow.control import Curves
from twin.powerflow.flows import Flows
from twin.powerflow.meeting import meet
from twin.powerflow.states import Group
from twin.powerflow.sweep_one import FAILED
from twin.powerflow.topology import Complexes, Floats, Ints, Topology, path_impedance

MAX_SOLVES = 30
STARTS = 4  # to try while the network has no solution there: the linear one, twice towards all they can give, nothing
MATRICES = 1 << 20  # numbers in all matrices M at a time
SPARE = 1e-6  # of the largest reactance, added to each own one: two buses joined by a switch share what they inject
Bools = npt.NDArray[np.bool_]
Solve = Callable[[Ints], None]


def inner_tolerance(tolerance: float) -> float:
    """Tolerance of the solves within: what they leave must not hide where a curve is met."""
    return max(0.1 * tolerance, min(tolerance, 1e-12))


def regulate(flows: Flows, group: Group, curves: Curves, solve_rows: Solve, tolerance: float) -> None:
    """Solve a group's cases with their controls: writes `flows.q`, the voltages and what the controls inject.

    Args:
        flows: With voltages; its q is its own, and holds the demand.
        group: Its rows are solved.
        curves: Of the controls.
        solve_rows: Solves some rows of `flows` as they are, to the tolerance of `inner_tolerance`.
        tolerance: Bound of the error of a voltage, p.u.
    """
    size = max(64, MATRICES // curves.bus.size**2)
    for begin in range(0, group.rows.size, size):
        _Search(flows, group, group.rows[begin : begin + size], curves).run(solve_rows, tolerance)


class _Search:
    """Some cases on their way; arrays by case and control, those of the last good solve with `_ok`."""

    def __init__(self, flows: Flows, group: Group, rows: Ints, curves: Curves) -> None:
        topology, bus = group.topology, curves.bus
        self.flows, self.rows, self.curves = flows, rows, curves
        self.alive = _alive(group, rows, bus)
        at = np.maximum(topology.position[bus], 0)
        path = path_impedance(topology, at)
        self.turn, self.path = topology.turn[at], path[at].T
        self.demand = flows.q[np.ix_(rows, bus)]
        self.shares = None if flows.shares is None else flows.shares[bus]
        v = _linear_voltage(flows, group, rows, path, self.turn)
        self.least = 1e-3 * np.abs(self.turn * np.diagonal(self.path))  # of a reactance, where paths are all resistance
        self.matrix = _spared(np.abs(self.turn)[:, None] * self.path.imag, self.alive, self.least)
        self.q_ok, self.v_ok = np.zeros_like(v), v
        self.q, self.v, _, _ = _met(curves, v, self.q_ok, self.matrix, self.alive)
        self.first = self.q.copy()
        self.known = np.zeros(rows.size, dtype=bool)
        self.starts = np.ones(rows.size, dtype=np.int64)

    def run(self, solve_rows: Solve, tolerance: float) -> None:
        """Solve until every case stands on all its curves, or is given up."""
        active = np.arange(self.rows.size)
        enough = max(0.2 * tolerance, 1e-12)
        for _ in range(MAX_SOLVES):
            asked = self.q[active] / self._weight(self.v[active])
            self.flows.q[np.ix_(self.rows[active], self.curves.bus)] = (
                self.demand[active] - asked * self.flows.net.base_kva
            )
            solve_rows(self.rows[active])
            good = self.flows.sweeps[self.rows[active]] != FAILED
            left = self._back(active[~good])
            done = self._forward(active[good], asked[good], enough)
            active = np.concatenate([left, active[good][~done]])
            if active.size == 0:
                return
        self.flows.give_up(self.rows[active])

    def _forward(self, mine: Ints, asked: Floats, enough: float) -> Bools:
        """Learn from good solves, and go where the curves are met; whether a case has arrived."""
        u = self.flows.v[np.ix_(self.rows[mine], self.curves.bus)]
        v = np.where(self.alive[mine], np.abs(u), 1.0)
        q = np.where(self.alive[mine], asked * self._weight(v), 0.0)
        first = ~self.known[mine]
        self.matrix[mine[first]] = self._reactance(u[first], self.alive[mine[first]])
        self._learn(mine[~first], v[~first], q[~first], 50.0 * enough)
        self.known[mine], self.q_ok[mine], self.v_ok[mine] = True, q, v
        self.q[mine], self.v[mine], piece, met = _met(self.curves, v, q, self.matrix[mine], self.alive[mine])
        near = np.abs(self.q[mine] - q) < enough * self.curves.reach[np.arange(q.shape[1]), piece]
        done = met & np.all(near & (np.abs(self.v[mine] - v) < enough), axis=1)
        case = self.rows[mine[done]]
        self.flows.control_kvar[case] = np.where(self.alive[mine], q * self.flows.net.base_kva, np.nan)[done]
        self.flows.at_limit[case] = (self.alive[mine] & ((piece == 0) | (piece == self.curves.v.shape[1])))[done]
        return done

    def _learn(self, mine: Ints, v: Floats, q: Floats, worth: float) -> None:
        """Broyden's update, where the step was large beside the solves' errors and leaves a reactance sound."""
        foreseen = np.einsum("rij,rj->ri", self.matrix[mine], q - self.q_ok[mine])
        use = np.max(np.abs(foreseen), axis=1) > worth
        mine, old = mine[use], self.matrix[mine[use]]
        step, miss = q[use] - self.q_ok[mine], v[use] - self.v_ok[mine] - foreseen[use]
        new = old + miss[:, :, None] * (step / np.sum(step**2, axis=1, keepdims=True))[:, None, :]
        sound = np.all(_own(new) > 0.2 * _own(old), axis=1)
        self.matrix[mine[sound]] = new[sound]

    def _back(self, mine: Ints) -> Ints:
        """Where the network has no solution: half the way back to the last good one, or another start; who goes on."""
        known = self.known[mine]
        near, far = mine[known], mine[~known]
        self.q[near] = 0.5 * (self.q[near] + self.q_ok[near])
        self.v[near] = 0.5 * (self.v[near] + self.v_ok[near])
        most, least, first = self.curves.q[:, 0], self.curves.q[:, -1], np.nan_to_num(self.first[far])
        support = np.where(np.isfinite(most), most, first + 2.0 * np.abs(first))
        share = self.starts[far, None] / (STARTS - 2.0)
        start = np.where(share <= 1.0, first + share * (support - first), np.clip(0.0, least, most))
        self.q[far], self.v[far] = np.where(self.alive[far], start, 0.0), 1.0
        self.starts[far] += 1
        return np.concatenate([near, far[self.starts[far] <= STARTS]])

    def _reactance(self, volts: Complexes, alive: Bools) -> Floats:
        """d|V| / dq about solved voltages, if every load drew a constant current: dU = -j z dq / conj(U)."""
        u = np.where(alive, volts / self.turn, 1.0)
        towards = np.conj(u) / np.abs(u) * np.abs(self.turn)
        return _spared((-1j * self.path * towards[:, :, None] / np.conj(u)[:, None, :]).real, alive, self.least)

    def _weight(self, v: Floats) -> Floats:
        """What the network draws of a demand at voltage v: the injection is of constant power, its bus may not be."""
        if self.shares is None:
            return np.ones_like(v)
        return (self.shares[:, 0] * v + self.shares[:, 1]) * v + self.shares[:, 2]


def _met(curves: Curves, v: Floats, q: Floats, matrix: Floats, alive: Bools) -> tuple[Floats, Floats, Ints, Bools]:
    """As `meet`, into arrays of its own."""
    new_q, new_v, piece, found = np.empty_like(q), np.empty_like(q), np.empty(q.shape, np.int64), np.empty(len(q), bool)
    meet((curves.v, curves.q, curves.a, curves.b, curves.c), v, q, matrix, alive, new_q, new_v, piece, found)
    return new_q, new_v, piece, found


def _own(matrix: Floats) -> Floats:
    """The diagonals of the matrices of all cases."""
    return np.einsum("rii->ri", matrix)


def _alive(group: Group, rows: Ints, bus: Ints) -> Bools:
    """(rows, controls) whether a control's bus is energised."""
    t = group.topology
    at = t.position[bus]
    alive = np.tile(at >= 0, (rows.size, 1))
    for case, top in _cuts(group, rows):
        alive[np.ix_(case, (at >= top) & (at < top + t.size[top]))] = False
    return alive


def _cuts(group: Group, rows: Ints) -> Iterator[tuple[Ints, int]]:
    """For each position that some row is cut at: those rows, by their place in `rows`, and the position."""
    if group.cuts.size == 0:
        return
    count = group.pointer[rows + 1] - group.pointer[rows]
    place = np.repeat(np.arange(rows.size), count)
    within = np.arange(place.size) - np.repeat(np.cumsum(count) - count, count)
    top = group.cuts[np.repeat(group.pointer[rows], count) + within]
    for position in np.unique(top):
        yield place[top == position], int(position)


def _linear_voltage(flows: Flows, group: Group, rows: Ints, path: Complexes, turn: Complexes) -> Floats:
    """|V| at the controlled buses if every load drew the current that it draws at 1 p.u. (Baran and Wu 1989)."""
    t: Topology = group.topology
    whole = rows.size == flows.p.shape[0] and group.cuts.size == 0
    p, q = (flows.p, flows.q) if whole else (flows.p[rows], flows.q[rows])
    for case, top in _cuts(group, rows):
        dead = np.ix_(case, t.order[top : top + t.size[top]])
        p[dead] = q[dead] = 0.0
    z = np.zeros((flows.net.buses, 2 * path.shape[1]))
    z[t.order] = np.concatenate([path.real, path.imag], axis=1) / flows.net.base_kva
    (p_r, p_x), (q_r, q_x) = np.split(p @ z, 2, axis=1), np.split(q @ z, 2, axis=1)
    fall = p_r + q_x + 1j * (p_x - q_r)
    linear: Floats = np.abs(turn * (1.0 - fall))
    return np.where(np.isfinite(linear), linear, 1.0)


def _spared(matrix: Floats, alive: Bools, least: Floats) -> Floats:
    """A matrix M for each case that can be solved for: own reactances above `least`, dead controls by themselves."""
    both = alive[:, :, None] & alive[:, None, :]
    spared: Floats = np.where(both, matrix, 0.0)
    diagonal = _own(spared)
    diagonal[:] = np.maximum(diagonal, least)
    diagonal += SPARE * np.max(diagonal, axis=1, keepdims=True) + 1e-12
    diagonal[~alive] = 1.0
    return spared
