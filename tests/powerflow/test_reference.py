import numpy as np
import pytest

from twin.powerflow import solve

METHODS = ("lanes", "one by one", "newton")
MANY = ("case33bw", "case69", "synth500")
ONE = ("case33bw_mesh2", "case33bw_reconf", "case33bw_zip", "case33bw_island2")


def solved(net, g, p_mw, q_mvar, method):
    more = {}
    if "zip" in g:
        more["loads"] = np.tile(g["zip"], (net.buses, 1))
    if "src_bus" in g:
        more["sources"] = list(zip(g["src_bus"], g["src_vm"], g["src_va"], strict=True))
    return solve(net, 1e3 * p_mw, 1e3 * q_mvar, method=method, **more)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MANY)
def test_nominal_random_reverse_and_heavy_load_agree_with_the_reference(reference, network_of, name, method):
    g = reference(name)
    out = solved(network_of(g), g, g["scen_p"], g["scen_q"], method)
    assert out.converged.all()
    assert np.abs(out.v - g["vm"] * np.exp(1j * g["va"])).max() < 1e-8
    assert np.abs(out.loss_kw / 1e3 - g["ploss"]).max() < 1e-7


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ONE)
def test_mesh_reconfiguration_zip_and_islands_agree_with_the_reference(reference, network_of, name, method):
    g = reference(name)
    if method == "lanes" and "mesh" in name:
        pytest.skip("lanes are for forests")
    net = network_of(g)
    out = solved(net, g, np.tile(g["p0"], (6, 1)), np.tile(g["q0"], (6, 1)), method)
    assert out.converged.all()
    assert np.abs(out.v - g["vm"] * np.exp(1j * g["va"])).max() < 1e-8
    assert np.abs(out.loss_kw / 1e3 - float(g["ploss"])).max() < 1e-7
    assert np.array_equal(out.energised[0], g["energised"])


def test_the_literature_losses_of_the_33_and_69_bus_networks(reference, network_of):
    for name, loss_kw in (("case33bw", 202.677), ("case69", 224.992), ("case33bw_reconf", 139.551)):
        g = reference(name)
        out = solve(network_of(g), 1e3 * g["p0"][None], 1e3 * g["q0"][None])
        assert abs(out.loss_kw[0] - loss_kw) < 1e-3


def test_the_default_tolerance_bounds_the_true_error_up_to_heavy_load(reference, network_of):
    for name in MANY:
        g = reference(name)
        net = network_of(g)
        level = np.linspace(0.02, 2.8, 64)[:, None]
        p, q = 1e3 * g["p0"] * level, 1e3 * g["q0"] * level
        exact = solve(net, p, q, method="newton").v
        for method in ("lanes", "one by one"):
            assert np.abs(solve(net, p, q, method=method).v - exact).max() < 1e-8
