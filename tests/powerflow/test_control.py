import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from radial import demand, radial, residual_pu

from twin.powerflow import HoldVoltage, Network, VoltVar, solve

SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=15, deadline=None)
R, X = 0.01, 0.02  # p.u. of LINE
LINE = Network([0], [1], [1.0], [2.0], 10.0)  # 1 MVA
DROOP = (0.94, 0.97, 1.03, 1.06)


def injection_that_holds(v_pu, p):
    """Two buses: the injection that gives |V| = v_pu behind R + jX, by the quadratic of Kirchhoff's law, p.u."""
    v, z = v_pu**2, R * R + X * X
    b = (v + p * R) ** 2 + (p * X) ** 2 - v
    return -(-X * v + np.sqrt((X * v) ** 2 - z * b)) / z


def some_controls(rng, net, base, limit_kvar=500.0, taken=(0,)):
    """Controls of both kinds about the voltages that the network has without them; some will meet their limits."""
    free = [bus for bus in range(net.buses) if bus not in taken]
    controls = []
    for bus in rng.choice(free, int(rng.integers(1, 7)), replace=False):
        v, most = np.nanmedian(base.v_pu[:, bus]), rng.uniform(10.0, limit_kvar)
        if rng.random() < 0.5:
            controls.append(HoldVoltage(int(bus), v + rng.uniform(-0.01, 0.02), -most, most))
        else:
            wide = 10 ** rng.uniform(-3.0, -1.0)
            controls.append(VoltVar(int(bus), v + wide * np.array([-2.0, -1.0, 1.0, 2.0]), [most, 0.0, 0.0, -most]))
    return controls


def fed_back(q, out, controls, weight=1.0):
    """The demand with what the controls inject as plain numbers."""
    q = q.copy()
    for i, control in enumerate(controls):
        q[:, control.bus] -= np.nan_to_num(out.control_kvar[:, i]) / weight
    return q


def off_the_curve(out, controls, base_kva=1000.0):
    """Largest distance of a case from its curves: of V where held, of q where level, and by slope between, p.u."""
    worst = 0.0
    for i, control in enumerate(controls):
        alive = ~np.isnan(out.v[:, control.bus])
        v, q, full = out.v_pu[alive, control.bus], out.control_kvar[alive, i], out.at_limit[alive, i]
        if isinstance(control, HoldVoltage):
            side = np.where(q > 0.5 * (control.min_kvar + control.max_kvar), 1.0, -1.0)
            at = np.where(side > 0, control.max_kvar, control.min_kvar)
            assert (side * (control.v_pu - v) > -1e-8)[full].all(), "at its limit, and V on the wrong side"
            gap = np.where(full, np.abs(q - at) / base_kva, np.abs(v - control.v_pu))
        else:
            slope = np.max(np.abs(np.diff(control.q_kvar) / np.diff(control.v_pu))) / base_kva
            gap = np.abs(q - np.interp(v, control.v_pu, control.q_kvar)) / base_kva / max(1.0, slope)
        worst = max(worst, gap.max(initial=0.0))
    return worst


def test_a_held_voltage_takes_what_the_closed_form_says():
    p, v_pu = np.zeros((40, 2)), 1.01
    p[:, 1] = np.linspace(-4000.0, 4000.0, 40)
    out = solve(LINE, p, 0.0 * p, control=[HoldVoltage(1, v_pu)])
    assert out.converged.all()
    assert np.abs(out.v_pu[:, 1] - v_pu).max() < 1e-8
    assert np.abs(out.control_kvar[:, 0] / 1e3 - injection_that_holds(v_pu, p[:, 1] / 1e3)).max() < 1e-6
    assert not out.at_limit.any()


def test_limits_are_entered_and_left_case_by_case():
    p = np.zeros((61, 2))
    p[:, 1] = np.linspace(-3000.0, 3000.0, 61)
    out = solve(LINE, p, 0.0 * p, control=[HoldVoltage(1, 1.0, -800.0, 800.0)])
    exact = 1e3 * injection_that_holds(1.0, p[:, 1] / 1e3)
    assert np.abs(out.control_kvar[:, 0] - np.clip(exact, -800.0, 800.0)).max() < 1e-2
    assert np.array_equal(out.at_limit[:, 0], np.abs(exact) > 800.0)
    assert 0 < out.at_limit.sum() < 61
    assert np.abs(out.v_pu[~out.at_limit[:, 0], 1] - 1.0).max() < 1e-8
    plain = solve(LINE, p, fed_back(0.0 * p, out, [HoldVoltage(1, 1.0)]))
    assert np.abs(plain.v - out.v).max() < 1e-8


def test_two_inverters_push_each_other_off_their_limits():
    net = Network([0, 1, 2], [1, 2, 3], [0.5] * 3, [1.0] * 3, 10.0)
    p = np.zeros((40, 4))
    p[:, 2] = np.linspace(0.0, 3000.0, 40)
    controls = [HoldVoltage(1, 1.0, -2000.0, 300.0), HoldVoltage(3, 1.0, -100.0, 5000.0)]
    out = solve(net, p, 0.3 * p, control=controls)
    assert out.converged.all()
    assert off_the_curve(out, controls) < 1e-8
    assert {tuple(row) for row in out.at_limit} >= {(False, False), (True, False)}


@pytest.mark.parametrize("q_most", [10.0, 500.0, 20_000.0])  # the last: slope times reactance far above one
def test_a_droop_is_met_on_its_curve(q_most):
    p = np.zeros((50, 2))
    p[:, 1] = np.linspace(-5000.0, 5000.0, 50)
    droop = VoltVar(1, DROOP, (q_most, 0.0, 0.0, -q_most))
    out = solve(LINE, p, 0.4 * p, control=[droop])
    assert out.converged.all()
    assert off_the_curve(out, [droop]) < 1e-8
    assert np.abs(solve(LINE, p, fed_back(0.4 * p, out, [droop])).v - out.v).max() < 1e-8
    beyond = (out.v_pu[:, 1] < DROOP[0]) | (out.v_pu[:, 1] > DROOP[-1])
    assert np.array_equal(out.at_limit[:, 0], beyond)


def test_a_steep_droop_is_a_held_voltage():
    rng = np.random.default_rng(1)
    net = radial(rng, 20)
    p, q = demand(rng, 20, 20)
    held = solve(net, p, q, control=[HoldVoltage(7, 1.0, -900.0, 900.0)])
    steep = solve(net, p, q, control=[VoltVar(7, (1.0 - 1e-7, 1.0 + 1e-7), (900.0, -900.0))])
    assert np.abs(held.v - steep.v).max() < 1e-6


@FEW
@given(SEEDS)
def test_injections_fed_back_as_demand_give_the_same_voltages(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 25, ratios=True, b_us=rng.uniform(0.0, 300.0, 24))
    p, q = demand(rng, 20, 25)
    controls = some_controls(rng, net, solve(net, p, q))
    out = solve(net, p, q, control=controls)
    assert out.converged.all()
    assert off_the_curve(out, controls) < 1e-8
    assert np.abs(solve(net, p, fed_back(q, out, controls), tolerance=1e-12).v - out.v).max() < 1e-8


@FEW
@given(SEEDS)
def test_power_balances_in_a_mesh_with_controls(seed):
    rng = np.random.default_rng(seed)
    tree = radial(rng, 20)
    far = rng.permutation(20)[:4]
    net = Network(
        np.append(tree.from_bus, far[:2]), np.append(tree.to_bus, far[2:]), np.append(tree.r_ohm, [2.0, 3.0]),
        np.append(tree.x_ohm, [2.0, 3.0]), 10.0,
    )  # fmt: skip
    p, q = demand(rng, 8, 20)
    controls = some_controls(rng, net, solve(net, p, q))
    out = solve(net, p, q, control=controls, tolerance=1e-11)
    assert off_the_curve(out, controls) < 1e-8
    assert residual_pu(net, out, p, fed_back(q, out, controls), np.ones((8, 21), bool)) < 1e-7


@FEW
@given(SEEDS)
def test_a_control_that_can_give_nothing_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 18)
    p, q = demand(rng, 20, 18)
    out = solve(net, p, q, control=[HoldVoltage(5, 1.02, 0.0, 0.0), VoltVar(9, (0.9, 1.1), (0.0, 0.0))])
    assert np.abs(out.v - solve(net, p, q).v).max() < 1e-8
    assert np.abs(out.control_kvar).max() == 0.0


@FEW
@given(SEEDS)
def test_numbering_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    net = radial(rng, 18)
    p, q = demand(rng, 20, 18)
    controls = some_controls(rng, net, solve(net, p, q))
    new = np.concatenate([[0], 1 + rng.permutation(17)])
    other = Network(new[net.from_bus], new[net.to_bus], net.r_ohm, net.x_ohm, 10.0)
    p_new, q_new = np.empty_like(p), np.empty_like(q)
    p_new[:, new], q_new[:, new] = p, q
    moved = [type(c)(**{**vars(c), "bus": int(new[c.bus])}) for c in reversed(controls)]
    a, b = solve(net, p, q, control=controls), solve(other, p_new, q_new, control=moved)
    assert np.abs(a.v - b.v[:, new]).max() < 1e-8
    assert np.array_equal(a.at_limit, b.at_limit[:, ::-1])


def test_all_kernels_and_a_summary_find_the_same():
    rng = np.random.default_rng(6)
    net = radial(rng, 30, ratios=True, rating_a=np.full(29, 40.0))
    p, q = demand(rng, 40, 30)
    controls = some_controls(rng, net, solve(net, p, q))
    opened = rng.integers(-1, 29, 40)
    lanes, one, newton, short = (
        solve(net, p, q, open_branch=opened, control=controls, **more)
        for more in ({"method": "lanes"}, {"method": "one by one"}, {"method": "newton"}, {"store": "summary"})
    )
    for other in (one, newton):
        assert np.nanmax(np.abs(lanes.v - other.v)) < 1e-8
    assert np.array_equal(short.at_limit, lanes.at_limit)
    assert np.abs(short.min_v_pu - lanes.min_v_pu).max() < 1e-8
    assert np.abs(short.loss_kw - lanes.loss_kw).max() < 1e-6 * net.base_kva
    assert np.array_equal(short.overloads, lanes.overloads)


def test_a_control_on_a_dead_bus_is_off():
    net = Network(list(range(9)), list(range(1, 10)), [0.1] * 9, [0.2] * 9, 10.0)
    p = np.zeros((20, 10))
    p[:, 4] = 1000.0
    opened = np.where(np.arange(20) % 2 == 0, -1, 6)
    controls = [HoldVoltage(3, 1.0), HoldVoltage(8, 1.01, -500.0, 2000.0)]
    out = solve(net, p, 0.0 * p, open_branch=opened, control=controls)
    assert out.converged.all()
    assert np.array_equal(np.isnan(out.control_kvar[:, 1]), opened == 6)
    assert np.isnan(out.v[opened == 6, 8]).all()
    alone = solve(net, p, 0.0 * p, open_branch=opened, control=controls[:1])
    dead = opened == 6
    assert np.nanmax(np.abs(out.v[dead] - alone.v[dead])) < 1e-8
    assert off_the_curve(out, controls) < 1e-8


def test_each_island_holds_its_own_voltages():
    rng = np.random.default_rng(12)
    net = radial(rng, 20)
    p, q = demand(rng, 10, 20)
    sources = [(0, 1.0, 0.0), (12, 1.01, 0.1)]
    on = np.ones((10, 19), bool)
    on[5:, 3] = on[:, 11] = False
    controls = [HoldVoltage(5, 1.0), HoldVoltage(15, 1.005)]
    out = solve(net, p, q, sources=sources, in_service=on, control=controls)
    assert out.converged.all()
    assert off_the_curve(out, controls) < 1e-8
    plain = solve(net, p, fed_back(q, out, controls), sources=sources, in_service=on, tolerance=1e-12)
    assert np.nanmax(np.abs(plain.v - out.v)) < 1e-8


def test_a_collapsed_case_and_a_nan_case_are_flagged_and_leave_the_others_alone():
    rng = np.random.default_rng(2)
    net = radial(rng, 20)
    p, q = demand(rng, 33, 20)
    controls = [HoldVoltage(4, 1.0, -300.0, 300.0), VoltVar(9, DROOP, (500.0, 0.0, 0.0, -500.0))]
    alone = solve(net, p, q, control=controls)
    p[4] *= 1e5
    p[20, 7] = np.nan
    out = solve(net, p, q, control=controls)
    assert np.nonzero(~out.converged)[0].tolist() == [4, 20]
    assert np.isnan(out.v[[4, 20]]).all()
    assert np.isnan(out.control_kvar[[4, 20]]).all()
    assert not out.at_limit[[4, 20]].any()
    good = np.delete(np.arange(33), [4, 20])
    assert np.abs(out.v[good] - alone.v[good]).max() < 1e-8


def test_a_voltage_that_cannot_be_reached_is_flagged():
    net = Network([0, 1], [1, 2], [0.0, 1.0], [0.0, 2.0], 10.0)  # bus 1 is the source by a closed switch
    p = np.zeros((6, 3))
    out = solve(net, p, p, control=[HoldVoltage(1, 1.05)])
    assert not out.converged.any()
    limited = solve(net, p, p, control=[HoldVoltage(1, 1.05, -100.0, 100.0)])
    assert limited.converged.all()
    assert np.allclose(limited.control_kvar, 100.0)


def test_an_inverter_carries_a_load_beyond_the_collapse_of_the_line():
    p = np.zeros((6, 2))
    p[:, 1] = np.linspace(13_000.0, 20_000.0, 6)
    assert not solve(LINE, p, 0.3 * p).converged.all()
    out = solve(LINE, p, 0.3 * p, control=[HoldVoltage(1, 1.0)])
    assert out.converged.all()
    assert (
        np.abs(out.control_kvar[:, 0] / 1e3 - 0.3 * p[:, 1] / 1e3 - injection_that_holds(1.0, p[:, 1] / 1e3)).max()
        < 1e-5
    )


def test_what_is_injected_is_of_constant_power_beside_any_load():
    rng = np.random.default_rng(7)
    net = radial(rng, 20)
    p, q = demand(rng, 20, 20)
    loads = np.tile([0.5, 0.3, 0.2], (20, 1))
    controls = [HoldVoltage(11, 1.01, -400.0, 400.0), VoltVar(5, DROOP, (900.0, 0.0, 0.0, -900.0))]
    out = solve(net, p, q, loads=loads, control=controls)
    assert off_the_curve(out, controls) < 1e-8
    # The same by a bus of its own behind a closed switch, whose load is all power.
    wider = Network(
        np.append(net.from_bus, [11, 5]), np.append(net.to_bus, [20, 21]), np.append(net.r_ohm, [0.0, 0.0]),
        np.append(net.x_ohm, [0.0, 0.0]), 10.0,
    )  # fmt: skip
    none = np.zeros((20, 2))
    plain = solve(
        wider, np.hstack([p, none]), np.hstack([q, -out.control_kvar]),
        loads=np.vstack([loads, [[0.0, 0.0, 1.0]] * 2]), tolerance=1e-12,
    )  # fmt: skip
    assert np.abs(plain.v[:, :20] - out.v).max() < 1e-8


def test_inverters_on_joined_buses_share_one_set_point_and_fight_over_two():
    net = Network([0, 1, 2], [1, 2, 3], [1.0, 0.0, 1.0], [2.0, 0.0, 2.0], 10.0)
    p = np.zeros((6, 4))
    p[:, 3] = 1000.0
    one = solve(net, p, 0.0 * p, control=[HoldVoltage(1, 1.0), HoldVoltage(2, 1.0)])
    assert one.converged.all()
    assert np.abs(one.control_kvar[:, 0] - one.control_kvar[:, 1]).max() < 1e-2 * np.abs(one.control_kvar).max()
    two = solve(net, p, 0.0 * p, control=[HoldVoltage(1, 0.99, -500.0, 500.0), HoldVoltage(2, 1.0, -900.0, 900.0)])
    assert two.converged.all()
    assert np.allclose(two.control_kvar[:, 0], -500.0)
    assert off_the_curve(two, [HoldVoltage(1, 0.99, -500.0, 500.0), HoldVoltage(2, 1.0, -900.0, 900.0)]) < 1e-8


def test_a_droop_behind_pure_resistance_is_met():
    net = Network([0, 1], [1, 2], [2.0, 2.0], [0.0, 0.0], 10.0)
    p = np.zeros((12, 3))
    p[:, 2] = np.linspace(-1000.0, 1500.0, 12)
    droop = VoltVar(2, DROOP, (400.0, 0.0, 0.0, -400.0))
    out = solve(net, p, 0.2 * p, control=[droop])
    assert out.converged.all()
    assert off_the_curve(out, [droop]) < 1e-8
