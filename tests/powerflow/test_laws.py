import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radial import demand, radial, residual_pu

from twin.errors import InputError
from twin.powerflow import Network, solve

SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=15, deadline=None)


def closed_form(p, q, r, x):
    """|V|^2 behind one impedance, all per unit: the larger root of a quadratic."""
    b = 1.0 - 2.0 * (p * r + q * x)
    return (b + np.sqrt(b * b - 4.0 * (p * p + q * q) * (r * r + x * x))) / 2.0


def test_two_buses_follow_the_closed_form_up_to_collapse():
    net = Network([0], [1], [1.0], [2.0], 10.0)  # 1 MVA, 100 ohm: 0.01 + 0.02j p.u.
    level = np.linspace(-5.0, 12.6, 40)
    p, q = np.zeros((40, 2)), np.zeros((40, 2))
    p[:, 1], q[:, 1] = 1e3 * level, 300.0 * level
    out = solve(net, p, q)
    assert out.converged.all()
    assert np.abs(out.v_pu[:, 1] ** 2 - closed_form(level, 0.3 * level, 0.01, 0.02)).max() < 1e-7


def test_lanes_sweeps_and_newton_agree_with_shunts_ratios_and_mixed_loads():
    rng = np.random.default_rng(3)
    net = radial(rng, 40, ratios=True, b_us=rng.uniform(0.0, 500.0, 39))
    p, q = demand(rng, 37, 40)
    loads = rng.dirichlet(np.ones(3), 40)
    lanes, one, newton = (solve(net, p, q, loads=loads, method=m).v for m in ("lanes", "one by one", "newton"))
    assert np.abs(lanes - newton).max() < 1e-8
    assert np.abs(one - newton).max() < 1e-8


@FEW
@given(SEEDS)
def test_power_balances_at_every_bus(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 25, ratios=True, b_us=rng.uniform(0.0, 300.0, 24))
    p, q = demand(rng, 20, 25)
    out = solve(net, p, q, tolerance=1e-13)
    assert out.converged.all()
    assert residual_pu(net, out, p, q, np.ones((20, 24), bool)) < 1e-9


@FEW
@given(SEEDS)
def test_what_the_sources_give_is_drawn_or_lost(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 25)
    p, q = demand(rng, 20, 25)
    out = solve(net, p, q)
    assert np.abs(out.source_kva[:, 0].real - p.sum(axis=1) - out.loss_kw).max() < 1e-9 * net.base_kva


@FEW
@given(SEEDS)
def test_numbering_and_direction_change_nothing(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 18)
    p, q = demand(rng, 20, 18)
    new = np.concatenate([[0], 1 + rng.permutation(17)])
    shuffled = rng.permutation(17)
    ends = np.stack([new[net.from_bus], new[net.to_bus]], axis=1)[shuffled]
    flip = rng.random(17) < 0.5
    ends[flip] = ends[flip, ::-1]
    other = Network(ends[:, 0], ends[:, 1], net.r_ohm[shuffled], net.x_ohm[shuffled], 10.0)
    p_new, q_new = np.empty_like(p), np.empty_like(q)
    p_new[:, new], q_new[:, new] = p, q
    a, b = solve(net, p, q, tolerance=1e-12), solve(other, p_new, q_new, tolerance=1e-12)
    assert np.abs(a.v - b.v[:, new]).max() < 1e-11


@FEW
@given(SEEDS)
def test_a_bus_without_load_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 18)
    p, q = demand(rng, 20, 18)
    at = int(rng.integers(0, 18))
    other = Network(
        np.append(net.from_bus, at),
        np.append(net.to_bus, 18),
        np.append(net.r_ohm, 1.0),
        np.append(net.x_ohm, 1.0),
        10.0,
    )
    none = np.zeros((20, 1))
    out = solve(other, np.hstack([p, none]), np.hstack([q, none]), tolerance=1e-12)
    assert np.abs(out.v[:, :18] - solve(net, p, q, tolerance=1e-12).v).max() < 1e-11
    assert np.abs(out.v[:, 18] - out.v[:, at]).max() == 0.0


@FEW
@given(SEEDS)
def test_opening_a_branch_is_as_building_without_it(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 20)
    p, q = demand(rng, 20, 20)
    opened = np.append(-1, np.arange(19))
    out = solve(net, p, q, open_branch=opened, tolerance=1e-12)
    as_states = solve(net, p, q, in_service=np.arange(19) != opened[:, None], tolerance=1e-12)
    assert np.array_equal(out.v, as_states.v, equal_nan=True)
    for case in range(20):
        alone = solve(
            net, p[case : case + 1], q[case : case + 1], in_service=np.arange(19) != opened[case], tolerance=1e-12
        )
        assert np.array_equal(np.isnan(out.v[case]), ~alone.energised[0])
        assert np.nanmax(np.abs(out.v[case] - alone.v[0])) < 1e-11
    assert np.array_equal(out.energised, ~np.isnan(out.v))


def test_switch_states_that_close_a_tie_are_solved_beside_those_that_open_a_branch():
    rng = np.random.default_rng(11)
    tree = radial(rng, 20)
    net = Network(
        np.append(tree.from_bus, 9), np.append(tree.to_bus, 19), np.append(tree.r_ohm, 0.1), np.append(tree.x_ohm, 0.1),
        10.0,
        in_service=np.append(np.ones(19, bool), False),
    )  # fmt: skip
    p, q = demand(rng, 24, 20)
    states = np.tile(net.in_service, (24, 1))
    states[8:16, -1] = True
    states[16:, 5] = False
    out = solve(net, p, q, in_service=states, tolerance=1e-12)
    assert out.converged.all()
    assert residual_pu(net, out, p, q, states) < 1e-9
    assert np.isnan(out.v[16:]).any()
    assert not np.isnan(out.v[:16]).any()


@pytest.mark.parametrize("method", ["one by one", "newton"])
def test_meshes_with_ratios_and_two_sources_on_one_island_balance(method):
    rng = np.random.default_rng(5)
    tree = radial(rng, 20, ratios=True)
    ratio = np.append(tree.ratio, [1.02 * np.exp(0.03j) * v for v in (1.0, 1.0)])
    net = Network(
        np.append(tree.from_bus, [7, 3]), np.append(tree.to_bus, [19, 12]), np.append(tree.r_ohm, [5.0, 3.0]),
        np.append(tree.x_ohm, [5.0, 3.0]), 10.0, ratio=ratio, b_us=np.full(21, 20.0),
    )  # fmt: skip
    p, q = demand(rng, 5, 20)
    sources = [(0, 1.0, 0.0), (15, 1.01, 0.01)]
    out = solve(net, p, q, sources=sources, method=method, tolerance=1e-12)
    assert out.converged.all()
    assert np.abs(out.v[:, 15] - 1.01 * np.exp(0.01j)).max() < 1e-15
    p_known, q_known = p.copy(), q.copy()
    p_known[:, 15] -= out.source_kva[:, 1].real
    q_known[:, 15] -= out.source_kva[:, 1].imag
    assert residual_pu(net, out, p_known, q_known, np.ones((5, 21), bool)) < 1e-9


def test_a_collapsed_case_and_a_nan_case_are_flagged_and_leave_the_others_alone():
    rng = np.random.default_rng(2)
    net = radial(rng, 20)
    p, q = demand(rng, 33, 20)
    alone = solve(net, p, q).v
    p[4] *= 1e5
    p[20, 7] = np.nan
    for store in ("voltages", "summary"):
        out = solve(net, p, q, store=store)
        assert np.nonzero(~out.converged)[0].tolist() == [4, 20]
        assert np.isnan(out.loss_kw[[4, 20]]).all()
        assert np.isnan(out.min_v_pu[[4, 20]]).all()
        assert out.overloads[[4, 20]].tolist() == [-1, -1]
    v = solve(net, p, q).v
    assert np.isnan(v[[4, 20]]).all()
    good = np.delete(np.arange(33), [4, 20])
    assert np.abs(v[good] - alone[good]).max() < 1e-8


def test_near_collapse_newtons_method_takes_over():
    net = Network([0, *range(1, 9)], list(range(1, 10)), [0.1] * 9, [0.2] * 9, 10.0)
    p = np.zeros((16, 10))
    p[:, 9] = np.linspace(1000.0, 14000.0, 16)
    out = solve(net, p, 0.3 * p)
    assert out.converged.all()
    assert (out.sweeps == 1).any()
    level = p[:, 9] / 1e3
    assert np.abs(out.v_pu[:, 9] ** 2 - closed_form(level, 0.3 * level, 0.009, 0.018)).max() < 1e-7


def test_the_summary_is_what_the_voltages_say():
    rng = np.random.default_rng(8)
    net = radial(rng, 30, ratios=True, rating_a=np.full(29, 40.0))
    p, q = demand(rng, 50, 30)
    opened = rng.integers(-1, 29, 50)
    full, short = solve(net, p, q, open_branch=opened), solve(net, p, q, open_branch=opened, store="summary")
    assert np.abs(full.min_v_pu - short.min_v_pu).max() < 1e-12
    assert np.abs(full.loss_kw - short.loss_kw).max() < 1e-7 * net.base_kva
    assert np.array_equal(full.overloads, short.overloads)
    assert full.overloads.max() > 0
    with pytest.raises(InputError, match="not kept"):
        _ = short.v


def test_threads_change_no_number():
    if numba.config.NUMBA_NUM_THREADS < 2:
        pytest.skip("one core")
    rng = np.random.default_rng(9)
    net = radial(rng, 30)
    p, q = demand(rng, 333, 30)
    one, two = solve(net, p, q), solve(net, p, q, threads=2)
    assert np.abs(one.v - two.v).max() < 1e-12


def test_a_closed_switch_joins_its_buses():
    rng = np.random.default_rng(4)
    net = radial(rng, 20)
    p, q = demand(rng, 20, 20)
    r, x = net.r_ohm.copy(), net.x_ohm.copy()
    r[6] = x[6] = 0.0
    joined = Network(net.from_bus, net.to_bus, r, x, 10.0)
    for method in ("lanes", "newton"):
        v = solve(joined, p, q, method=method).v
        assert np.array_equal(v[:, net.from_bus[6]], v[:, net.to_bus[6]])
