"""A family of clocks draws what single items would draw, and its items are up as often as theory says."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from twin.chance.law import (
    ExponentialLaw,
    GammaLaw,
    LognormalLaw,
    PiecewiseLaw,
    ScriptedLaw,
    WeibullLaw,
    compile_law,
)
from twin.chance.philox import stream_key, uniform
from twin.chance.quantiles import SEASONAL, quantile
from twin.plant import clocks
from twin.units import NEVER, TICKS_PER_H, ticks

LIFE = compile_law(WeibullLaw(law="weibull", shape=1.4, mean=400.0))
RESTORATION = compile_law(LognormalLaw(law="lognormal", sigma=0.9, mean=30.0))
NAMES = [f"campus/cabinet_{number}" for number in range(12)]


def _family(names, life=LIFE, restoration=RESTORATION, *, replication=0, theta=1.0, kept=0.0):
    n = len(names)
    keys = np.array([[stream_key(1, name, use) for name in names] for use in ("failure", "restoration")], np.uint64)
    clock, hazard = np.zeros((clocks.CLOCK_ROWS, n), np.int64), np.zeros((clocks.HAZARD_ROWS, n))
    hazard[clocks.RATE], hazard[clocks.THETA] = 1.0, theta
    family = SimpleNamespace(
        clock=clock,
        hazard=hazard,
        due_us=clock[clocks.DUE_US],
        up=clock[clocks.UP],
        ordinal=clock[clocks.ORDINAL],
        keys=keys.reshape(2, n),
        replication=np.uint64(replication),
        life=life.columns,
        restoration=restoration.columns,
        kept=kept,
        flipped=np.zeros(n, np.int64),
    )
    family.state = (clock, hazard, family.keys, family.replication, family.life)
    clocks.first(*family.state)
    return family


def _step(family, now_us):
    return clocks.step(now_us, *family.state, family.restoration, family.kept, family.flipped)


def _flips(names, horizon_us, **options):
    """For each name, the (tick, up) of its flips."""
    family = _family(names, **options)
    flips = {name: [] for name in names}
    while (now_us := clocks.earliest(family.clock)) < horizon_us:
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
    assert clocks.earliest(_family([]).clock) == NEVER


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


SMOOTH = [
    compile_law(ExponentialLaw(law="exponential", mean=300.0)),
    LIFE,
    compile_law(WeibullLaw(law="weibull", shape=0.7, mean=400.0)),
    compile_law(LognormalLaw(law="lognormal", sigma=1.3, mean=300.0)),
    compile_law(GammaLaw(law="gamma", shape=2.5, mean=300.0)),
    compile_law(PiecewiseLaw(law="piecewise", until=[50.0, 400.0], means=[200.0, 900.0, 150.0])),
]


@pytest.mark.parametrize("life", SMOOTH, ids=range(len(SMOOTH)))
def test_settling_a_clock_at_any_time_changes_no_life(life):
    untouched, settled = _family(NAMES, life), _family(NAMES, life)
    for now_us in (1, 10 * TICKS_PER_H, 77 * TICKS_PER_H, 78 * TICKS_PER_H):
        before = settled.due_us > now_us
        for family in (untouched, settled):
            family.clock[clocks.DUE_US, ~before] = NEVER  # those who have died stay away
            family.up[~before] = 0
        clocks.settle(now_us, settled.clock, settled.hazard, settled.life)
        clocks.arm(now_us, settled.clock, settled.hazard, settled.life)
    assert (untouched.due_us < NEVER).any()
    np.testing.assert_allclose(settled.due_us, untouched.due_us, rtol=1e-9)


def test_a_clock_slowed_half_way_through_its_hazard_takes_that_much_longer():
    """An exponential clock of 1,000 h at a quarter of its rate from 40 h on: what is left takes four times as long."""
    life = compile_law(ExponentialLaw(law="exponential", mean=1000.0))
    family = _family(NAMES, life)
    now_us = 40 * TICKS_PER_H
    due_us = family.due_us.copy()
    assert (due_us > now_us).any()
    clocks.settle(now_us, family.clock, family.hazard, family.life)
    family.hazard[clocks.RATE] = 0.25
    clocks.arm(now_us, family.clock, family.hazard, family.life)
    late = due_us > now_us
    np.testing.assert_allclose(family.due_us[late] - now_us, 4 * (due_us[late] - now_us), atol=4)
    clocks.settle(now_us, family.clock, family.hazard, family.life)
    family.hazard[clocks.RATE] = 0.0
    clocks.arm(now_us, family.clock, family.hazard, family.life)
    assert (family.due_us == NEVER).all()


def test_minimal_repair_fails_as_a_power_law_process():
    """Weibull scale 100 h, shape 2, kept 1, repairs of no length: E[failures by t] = (t/100)^2, a Poisson count."""
    life = compile_law(WeibullLaw(law="weibull", shape=2.0, scale=100.0))
    names = [f"pump_{number}" for number in range(400)]
    flips = _flips(names, 500 * TICKS_PER_H, life=life, restoration=compile_law(0.0), kept=1.0)
    counts = np.array([sum(1 for _, up in own if up == 0) for own in flips.values()])
    assert abs(counts.mean() - 25.0) < 3.0 * 5.0 / np.sqrt(len(names))
    assert abs(counts.var() - 25.0) < 3.0 * 25.0 * np.sqrt(2.0 / len(names)) * 1.1


def test_a_repair_as_new_forgets_age_and_half_repair_lies_between():
    life = compile_law(WeibullLaw(law="weibull", shape=3.0, scale=100.0))
    names = [f"pump_{number}" for number in range(100)]
    failures = [
        sum(
            len(own)
            for own in _flips(names, 1000 * TICKS_PER_H, life=life, restoration=compile_law(0.0), kept=kept).values()
        )
        for kept in (0.0, 0.5, 1.0)
    ]
    assert failures[0] < 0.8 * failures[1] < 0.64 * failures[2]


def test_a_seasonal_rate_shares_out_its_failures_by_month():
    """Twelfths of 8,760 h; twelve failures a year at factor 1, none in the months of factor 0."""
    factors = np.array([2.0, 1.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 2.0])
    life = compile_law(ExponentialLaw(law="exponential", mean=730.0))
    seasonal = type(life)(SEASONAL, 730.0, 0.0, factors, 730.0)
    names = [f"item_{number}" for number in range(50)]
    flips = _flips(names, 10 * 8760 * TICKS_PER_H, life=seasonal, restoration=compile_law(0.0))
    ticks_of = np.array([tick for own in flips.values() for tick, up in own if up == 0])
    month = (ticks_of / (730 * TICKS_PER_H)).astype(int) % 12
    found, expected = np.bincount(month, minlength=12), factors * 500
    assert found[2] == found[3] == 0
    assert (np.abs(found - expected) <= 3.5 * np.sqrt(np.maximum(expected, 1))).all()


@pytest.mark.parametrize("life", [SMOOTH[0], LIFE], ids=["exponential", "weibull"])
def test_weights_of_faster_clocks_average_to_one(life):
    """E[L] = 1 over a fixed span, and the weighted count of failures is that of the physical clocks."""
    names = [f"item_{number}" for number in range(3000)]
    end_us = 100 * TICKS_PER_H
    sums = {}
    for theta in (1.0, 2.0):
        family = _family(names, life, restoration=compile_law(10.0), theta=theta)
        failures = np.zeros(len(names))
        while (now_us := clocks.earliest(family.clock)) < end_us:
            for i in family.flipped[: _step(family, now_us)]:
                failures[i] += family.up[i] == 0
        clocks.settle(end_us, family.clock, family.hazard, family.life)
        used, fired = family.hazard[clocks.USED], family.clock[clocks.FIRED]
        weight = np.exp((theta - 1.0) * used - fired * np.log(theta))
        sums[theta] = (weight, failures * weight)
    assert (sums[1.0][0] == 1.0).all()
    weight, weighted = sums[2.0]
    assert abs(weight.mean() - 1.0) < 3.0 * weight.std() / np.sqrt(len(names))
    error = np.hypot(weighted.std(), sums[1.0][1].std()) / np.sqrt(len(names))
    assert abs(weighted.mean() - sums[1.0][1].mean()) < 3.0 * error
