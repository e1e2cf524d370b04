"""`twin jobs`: what a job record holds, and which rows were rejected, by reason and by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from twin.cli.show import new_table, say, say_json, say_table, say_wrapped, with_format

if TYPE_CHECKING:
    from twin.inputs.jobs.schema import Reading

_PERCENTS = (5, 25, 50, 75, 95, 99)


@click.command()
@click.argument("file", type=click.Path())
@click.option("--layout", help="the record's layout; found in the file's head if absent")
@click.option("--gpus", type=click.IntRange(min=1), help="of the cluster: larger jobs are rejected")
@click.option("--rejected", "shown", type=click.IntRange(min=0), default=10, show_default=True, help="rows to list")
@click.option("-o", "output", type=click.Path(), help="write the jobs as a table (CSV) that scenarios read")
@with_format
def jobs(file: str, layout: str | None, gpus: int | None, shown: int, output: str | None, style: str) -> None:
    """Read a job record of any known layout and say what is in it."""
    from twin.inputs.jobs.read import read_record
    from twin.inputs.jobs.summary import summary

    if output is not None:
        _refuse_existing(output)
    reading = read_record(file, layout, gpus_max=gpus)
    if output is not None:
        from twin.files import write_whole
        from twin.inputs.jobs.table import table_lines

        write_whole(output, ("\n".join(table_lines(reading.jobs)) + "\n").encode())
    found = summary(reading)
    if style == "json":
        listed = [row._asdict() for row in reading.rejected]
        say_json({**found, "rejected": listed, "written": output})
        return
    _print(reading, found)
    _print_rejected(reading, shown)
    if output is not None:
        say(f"wrote {output}")


def _refuse_existing(output: str) -> None:
    """A record is never written over, least of all the one that is read."""
    import os

    from twin.errors import InputError, Problem

    if os.path.lexists(output):
        raise InputError(Problem("is there already", output, remedy="name another file with -o"))


def _print(reading: Reading, found: dict[str, Any]) -> None:
    from twin.estimate import number

    say_wrapped(
        f"{reading.path}: layout {reading.layout}, {reading.rows} rows, {found['jobs']} jobs, "
        f"{number(found['gpu_h'], 0)} GPU-hours in {found['days']:.1f} days"
    )
    say_wrapped(
        f"  submitted {found['interarrival_mean_s']:.4g} s apart on average, coefficient of variation "
        f"{found['interarrival_cv']:.3g}; {found['tenants']} tenants; if all started at once when submitted, at most "
        f"{found['gpus_at_once_max']} GPUs were busy",
        "  ",
    )
    for note in reading.notes:
        say_wrapped(f"  {note}", "  ")
    say()
    spans = [("run time [s]", "duration_s")] + [("wait [s]", "wait_s")] * ("wait_s" in found)
    table = new_table("percentile", *(f"{percent}" for percent in _PERCENTS), "mean", "largest")
    for label, key in spans:
        values = found[key]
        table.add_row(label, *(f"{values[name]:,.0f}" for name in (*(f"p{p}" for p in _PERCENTS), "mean", "max")))
    say_table(table)
    for title, key in (("GPUs", "by_gpus"), ("state", "by_state")):
        say()
        table = new_table(title, "jobs", "GPU-hours", "share")
        for name, (count, gpu_h) in found[key].items():
            table.add_row(str(name), f"{count:,}", f"{gpu_h:,.0f}", f"{100 * gpu_h / found['gpu_h']:.1f} %")
        say_table(table)


def _print_rejected(reading: Reading, shown: int) -> None:
    say()
    if not reading.rejected:
        say("no row was rejected")
        return
    bad = {row.reason for row in reading.bad}
    say(f"{len(reading.rejected)} of {reading.rows} rows rejected")
    for reason, count in reading.reasons().items():
        say(f"  {count:>8,}  {reason}{' (bad rows: a scenario refuses them)' if reason in bad else ''}")
    worst = [*reading.bad, *(row for row in reading.rejected if not row.bad)][:shown]
    for row in worst:
        say_wrapped(f"  line {row.line}: {row.reason}{': ' if row.detail else ''}{row.detail}", "    ")
    if len(worst) < len(reading.rejected):
        say(f"  and {len(reading.rejected) - len(worst)} more (--rejected N lists more, --format json all)")
