"""A family of clocks draws what single items would draw, and its items are up as often as theory says."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from twin.chance.law import ExponentialLaw, LognormalLaw, ScriptedLaw, WeibullLaw, compile_law
from twin.chance.philox import stream_key, uniform
from twin.chance.quantiles import quantile
from twin.plant import clocks
from twin.units import NEVER, TICKS_PER_H, ticks

LIFE = compile_law(WeibullLaw(law="weibull", shape=1.4, mean=400.0))
RESTORATION = compile_law(LognormalLaw(law="lognormal", sigma=0.9, mean=30.0))
NAMES = [f"campus/cabinet_{number}" for number in range(12)]


def _family(names, life=LIFE, restoration=RESTORATION, *, replication=0, theta=1.0):
    n = len(names)
    keys = np.array([[stream_key(1, name, use) for name in names] for use in ("failure", "restoration")], np.uint64)
    family = SimpleNamespace(
        due_us=np.zeros(n, np.int64),
        up=np.zeros(n, np.int64),
        ordinal=np.zeros(n, np.int64),
        keys=keys.reshape(2, n),
        replication=np.uint64(replication),
        theta=np.full(n, theta),
        life=life.columns,
        restoration=restoration.columns,
        flipped=np.zeros(n, np.int64),
    )
    rest = (family.keys, family.replication, family.theta, family.life)
    family.state = (family.due_us, family.up, family.ordinal, *rest)
    clocks.first(*family.state)
    return family


def _step(family, now_us):
    return clocks.step(now_us, *family.state, family.restoration, family.flipped)


def _flips(names, horizon_us, **options):
    """For each name, the (tick, up) of its flips."""
    family = _family(names, **options)
    flips = {name: [] for name in names}
    while (now_us := clocks.earliest(family.due_us)) < horizon_us:
        count = _step(family, now_us)
        assert count > 0
        for i in family.flipped[:count]:
            flips[names[i]].append((now_us, int(family.up[i])))
    return flips


YEARS_5 = 5 * 8760 * TICKS_PER_H


def test_a_family_draws_what_single_items_would():
    together = _flips(NAMES, YEARS_5)
    assert min(len(flips) for flips in together.values()) > 100
    for name in NAMES:
        assert _flips([name], YEARS_5)[name] == together[name]


def test_another_item_or_another_order_moves_nobody():
    fewer, more = NAMES[3:7], ["campus/cabinet_new", *reversed(NAMES)]
    before, after = _flips(fewer, YEARS_5), _flips(more, YEARS_5)
    assert all(before[name] == after[name] for name in fewer)


def test_sojourn_k_is_draw_k_of_its_own_stream():
    (name,) = names = NAMES[:1]
    expected, now_us = [], 0
    for k in range(20):
        for purpose, law, up in (("failure", LIFE, 0), ("restoration", RESTORATION, 1)):
            u = uniform(stream_key(1, name, purpose), np.uint64(5), k)
            now_us += ticks(quantile(*law.columns, u, k))
            expected.append((now_us, up))
    assert _flips(names, now_us + 1, replication=5)[name] == expected


def test_items_alternate_between_up_and_down_on_a_clock_that_only_goes_forward():
    for flips in _flips(NAMES, YEARS_5).values():
        times, states = zip(*flips, strict=True)
        assert np.all(np.diff(times) > 0)
        assert list(states) == [k % 2 for k in range(len(states))]


def test_all_members_due_now_flip_once_in_ascending_order_and_the_others_rest():
    family = _family(NAMES)
    family.due_us[[2, 5, 11]] = 77
    rest = np.setdiff1d(np.arange(12), [2, 5, 11])
    untouched = family.due_us[rest].copy()
    assert _step(family, 77) == 3
    assert family.flipped[:3].tolist() == [2, 5, 11]
    assert np.all(family.due_us[[2, 5, 11]] > 77)
    np.testing.assert_array_equal(family.due_us[rest], untouched)
    np.testing.assert_array_equal(family.up == 0, np.isin(np.arange(12), [2, 5, 11]))
    np.testing.assert_array_equal(family.ordinal, np.where(family.up == 0, 2, 1))
    assert _step(family, 77) == 0


def test_a_script_names_each_life_and_each_restoration():
    life = compile_law(ScriptedLaw(law="scripted", values=[10.0, 20.0]))
    restoration = compile_law(ScriptedLaw(law="scripted", values=[1.0, 2.0, 3.0]))
    flips = _flips(["a"], NEVER, life=life, restoration=restoration)["a"]
    assert flips == [(10 * TICKS_PER_H, 0), (11 * TICKS_PER_H, 1), (31 * TICKS_PER_H, 0), (33 * TICKS_PER_H, 1)]


@pytest.mark.parametrize(("life_h", "due_us"), [(0.0, 1), (1e-12, 1), (2.5, 9_000_000_000), (1e30, NEVER)])
def test_a_sojourn_lasts_at_least_a_tick_and_never_is_never(life_h, due_us):
    assert _family(["a"], compile_law(life_h)).due_us[0] == due_us


def test_a_sojourn_that_ends_past_the_last_tick_never_ends():
    family = _family(["a"], restoration=compile_law(1.2e9))
    family.due_us[0] = NEVER - 1
    assert _step(family, NEVER - 1) == 1
    assert family.due_us[0] == NEVER


def test_no_member_is_never_due():
    assert clocks.earliest(_family([]).due_us) == NEVER


def test_a_clock_at_double_speed_uses_up_its_hazard_in_half_the_time():
    life = compile_law(ExponentialLaw(law="exponential", mean=1000.0))
    slow, fast = _family(NAMES, life), _family(NAMES, life, theta=2.0)
    np.testing.assert_allclose(fast.due_us * 2, slow.due_us, atol=2)


def test_availability_is_mttf_over_mttf_plus_mttr():
    names = [f"item_{number}" for number in range(200)]
    horizon_us = 20 * 8760 * TICKS_PER_H
    up_us = []
    for flips in _flips(names, horizon_us).values():
        edges = [(0, 1), *flips, (horizon_us, 1)]
        up_us.append(sum(end - start for (start, up), (end, _) in pairwise(edges) if up))
    availability = np.array(up_us) / horizon_us
    theory = LIFE.mean / (LIFE.mean + RESTORATION.mean)
    standard_error = availability.std(ddof=1) / np.sqrt(len(names))
    assert standard_error < 2e-3
    # Starting up at age 0 shifts the mean by less than one life in twenty years times the unavailability.
    bias = LIFE.mean * TICKS_PER_H / horizon_us * (1.0 - theory)
    assert abs(availability.mean() - theory) < 3 * standard_error + bias
