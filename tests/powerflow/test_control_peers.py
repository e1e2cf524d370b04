"""Held voltages and droops against power-grid-model and pandapower."""

import numpy as np
import pytest
from radial import demand, radial

from twin.powerflow import HoldVoltage, Network, VoltVar, solve
from twin.powerflow.files import read_pandapower


def with_power_grid_model(pgm, net, p_kw, q_kvar):
    """(cases, buses) complex voltages by power-grid-model's Newton at 1e-11, of a 10 kV network without ratios."""
    node = pgm.initialize_array("input", "node", net.buses)
    node["id"], node["u_rated"] = np.arange(net.buses), 10e3
    line = pgm.initialize_array("input", "line", net.branches)
    line["id"], line["from_node"], line["to_node"] = 100 + np.arange(net.branches), net.from_bus, net.to_bus
    line["from_status"] = line["to_status"] = 1
    line["r1"], line["x1"], line["c1"], line["tan1"] = net.r_ohm, net.x_ohm, 0.0, 0.0
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 999, 0, 1, 1.0
    source["sk"], source["rx_ratio"] = 1e20, 0.1
    load = pgm.initialize_array("input", "sym_load", net.buses)
    load["id"], load["node"], load["status"], load["type"] = 200 + np.arange(net.buses), np.arange(net.buses), 1, 0
    load["p_specified"] = load["q_specified"] = 0.0
    model = pgm.PowerGridModel({"node": node, "line": line, "source": source, "sym_load": load})
    out = model.calculate_power_flow(
        calculation_method="newton_raphson", error_tolerance=1e-11,
        update_data={"sym_load": {"p_specified": 1e3 * p_kw, "q_specified": 1e3 * q_kvar}},
        output_component_types={"node": ["u_pu", "u_angle"]},
    )["node"]  # fmt: skip
    return out["u_pu"] * np.exp(1j * out["u_angle"])


def test_power_grid_model_finds_the_set_points_with_what_is_injected():
    pgm = pytest.importorskip("power_grid_model")
    rng = np.random.default_rng(4)
    tree = radial(rng, 30)
    net = Network(
        np.append(tree.from_bus, [11, 5]), np.append(tree.to_bus, [29, 22]), np.append(tree.r_ohm, [1.0, 0.5]),
        np.append(tree.x_ohm, [1.0, 0.5]), 10.0,
    )  # fmt: skip
    p, q = demand(rng, 40, 30)
    droop = VoltVar(8, (0.985, 0.99, 1.0, 1.005), (600.0, 0.0, 0.0, -600.0))
    controls = [HoldVoltage(14, 1.0), HoldVoltage(27, 0.995, -200.0, 200.0), droop]
    out = solve(net, p, q, control=controls)
    assert 0 < out.at_limit[:, 1].sum() < 40
    for i, control in enumerate(controls):
        q[:, control.bus] -= out.control_kvar[:, i]
    theirs = with_power_grid_model(pgm, net, p, q)
    assert np.abs(out.v - theirs).max() < 1e-8
    assert np.abs(np.abs(theirs[:, 14]) - 1.0).max() < 1e-8
    curve = np.interp(np.abs(theirs[:, 8]), droop.v_pu, droop.q_kvar)
    assert np.abs(curve - out.control_kvar[:, 2]).max() < 1e-8 * 600.0 / 0.005


@pytest.fixture
def pandapower():
    return pytest.importorskip("pandapower")


def feeder_with_generators(pp):
    """A transformer, a ring of 20 kV and a board, with three generators that hold their voltage."""
    net = pp.create_empty_network(sn_mva=10.0)
    hv, mv, lv = (pp.create_bus(net, kv) for kv in (110.0, 20.0, 0.4))
    ring = [mv, *(pp.create_bus(net, 20.0) for _ in range(4))]
    pp.create_ext_grid(net, hv, vm_pu=1.01)
    about = {"vkr_percent": 0.6, "pfe_kw": 0.0, "i0_percent": 0.0, "shift_degree": 150.0}
    tap = {"tap_side": "hv", "tap_neutral": 0, "tap_pos": 2, "tap_step_percent": 1.5, "tap_changer_type": "Ratio"}
    pp.create_transformer_from_parameters(net, hv, mv, 40.0, 110.0, 20.0, vk_percent=12.0, **about, **tap)
    pp.create_transformer_from_parameters(net, ring[3], lv, 2.0, 20.0, 0.4, vk_percent=6.0, **about)
    for one, other in zip(ring, [*ring[1:], mv], strict=True):
        pp.create_line_from_parameters(net, one, other, 4.0, 0.2, 0.12, 250.0, 0.4)
    for bus in ring[1:]:
        pp.create_load(net, bus, 3.0, 1.2)
    pp.create_gen(net, ring[2], 1.5, vm_pu=1.0, min_q_mvar=-6.0, max_q_mvar=6.0)
    pp.create_gen(net, ring[4], 0.5, vm_pu=1.0, min_q_mvar=-0.4, max_q_mvar=0.4)
    pp.create_gen(net, lv, 0.4, vm_pu=0.99, min_q_mvar=-2.0, max_q_mvar=2.0)
    return net


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["feeder", "case9", "case5", "case6ww"])
def test_pandapower_finds_the_same_voltages_and_limits(pandapower, tmp_path, name):
    networks = pytest.importorskip("pandapower.networks")
    theirs = feeder_with_generators(pandapower) if name == "feeder" else getattr(networks, name)()
    path = tmp_path / "net.json"
    pandapower.to_json(theirs, str(path))
    pandapower.runpp(
        theirs, calculate_voltage_angles=True, enforce_q_lims=True, tolerance_mva=1e-8, max_iteration=50, numba=False
    )
    case = read_pandapower(path)
    out = solve(case.net, case.p_kw[None], case.q_kvar[None], sources=case.sources, control=case.controls)
    exact = theirs.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(theirs.res_bus.va_degree.to_numpy()))
    assert out.converged.all()
    assert np.abs(out.v[0] - exact).max() < 1e-8
    q_mvar = dict(zip(theirs.gen.bus, theirs.res_gen.q_mvar, strict=True))
    asked = np.array([q_mvar[case.bus_number[control.bus]] for control in case.controls])
    assert np.abs(out.control_kvar[0] / 1e3 - asked).max() < 1e-4
    assert out.at_limit.sum() == {"feeder": 2, "case9": 0, "case5": 1, "case6ww": 0}[name]
