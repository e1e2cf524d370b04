"""Inverters that answer to the voltage of their bus: what a caller asks for, checked, as falling curves of q over V.

Both kinds are one thing: a line in the plane of V and q that never rises, level outside its points. A droop is that
line; a held voltage is its upright case, between the two limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.errors import InputError, Problem
from twin.powerflow.network import Network, Source
from twin.powerflow.topology import Floats, Ints


@dataclass(frozen=True)
class HoldVoltage:
    """Hold the voltage of a bus (a PV bus) by reactive power, as far as the limits go.

    bus: where. v_pu: set point, p.u. min_kvar, max_kvar: limits of the reactive power injected, positive into the bus.
    The active power injected is negative demand, in `p_kw`.
    """

    bus: int
    v_pu: float
    min_kvar: float = -np.inf
    max_kvar: float = np.inf


@dataclass(frozen=True)
class VoltVar:
    """Inject reactive power by the voltage of the bus: a droop Q(V), straight between its points and level outside.

    bus: where. v_pu: rising voltages, p.u. q_kvar: reactive power injected at each of them, positive into the bus; it
    may not rise with the voltage.
    """

    bus: int
    v_pu: Sequence[float]
    q_kvar: Sequence[float]


Control = HoldVoltage | VoltVar


@dataclass
class Curves:
    """The curve of every control, by control: its bus, points (controls, most) and pieces (controls, most + 1).

    v, q: points, p.u.; shorter curves repeat their last. a, b, c: a V + b q = c on the piece before each point, and on
    the one after the last; the first and the last piece are level.
    """

    bus: Ints
    v: Floats
    q: Floats
    a: Floats
    b: Floats
    c: Floats

    @cached_property
    def reach(self) -> Floats:
        """How exact q is to be on each piece, in terms of V: as V on a gentle one; as V times the slope on a steep."""
        return np.where(self.b == 0.0, np.inf, np.maximum(self.a, 1.0))


def curves_of(net: Network, controls: Sequence[Control], sources: Sequence[Source] | None) -> Curves:
    """Check the controls, and lay out their curves in per unit.

    Raises:
        InputError: Naming the bus of every control that is wrong.
    """
    fed = {net.slack} if sources is None else {int(bus) for bus, _, _ in sources}
    problems: list[Problem] = []
    points: list[tuple[Floats, Floats]] = []
    seen: set[int] = set()
    for control in controls:
        wrong = _wrong_place(control.bus, net.buses, fed, seen)
        seen.add(control.bus)
        v, q = _points(control)
        wrong = wrong or _wrong_points(control, v, q)
        if wrong:
            problems.append(Problem(f"bus {control.bus}: {wrong}", key="control"))
        points.append((v, q / net.base_kva))
    if problems:
        raise InputError(problems)
    most = max(v.size for v, _ in points)
    v = np.array([np.pad(v, (0, most - v.size), mode="edge") for v, _ in points])
    q = np.array([np.pad(q, (0, most - q.size), mode="edge") for _, q in points])
    return Curves(np.array([control.bus for control in controls], dtype=np.int64), v, q, *_pieces(v, q))


def _wrong_place(bus: int, buses: int, fed: set[int], seen: set[int]) -> str:
    if not 0 <= bus < buses:
        return f"there are only buses 0 to {buses - 1}"
    if bus in fed:
        return "a source fixes its voltage; nothing is left to control"
    return "two controls stand there" if bus in seen else ""


def _points(control: Control) -> tuple[Floats, Floats]:
    if isinstance(control, HoldVoltage):
        return np.full(2, float(control.v_pu)), np.array([control.max_kvar, control.min_kvar], dtype=np.float64)
    return np.array(control.v_pu, dtype=np.float64), np.array(control.q_kvar, dtype=np.float64)


def _wrong_points(control: Control, v: Floats, q: Floats) -> str:
    if isinstance(control, HoldVoltage):
        if not 0.0 < control.v_pu < np.inf:
            return f"{control.v_pu} p.u. is no voltage to hold"
        fits = control.min_kvar <= control.max_kvar and control.min_kvar < np.inf and control.max_kvar > -np.inf
        return "" if fits else f"limits of {control.min_kvar} to {control.max_kvar} kvar leave nothing between them"
    if v.ndim != 1 or v.shape != q.shape or v.size == 0:
        return f"v_pu and q_kvar must be rows of one length, not of shapes {v.shape} and {q.shape}"
    if not (np.all(np.isfinite(v)) and np.all(np.isfinite(q)) and np.all(v > 0.0)):
        return f"the points {v.tolist()} p.u., {q.tolist()} kvar are not all numbers, of voltages above zero"
    if np.any(np.diff(v) <= 0.0):
        return f"the voltages {v.tolist()} do not rise"
    return f"reactive power may not rise with the voltage: {q.tolist()} kvar" if np.any(np.diff(q) > 0.0) else ""


def _pieces(v: Floats, q: Floats) -> tuple[Floats, Floats, Floats]:
    """Coefficients of every piece: upright as V = v, all others as slope V + q = what q would be at V = 0."""
    controls, most = v.shape
    a, b, c = np.zeros((controls, most + 1)), np.ones((controls, most + 1)), np.empty((controls, most + 1))
    c[:, 0], c[:, -1] = q[:, 0], q[:, -1]
    for k in range(1, most):
        wide, high = v[:, k] - v[:, k - 1], q[:, k] < q[:, k - 1]
        upright = high & (wide == 0.0)
        with np.errstate(invalid="ignore"):  # limits without bound
            slope = np.where(wide > 0.0, (q[:, k - 1] - q[:, k]) / np.where(wide > 0.0, wide, 1.0), 0.0)
            level = slope * v[:, k] + q[:, k]
        a[:, k], b[:, k] = np.where(upright, 1.0, slope), np.where(upright, 0.0, 1.0)
        c[:, k] = np.where(upright, v[:, k], level)
    return a, b, c
