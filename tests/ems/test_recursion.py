"""The recursion is exact: with load and caps known, its plan costs what a linear programme says is least."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from twin.ems.recursion import backward, forward, workspace
from twin.ems.storage import Storage

EXCESS, END_VALUE = 3.0, 0.4


def least_cost(net, price, cap, floor, storage, start):
    """Energy, wear and excess, less the value of what is left, by linear programming."""
    n, dt = net.size, storage.slot_h
    one, none = sp.eye(n), sp.csr_matrix((n, n))
    store = one - storage.kept_fraction * sp.eye(n, k=-1)
    # import, unused surplus, charge, discharge, stored, excess
    equal = sp.vstack([
        sp.hstack([one, -one, -one, one, none, none]),
        sp.hstack([
            none, none, -storage.charge_efficiency * dt * one, dt / storage.discharge_efficiency * one, store, none,
        ]),
    ])  # fmt: skip
    begin = np.zeros(n)
    begin[0] = storage.kept_fraction * start
    over = sp.hstack([one, none, none, none, none, -one])
    # charging never lifts import above the cap: what the load takes above it is its own excess
    bounds = (
        [(0, None)] * n + [(0, max(-kw, 0.0)) for kw in net] + [(0, storage.charge_kw)] * n
        + [(0, min(storage.discharge_kw, max(kw - storage.import_floor_kw, 0.0))) for kw in net]
        + [(low, storage.top_kwh) for low in floor] + [(0, max(kw - c, 0.0)) for kw, c in zip(net, cap, strict=True)]
    )  # fmt: skip
    cost = np.concatenate(
        [price * dt, np.zeros(2 * n), np.full(n, storage.wear_price * dt), np.zeros(n), np.full(n, EXCESS * dt)]
    )
    cost[5 * n - 1] = -END_VALUE
    found = linprog(cost, over, cap, equal, np.concatenate([net, begin]), bounds=bounds, method="highs")
    assert found.status == 0
    return found.fun


def made(seed, *, slots=30, surplus=False, floors=False, kept=1.0, least=0.0):
    rng = np.random.default_rng(seed)
    net = rng.uniform(40.0, 120.0, slots) - (rng.uniform(0.0, 200.0, slots) if surplus else 0.0)
    price = rng.choice([0.3, 0.6, 1.1], slots) + rng.uniform(0.0, 0.01, slots)
    cap = np.full(slots, rng.uniform(85.0, 150.0))
    floor = np.where(np.arange(slots) < 15, 10.0, 25.0) if floors else np.full(slots, 10.0)
    ratings = rng.uniform(60, 200), rng.uniform(20, 70), rng.uniform(20, 70)
    storage = Storage(*ratings, 0.93, 0.96, kept, 0.05, 1.0, import_floor_kw=least)
    return net, price, cap, floor, storage


def cost_of_plan(net, price, cap, floor, storage, start):
    n = net.size
    up, down = np.zeros(n), np.zeros(n)
    backward(net, price, cap, floor, storage, END_VALUE, EXCESS, 0.0, up, down, np.zeros((n, 0)), *workspace(n))
    cost, left, _ = forward(net, price, up, down, cap, np.full(n, np.inf), floor, storage, start, 0.0, 0)
    assert (up <= down + 1e-9).all()
    return cost - END_VALUE * left, up, down


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("case", [{}, {"surplus": True}, {"floors": True}, {"kept": 0.999}, {"least": 60.0}])
def test_a_plan_costs_the_least_that_is_possible(seed, case):
    net, price, cap, floor, storage = made(seed, **case)
    start = max(30.0, floor[0])
    least = least_cost(net, price, np.maximum(cap, net.max()), floor, storage, start)
    cost, _, _ = cost_of_plan(net, price, np.maximum(cap, net.max()), floor, storage, start)
    assert cost == pytest.approx(least, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_a_cap_below_the_load_is_held_as_well_as_possible(seed):
    net, price, cap, floor, storage = made(seed)
    cap[:] = np.quantile(net, 0.85)
    least = least_cost(net, price, cap, floor, storage, 50.0)
    cost, up, down = cost_of_plan(net, price, cap, floor, storage, 50.0)
    excess = 0.0
    s = 50.0
    for t in range(net.size):  # the excess is in the programme's cost, not in the bill
        one = np.array([net[t]]), np.array([price[t]]), up[t : t + 1], down[t : t + 1], cap[t : t + 1]
        _, s, peak = forward(*one, np.array([np.inf]), floor[t : t + 1], storage, s, 0.0, 1)
        excess += max(peak - cap[t], 0.0)
    assert cost + EXCESS * excess == pytest.approx(least, rel=1e-9)


def test_equal_prices_charge_early():
    n = 8
    net, price = np.full(n, 50.0), np.array([0.3] * 5 + [1.0] * 3)
    storage = Storage(100.0, 40.0, 40.0, 1.0, 1.0, 1.0, 0.0, 1.0)
    up, down = np.zeros(n), np.zeros(n)
    backward(
        net, price, np.full(n, 1e9), np.zeros(n), storage, 0.3, 1.0, 1e-6, up, down, np.zeros((n, 0)), *workspace(n)
    )  # fmt: skip
    assert up[0] == pytest.approx(100.0)
