"""The linear problem within the controls' search, where Newton's method from piece to piece may go in circles."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from radial import radial

from twin.powerflow import VoltVar
from twin.powerflow.control import curves_of
from twin.powerflow.meeting import meet


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_steep_droops_on_one_feeder_meet_their_plane(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.001, 0.05, 8))
    matrix = np.tile(np.minimum.outer(x, x), (50, 1, 1))  # common path reactances along one line
    v = rng.uniform(0.9, 1.1, (50, 8))
    controls = [
        VoltVar(bus, 1.0 + 10 ** rng.uniform(-5.0, -2.0) * np.array([-2.0, -1.0, 1.0, 2.0]), (900.0, 0.0, 0.0, -900.0))
        for bus in range(1, 9)
    ]
    curves = curves_of(radial(rng, 9), controls, None)
    q_new, v_new, piece, found = np.empty((50, 8)), np.empty((50, 8)), np.empty((50, 8), np.int64), np.empty(50, bool)
    lines = (curves.v, curves.q, curves.a, curves.b, curves.c)
    meet(lines, v, np.zeros((50, 8)), matrix, np.ones((50, 8), bool), q_new, v_new, piece, found)
    assert found.all()
    assert np.abs(v + np.einsum("rij,rj->ri", matrix, q_new) - v_new).max() < 1e-12
    for i, control in enumerate(controls):
        slope = 0.9 / (control.v_pu[1] - control.v_pu[0])
        exact = np.interp(v_new[:, i], control.v_pu, control.q_kvar) / 1e3
        assert np.abs(q_new[:, i] - exact).max() < 1e-12 * max(1.0, slope)
    assert piece.min() >= 0
