"""What `solve` found: voltages, and what follows from them when it is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.powerflow.network import Network
from twin.powerflow.one_by_one import flows_of_cases
from twin.powerflow.states import Group
from twin.powerflow.sweep_one import FAILED
from twin.powerflow.topology import Complexes, Floats, Ints, Topology


class Flows:
    """The solved cases. Everything of a case without a solution is NaN; so is the voltage of a dead bus.

    Attributes:
        sweeps: (cases,) sweeps used; 1 where Newton's method was needed.
        control_kvar: (cases, controls) what each control injects; NaN where its bus is dead.
        at_limit: (cases, controls) whether that is all it can give or take: V is off its set point, or off the curve.
    """

    def __init__(
        self,
        net: Network,
        p: Floats,
        q: Floats,
        groups: list[Group],
        shares: Floats | None,
        v: Complexes | None,
        sweeps: Ints,
        controls: int = 0,
    ) -> None:
        self.net, self.p, self.q, self.groups, self.shares, self.sweeps = net, p, q, groups, shares, sweeps
        self._v = v
        self.control_kvar: Floats = np.full((p.shape[0], controls), np.nan)
        self.at_limit: npt.NDArray[np.bool_] = np.zeros((p.shape[0], controls), dtype=bool)
        self.summary: Floats = np.empty((0 if v is not None else p.shape[0], 3))

    @property
    def has_voltages(self) -> bool:
        """Whether voltages were stored."""
        return self._v is not None

    @property
    def v(self) -> Complexes:
        """(cases, buses) complex voltages, p.u."""
        if self._v is None:
            raise InputError(
                Problem('the voltages were not kept: store="summary"', remedy='solve with store="voltages"')
            )
        return self._v

    @cached_property
    def converged(self) -> npt.NDArray[np.bool_]:
        """(cases,) whether the case was solved."""
        return np.not_equal(self.sweeps, FAILED)

    @cached_property
    def v_pu(self) -> Floats:
        """(cases, buses) voltage magnitudes, p.u."""
        return np.abs(self.v)

    @cached_property
    def angle_rad(self) -> Floats:
        """(cases, buses) voltage angles."""
        return np.angle(self.v)

    @cached_property
    def energised(self) -> npt.NDArray[np.bool_]:
        """(cases, buses) whether a bus is connected to a source, solved or not."""
        mask = np.zeros((self.p.shape[0], self.net.buses), dtype=bool)
        for group in self.groups:
            t = group.topology
            mask[np.ix_(group.rows, t.order)] = True
            if group.cuts.size:
                for case in group.rows:
                    for top in group.cuts[group.pointer[case] : group.pointer[case + 1]]:
                        mask[case, t.order[top : top + t.size[top]]] = False
        return mask

    @cached_property
    def current_a(self) -> Floats:
        """(cases, branches) current of each series impedance, amperes on the from side; 0 in a branch out of use."""
        return self._branch_flows[0]

    @cached_property
    def source_kva(self) -> Complexes:
        """(cases, sources) complex power that each source gives, kW + j kvar."""
        return self._branch_flows[1]

    @cached_property
    def loss_kw(self) -> Floats:
        """(cases,) losses of all branches."""
        if self._v is None:
            return np.where(self.converged, self.summary[:, 1], np.nan)
        return self._losses(self.current_a)

    @cached_property
    def min_v_pu(self) -> Floats:
        """(cases,) least voltage of the energised buses."""
        if self._v is None:
            return np.where(self.converged, self.summary[:, 0], np.nan)
        least = np.full(self.p.shape[0], np.nan)
        least[self.converged] = np.nanmin(self.v_pu[self.converged], axis=1)
        return least

    @cached_property
    def overloads(self) -> Ints:
        """(cases,) branches above their rating; -1 in a case without a solution."""
        count = self.summary[:, 2] if self._v is None else np.sum(self.current_a > self.net.rating_a, axis=1)
        return np.where(self.converged, count, -1).astype(np.int64)

    def summarise(self, rows: Ints, v: Complexes, group: Group) -> None:
        """Fill the summary of some cases from their voltages."""
        good = rows[self.converged_now(rows)]
        current, _ = self._flows_of(good, v, group)
        self.summary[good, 0] = np.nanmin(np.abs(v[good]), axis=1) if good.size else 0.0
        self.summary[good, 1] = self._losses(current[good])
        self.summary[good, 2] = np.sum(current[good] > self.net.rating_a, axis=1)

    def give_up(self, rows: Ints) -> None:
        """Mark some cases as without a solution."""
        self.sweeps[rows] = FAILED
        if self._v is not None:
            self._v[rows] = np.nan

    def converged_now(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Whether these cases are solved so far."""
        return np.not_equal(self.sweeps[rows], FAILED)

    @cached_property
    def _branch_flows(self) -> tuple[Floats, Complexes]:
        cases = self.p.shape[0]
        sources = max(group.topology.roots.size for group in self.groups) if self.groups else 0
        current, given = np.zeros((cases, self.net.branches)), np.zeros((cases, sources), dtype=np.complex128)
        for group in self.groups:
            found = self._flows_of(group.rows, self.v, group)
            current[group.rows], given[group.rows] = found[0][group.rows], found[1][group.rows]
        return current, given

    def _flows_of(self, rows: Ints, v: Complexes, group: Group) -> tuple[Floats, Complexes]:
        net, t = self.net, group.topology
        tree, loops, manner, opened = arrays_of(t, self.shares, group)
        to_turn = np.where(t.position[net.to_bus] >= 0, np.abs(t.turn[t.position[net.to_bus]]), 1.0)
        current = np.zeros((self.p.shape[0], net.branches))
        given = np.zeros((self.p.shape[0], t.roots.size), dtype=np.complex128)
        where = (t.branch, t.ties, t.roots, to_turn)
        flows_of_cases(rows, self.p, self.q, 1.0 / net.base_kva, tree, loops, manner, opened, where, v, current, given)
        return current * (net.base_a / np.abs(net.ratio)), given * net.base_kva

    def _losses(self, current_a: Floats) -> Floats:
        net = self.net
        loss_kw: Floats = 3e-3 * (current_a * np.abs(net.ratio)) ** 2 @ net.r_ohm
        return loss_kw


def arrays_of(topology: Topology, shares: Floats | None, group: Group) -> tuple[Any, Any, Floats, Any]:
    """Tree, loops, manner of the loads by position (shunt, shares Z, I, P, of U), and cuts, for the kernels."""
    t = topology
    manner = np.zeros((t.order.size, 4))
    manner[:, 0] = t.shunt
    manner[:, 3] = 1.0
    if shares is not None:
        size = np.abs(t.turn)
        manner[:, 1:] = shares[t.order] * np.stack([size**2, size, np.ones_like(size)], axis=1)
    tree = (t.order, t.parent, t.size, t.z, t.turn)
    loops = (t.tie_a, t.tie_b, t.alpha, t.beta, t.tie_z, t.reach, t.loop_inverse)
    return tree, loops, manner, (group.pointer, group.cuts)
