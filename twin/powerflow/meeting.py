"""Where falling curves meet a plane: the linear problem within `regulation`, case by case.

Voltages answer injections as V = V0 + M q, and each control is to stand on its curve. M is close to a matrix of common
path reactances: symmetric and positive, so there is one such point, and its inverse has no positive entry off the
diagonal. Newton's method from piece to piece finds it in a step or two (Hintermueller, Ito and Kunisch 2002); steep
droops can send it round in circles, and then one control at a time goes onto its curve (Gauss and Seidel), which always
gets there, until the pieces are right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel
from twin.powerflow.newton import eliminate

ROUNDS = 60  # of Gauss and Seidel, before a case is left as it is
PASSES = 8  # over the controls, in a round


@kernel
def meet(curves: Any, v: Any, q: Any, matrix: Any, alive: Any, new_q: Any, new_v: Any, piece: Any, found: Any) -> Any:
    """Injections and voltages where the curves meet the plane V + M (q - q now); dead controls inject nothing.

    Args:
        curves: (v, q, a, b, c) of `Curves`.
        v, q: (cases, controls) a point of the plane.
        matrix: (cases, controls, controls) M.
        alive: (cases, controls) whether a control is on.
        new_q, new_v, piece: Out, (cases, controls), with the piece of the curve that each stands on.
        found: Out, (cases,) whether the point was found.
    """
    controls = q.shape[1]
    still, there, volts, system = (
        np.empty(controls),
        np.empty(controls),
        np.empty(controls),
        np.empty((controls, controls)),
    )
    for case in range(q.shape[0]):
        m, on = matrix[case], alive[case]
        for i in range(controls):
            still[i] = v[case, i]  # V at q = 0
            new_q[case, i], new_v[case, i] = q[case, i], v[case, i]
            for j in range(controls):
                still[i] -= m[i, j] * q[case, j]
        found[case] = False
        for turn in range(controls + 4 + ROUNDS):
            stand(curves, still, m, on, new_q[case], new_v[case], piece[case], system, there)
            found[case] = arrived(curves, still, m, on, there, volts, new_q[case], piece[case])
            if found[case] or turn < controls + 3:
                for i in range(controls):
                    new_q[case, i], new_v[case, i] = there[i], volts[i]
            else:
                relax(curves, still, m, on, new_q[case], new_v[case])
            if found[case]:
                break


@inner
def piece_at(curve_v: Any, curve_q: Any, x: Any, t: Any) -> Any:
    """The piece where V less the own reactance times q, which along a curve only rises, is t."""
    k = 0
    while k < curve_v.size and curve_v[k] - x * curve_q[k] <= t:
        k += 1
    return k


@inner
def stand(curves: Any, still: Any, matrix: Any, alive: Any, q: Any, v: Any, piece: Any, system: Any, there: Any) -> Any:
    """`there`: the injections that stand on the pieces of the point q, v, drawn out beyond their ends."""
    curve_v, curve_q, a, b, c = curves
    for i in range(q.size):
        k = piece[i] = piece_at(curve_v[i], curve_q[i], matrix[i, i], v[i] - matrix[i, i] * q[i])
        slope, flat, level = (a[i, k], b[i, k], c[i, k]) if alive[i] else (0.0, 1.0, 0.0)
        for j in range(q.size):
            system[i, j] = slope * matrix[i, j]
        system[i, i] += flat
        there[i] = level - slope * still[i]
    eliminate(system, there)


@inner
def arrived(curves: Any, still: Any, matrix: Any, alive: Any, there: Any, volts: Any, q: Any, piece: Any) -> Any:
    """Whether the pieces are the same there as at the point q, or nothing has moved; writes the voltages there."""
    curve_v, curve_q, _a, _b, _c = curves
    right, moved, largest = True, 0.0, 0.0
    for i in range(q.size):
        moved, largest = max(moved, abs(there[i] - q[i])), max(largest, abs(there[i]))
        volts[i] = still[i]
        for j in range(q.size):
            volts[i] += matrix[i, j] * there[j]
        k = piece_at(curve_v[i], curve_q[i], matrix[i, i], volts[i] - matrix[i, i] * there[i])
        right &= k == piece[i] or not alive[i]
    return right or moved <= 1e-13 * largest


@inner
def relax(curves: Any, still: Any, matrix: Any, alive: Any, q: Any, v: Any) -> Any:
    """One control after the other onto its curve, the others held."""
    curve_v, curve_q, a, b, c = curves
    for _ in range(PASSES):
        for i in range(q.size):
            x, without = matrix[i, i], still[i]
            for j in range(q.size):
                if j != i:
                    without += matrix[i, j] * q[j]
            k = piece_at(curve_v[i], curve_q[i], x, without)
            q[i] = (c[i, k] - a[i, k] * without) / (a[i, k] * x + b[i, k]) if alive[i] else 0.0
    for i in range(q.size):
        v[i] = still[i]
        for j in range(q.size):
            v[i] += matrix[i, j] * q[j]
