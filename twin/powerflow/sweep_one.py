"""One case at a time, any network: the sweep with loops, the fallback where vectors do not pay, and the oracle.

Every array is by position of the forest (see `Topology`); voltages are U, powers and currents per unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner

FAILED = 1 << 30


@inner
def drawn(u: Any, s: Any, shunt: Any, shares: Any) -> Any:
    """Current of a bus's load and shunt: shares of constant impedance, current and power."""
    m = u.real * u.real + u.imag * u.imag
    return np.conj(s) * u * (shares[0] + shares[1] / np.sqrt(m) + shares[2] / m) + complex(
        -shunt * u.imag, shunt * u.real
    )


@inner
def gather(u: Any, s: Any, shunt: Any, shares: Any, parent: Any, current: Any) -> Any:
    """Branch currents from the buses' voltages, up the trees; a root's entry is all that it gives."""
    for k in range(u.size):
        current[k] = drawn(u[k], s[k], shunt[k], shares[k])
    for k in range(u.size - 1, 0, -1):
        if parent[k] >= 0:
            current[parent[k]] += current[k]


@inner
def fall(current: Any, parent: Any, z: Any, u: Any) -> Any:
    """Voltages from the branch currents, down the trees."""
    for k in range(u.size):
        u[k] = u[parent[k]] - z[k] * current[k] if parent[k] >= 0 else 1.0


@inner
def close_loops(u: Any, loops: Any, tie_current: Any) -> Any:
    """The ties' currents that close every loop at once, and what they do to the voltages."""
    tie_a, tie_b, alpha, beta, _tie_z, reach, inverse = loops
    n = tie_a.size
    for i in range(n):
        tie_current[i] = 0.0
        for j in range(n):
            tie_current[i] += inverse[i, j] * (alpha[j] * u[tie_a[j]] - beta[j] * u[tie_b[j]])
    for k in range(u.size):
        for i in range(n):
            u[k] -= reach[k, i] * tie_current[i]


@inner
def sweep_case(
    s: Any,
    shunt: Any,
    shares: Any,
    parent: Any,
    z: Any,
    loops: Any,
    tolerance: Any,
    max_sweeps: Any,
    u: Any,
    current: Any,
    tie_current: Any,
) -> Any:
    """Solve one case; u is written. Returns the sweeps used, or FAILED.

    The sweep converges linearly, by a factor rho a sweep, so a step d leaves an error d rho / (1 - rho); half of the
    tolerance is kept for the estimate of rho, the larger of the last two.
    """
    old = np.empty_like(u)
    for k in range(u.size):
        u[k] = 1.0
    before = rho_before = 0.0
    for sweep in range(1, max_sweeps + 1):
        for k in range(u.size):
            old[k] = u[k]
        gather(u, s, shunt, shares, parent, current)
        fall(current, parent, z, u)
        if tie_current.size > 0:
            close_loops(u, loops, tie_current)
        d = 0.0
        for k in range(u.size):
            step = abs(u[k] - old[k])
            if not step <= d:
                d = step
        rho = d / before if before > 0.0 else 1.0
        worst = max(rho, rho_before)
        if d < 1e-14 or (sweep > 2 and worst < 1.0 and d * worst < 0.5 * tolerance * (1.0 - worst)):
            return sweep
        before, rho_before = d, rho
    return FAILED
