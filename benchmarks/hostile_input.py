"""Thousands of hostile inputs through every door of the command line, and what came of them.

    python benchmarks/hostile_input.py --count 10000 --seed 1
    python benchmarks/hostile_input.py --only 17 --seed 1         # one case again, with all that it said

Each case lays damaged files into a folder of its own and runs one command on them in a worker process, under a clock of
10 s of processor time, with its peak memory measured. A finding is a traceback, a crash, a warning of a library, an
exit code other than 0 or 2, more than 1 GB, a character that a terminal obeys, or a file changed or left behind.
The kinds of damage: tests/hostile/cases.py. Exits with 1 where there is a finding.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from machine import heading

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "hostile"))

from pool import judged
from victims import make


def main() -> int:
    """Run the cases; returns the exit code."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--count", type=int, default=10_000)
    ask.add_argument("--seed", default="1")
    ask.add_argument("--only", type=int, nargs="*", help="numbers of single cases")
    ask.add_argument("--workers", type=int, default=2)
    ask.add_argument("--log", type=Path, help="write every verdict here, one line of JSON each")
    options = ask.parse_args()
    began_s = time.monotonic()
    print(heading("Hostile inputs"))
    with tempfile.TemporaryDirectory(prefix="hostile") as folder:
        victims = make(folder)
        numbers = range(options.count) if options.only is None else options.only
        found = []
        for one in judged(victims, options.seed, numbers, options.workers):
            found.append(one)
            if options.log is not None:
                with options.log.open("a") as log:
                    log.write(json.dumps(one) + "\n")
            if options.only is not None:
                print(json.dumps(one, indent=1))
    print(table(found))
    print(f"{len(found)} cases, seed {options.seed}, {time.monotonic() - began_s:,.0f} s")
    wrong = findings(found)
    for text, places in sorted(wrong.items(), key=lambda one: -len(one[1])):
        print(f"{len(places):>5}  {text}  (cases {', '.join(map(str, places[:4]))})")
    print(f"{sum(map(len, wrong.values()))} findings")
    return 1 if wrong else 0


def table(found: list[dict]) -> str:
    """Markdown: by kind the cases, outcomes, slowest and largest."""
    kinds = defaultdict(list)
    for one in found:
        kinds[one["kind"].partition(" ")[0] if one["kind"].split()[0] in _GROUPED else one["kind"]].append(one)
    lines = ["| kind | cases | done | refused | findings | slowest, CPU s | peak MB |", "|---|---|---|---|---|---|---|"]
    for kind, ones in [*sorted(kinds.items()), ("all", found)]:
        outcomes = Counter(one["outcome"] for one in ones)
        lines.append(
            f"| {kind} | {len(ones)} | {outcomes['done']} | {outcomes['refused']} | "
            f"{sum(bool(one['findings']) for one in ones)} | {max(one['cpu_s'] for one in ones):.1f} | "
            f"{max(one['peak_mb'] for one in ones)} |"
        )
    return "\n".join(lines)


_GROUPED = ("record", "jobs", "log", "hdf5")


def findings(found: list[dict]) -> dict[str, list[int]]:
    """By finding the numbers of its cases."""
    wrong = defaultdict(list)
    for one in found:
        for text in one["findings"]:
            wrong[text].append(one["number"])
    return wrong


if __name__ == "__main__":
    sys.exit(main())
