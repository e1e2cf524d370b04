"""`solve`: balanced AC power flow of many cases of one network, whatever their demand and their switches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twin.errors import InputError, Problem
from twin.powerflow import workspace
from twin.powerflow.control import Control, Curves, curves_of
from twin.powerflow.flows import Flows, arrays_of
from twin.powerflow.lanes import LANES
from twin.powerflow.network import Network, Source
from twin.powerflow.one_by_one import solve_cases
from twin.powerflow.regulation import inner_tolerance, regulate
from twin.powerflow.states import Group, group_cases
from twin.powerflow.sweep_lanes import solve_blocks
from twin.powerflow.sweep_one import FAILED
from twin.powerflow.threads import solve_blocks_on_threads
from twin.powerflow.topology import Floats, Ints, Topology

MAX_SWEEPS = 20  # beyond, Newton's method is faster
FEW_CASES = 4  # up to here, vectors of cases are too empty to pay
FEWEST_BUSES = 8  # of the lanes' packing
Method = Literal["auto", "lanes", "one by one", "newton"]


def solve(
    net: Network,
    p_kw: npt.ArrayLike,
    q_kvar: npt.ArrayLike,
    *,
    in_service: npt.ArrayLike | None = None,
    open_branch: npt.ArrayLike | None = None,
    sources: Sequence[Source] | None = None,
    loads: npt.ArrayLike | None = None,
    control: Sequence[Control] = (),
    store: Literal["voltages", "summary"] = "voltages",
    tolerance: float = 1e-8,
    threads: int = 1,
    method: Method = "auto",
) -> Flows:
    """Solve every case; one that has no solution is marked and is NaN, and leaves the others alone.

    Current-summation sweeps in vectors of cases, Newton's method for those that do not settle (Shirmohammadi et al.
    1988 for the sweep and the loops; the stop rule bounds the true error by the rate of convergence, not by the last
    step).

    Args:
        net: The network.
        p_kw, q_kvar: (cases, buses) demand, positive where drawn.
        in_service: (branches,) or (cases, branches) closed branches, instead of the network's own.
        open_branch: (cases,) a branch to open in each case, -1 for none.
        sources: [(bus, volts p.u., angle rad)] buses of fixed voltage, instead of the slack; two may share an island.
        loads: (buses, 3) shares of constant impedance, constant current and constant power; default all power.
        control: Inverters that hold a voltage or follow a droop, `HoldVoltage` and `VoltVar`: at most one a bus. What
            they inject, positive into the bus, comes on top of `q_kvar` and is constant power, whatever `loads` says. A
            control on a dead bus is off. Each case is solved several times over: see `regulation`.
        store: "summary" keeps no voltages: only `min_v_pu`, `loss_kw` and `overloads` of each case.
        tolerance: Bound of the error of a voltage, p.u.
        threads: Threads to use; the numbers do not depend on it.
        method: "lanes", "one by one" and "newton" are for comparing the kernels with each other.

    Raises:
        InputError: On wrong shapes, buses or shares.
    """
    p, q = _demand(net, "p_kw", p_kw), _demand(net, "q_kvar", q_kvar)
    if p.shape != q.shape:
        raise InputError(Problem(f"has {q.shape[0]} cases, p_kw has {p.shape[0]}", key="q_kvar"))
    if not tolerance > 0.0 or threads < 1:
        raise InputError(Problem(f"tolerance {tolerance} and threads {threads} must be above zero", key="solve"))
    shares = _shares(net, loads)
    cases = p.shape[0]
    curves = curves_of(net, control, sources) if control else None
    groups = group_cases(net, cases, in_service, open_branch, sources)
    sweeps = np.full(cases, FAILED, dtype=np.int64)
    v = np.empty((cases, net.buses) if store == "voltages" else (0, net.buses), dtype=np.complex128)
    flows = Flows(net, p, q, groups, shares, v if store == "voltages" else None, sweeps)
    if curves is not None:
        return _regulated(flows, curves, tolerance, threads, method)
    for group in groups:
        _solve_group(flows, group, v, tolerance, threads, method)
    return flows


def _regulated(asked: Flows, curves: Curves, tolerance: float, threads: int, method: Method) -> Flows:
    """The flows with controls. A summary, too, needs every voltage until the injections are found."""
    v = np.empty(asked.p.shape, dtype=np.complex128)
    flows = Flows(
        asked.net, asked.p, asked.q.copy(), asked.groups, asked.shares, v, asked.sweeps, controls=curves.bus.size
    )
    fine = inner_tolerance(tolerance)
    for group in flows.groups:
        same = "lanes" if method == "auto" and _suits_lanes(asked.net, group) else method  # few may be left at the end

        def solve_rows(rows: Ints, group: Group = group, same: Method = same) -> None:
            _solve_group(flows, replace(group, rows=rows), v, fine, threads, same)

        regulate(flows, group, curves, solve_rows, tolerance)
    if asked.has_voltages:
        return flows
    short = Flows(asked.net, asked.p, flows.q, asked.groups, asked.shares, None, asked.sweeps)
    short.control_kvar, short.at_limit = flows.control_kvar, flows.at_limit
    for group in short.groups:
        solved = replace(group, rows=group.rows[flows.converged_now(group.rows)])
        _solve_group(short, solved, v[:0], fine, threads, method)
    return short


def _solve_group(flows: Flows, group: Group, v: Any, tolerance: float, threads: int, method: Method) -> None:
    net, topology, rows = flows.net, group.topology, group.rows
    if method == "lanes" and not _radial(net, topology):
        raise InputError(Problem(f"lanes need a network without loops, of {FEWEST_BUSES} buses or more", key="method"))
    if method == "lanes" or (method == "auto" and _suits_lanes(net, group)):
        _in_lanes(flows, group, v, tolerance, threads)
        rows = rows[flows.sweeps[rows] == FAILED]
    if rows.size == 0:
        return
    sweeps_allowed = 0 if method == "newton" or rows.size < group.rows.size else 3 * MAX_SWEEPS
    tree, loops, manner, opened = arrays_of(topology, flows.shares, group)
    target = v if flows.has_voltages else np.empty((flows.p.shape[0], net.buses), dtype=np.complex128)
    scale = 1.0 / net.base_kva
    solve_cases(
        rows, flows.p, flows.q, scale, tree, loops, manner, opened, tolerance, sweeps_allowed, target, flows.sweeps
    )
    if not flows.has_voltages:
        flows.summarise(rows, target, group)


def _radial(net: Network, topology: Topology) -> bool:
    return topology.ties.size == 0 and net.buses >= FEWEST_BUSES


def _suits_lanes(net: Network, group: Group) -> bool:
    return _radial(net, group.topology) and group.rows.size > FEW_CASES


def _in_lanes(flows: Flows, group: Group, v: Any, tolerance: float, threads: int) -> None:
    net, topology = flows.net, group.topology
    threads = min(threads, max(1, group.rows.size // LANES))
    _, _, manner, opened = arrays_of(topology, flows.shares, group)
    general = flows.shares is not None or net.charged
    forest = workspace.forest(topology, manner, general, _limit(net, topology))
    inputs = (flows.p.ctypes.data, flows.q.ctypes.data, 1.0 / net.base_kva)
    outputs = (v.ctypes.data if flows.has_voltages else 0, flows.sweeps, flows.summary)
    arguments = (
        group.rows,
        inputs,
        forest,
        opened,
        tolerance,
        MAX_SWEEPS,
        workspace.workspace(topology, threads).fresh(),
        outputs,
    )
    if threads == 1:
        solve_blocks(0, 1, *arguments)
    else:
        solve_blocks_on_threads(threads, *arguments)
    if not flows.has_voltages:
        flows.summary[group.rows, 1] *= net.base_kva


def _limit(net: Network, topology: Topology) -> Floats:
    """Square of each position's rating, of the currents the kernels sum."""
    limit = net.rating_a[topology.branch] / net.base_a[topology.branch] * np.abs(net.ratio[topology.branch])
    at_to = topology.position[net.to_bus[topology.branch]]
    return np.where(topology.branch >= 0, (limit * np.abs(topology.turn[at_to])) ** 2, np.inf)


def _demand(net: Network, key: str, values: npt.ArrayLike) -> Floats:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != net.buses:
        raise InputError(
            Problem(f"has shape {array.shape}, not (cases, {net.buses}): one column for each bus", key=key)
        )
    return array


def _shares(net: Network, loads: npt.ArrayLike | None) -> Floats | None:
    if loads is None:
        return None
    shares = np.asarray(loads, dtype=np.float64)
    if shares.shape != (net.buses, 3):
        raise InputError(
            Problem(f"has shape {shares.shape}, not ({net.buses}, 3): shares Z, I, P of each bus", key="loads")
        )
    wrong = np.nonzero(~(np.abs(shares.sum(axis=1) - 1.0) < 1e-9))[0]
    if wrong.size:
        raise InputError(
            Problem(
                f"bus {wrong[0]}: the shares Z, I, P are {shares[wrong[0]].tolist()}; their sum is not 1", key="loads"
            )
        )
    return shares
