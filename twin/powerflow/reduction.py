"""Leave out of the sweeps the buses that draw nothing: exact, and made anew where a block of cases asks for it.

A bus without load and with one loaded branch below it only passes current on: its two branches are one in series. A bus
with nothing loaded below carries no current at all. What is left is cut into runs (chains without a side branch) and
fans (leaves side by side), and the order of work is a walk round the tree: enter a run with its voltage from above,
leave it with its current from below; a fan does both at once.
"""

from __future__ import annotations

from typing import Any

from twin.kernel import inner

ENTER, LEAVE, FAN = 0, 1, 2


@inner
def reduce_tree(
    first: Any,
    last: Any,
    parent: Any,
    z: Any,
    bus: Any,
    manner: Any,
    active: Any,
    scratch: Any,
    links: Any,
    above: Any,
    carrier: Any,
    steps: Any,
) -> Any:
    """Reduce the tree of positions first..last-1 to its active buses.

    Args:
        first, last: The tree's positions; the first hangs from a root, whose voltage is fixed.
        parent, z, bus: Of the whole forest, by position.
        manner: (positions, 4) shunt susceptance, and the load's shares of constant impedance, current and power.
        active: (positions,) True where some case of the block draws power.
        scratch: (3, positions) int.
        links: Out, (kept, 7) series r and x up to the kept bus above, number of the bus, manner.
        above: Out, kept bus that feeds each kept bus, or -1 for the root.
        carrier: Out, by position: the kept bus whose branch current flows in this position's branch, or -1 for none.
        steps: Out, (2 kept, 4) ENTER, LEAVE or FAN, first and last + 1 kept bus, kept bus above them.

    The tree's rows of links and of `above` begin at `first`, its steps at 2 first; kept buses are numbered from 0.

    Returns:
        The number of steps.
    """
    children = scratch[0]
    for k in range(first, last):
        children[k] = 0
    for k in range(last - 1, first, -1):
        if active[k] or children[k] > 0:
            children[parent[k]] += 1
    kept = _keep(first, last, parent, z, bus, manner, active, scratch, links, above, carrier)
    for k in range(last - 1, first, -1):
        p = parent[k]
        if carrier[k] >= 0 and not active[p] and children[p] == 1:
            carrier[p] = carrier[k]
    return _walk(first, kept, above, scratch, steps)


@inner
def _keep(
    first: Any,
    last: Any,
    parent: Any,
    z: Any,
    bus: Any,
    manner: Any,
    active: Any,
    scratch: Any,
    links: Any,
    above: Any,
    carrier: Any,
) -> Any:
    """The kept buses in preorder; returns how many."""
    children, index, up = scratch[0], scratch[1], scratch[2]
    n = 0
    for k in range(first, last):
        carrier[k] = -1
        if not active[k] and children[k] == 0:
            continue
        anchor, sum_r, sum_x, p = -1, z[k].real, z[k].imag, parent[k]
        if p >= first:
            anchor = index[p]
            if not active[p] and children[p] == 1:
                anchor = up[p]
                sum_r += links[first + n, 0]
                sum_x += links[first + n, 1]
        # A bus passed over is followed at once by the one below it: its series impedance waits in the next free place.
        links[first + n, 0], links[first + n, 1], links[first + n, 2] = sum_r, sum_x, bus[k]
        if active[k] or children[k] >= 2:
            for column in range(4):
                links[first + n, 3 + column] = manner[k, column]
            index[k] = carrier[k] = n
            above[first + n] = anchor
            n += 1
        else:
            up[k] = anchor
    return n


@inner
def _walk(base: Any, kept: Any, above: Any, scratch: Any, steps: Any) -> Any:
    """The steps of the walk round the kept tree; returns how many."""
    children, stack, at = scratch[0], scratch[1], 2 * base
    for i in range(kept):
        children[i] = 0
        if above[base + i] >= 0:
            children[above[base + i]] += 1
    n = depth = 0
    for i in range(kept + 1):
        if 0 < i < kept and above[base + i] == i - 1 and children[i - 1] == 1:
            steps[at + stack[depth - 1], 2] = i + 1
            continue
        if (
            i < kept
            and n > 0
            and steps[at + n - 1, 0] == FAN
            and children[i] == 0
            and above[base + i] == steps[at + n - 1, 3]
        ):
            steps[at + n - 1, 2] = i + 1
            continue
        while depth > 0 and (i == kept or steps[at + stack[depth - 1], 2] - 1 != above[base + i]):
            depth -= 1
            for column in range(1, 4):
                steps[at + n, column] = steps[at + stack[depth], column]
            steps[at + n, 0] = LEAVE
            n += 1
        if i < kept and children[i] == 0 and (i + 1 == kept or above[base + i + 1] == above[base + i]):
            steps[at + n, 0], steps[at + n, 1], steps[at + n, 2], steps[at + n, 3] = FAN, i, i + 1, above[base + i]
            n += 1
        elif i < kept:
            steps[at + n, 0], steps[at + n, 1], steps[at + n, 2], steps[at + n, 3] = ENTER, i, i + 1, above[base + i]
            stack[depth] = n
            depth += 1
            n += 1
    return n
