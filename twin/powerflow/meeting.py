"""Where falling curves meet a plane: the linear problem within `regulation`, of many cases at once.

Voltages answer injections as V = V0 + M q, and each control is to stand on its curve. M is close to a matrix of common
path reactances: symmetric and positive, so there is one such point, and its inverse has no positive entry off the
diagonal. Newton's method from piece to piece finds it in a step or two (Hintermueller, Ito and Kunisch 2002); steep
droops can send it round in circles, and then one control at a time goes onto its curve (Gauss and Seidel), which always
gets there, until the pieces are right.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from twin.powerflow.control import Curves
from twin.powerflow.topology import Floats, Ints

Bools = npt.NDArray[np.bool_]
ROUNDS = 60  # of Gauss and Seidel, before a case is left as it is
PASSES = 8  # over the controls, in a round


def meet(curves: Curves, v: Floats, q: Floats, matrix: Floats, alive: Bools) -> tuple[Floats, Floats, Ints, Bools]:
    """Injections and voltages where the curves meet the plane V + M (q - q now); dead controls inject nothing.

    Returns:
        (cases, controls) q, V and the pieces of the curves; (cases,) whether the point was found.
    """
    cases, controls = q.shape
    still = v - product(matrix, q)  # V at q = 0
    new_q, new_v, found = q.copy(), v.copy(), np.zeros(cases, dtype=bool)
    piece = _piece(curves, v, q, own(matrix))
    moving = np.arange(cases)
    for turn in range(controls + 4 + ROUNDS):
        m, on, now = matrix[moving], alive[moving], piece[moving]
        there = _on_pieces(curves, still[moving], m, on, now)
        volts = still[moving] + product(m, there)
        then = _piece(curves, volts, there, own(m))
        stays = np.max(np.abs(there - new_q[moving]), axis=1) <= 1e-13 * np.max(np.abs(there), axis=1)
        right = stays | np.all((then == now) | ~on, axis=1)
        take = right | (turn < controls + 4)
        new_q[moving[take]], new_v[moving[take]], piece[moving[take]] = there[take], volts[take], then[take]
        found[moving[right]] = True
        moving = moving[~right]
        if moving.size == 0:
            break
        if turn >= controls + 3:
            new_q[moving], new_v[moving] = _relaxed(curves, still[moving], new_q[moving], matrix[moving], alive[moving])
            piece[moving] = _piece(curves, new_v[moving], new_q[moving], own(matrix[moving]))
    return new_q, new_v, piece, found


def _piece(curves: Curves, v: Floats, q: Floats, own_x: Floats) -> Ints:
    """Along a curve, V less the own reactance times q only rises: so that number tells the piece."""
    corner = curves.v - own_x[:, :, None] * curves.q
    return np.sum(corner <= (v - own_x * q)[:, :, None], axis=2)


def _on_pieces(curves: Curves, still: Floats, matrix: Floats, alive: Bools, piece: Ints) -> Floats:
    """Injections that stand on these pieces, drawn out beyond their ends."""
    which = np.arange(piece.shape[1])
    a = np.where(alive, curves.a[which, piece], 0.0)
    b = np.where(alive, curves.b[which, piece], 1.0)
    c = np.where(alive, curves.c[which, piece], 0.0)
    system = a[:, :, None] * matrix
    np.einsum("rii->ri", system)[:] += b
    return _solved(system, c - a * still)


def _relaxed(curves: Curves, still: Floats, q: Floats, matrix: Floats, alive: Bools) -> tuple[Floats, Floats]:
    """One control after the other onto its curve, the others held."""
    q = np.where(alive, q, 0.0)
    for i in np.tile(np.arange(q.shape[1]), PASSES):
        x = matrix[:, i, i]
        without = still[:, i] + np.sum(matrix[:, i] * q, axis=1) - x * q[:, i]
        k = np.sum(curves.v[i] - x[:, None] * curves.q[i] <= without[:, None], axis=1)
        a, b, c = curves.a[i, k], curves.b[i, k], curves.c[i, k]
        q[:, i] = np.where(alive[:, i], (c - a * without) / (a * x + b), 0.0)
    return q, still + product(matrix, q)


def own(matrix: Floats) -> Floats:
    """The diagonals, (cases, controls), of matrices (cases, controls, controls)."""
    return np.einsum("rii->ri", matrix)


def product(matrix: Floats, vector: Floats) -> Floats:
    """Each case's matrix times its vector."""
    return np.einsum("rij,rj->ri", matrix, vector)


def _solved(system: Floats, right: Floats) -> Floats:
    """Small systems, one a case; a single control needs none."""
    if right.shape[1] == 1:
        return right / system[:, :, 0]
    try:
        return np.linalg.solve(system, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # of one case; the others are not to suffer
        system = system + 1e-9 * np.max(np.abs(system), axis=(1, 2), keepdims=True) * np.eye(right.shape[1])
        return np.linalg.solve(system, right[:, :, None])[:, :, 0]
