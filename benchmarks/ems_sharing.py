"""What the default policy adds to a replication of the flagship, once plans are shared; bar 30 ms.

    python benchmarks/ems_sharing.py [--replications 40]

Pairs of one replication of 10_reserve: cabinets without a plan, and trading down to 30 %. Thread CPU, level "ledger".
Says how many plans each replication had to make because no earlier one had met the same, and what is added when it
makes none, in turn with the floor of `probe_floor.py` for the same changes and storage units: the bar is one of a quiet
core, on which the floor takes 17.8 ms.
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from typing import Any

import probe_floor
from machine import heading, in_turn, verdict

from twin.parts.ems import Ems
from twin.scenario.load import load
from twin.simulator import Simulator

BAR_MS = 30.0
QUIET_FLOOR_MS, UNITS, CHANGES = 17.8, 160, 3_508
"""Of the flagship's cabinets without a plan: the floor on a quiet core, storage units, changes a year."""
AGAIN = 10


def both(without: Simulator, planned: Simulator, first: int) -> list[Callable[[int], Any]]:
    """Replications from `first` on, for `in_turn`."""
    return [lambda k, one=one: one.run(first + k - 1, "ledger") for one in (without, planned)]


def added_ms(without_s: list[float], planned_s: list[float]) -> float:
    return 1e3 * statistics.median(two - one for one, two in zip(without_s, planned_s, strict=True))


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--replications", type=int, default=40)
    asked = ask.parse_args()
    print(heading("What planning adds to a replication"))
    study = load("10_reserve")
    without, planned = Simulator(study, "cabinets"), Simulator(study, "trade_30")
    part = next(part for part in planned.blueprint.parts[0] if isinstance(part, Ems))
    in_turn(both(without, planned, 0), 1)
    print(f"replication 0 made {len(part.made)} plans")
    for first in range(1, asked.replications, AGAIN):
        before = len(part.made)
        block_ms = added_ms(*in_turn(both(without, planned, first), AGAIN))
        made = (len(part.made) - before) / AGAIN
        print(f"replications {first} to {first + AGAIN - 1}: {block_ms:.0f} ms, {made:.1f} new plans each")
    empty = probe_floor.changes_besides(CHANGES, UNITS)
    probe_floor.year(0, UNITS, empty)
    runs = [*both(without, planned, 1), lambda k: probe_floor.year(k, UNITS, empty)]
    *spent, floor_s = in_turn(runs, AGAIN)
    shared_ms, floor_ms = added_ms(*spent), 1e3 * statistics.median(floor_s)
    print(f"all plans shared: {verdict(shared_ms, BAR_MS, 'ms', 0)}")
    print(f"floor in the same turns {floor_ms:.0f} ms: {shared_ms / floor_ms:.2f} of it,", end=" ")
    print(f"{shared_ms / floor_ms * QUIET_FLOOR_MS:.0f} ms where the floor takes {QUIET_FLOOR_MS} ms")
    return int(shared_ms > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
