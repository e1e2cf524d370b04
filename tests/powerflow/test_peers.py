import numpy as np
import pytest

from twin.powerflow import solve
from twin.powerflow.campus import campus_of
from twin.powerflow.files import read_pandapower


def test_power_grid_model_finds_the_same_voltages_and_dead_buses(reference, network_of):
    pgm = pytest.importorskip("power_grid_model")
    g = reference("case33bw")
    net = network_of(g)
    rng = np.random.default_rng(1)
    p, q = 1e6 * g["p0"] * rng.uniform(0.3, 1.5, (40, 33)), 1e6 * g["q0"] * rng.uniform(0.3, 1.5, (40, 33))
    opened = rng.choice(np.nonzero(g["status"])[0], 40)
    node = pgm.initialize_array("input", "node", 33)
    node["id"], node["u_rated"] = np.arange(33), 12660.0
    line = pgm.initialize_array("input", "line", 37)
    line["id"], line["from_node"], line["to_node"] = 100 + np.arange(37), g["f"], g["t"]
    line["from_status"] = line["to_status"] = g["status"]
    line["r1"], line["x1"], line["c1"], line["tan1"] = g["r_ohm"], g["x_ohm"], 0.0, 0.0
    source = pgm.initialize_array("input", "source", 1)
    source["id"], source["node"], source["status"], source["u_ref"] = 999, 0, 1, 1.0
    source["sk"], source["rx_ratio"] = 1e20, 0.1
    load = pgm.initialize_array("input", "sym_load", 33)
    load["id"], load["node"], load["status"], load["type"] = 200 + np.arange(33), np.arange(33), 1, 0
    load["p_specified"] = load["q_specified"] = 0.0
    model = pgm.PowerGridModel({"node": node, "line": line, "source": source, "sym_load": load})
    off = np.zeros((40, 1), np.int8)
    update = {
        "sym_load": {"p_specified": p, "q_specified": q},
        "line": {"id": (100 + opened)[:, None].astype(np.int32), "from_status": off, "to_status": off},
    }
    theirs = model.calculate_power_flow(
        calculation_method="newton_raphson", error_tolerance=1e-11, update_data=update,
        output_component_types={"node": ["u_pu", "u_angle", "energized"]},
    )["node"]  # fmt: skip
    alive = theirs["energized"].astype(bool)
    ours = solve(net, p / 1e3, q / 1e3, open_branch=opened)
    assert np.array_equal(ours.energised, alive)
    exact = theirs["u_pu"] * np.exp(1j * theirs["u_angle"])
    assert np.abs(ours.v[alive] - exact[alive]).max() < 1e-8


@pytest.mark.filterwarnings("default")
def test_pandapower_finds_the_same_voltages_with_transformers(tmp_path):
    pp = pytest.importorskip("pandapower")
    theirs = pp.create_empty_network(sn_mva=10.0)
    hv, mv, lv = (pp.create_bus(theirs, kv) for kv in (110.0, 20.0, 0.4))
    far = pp.create_bus(theirs, 20.0)
    pp.create_ext_grid(theirs, hv, vm_pu=1.01)
    about = {"vkr_percent": 0.6, "pfe_kw": 0.0, "i0_percent": 0.0, "shift_degree": 150.0}
    tap = {"tap_side": "hv", "tap_neutral": 0, "tap_pos": 2, "tap_step_percent": 1.5, "tap_changer_type": "Ratio"}
    pp.create_transformer_from_parameters(theirs, hv, mv, 40.0, 110.0, 20.0, vk_percent=12.0, **about, **tap)
    pp.create_transformer_from_parameters(theirs, far, lv, 1.0, 20.0, 0.4, vk_percent=6.0, **about)
    pp.create_line_from_parameters(theirs, mv, far, 5.0, 0.2, 0.12, 250.0, 0.4)
    pp.create_load(theirs, lv, 0.6, 0.2)
    pp.create_load(theirs, far, 4.0, 1.0)
    path = tmp_path / "net.json"
    pp.to_json(theirs, str(path))
    pp.runpp(theirs, calculate_voltage_angles=True, tolerance_mva=1e-8, max_iteration=50, numba=False)
    case = read_pandapower(path)
    out = solve(case.net, case.p_kw[None], case.q_kvar[None], sources=case.sources)
    exact = theirs.res_bus.vm_pu.to_numpy() * np.exp(1j * np.radians(theirs.res_bus.va_degree.to_numpy()))
    assert np.abs(out.v[0] - exact).max() < 1e-8


def test_the_campus_is_solved_alike_by_all_kernels():
    built = campus_of(141)
    rng = np.random.default_rng(0)
    level = rng.uniform(0.2, 1.2, (40, 141))
    ways = [
        solve(built.net, built.p_kw * level, built.q_kvar * level, method=m).v
        for m in ("lanes", "one by one", "newton")
    ]
    assert max(np.abs(ways[0] - ways[2]).max(), np.abs(ways[1] - ways[2]).max()) < 1e-8
