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
import time

import probe_floor
from machine import heading, in_turn, verdict

from twin.parts.ems import Ems
from twin.scenario.load import load
from twin.simulator import Simulator

BAR_MS = 30.0
QUIET_FLOOR_MS, UNITS, CHANGES = 17.8, 160, 3_508
"""Of the flagship's cabinets without a plan: the floor on a quiet core, storage units, changes a year."""
AGAIN = 10


def added_ms(without: Simulator, planned: Simulator, replication: int) -> float:
    spent = []
    for simulator in (without, planned):
        begun = time.thread_time()
        simulator.run(replication, "ledger")
        spent.append(1e3 * (time.thread_time() - begun))
    return spent[1] - spent[0]


def main() -> int:
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--replications", type=int, default=40)
    asked = ask.parse_args()
    print(heading("What planning adds to a replication"))
    study = load("10_reserve")
    without, planned = Simulator(study, "cabinets"), Simulator(study, "trade_30")
    part = next(part for part in planned.blueprint.parts[0] if isinstance(part, Ems))
    added_ms(without, planned, 0)
    print(f"replication 0 made {len(part.made)} plans")
    for first in range(1, asked.replications, AGAIN):
        before = len(part.made)
        block = [added_ms(without, planned, k) for k in range(first, first + AGAIN)]
        made = (len(part.made) - before) / AGAIN
        print(
            f"replications {first} to {first + AGAIN - 1}: {statistics.median(block):.0f} ms, {made:.1f} new plans each"
        )
    empty = probe_floor.changes_besides(CHANGES, UNITS)
    probe_floor.year(0, UNITS, empty)
    spent = in_turn(
        [
            lambda k: without.run(k, "ledger"),
            lambda k: planned.run(k, "ledger"),
            lambda k: probe_floor.year(k, UNITS, empty),
        ],
        AGAIN,
    )
    shared_ms = 1e3 * statistics.median(two - one for one, two in zip(*spent[:2], strict=True))
    floor_ms = 1e3 * statistics.median(spent[2])
    print(f"all plans shared: {verdict(shared_ms, BAR_MS, 'ms', 0)}")
    print(f"floor in the same turns {floor_ms:.0f} ms: {shared_ms / floor_ms:.2f} of it,", end=" ")
    print(f"{shared_ms / floor_ms * QUIET_FLOOR_MS:.0f} ms where the floor takes {QUIET_FLOOR_MS} ms")
    return int(shared_ms > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
