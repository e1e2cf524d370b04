"""Solve cases one at a time, and read currents out of voltages: the loops over cases of the scalar kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel
from twin.powerflow.newton import newton_case
from twin.powerflow.sweep_one import FAILED, close_loops, fall, gather, sweep_case

NEWTON_STEPS = 30
POLISH = 2  # sweeps before currents are read out of voltages: powers are to balance better than voltages have to be


@inner
def demand_of(case: Any, p: Any, q: Any, scale: Any, order: Any, size: Any, pointer: Any, cuts: Any, s: Any) -> Any:
    """Complex demand by position, per unit; nothing below an opened branch."""
    for k in range(order.size):
        s[k] = complex(p[case, order[k]], q[case, order[k]]) * scale
    if cuts.size > 0:
        for at in range(pointer[case], pointer[case + 1]):
            for k in range(cuts[at], cuts[at] + size[cuts[at]]):
                s[k] = 0.0


@kernel
def solve_cases(
    rows: Any,
    p: Any,
    q: Any,
    scale: Any,
    tree: Any,
    loops: Any,
    manner: Any,
    opened: Any,
    tolerance: Any,
    max_sweeps: Any,
    v: Any,
    sweeps: Any,
) -> Any:
    """Solve the rows' cases by sweeps, then by Newton's method where those fail or max_sweeps is 0.

    Writes (cases, buses) complex voltages, NaN where dead or without a solution, and the sweeps used (1 for Newton's).
    """
    order, parent, size, z, turn = tree
    pointer, cuts = opened
    m = order.size
    s, u, current = np.empty(m, np.complex128), np.empty(m, np.complex128), np.empty(m, np.complex128)
    tie_current = np.empty(loops[0].size, np.complex128)
    shunt, shares = manner[:, 0].copy(), manner[:, 1:].copy()
    nothing = complex(np.nan, np.nan)
    for case in rows:
        demand_of(case, p, q, scale, order, size, pointer, cuts, s)
        used = sweep_case(s, shunt, shares, parent, z, loops, tolerance, max_sweeps, u, current, tie_current)
        if (
            used == FAILED
            and newton_case(s, shunt, shares, parent, z, loops, tolerance, NEWTON_STEPS, u, tie_current) != FAILED
        ):
            used = 1
        sweeps[case] = used
        for bus in range(v.shape[1]):
            v[case, bus] = nothing
        if used != FAILED:
            for k in range(m):
                v[case, order[k]] = u[k] * turn[k]
            if cuts.size > 0:
                for at in range(pointer[case], pointer[case + 1]):
                    for k in range(cuts[at], cuts[at] + size[cuts[at]]):
                        v[case, order[k]] = nothing


@kernel
def flows_of_cases(
    rows: Any,
    p: Any,
    q: Any,
    scale: Any,
    tree: Any,
    loops: Any,
    manner: Any,
    opened: Any,
    branches: Any,
    v: Any,
    current: Any,
    given: Any,
) -> Any:
    """Currents from voltages: of each branch, and of each source.

    Args:
        rows, p, q, scale, tree, loops, manner, opened: As for `solve_cases`.
        branches: branch of each position, branch of each tie, roots' positions, |T| at each branch's to side.
        v: (cases, buses) voltages.
        current: Out, (cases, branches) |I| of the series impedance, p.u. at the to side; 0 in a branch out of use.
        given: Out, (cases, roots) complex power that each source gives, per unit.
    """
    order, parent, size, z, turn = tree
    pointer, cuts = opened
    branch, ties, roots, to_turn = branches
    m = order.size
    s, u, k_current = np.empty(m, np.complex128), np.empty(m, np.complex128), np.empty(m, np.complex128)
    tie_current = np.zeros(ties.size, np.complex128)
    shunt, shares = manner[:, 0].copy(), manner[:, 1:].copy()
    for case in rows:
        demand_of(case, p, q, scale, order, size, pointer, cuts, s)
        dead = np.isnan(v[case, order[roots[0]]].real)
        for k in range(m):
            u[k] = v[case, order[k]] / turn[k]
            if not dead and np.isnan(u[k].real):
                u[k] = 1.0
        for _ in range(POLISH):
            gather(u, s, shunt, shares, parent, k_current)
            fall(k_current, parent, z, u)
            if ties.size > 0:
                close_loops(u, loops, tie_current)
        gather(u, s, shunt, shares, parent, k_current)
        if ties.size > 0:
            add_ties(k_current, u, loops, parent, z, tie_current)
        for i in range(roots.size):
            given[case, i] = np.conj(k_current[roots[i]])
        for k in range(m):
            if branch[k] >= 0:
                current[case, branch[k]] = abs(k_current[k]) / to_turn[branch[k]]
        for i in range(ties.size):
            current[case, ties[i]] = abs(tie_current[i])
        if dead:
            for e in range(current.shape[1]):
                current[case, e] = np.nan


@inner
def add_ties(current: Any, u: Any, loops: Any, parent: Any, z: Any, tie_current: Any) -> Any:
    """The ties' currents that go with the loads', added to the branches'; u is scratch."""
    tie_a, tie_b, alpha, beta, _tie_z, _reach, _inverse = loops
    fall(current, parent, z, u)
    close_loops(u, loops, tie_current)
    extra = np.zeros(current.size, np.complex128)
    for i in range(tie_a.size):
        extra[tie_a[i]] += np.conj(alpha[i]) * tie_current[i]
        extra[tie_b[i]] -= np.conj(beta[i]) * tie_current[i]
    for k in range(u.size - 1, -1, -1):
        if parent[k] >= 0:
            extra[parent[k]] += extra[k]
        current[k] += extra[k]
