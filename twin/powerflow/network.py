"""A network as the user gives it, checked, in per unit, with the forests of the switch states it has met."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.powerflow.topology import Complexes, Floats, Ints, Topology, compile_topology

KEPT_TOPOLOGIES = 256
OHM_MAX, BASE_KV = 1e12, (1e-3, 1e4)
"""Impedances and voltages that a network may have; beyond, per-unit values leave the range of floats."""
Source = tuple[int, float, float]


class Network:
    """Buses and branches of a three-phase network in balance.

    Args:
        from_bus, to_bus: (branches,) bus numbers from 0; their order says nothing of the flow.
        r_ohm, x_ohm: (branches,) series impedance, ohms at the from side's base voltage. Zero is a closed switch.
        base_kv: Base voltage, line to line, one for all or (buses,).
        slack: Bus of the supply: 1.0 p.u., 0 rad, unless `solve` is given sources.
        in_service: (branches,) closed branches; default all.
        b_us: (branches,) charging susceptance, microsiemens at the from side's base voltage, half of it at either end.
        ratio: (branches,) off-nominal ratio of an ideal transformer at the from end, complex where it turns the phase
            (V_from / ratio feeds the impedance: the convention of MATPOWER).
        rating_a: (branches,) current rating, amperes on the from side; default none.
        base_kva: Base power.

    Raises:
        InputError: Naming every branch and bus that is wrong.
    """

    def __init__(
        self,
        from_bus: npt.ArrayLike,
        to_bus: npt.ArrayLike,
        r_ohm: npt.ArrayLike,
        x_ohm: npt.ArrayLike,
        base_kv: npt.ArrayLike,
        slack: int = 0,
        *,
        in_service: npt.ArrayLike | None = None,
        b_us: npt.ArrayLike | None = None,
        ratio: npt.ArrayLike | None = None,
        rating_a: npt.ArrayLike | None = None,
        base_kva: float = 1000.0,
    ) -> None:
        self.from_bus, self.to_bus = _bus_numbers("from_bus", from_bus), _bus_numbers("to_bus", to_bus)
        n = self.from_bus.size
        self.branches = n
        self.r_ohm, self.x_ohm = _per_branch("r_ohm", r_ohm, n), _per_branch("x_ohm", x_ohm, n)
        self.b_us = np.zeros(n) if b_us is None else _per_branch("b_us", b_us, n)
        self.ratio: Complexes = np.ones(n, complex) if ratio is None else _per_branch("ratio", ratio, n, np.complex128)
        self.rating_a = np.full(n, np.inf) if rating_a is None else _per_branch("rating_a", rating_a, n)
        self.in_service: npt.NDArray[np.bool_] = np.ones(n, bool) if in_service is None else _switches(in_service, n)
        kv = np.asarray(base_kv, dtype=float)
        self.buses = int(max(self.from_bus.max(), self.to_bus.max(), slack)) + 1 if kv.ndim == 0 else kv.size
        self.base_kv: Floats = np.broadcast_to(kv, self.buses).copy()
        self.base_kva = float(base_kva)
        self.slack = int(slack)
        self._check()
        kv_from = self.base_kv[self.from_bus]
        ohm = 1000.0 * kv_from**2 / self.base_kva
        self._z: Complexes = (self.r_ohm + 1j * self.x_ohm) / ohm
        self._b: Floats = self.b_us * 1e-6 * ohm
        self.base_a: Floats = self.base_kva / (np.sqrt(3.0) * kv_from)
        self.charged = bool(np.any(self._b != 0.0))
        self._topologies: OrderedDict[Any, Topology] = OrderedDict()

    def topology(self, closed: npt.NDArray[np.bool_], sources: Sequence[Source] | None = None) -> Topology:
        """The forest of one switch state, from the cache where it was met before."""
        key = (closed.tobytes(), None if sources is None else tuple(sources))
        found = self._topologies.get(key)
        if found is None:
            self._check_switches(closed)
            roots = [(bus, v * np.exp(1j * angle)) for bus, v, angle in self._checked_sources(sources)]
            found = compile_topology(
                self.from_bus, self.to_bus, self._z, self._b, self.ratio, closed, self.buses, roots
            )
            self._topologies[key] = found
            if len(self._topologies) > KEPT_TOPOLOGIES:
                self._topologies.popitem(last=False)
        else:
            self._topologies.move_to_end(key)
        return found

    def _check(self) -> None:
        problems = []
        for e in range(self.branches):
            f, t = int(self.from_bus[e]), int(self.to_bus[e])
            name = f"branch {e} (bus {f} to bus {t})"
            if not (0 <= f < self.buses and 0 <= t < self.buses):
                problems.append(Problem(f"{name}: there are only buses 0 to {self.buses - 1}"))
            elif f == t:
                problems.append(Problem(f"{name}: both ends are the same bus"))
            for key, value in (("r_ohm", self.r_ohm[e]), ("x_ohm", self.x_ohm[e])):
                if not 0.0 <= value <= OHM_MAX:
                    text = f"{name}: impedance {value} is not a number from zero to {OHM_MAX:g} ohm"
                    problems.append(Problem(text, key=key))
            if not np.isfinite(self.b_us[e]):
                problems.append(Problem(f"{name}: susceptance {self.b_us[e]} is not a number", key="b_us"))
            if not (np.isfinite(self.ratio[e]) and self.ratio[e] != 0.0):
                problems.append(Problem(f"{name}: ratio {self.ratio[e]} must be finite and not zero", key="ratio"))
            if not self.rating_a[e] > 0.0:
                problems.append(Problem(f"{name}: rating {self.rating_a[e]} is not above zero", key="rating_a"))
        touched = np.zeros(self.buses, bool)
        for ends in (self.from_bus, self.to_bus):
            touched[ends[(ends >= 0) & (ends < self.buses)]] = True
        problems += [Problem(f"bus {bus}: no branch touches it") for bus in np.nonzero(~touched)[0]]
        low_kv, high_kv = BASE_KV
        problems += [
            Problem(
                f"bus {bus}: base voltage {self.base_kv[bus]} kV is not within {low_kv:g} to {high_kv:g}", key="base_kv"
            )
            for bus in np.nonzero(~((self.base_kv >= low_kv) & (self.base_kv <= high_kv)))[0]
        ]
        if not 0 <= self.slack < self.buses:
            problems.append(Problem(f"there are only buses 0 to {self.buses - 1}, not {self.slack}", key="slack"))
        if not (np.isfinite(self.base_kva) and self.base_kva > 0.0):
            problems.append(Problem(f"base power {self.base_kva} kVA is not above zero", key="base_kva"))
        if problems:
            raise InputError(problems)

    def _check_switches(self, closed: npt.NDArray[np.bool_]) -> None:
        """No loop may be made of branches without impedance: nothing says how they share its current."""
        group = list(range(self.buses))

        def head(bus: int) -> int:
            while group[bus] != bus:
                bus = group[bus]
            return bus

        joined: list[int] = []
        for e in np.nonzero(closed & (self._z == 0.0))[0]:
            f, t = head(int(self.from_bus[e])), head(int(self.to_bus[e]))
            if f == t:
                others = ", ".join(str(other) for other in joined)
                ends = f"(bus {self.from_bus[e]} to bus {self.to_bus[e]})"
                raise InputError(
                    Problem(
                        f"branch {e} {ends} closes a loop without any impedance, with some of the branches {others}",
                        remedy="open one of them or give it an impedance",
                    )
                )
            group[f] = t
            joined.append(int(e))

    def _checked_sources(self, sources: Sequence[Source] | None) -> list[Source]:
        if sources is None:
            return [(self.slack, 1.0, 0.0)]
        chosen = [(int(bus), float(v), float(angle)) for bus, v, angle in sources]
        if not chosen:
            raise InputError(Problem("there must be at least one source", key="sources"))
        seen: set[int] = set()
        for bus, v, angle in chosen:
            if not 0 <= bus < self.buses or bus in seen:
                raise InputError(Problem(f"bus {bus} is not there, or has a source already", key="sources"))
            if not (np.isfinite(v) and v > 0.0 and np.isfinite(angle)):
                raise InputError(Problem(f"bus {bus}: {v} p.u. at {angle} rad is no voltage", key="sources"))
            seen.add(bus)
        return chosen


def _bus_numbers(key: str, values: npt.ArrayLike) -> Ints:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.integer):
        raise InputError(Problem(f"must be a row of bus numbers, not {array.dtype} of shape {array.shape}", key=key))
    return array.astype(np.int64)


def _per_branch(key: str, values: npt.ArrayLike, branches: int, kind: Any = np.float64) -> Any:
    array = np.asarray(values)
    if array.shape != (branches,) or not np.issubdtype(array.dtype, np.number):
        raise InputError(
            Problem(
                f"must have one number for each of {branches} branches, not {array.dtype} of shape {array.shape}",
                key=key,
            )
        )
    return array.astype(kind)


def _switches(values: npt.ArrayLike, branches: int) -> npt.NDArray[np.bool_]:
    array = np.asarray(values)
    if array.shape != (branches,):
        raise InputError(
            Problem(f"must have one switch for each of {branches} branches, not shape {array.shape}", key="in_service")
        )
    return array.astype(bool)
