"""One pass of the sweep over a run of buses, in lanes: down with the voltage, up with the current.

A kept bus owns seven rows of lanes: current of its branch (real, imaginary), w ~ 1/|V|^2, voltage kept for
the tests (real, imaginary), and at the end of a run its voltage for the runs below; and two of its bus: P, Q. Along a
run, voltage and current stay in registers.

A fan is worked like a run, but all its buses hang from the same bus above, and nothing hangs from them: it is entered
and left at once.

w needs no division: a sweep changes |V|^2 little, and one step of a series brings w along while the voltage settles.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner
from twin.powerflow.lanes import ROW_BYTES, add, larger, load, mul, number, root, spread, spread_from, store, sub

ROW = ROW_BYTES
STATE, DEMAND = 7 * ROW, 2 * ROW  # bytes of a kept bus's state, of a bus's demand
J_IM, W, V_RE, V_IM, END_RE, END_IM = ROW, 2 * ROW, 3 * ROW, 4 * ROW, 5 * ROW, 6 * ROW
LINK, X, BUS, SHUNT, SHARES = 56, 8, 16, 24, 32  # bytes of a kept bus's link: r, x, bus, shunt, shares Z, I, P


@inner
def voltage_above(above: Any, state: Any) -> Any:
    """Voltage at the head of a run: of the kept bus above it, or of the root."""
    if above < 0:
        return spread(1.0), spread(0.0)
    return load(state + above * STATE + END_RE), load(state + above * STATE + END_IM)


@inner
def drop(v_re: Any, v_im: Any, at: Any, link: Any) -> Any:
    """V - z J, the voltage below a branch, from the voltage above it."""
    j_re, j_im, r, x = load(at), load(at + J_IM), spread_from(link), spread_from(link + X)
    return add(sub(v_re, mul(r, j_re)), mul(x, j_im)), sub(sub(v_im, mul(r, j_im)), mul(x, j_re))


@inner
def inverse_square(v_re: Any, v_im: Any, w: Any) -> Any:
    """1 / |V|^2 from what it was before: w (1 + e + e^2) with e = 1 - |V|^2 w leaves an error of e^3."""
    e = sub(spread(1.0), mul(add(mul(v_re, v_re), mul(v_im, v_im)), w))
    return add(w, mul(w, add(e, mul(e, e))))


@inner
def draw(v_re: Any, v_im: Any, w: Any, at: Any, general: Any, link: Any, drawn: Any) -> Any:
    """Store w and the load's current conj(S / V), and return it; in general by shares, and with the shunt."""
    p, q = load(drawn), load(drawn + ROW)
    weight = w
    if general:
        weight = add(spread_from(link + SHARES), mul(spread_from(link + SHARES + 8), root(w)))
        weight = add(weight, mul(spread_from(link + SHARES + 16), w))
    j_re = mul(add(mul(p, v_re), mul(q, v_im)), weight)
    j_im = mul(sub(mul(p, v_im), mul(q, v_re)), weight)
    if general:
        shunt = spread_from(link + SHUNT)
        j_re, j_im = sub(j_re, mul(shunt, v_im)), add(j_im, mul(shunt, v_re))
    store(at, j_re)
    store(at + J_IM, j_im)
    store(at + W, w)
    return j_re, j_im


@inner
def finish(fan: Any, v_re: Any, v_im: Any, sum_re: Any, sum_im: Any, last: Any, above: Any, state: Any) -> Any:
    """Leave the voltage at a run's end for the runs below; of a fan, hand up what it draws."""
    if fan:
        hand_up(sum_re, sum_im, above, state)
    else:
        store(last + END_RE, v_re)
        store(last + END_IM, v_im)


@inner
def enter(general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any) -> Any:
    """Voltage down a run, with the new current of each load; no convergence test."""
    top_re, top_im = voltage_above(above, state)
    v_re, v_im = top_re, top_im
    sum_re, sum_im = spread(0.0), spread(0.0)
    at, link = state + first * STATE, links + first * LINK
    for _ in range(first, end):
        if fan:
            v_re, v_im = top_re, top_im
        v_re, v_im = drop(v_re, v_im, at, link)
        w = inverse_square(v_re, v_im, load(at + W))
        j_re, j_im = draw(v_re, v_im, w, at, general, link, demand + number(link + BUS) * DEMAND)
        if fan:
            sum_re, sum_im = add(sum_re, j_re), add(sum_im, j_im)
        at += STATE
        link += LINK
    finish(fan, v_re, v_im, sum_re, sum_im, at - STATE, above, state)


@inner
def enter_first(general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any) -> Any:
    """As `enter`, from a flat start: w is not there yet, and takes two steps from 1."""
    top_re, top_im = voltage_above(above, state)
    v_re, v_im = top_re, top_im
    sum_re, sum_im = spread(0.0), spread(0.0)
    at, link = state + first * STATE, links + first * LINK
    for _ in range(first, end):
        if fan:
            v_re, v_im = top_re, top_im
        v_re, v_im = drop(v_re, v_im, at, link)
        w = inverse_square(v_re, v_im, inverse_square(v_re, v_im, spread(1.0)))
        j_re, j_im = draw(v_re, v_im, w, at, general, link, demand + number(link + BUS) * DEMAND)
        if fan:
            sum_re, sum_im = add(sum_re, j_re), add(sum_im, j_im)
        at += STATE
        link += LINK
    finish(fan, v_re, v_im, sum_re, sum_im, at - STATE, above, state)


@inner
def enter_and_keep(
    general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any, moved: Any
) -> Any:
    """As `enter`; keeps every voltage, and each lane's largest |V - 1|^2 in `moved`."""
    one, largest = spread(1.0), load(moved)
    top_re, top_im = voltage_above(above, state)
    v_re, v_im = top_re, top_im
    sum_re, sum_im = spread(0.0), spread(0.0)
    at, link = state + first * STATE, links + first * LINK
    for _ in range(first, end):
        if fan:
            v_re, v_im = top_re, top_im
        v_re, v_im = drop(v_re, v_im, at, link)
        store(at + V_RE, v_re)
        store(at + V_IM, v_im)
        d_re = sub(v_re, one)
        largest = larger(largest, add(mul(d_re, d_re), mul(v_im, v_im)))
        w = inverse_square(v_re, v_im, load(at + W))
        j_re, j_im = draw(v_re, v_im, w, at, general, link, demand + number(link + BUS) * DEMAND)
        if fan:
            sum_re, sum_im = add(sum_re, j_re), add(sum_im, j_im)
        at += STATE
        link += LINK
    finish(fan, v_re, v_im, sum_re, sum_im, at - STATE, above, state)
    store(moved, largest)


@inner
def enter_and_leap(
    general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any, moved: Any, leap: Any
) -> Any:
    """As `enter`, but the loads, and later the test, see V + leap (V - V kept): it takes out an error of known decay.

    `moved` keeps each lane's largest |V - V kept|^2. The runs below go on from V itself.
    """
    largest, far = load(moved), load(leap)
    top_re, top_im = voltage_above(above, state)
    v_re, v_im = top_re, top_im
    sum_re, sum_im = spread(0.0), spread(0.0)
    at, link = state + first * STATE, links + first * LINK
    for _ in range(first, end):
        if fan:
            v_re, v_im = top_re, top_im
        v_re, v_im = drop(v_re, v_im, at, link)
        d_re, d_im = sub(v_re, load(at + V_RE)), sub(v_im, load(at + V_IM))
        largest = larger(largest, add(mul(d_re, d_re), mul(d_im, d_im)))
        far_re, far_im = add(v_re, mul(far, d_re)), add(v_im, mul(far, d_im))
        store(at + V_RE, far_re)
        store(at + V_IM, far_im)
        w = inverse_square(far_re, far_im, load(at + W))
        j_re, j_im = draw(far_re, far_im, w, at, general, link, demand + number(link + BUS) * DEMAND)
        if fan:
            sum_re, sum_im = add(sum_re, j_re), add(sum_im, j_im)
        at += STATE
        link += LINK
    finish(fan, v_re, v_im, sum_re, sum_im, at - STATE, above, state)
    store(moved, largest)


@inner
def enter_and_test(
    general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any, moved: Any
) -> Any:
    """As `enter`; `moved` keeps each lane's largest |dV|^2, and every voltage is stored for the next test."""
    largest = load(moved)
    top_re, top_im = voltage_above(above, state)
    v_re, v_im = top_re, top_im
    sum_re, sum_im = spread(0.0), spread(0.0)
    at, link = state + first * STATE, links + first * LINK
    for _ in range(first, end):
        if fan:
            v_re, v_im = top_re, top_im
        v_re, v_im = drop(v_re, v_im, at, link)
        d_re, d_im = sub(v_re, load(at + V_RE)), sub(v_im, load(at + V_IM))
        largest = larger(largest, add(mul(d_re, d_re), mul(d_im, d_im)))
        store(at + V_RE, v_re)
        store(at + V_IM, v_im)
        w = inverse_square(v_re, v_im, load(at + W))
        j_re, j_im = draw(v_re, v_im, w, at, general, link, demand + number(link + BUS) * DEMAND)
        if fan:
            sum_re, sum_im = add(sum_re, j_re), add(sum_im, j_im)
        at += STATE
        link += LINK
    finish(fan, v_re, v_im, sum_re, sum_im, at - STATE, above, state)
    store(moved, largest)


@inner
def leave(first: Any, end: Any, above: Any, state: Any) -> Any:
    """Current up a run: each branch carries its bus's load and what flows on below."""
    j_re, j_im = spread(0.0), spread(0.0)
    at = state + (end - 1) * STATE
    for _ in range(first, end):
        j_re, j_im = add(j_re, load(at)), add(j_im, load(at + J_IM))
        store(at, j_re)
        store(at + J_IM, j_im)
        at -= STATE
    hand_up(j_re, j_im, above, state)


@inner
def leave_first(general: Any, fan: Any, first: Any, end: Any, above: Any, state: Any, demand: Any, links: Any) -> Any:
    """As `leave`, from a flat start: the loads draw conj(S) at V = 1."""
    at, link = state + (end - 1) * STATE, links + (end - 1) * LINK
    j_re, j_im = spread(0.0), spread(0.0)
    if not fan:
        j_re, j_im = load(at), load(at + J_IM)
    for _ in range(first, end):
        drawn = demand + number(link + BUS) * DEMAND
        p, q = load(drawn), load(drawn + ROW)
        if general:
            weight = add(
                spread_from(link + SHARES), add(spread_from(link + SHARES + 8), spread_from(link + SHARES + 16))
            )
            p, q = mul(p, weight), sub(mul(q, weight), spread_from(link + SHUNT))
        j_re, j_im = add(j_re, p), sub(j_im, q)
        if fan:
            store(at, p)
            store(at + J_IM, sub(spread(0.0), q))
        else:
            store(at, j_re)
            store(at + J_IM, j_im)
        at -= STATE
        link -= LINK
    hand_up(j_re, j_im, above, state)


@inner
def hand_up(j_re: Any, j_im: Any, above: Any, state: Any) -> Any:
    """Add a run's current to what the kept bus above it has gathered."""
    if above >= 0:
        at = state + above * STATE
        store(at, add(load(at), j_re))
        store(at + J_IM, add(load(at + J_IM), j_im))


@inner
def clear(i: Any, state: Any) -> Any:
    """Nothing gathered yet from below kept bus i: the flat start needs it at the end of each run."""
    store(state + i * STATE, spread(0.0))
    store(state + i * STATE + J_IM, spread(0.0))
