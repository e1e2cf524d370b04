"""Batch power flow against power-grid-model's fastest exact method, one thread, every case checked first.

pip install power-grid-model; python benchmarks/power_flow.py [--case-files DIR]

Calls alternate one by one, and the median of the paired ratios is printed: a shared machine drifts. Before that, every
case's voltages must agree with power-grid-model's Newton at 1e-11 within 1e-8, and so must the dead buses.

Then what controls cost: the time of a solve with inverters over that of one without, again in pairs; what they inject,
fed back as plain demand, must give the same voltages within 1e-8.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import heading, in_turn
from power_grid_model import PowerGridModel, initialize_array

from twin.powerflow import HoldVoltage, Network, VoltVar, solve
from twin.powerflow.campus import campus_of
from twin.powerflow.files import read_matpower

CASES, OPEN_CASES, ROUNDS, TOLERANCE = 3000, 2000, 11, 1e-8
MUST = {"case33": 24, "case69": 20, "campus141": 16, "synthetic500": 12}
MUST_OPEN = 30


def synthetic(buses: int, seed: int = 7) -> tuple[Network, np.ndarray, np.ndarray]:
    """A random radial 10 kV network of six feeders; bus numbers and branch directions shuffled, 30 % without load."""
    rng = np.random.default_rng(seed)
    above = np.array([0 if k <= 6 else rng.integers(max(1, k - 12), k) for k in range(1, buses)])
    number = np.concatenate([[0], 1 + rng.permutation(buses - 1)])
    ends = np.stack([number[above], number[np.arange(1, buses)]], axis=1)
    flip = rng.random(buses - 1) < 0.5
    ends[flip] = ends[flip, ::-1]
    length_km = rng.uniform(0.05, 0.3, buses - 1)
    p = rng.uniform(5.0, 40.0, buses) * (rng.random(buses) > 0.3)
    p[0] = 0.0
    return Network(ends[:, 0], ends[:, 1], 0.2 * length_km, 0.12 * length_km, 10.0, base_kva=10_000.0), p, 0.4 * p


def demands(p: np.ndarray, q: np.ndarray, cases: int) -> tuple[np.ndarray, np.ndarray]:
    """A level for each case, U(0.4, 1.2), times noise for each bus, U(0.7, 1.3)."""
    rng = np.random.default_rng(1)
    level = rng.uniform(0.4, 1.2, (cases, 1))
    return p * level * rng.uniform(0.7, 1.3, (cases, p.size)), q * level * rng.uniform(0.7, 1.3, (cases, p.size))


def peer(net: Network, p: np.ndarray, q: np.ndarray, opened: np.ndarray | None) -> Callable[..., np.ndarray]:
    """power-grid-model on the same cases. Buses are put on one voltage base: per unit, transformers are lines."""
    buses, branches = net.buses, net.branches
    volts, ohm = 10e3, 1000.0 * 10.0**2 / net.base_kva
    own_ohm = 1000.0 * net.base_kv[net.from_bus] ** 2 / net.base_kva
    node = initialize_array("input", "node", buses)
    node["id"], node["u_rated"] = np.arange(buses), volts
    line = initialize_array("input", "line", branches)
    line["id"], line["from_node"], line["to_node"] = buses + np.arange(branches), net.from_bus, net.to_bus
    line["from_status"] = line["to_status"] = net.in_service
    line["r1"], line["x1"], line["c1"], line["tan1"] = net.r_ohm / own_ohm * ohm, net.x_ohm / own_ohm * ohm, 0.0, 0.0
    source = initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 10**6, net.slack, 1, 1.0
    source["sk"], source["rx_ratio"] = 1e20, 0.1
    loaded = np.nonzero(np.any((p != 0.0) | (q != 0.0), axis=0))[0]
    load = initialize_array("input", "sym_load", loaded.size)
    load["id"], load["node"], load["status"], load["type"] = 2 * 10**6 + np.arange(loaded.size), loaded, 1, 0
    load["p_specified"] = load["q_specified"] = 0.0
    model = PowerGridModel({"node": node, "line": line, "source": source, "sym_load": load})
    update = {
        "sym_load": {
            "p_specified": np.ascontiguousarray(p[:, loaded] * 1e3),
            "q_specified": np.ascontiguousarray(q[:, loaded] * 1e3),
        }
    }
    columns = ["u_pu", "u_angle"]
    if opened is not None:
        off = np.zeros((opened.size, 1), np.int8)
        update["line"] = {"id": (buses + opened)[:, None].astype(np.int32), "from_status": off, "to_status": off}
        columns.append("energized")

    def run(method: str = "iterative_current", tolerance: float = TOLERANCE, voltages: bool = False) -> np.ndarray:
        out = model.calculate_power_flow(
            calculation_method=method, error_tolerance=tolerance, max_iterations=100, update_data=update,
            threading=-1, output_component_types={"node": columns},
        )["node"]  # fmt: skip
        if not voltages:
            return out
        v = out["u_pu"] * np.exp(1j * out["u_angle"])
        return v if opened is None else np.where(out["energized"].astype(bool), v, np.nan)

    return run


def column(name: str, net: Network, p: np.ndarray, q: np.ndarray, opened: np.ndarray | None, bar: float) -> None:
    """Check every case, then print one paired ratio."""
    theirs = peer(net, p, q, opened)

    def ours() -> np.ndarray:
        return solve(net, p, q, open_branch=opened, tolerance=TOLERANCE).v

    exact, v = theirs("newton_raphson", 1e-11, voltages=True), ours()
    if not np.array_equal(np.isnan(v), np.isnan(exact)):
        raise SystemExit(f"{name}: the dead buses differ")
    error = float(np.nanmax(np.abs(v - exact)))
    if not error < TOLERANCE:
        raise SystemExit(f"{name}: largest error {error:.1e} p.u.")
    mine, current, newton = in_turn([lambda _: ours(), lambda _: theirs(), lambda _: theirs("newton_raphson")], ROUNDS)
    ratios = np.minimum(current, newton) / mine
    middle, word = float(np.median(ratios)), "over" if np.median(ratios) >= bar else "UNDER"
    print(
        f"{name:22} x{middle:6.1f}  ({min(ratios):.0f} to {max(ratios):.0f}; {word} the bar of {bar:g})"
        f"  error {error:.1e} p.u.  {len(p) / np.median(mine):12,.0f} flows/s"
    )


def inverters(held: int, droops: int, places: np.ndarray) -> list[HoldVoltage | VoltVar]:
    """Inverters spread over the buses: the first hold 0.99 p.u. within 500 kvar, the others follow a droop."""
    at = places[np.linspace(0, places.size - 1, held + droops).astype(int)]
    holding = [HoldVoltage(int(bus), 0.99, -500.0, 500.0) for bus in at[:held]]
    curve = ((0.94, 0.97, 1.03, 1.06), (200.0, 0.0, 0.0, -200.0))
    return [*holding, *(VoltVar(int(bus), *curve) for bus in at[held:])]


def controlled(name: str, net: Network, p: np.ndarray, q: np.ndarray, places: np.ndarray) -> None:
    """Print what controls cost, as the ratio to a solve without."""
    ratios = []
    for held, droops in ((1, 0), (3, 0), (0, 5), (0, 20)):
        control = inverters(held, droops, places)
        out = solve(net, p, q, control=control)
        fed = q.copy()
        fed[:, [c.bus for c in control]] -= out.control_kvar
        if not np.abs(solve(net, p, fed, tolerance=1e-12).v - out.v).max() < TOLERANCE:
            raise SystemExit(f"{name}: what the controls inject does not give their voltages")
        pairs = []
        for _ in range(ROUNDS):
            start = time.thread_time()
            solve(net, p, q)
            middle = time.thread_time()
            solve(net, p, q, control=control)
            pairs.append((time.thread_time() - middle) / (middle - start))
        word = f"{held} held" if held else f"{droops} droops"
        ratios.append(f"{word} x{np.median(pairs):.1f} ({min(pairs):.1f} to {max(pairs):.1f})")
    print(f"{name:22} {'; '.join(ratios)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case-files", type=Path, help="folder with MATPOWER's case33bw.m, case69.m and others")
    folder = parser.parse_args().case_files
    print(heading("paired ratio to power-grid-model's fastest exact method, 1 thread"))
    networks = []
    for path in sorted(folder.glob("*.m")) if folder else []:
        case = read_matpower(path)
        networks.append((path.stem.removesuffix("bw"), case.net, case.p_kw, case.q_kvar))
    for buses in (33, 52, 141, 500):
        built = campus_of(buses)
        networks.append((f"campus{buses}", built.net, built.p_kw, built.q_kvar))
    networks.append(("synthetic500", *synthetic(500)))
    for name, net, p0, q0 in networks:
        p, q = demands(p0, q0, CASES)
        column(name, net, p, q, None, MUST.get(name, 12))
        closed = np.nonzero(net.in_service)[0]
        opened = np.random.default_rng(5).choice(closed, OPEN_CASES)
        column(f"{name}, one open", net, p[:OPEN_CASES], q[:OPEN_CASES], opened, MUST_OPEN)
    print("\ntime of a solve with controls, to one without")
    for buses in (33, 52, 141, 500):
        built = campus_of(buses)
        controlled(f"campus{buses}", built.net, *demands(built.p_kw, built.q_kvar, CASES), built.rows)


if __name__ == "__main__":
    main()
