"""Other power flows on a radial network of ours, as their users run them: lightsim2grid's series, pandapower's loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from twin.powerflow import Network

TOLERANCE_PU = 1e-8
MISMATCH_MVA = 1e-9
"""Stops pandapower where voltages are within `TOLERANCE_PU`; its own measure is power."""
Run = Callable[[], np.ndarray]


def _table(net: Network) -> Any:
    """The network in pandapower's tables, on one voltage base: per unit, transformers are lines."""
    import pandapower as pp  # noqa: PLC0415 - an extra

    kv, mva = 10.0, net.base_kva / 1000.0
    own_ohm = 1000.0 * net.base_kv[net.from_bus] ** 2 / net.base_kva
    r_ohm, x_ohm = (part / own_ohm * kv**2 / mva for part in (net.r_ohm, net.x_ohm))
    table = pp.create_empty_network(sn_mva=mva)
    pp.create_buses(table, net.buses, vn_kv=kv)
    pp.create_lines_from_parameters(table, net.from_bus, net.to_bus, 1.0, r_ohm, x_ohm, 0.0, 1.0)
    table.line["in_service"] = np.asarray(net.in_service, bool)
    pp.create_ext_grid(table, net.slack)
    pp.create_loads(table, np.arange(net.buses), np.full(net.buses, 1e-3), np.zeros(net.buses))
    return table


def lightsim2grid(net: Network, p_kw: np.ndarray, q_kvar: np.ndarray) -> Run:
    """Newton-Raphson over all cases in lightsim2grid's compiled series, one thread.

    Args:
        net: radial, no breaker opened.
        p_kw: (cases, buses) demand; likewise `q_kvar` [kvar].

    Returns:
        What makes (cases, buses) voltages p.u. from a flat start.
    """
    import lightsim2grid.lightsim2grid_cpp as cpp  # noqa: PLC0415 - an extra
    import pandapower as pp  # noqa: PLC0415
    from lightsim2grid.network import init_from_pandapower  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = _table(net)
        pp.runpp(table, init="flat")
        grid = init_from_pandapower(table)
    generated = np.zeros((len(p_kw), len(grid.get_generators())))
    p_mw, q_mvar, start = p_kw / 1000.0, q_kvar / 1000.0, np.ones(net.buses, complex)

    def run() -> np.ndarray:
        series = cpp.TimeSeriesCPP(grid)
        series.change_algorithm(cpp.AlgorithmType.NRSing_KLU)
        if series.compute_Vs(generated, np.zeros((len(p_kw), 0)), p_mw, q_mvar, start, 50, TOLERANCE_PU) != 1:
            raise SystemExit("lightsim2grid: not converged")
        return np.asarray(series.get_voltages())

    return run


def pandapower(net: Network, p_kw: np.ndarray, q_kvar: np.ndarray) -> Run:
    """Newton-Raphson case by case in pandapower's `runpp`, with numba; arguments and result as `lightsim2grid`."""
    import pandapower as pp  # noqa: PLC0415 - an extra

    table = _table(net)

    def run() -> np.ndarray:
        found = np.empty(p_kw.shape, complex)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for k in range(len(p_kw)):
                table.load["p_mw"], table.load["q_mvar"] = p_kw[k] / 1000.0, q_kvar[k] / 1000.0
                pp.runpp(table, numba=True, tolerance_mva=MISMATCH_MVA, init="flat", max_iteration=50)
                bus = table.res_bus
                found[k] = bus["vm_pu"].to_numpy() * np.exp(1j * np.radians(bus["va_degree"].to_numpy()))
        return found

    return run
