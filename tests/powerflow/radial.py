"""Random radial networks for the property tests."""

import numpy as np

from twin.powerflow import Network


def radial(rng, buses=20, ratios=False, **more):
    """A random tree on 10 kV and demands whose voltage drop is a few percent; shuffled ends."""
    above = np.array([rng.integers(max(0, k - 6), k) for k in range(1, buses)])
    ends = np.stack([above, np.arange(1, buses)], axis=1)
    flip = rng.random(buses - 1) < 0.5
    ends[flip] = ends[flip, ::-1]
    ratio = (rng.uniform(0.95, 1.05, buses - 1) * np.exp(1j * rng.uniform(-0.5, 0.5, buses - 1))) if ratios else None
    r, x = rng.uniform(0.02, 0.2, buses - 1), rng.uniform(0.02, 0.2, buses - 1)
    return Network(ends[:, 0], ends[:, 1], r, x, 10.0, ratio=ratio, **more)


def demand(rng, cases, buses, level=1.0):
    """Some buses without load, some that feed in."""
    p = level * rng.uniform(-60.0, 240.0, (cases, buses)) * (rng.random(buses) > 0.3)
    return p, p * rng.uniform(-0.1, 0.5, (cases, buses))


def residual_pu(net, out, p_kw, q_kvar, closed):
    """Largest mismatch of power at any bus but the slack, p.u.: Kirchhoff's law from admittances, without a sweep."""
    z = (net.r_ohm + 1j * net.x_ohm) / (1e3 * net.base_kv[net.from_bus] ** 2 / net.base_kva)
    half = 0.5j * net.b_us * 1e-6 * 1e3 * net.base_kv[net.from_bus] ** 2 / net.base_kva
    worst = 0.0
    for case in range(len(p_kw)):
        v = np.nan_to_num(out.v[case])
        on = closed[case] & out.energised[case][net.from_bus]
        f, t, k = net.from_bus[on], net.to_bus[on], net.ratio[on]
        series = (v[f] / k - v[t]) / z[on]
        leaving = np.zeros(net.buses, complex)
        np.add.at(leaving, f, v[f] * np.conj((series + half[on] * v[f] / k) / np.conj(k)))
        np.add.at(leaving, t, v[t] * np.conj(-series + half[on] * v[t]))
        mismatch = np.abs(leaving + (p_kw[case] + 1j * q_kvar[case]) / net.base_kva)
        mismatch[net.slack] = 0.0
        worst = max(worst, mismatch[out.energised[case]].max())
    return worst
