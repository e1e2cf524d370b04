"""Newton's method on the forest, one case: for heavy load, where sweeps converge slowly or not at all.

Eliminating a tree from its leaves up makes no fill-in. Seen from above, a branch takes J = a + B dU of its parent, with
B a real 2 x 2 matrix kept as two complex columns. Ties add two real unknowns each, by a small dense system.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner
from twin.powerflow.sweep_one import FAILED, drawn


@inner
def apply(columns: Any, du: Any) -> Any:
    """A real 2 x 2 matrix times a complex number."""
    return columns[0] * du.real + columns[1] * du.imag


@inner
def factor(u: Any, s: Any, shunt: Any, shares: Any, parent: Any, z: Any, slope: Any, inverse: Any) -> Any:
    """slope: d(current of the subtree) / dU at each bus; inverse: (1 + z slope)^-1."""
    for k in range(u.size):
        m = u[k].real ** 2 + u[k].imag ** 2
        flat = np.conj(s[k]) * (shares[k, 0] + shares[k, 1] / np.sqrt(m) + shares[k, 2] / m) + complex(0.0, shunt[k])
        bent = -np.conj(s[k]) * u[k] * (shares[k, 1] / (m * np.sqrt(m)) + 2.0 * shares[k, 2] / (m * m))
        slope[k, 0] = flat + bent * u[k].real
        slope[k, 1] = flat * 1j + bent * u[k].imag
    for k in range(u.size - 1, -1, -1):
        if parent[k] < 0:
            continue
        c, d = 1.0 + z[k] * slope[k, 0], 1j + z[k] * slope[k, 1]
        determinant = c.real * d.imag - c.imag * d.real
        inverse[k, 0] = complex(d.imag, -c.imag) / determinant
        inverse[k, 1] = complex(-d.real, c.real) / determinant
        for i in range(2):
            slope[parent[k], i] += apply(slope[k], inverse[k, i])


@inner
def solve_tree(gathered: Any, gap: Any, parent: Any, z: Any, slope: Any, inverse: Any, du: Any) -> Any:
    """Voltage steps for the currents in `gathered` (overwritten) and the gaps U above - U."""
    for k in range(du.size - 1, -1, -1):
        if parent[k] >= 0:
            gap[k] -= z[k] * gathered[k]
            gathered[parent[k]] += gathered[k] + apply(slope[k], apply(inverse[k], gap[k]))
    for k in range(du.size):
        du[k] = apply(inverse[k], gap[k] + du[parent[k]]) if parent[k] >= 0 else 0.0


@inner
def newton_case(
    s: Any,
    shunt: Any,
    shares: Any,
    parent: Any,
    z: Any,
    loops: Any,
    tolerance: Any,
    max_steps: Any,
    u: Any,
    tie_current: Any,
) -> Any:
    """Solve one case from a flat start; u is written. Returns the steps used, or FAILED."""
    tie_a, tie_b, alpha, beta, _tie_z, _reach, _inverse = loops
    m, ties = u.size, tie_a.size
    slope, inverse = np.zeros((m, 2), np.complex128), np.zeros((m, 2), np.complex128)
    gathered, gap, du = np.empty(m, np.complex128), np.empty(m, np.complex128), np.zeros(m, np.complex128)
    response = np.zeros((2 * ties, m), np.complex128)
    for k in range(m):
        u[k] = 1.0
    for t in range(ties):
        tie_current[t] = 0.0
    for step in range(1, max_steps + 1):
        factor(u, s, shunt, shares, parent, z, slope, inverse)
        for k in range(m):
            gathered[k] = drawn(u[k], s[k], shunt[k], shares[k])
            gap[k] = u[parent[k]] - u[k] if parent[k] >= 0 else 0.0
        for t in range(ties):
            gathered[tie_a[t]] += np.conj(alpha[t]) * tie_current[t]
            gathered[tie_b[t]] -= np.conj(beta[t]) * tie_current[t]
        solve_tree(gathered, gap, parent, z, slope, inverse, du)
        if ties > 0:
            close(u, du, loops, parent, z, slope, inverse, gathered, gap, response, tie_current)
        largest = 0.0
        for k in range(m):
            u[k] += du[k]
            if not abs(du[k]) <= largest:
                largest = abs(du[k])
        if largest < 1e-3 * tolerance:
            return step
        if not largest < 1e3:
            return FAILED
    return FAILED


@inner
def close(
    u: Any,
    du: Any,
    loops: Any,
    parent: Any,
    z: Any,
    slope: Any,
    inverse: Any,
    gathered: Any,
    gap: Any,
    response: Any,
    tie_current: Any,
) -> Any:
    """The steps of the ties' currents that close the loops, added to du and tie_current."""
    tie_a, tie_b, alpha, beta, tie_z, _reach, _inverse = loops
    ties = tie_a.size
    system, right = np.zeros((2 * ties, 2 * ties)), np.zeros(2 * ties)
    for c in range(2 * ties):
        unit = 1.0 + 0j if c % 2 == 0 else 1j
        for k in range(du.size):
            gathered[k] = gap[k] = 0.0
        gathered[tie_a[c // 2]] += np.conj(alpha[c // 2]) * unit
        gathered[tie_b[c // 2]] -= np.conj(beta[c // 2]) * unit
        solve_tree(gathered, gap, parent, z, slope, inverse, response[c])
        for t in range(ties):
            effect = alpha[t] * response[c, tie_a[t]] - beta[t] * response[c, tie_b[t]]
            if t == c // 2:
                effect -= tie_z[t] * unit
            system[2 * t, c], system[2 * t + 1, c] = effect.real, effect.imag
    for t in range(ties):
        open_end = (
            alpha[t] * (u[tie_a[t]] + du[tie_a[t]]) - beta[t] * (u[tie_b[t]] + du[tie_b[t]]) - tie_z[t] * tie_current[t]
        )
        right[2 * t], right[2 * t + 1] = -open_end.real, -open_end.imag
    eliminate(system, right)
    for t in range(ties):
        tie_current[t] += complex(right[2 * t], right[2 * t + 1])
    for c in range(2 * ties):
        for k in range(du.size):
            du[k] += right[c] * response[c, k]


@inner
def eliminate(system: Any, right: Any) -> Any:
    """Solve a small dense system in place, with row pivots: `right` becomes the solution, not finite where singular.

    numpy's own solver would cost the first call four seconds of compiling, and a singular case stop all the others.
    """
    n = right.size
    for i in range(n):
        best = i
        for j in range(i + 1, n):
            if abs(system[j, i]) > abs(system[best, i]):
                best = j
        for c in range(i, n):
            system[i, c], system[best, c] = system[best, c], system[i, c]
        right[i], right[best] = right[best], right[i]
        for j in range(i + 1, n):
            share = system[j, i] / system[i, i]
            if share == 0.0:
                continue
            for c in range(i + 1, n):
                system[j, c] -= share * system[i, c]
            right[j] -= share * right[i]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            right[i] -= system[i, c] * right[c]
        right[i] /= system[i, i]
