"""Backward/forward sweeps of sixteen cases at a time: the fast path for forests of constant-power loads.

Each block of cases is independent of all others, so any split over threads gives the same numbers. Each tree hanging
from a root is solved by itself: its root's voltage is fixed, and its state stays in the nearest cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.kernel import inner, kernel
from twin.powerflow.lanes import (
    LANES,
    add,
    all_below,
    any_nonzero,
    gather_eight,
    larger,
    load,
    mul,
    one_if_above,
    ratio,
    root,
    scatter_eight,
    smaller,
    spread,
    store,
    sub,
)
from twin.powerflow.reduction import ENTER, FAN, LEAVE, reduce_tree
from twin.powerflow.runs import (
    DEMAND,
    J_IM,
    LINK,
    ROW,
    STATE,
    clear,
    enter,
    enter_and_keep,
    enter_and_leap,
    enter_and_test,
    enter_first,
    leave,
    leave_first,
)
from twin.powerflow.sweep_one import FAILED

KEEP, LEAP = 2, 4  # sweeps that keep the voltages, and leap ahead from them; before and between nothing is tested
BEFORE, BOUND, RHO, AHEAD, TOP_RE, TOP_IM, STEP, LOSS, OVERLOADS, LEAST = range(1, 11)  # rows of `moved`
TESTS = 11  # how many


@kernel
def solve_blocks(
    thread: Any,
    threads: Any,
    rows: Any,
    inputs: Any,
    forest: Any,
    opened: Any,
    tolerance: Any,
    max_sweeps: Any,
    work: Any,
    outputs: Any,
) -> Any:
    """Solve this thread's share of the blocks of LANES cases; dead buses become NaN.

    Args:
        thread, threads: Which share.
        rows: Case numbers (rows of p, q, v) in the order of the blocks.
        inputs: Addresses of (cases, buses) kW and kvar, and the scale that makes them per unit.
        forest: See `workspace.forest`.
        opened: (pointer, positions): the branches opened in each case, by the position below them.
        work: See `Workspace.arrays`.
        outputs: Address of (cases, buses) complex or 0, sweeps of each case (FAILED where not converged), and
            (cases, 3) least |V|, loss, overloaded branches.
    """
    p_at, q_at, scale = inputs
    order, parent, size, z, turn, turned, trees, manner, general, limit = forest
    pointer, cuts = opened
    all_rows, row_bytes, all_links, places, actives, scratches, aboves, carriers, all_steps, counts = work
    v_at, sweeps, summary = outputs
    rows_at = row_bytes[thread]
    links, active, scratch, above, carrier, steps, count = (
        all_links[thread], actives[thread], scratches[thread], aboves[thread], carriers[thread],
        all_steps[thread], counts[thread],
    )  # fmt: skip
    places_at, links_at = row_bytes[threads + thread], row_bytes[2 * threads + thread]
    buses = (all_rows.shape[1] - TESTS - 7 * order.size) // 4
    lanes = all_rows[thread]
    demand, volts, moved = lanes[: 2 * buses], lanes[2 * buses : 4 * buses], lanes[4 * buses : 4 * buses + TESTS]
    demand_at, volts_at, moved_at = rows_at, rows_at + 2 * buses * ROW, rows_at + 4 * buses * ROW
    state_at = moved_at + TESTS * ROW
    blocks = (rows.size + LANES - 1) // LANES
    for block in range(blocks * thread // threads, blocks * (thread + 1) // threads):
        mine = rows[block * LANES : min(block * LANES + LANES, rows.size)]
        pack(mine, p_at, q_at, buses, scale, demand_at, places[thread], places_at)
        if cuts.size > 0:
            blot(mine, pointer, cuts, size, order, demand, 0.0)
        for lane in range(mine.size):
            sweeps[mine[lane]] = 0
        store(moved_at + LOSS * ROW, spread(0.0))
        store(moved_at + OVERLOADS * ROW, spread(0.0))
        for t in range(trees.shape[0]):
            first, last = trees[t, 0], trees[t, 1]
            if look(first, last, order, manner, demand_at, active) or count[t] < 0:
                count[t] = reduce_tree(
                    first, last, parent, z, order, manner, active, scratch, links, above, carrier, steps
                )
            used = iterate(
                steps,
                2 * first,
                2 * first + count[t],
                state_at,
                demand_at,
                links_at + first * LINK,
                moved_at,
                general,
                tolerance,
                max_sweeps,
            )
            voltages(first, last, parent, z, order, carrier, state_at, volts_at)
            if v_at == 0:
                load_of_branches(first, last, z, limit, carrier, state_at, moved_at)
            for lane in range(mine.size):
                case = mine[lane]
                sweeps[case] = max(sweeps[case], used if moved[BOUND, lane] < 0.5 * tolerance else FAILED)
        if turned:
            turn_back(order, parent, turn, volts_at)
        if cuts.size > 0:
            blot(mine, pointer, cuts, size, order, volts, np.nan)
        if v_at != 0:
            unpack(mine, buses, volts_at, places[thread], places_at, v_at)
        else:
            least_voltage(order, volts_at, moved_at)
            for lane in range(mine.size):
                summary[mine[lane], 0] = np.sqrt(moved[LEAST, lane])
                summary[mine[lane], 1] = moved[LOSS, lane]
                summary[mine[lane], 2] = moved[OVERLOADS, lane]


@inner
def pack(mine: Any, p_at: Any, q_at: Any, buses: Any, scale: Any, demand_at: Any, places: Any, places_at: Any) -> Any:
    """Demand of the block's cases, per unit, by bus and lane; idle lanes repeat the last case. At least eight buses."""
    for half in range(0, LANES, 8):
        for lane in range(8):
            case = mine[min(half + lane, mine.size - 1)]
            places[lane] = p_at + case * buses * 8
            places[8 + lane] = q_at + case * buses * 8
        out = demand_at + half * 8
        for begin in range(0, buses, 8):
            bus = min(begin, buses - 8)
            gather_eight(places_at, bus * 8, scale, out + bus * DEMAND, DEMAND)
            gather_eight(places_at + 64, bus * 8, scale, out + bus * DEMAND + ROW, DEMAND)


@inner
def blot(mine: Any, pointer: Any, cuts: Any, size: Any, order: Any, pairs: Any, value: Any) -> Any:
    """Overwrite, in its lane, what hangs below an opened branch: a range of positions. `pairs` holds two rows a bus."""
    for lane in range(LANES):
        case = mine[min(lane, mine.size - 1)]
        for at in range(pointer[case], pointer[case + 1]):
            for k in range(cuts[at], cuts[at] + size[cuts[at]]):
                pairs[2 * order[k], lane] = value
                pairs[2 * order[k] + 1, lane] = value


@inner
def look(first: Any, last: Any, order: Any, manner: Any, demand_at: Any, active: Any) -> Any:
    """Mark the positions that draw power in some lane; whether that differs from before."""
    changed = False
    for k in range(first, last):
        at = demand_at + order[k] * DEMAND
        draws = any_nonzero(load(at), load(at + ROW)) or manner[k, 0] != 0.0
        changed |= draws != active[k]
        active[k] = draws
    return changed


@inner
def iterate(
    steps: Any,
    start: Any,
    stop: Any,
    state: Any,
    demand: Any,
    links: Any,
    moved: Any,
    general: Any,
    tolerance: Any,
    max_sweeps: Any,
) -> Any:
    """Sweep one tree until every lane's error bound, row BOUND of `moved`, holds; returns the sweeps used."""
    for s in range(start, stop):
        kind, first, end, above = steps[s, 0], steps[s, 1], steps[s, 2], steps[s, 3]
        if kind == ENTER:
            clear(end - 1, state)
        else:
            leave_first(general, kind == FAN, first, end, above, state, demand, links)
    for sweep in range(1, max_sweeps + 1):
        if sweep == KEEP or sweep >= LEAP:
            store(moved + BEFORE * ROW, load(moved))
            store(moved, spread(0.0))
        if 1 < sweep <= LEAP:
            look_ahead(state, moved)
        for s in range(start, stop):
            kind, first, end, above = steps[s, 0], steps[s, 1], steps[s, 2], steps[s, 3]
            if kind == LEAVE:
                leave(first, end, above, state)
            elif sweep > LEAP:
                enter_and_test(general, kind == FAN, first, end, above, state, demand, links, moved)
            elif sweep == 1:
                enter_first(general, kind == FAN, first, end, above, state, demand, links)
            elif sweep == KEEP:
                enter_and_keep(general, kind == FAN, first, end, above, state, demand, links, moved)
            elif sweep == LEAP:
                enter_and_leap(
                    general, kind == FAN, first, end, above, state, demand, links, moved, moved + AHEAD * ROW
                )
            else:
                enter(general, kind == FAN, first, end, above, state, demand, links)
        if sweep >= LEAP and settled(sweep, moved, tolerance):
            return sweep
    return max_sweeps


@inner
def look_ahead(state: Any, moved: Any) -> Any:
    """How far the leap goes in each lane: rho^2 / (1 - rho^2), rho^2 from the tree's whole current.

    Over two sweeps every error falls by about rho^2, whatever its angle (over one, angles change their sign).
    """
    j_re, j_im = load(state), load(state + J_IM)
    d_re, d_im = sub(j_re, load(moved + TOP_RE * ROW)), sub(j_im, load(moved + TOP_IM * ROW))
    step = add(mul(d_re, d_re), mul(d_im, d_im))
    squared = smaller(ratio(step, load(moved + STEP * ROW)), spread(0.5))
    squared = larger(squared, spread(0.0))
    store(moved + AHEAD * ROW, ratio(squared, sub(spread(1.0), squared)))
    store(moved + TOP_RE * ROW, j_re)
    store(moved + TOP_IM * ROW, j_im)
    store(moved + STEP * ROW, step)


@inner
def settled(sweep: Any, moved: Any, tolerance: Any) -> Any:
    """Whether every lane's next voltages are within the tolerance of the solution.

    The sweep converges linearly, by a factor rho a sweep: a step d leaves an error d rho / (1 - rho), and the voltages
    that are handed out, one sweep later, rho of that. Half the tolerance is kept for the estimate of rho: the largest
    of what the first four sweeps and the last two showed.
    """
    d, before, most = root(load(moved)), root(load(moved + BEFORE * ROW)), spread(0.99)
    if sweep == LEAP:
        rho = smaller(mul(spread(1.1), larger(root(ratio(d, before)), root(load(moved + AHEAD * ROW)))), most)
        store(moved + RHO * ROW, rho)
        bound = ratio(mul(d, mul(rho, mul(rho, rho))), sub(spread(1.0), mul(rho, rho)))
    else:
        rho = load(moved + RHO * ROW)
        if sweep > LEAP + 1:
            rho = smaller(larger(rho, ratio(d, before)), most)
        bound = ratio(mul(d, mul(rho, rho)), sub(spread(1.0), rho))
    store(moved + BOUND * ROW, bound)
    return all_below(bound, spread(0.5 * tolerance))


@inner
def voltages(first: Any, last: Any, parent: Any, z: Any, order: Any, carrier: Any, state: Any, volts: Any) -> Any:
    """Voltages of every bus of a tree from the branch currents: at once the last half of a further sweep."""
    v_re, v_im = spread(1.0), spread(0.0)
    for k in range(first, last):
        above = parent[k]
        if above < first:
            v_re, v_im = spread(1.0), spread(0.0)
        elif above != k - 1:
            at = volts + order[above] * 2 * ROW
            v_re, v_im = load(at), load(at + ROW)
        if carrier[k] >= 0:
            at = state + carrier[k] * STATE
            j_re, j_im, r, x = load(at), load(at + J_IM), spread(z[k].real), spread(z[k].imag)
            v_re = add(sub(v_re, mul(r, j_re)), mul(x, j_im))
            v_im = sub(sub(v_im, mul(r, j_im)), mul(x, j_re))
        at = volts + order[k] * 2 * ROW
        store(at, v_re)
        store(at + ROW, v_im)


@inner
def turn_back(order: Any, parent: Any, turn: Any, volts: Any) -> Any:
    """V = T U; a root, which no tree writes, is T."""
    for k in range(order.size):
        at = volts + order[k] * 2 * ROW
        v_re, v_im, t_re, t_im = load(at), load(at + ROW), spread(turn[k].real), spread(turn[k].imag)
        if parent[k] < 0:
            v_re, v_im = spread(1.0), spread(0.0)
        store(at, sub(mul(v_re, t_re), mul(v_im, t_im)))
        store(at + ROW, add(mul(v_re, t_im), mul(v_im, t_re)))


@inner
def load_of_branches(first: Any, last: Any, z: Any, limit: Any, carrier: Any, state: Any, moved: Any) -> Any:
    """Add up the losses of a tree's branches, and count those above their squared limit."""
    loss, overloads = load(moved + LOSS * ROW), load(moved + OVERLOADS * ROW)
    for k in range(first, last):
        if carrier[k] >= 0:
            at = state + carrier[k] * STATE
            j_re, j_im = load(at), load(at + J_IM)
            square = add(mul(j_re, j_re), mul(j_im, j_im))
            loss = add(loss, mul(spread(z[k].real), square))
            overloads = add(overloads, one_if_above(square, spread(limit[k])))
    store(moved + LOSS * ROW, loss)
    store(moved + OVERLOADS * ROW, overloads)


@inner
def least_voltage(order: Any, volts: Any, moved: Any) -> Any:
    """The least |V|^2 of the energised buses."""
    least = spread(np.inf)
    for k in range(order.size):
        at = volts + order[k] * 2 * ROW
        v_re, v_im = load(at), load(at + ROW)
        least = smaller(add(mul(v_re, v_re), mul(v_im, v_im)), least)
    store(moved + LEAST * ROW, least)


@inner
def unpack(mine: Any, buses: Any, volts_at: Any, places: Any, places_at: Any, v_at: Any) -> Any:
    """Write the block's voltages by case."""
    for half in range(0, LANES, 8):
        for lane in range(8):
            places[lane] = v_at + mine[min(half + lane, mine.size - 1)] * buses * 16
        for begin in range(0, buses, 4):
            bus = min(begin, buses - 4)
            scatter_eight(volts_at + half * 8 + bus * 2 * ROW, ROW, places_at, bus * 16)
