"""`twin validate`: the simulator beside closed forms and published indices, for anyone to run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from twin.cli.progress import note_cold_kernels, progress
from twin.cli.show import new_table, say, say_json, say_table, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.validate.case import Figure


@click.command()
@click.option("--only", default="", help="cases whose name holds this text")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=None, help="another seed: another sample of every case"
)
@with_format
@click.pass_context
def validate(ctx: click.Context, only: str, seed: int | None, style: str) -> None:
    """Simulate systems with known figures; exit 1 where one deviates by over four standard errors.

    Takes a few minutes: every closed form and published index beside the simulated value.
    """
    from twin.errors import InputError, Problem
    from twin.validate.case import FAIL_Z, all_cases
    from twin.validate.run import SEED
    from twin.validate.run import validate as run

    known = all_cases()
    cases = [case for case in known if only.lower() in case.name.lower()]
    if not cases:
        raise InputError(Problem(f"no case holds '{only}'", remedy=f"cases: {', '.join(case.name for case in known)}"))
    skipped = [case for case in cases if not case.is_here]
    cases = [case for case in cases if case.is_here]
    if not cases:
        names = ", ".join(f"{case.name} ({case.record})" for case in skipped)
        raise InputError(Problem(f"the records of these cases are not here: {names}", remedy="set TWIN_DATA"))
    note_cold_kernels()
    with progress("validate") as show:
        found = run(cases, seed=SEED if seed is None else seed, tell=lambda done, total: show(done, total, {}))
    wrong = [one for one in found if one.verdict == "wrong"]
    if style == "json":
        rows = [
            asdict(one) | {"relative_error": one.relative_error, "z": one.z, "verdict": one.verdict} for one in found
        ]
        say_json({"seed": SEED if seed is None else seed, "fail_z": FAIL_Z, "wrong": len(wrong), "figures": rows,
                  "skipped": [{"case": case.name, "record": case.record} for case in skipped]})  # fmt: skip
    else:
        _print(found)
        largest = max(found, key=lambda one: abs(one.z))
        say()
        say_wrapped(
            f"{len(found)} figures of {len(cases)} cases; largest |z| {abs(largest.z):.2f}"
            f" ({largest.case}); {len(wrong)} wrong (|z| > {FAIL_Z:g})"
        )
        for case in skipped:
            say_wrapped(f"{case.name}: skipped: record {case.record} is not here (set TWIN_DATA)", "       ")
    if wrong:
        ctx.exit(1)


def _print(found: list[Figure]) -> None:
    table = new_table("case\n  figure", "expected", "simulated", "standard\nerror", "z", "n")
    for one in found:
        table.add_row(
            f"{one.case}\n  {one.name}", f"{one.expected:.5g}", f"{one.simulated:.5g}", f"{one.standard_error:.2g}",
            f"{one.z:+.2f}" + ("" if one.verdict == "agrees" else f" {one.verdict}"), str(one.replications),
        )  # fmt: skip
    say_table(table)
