"""`twin export`: the tables of a trace or of a campaign as CSV or Parquet files, or the file written anew."""

from __future__ import annotations

import os
from pathlib import Path

import click

from twin.cli.show import say


@click.command()
@click.argument("file", type=click.Path())
@click.option("-o", "output", required=True, type=click.Path(), help="folder to make; of h5 the file")
@click.option("--format", "style", type=click.Choice(["csv", "parquet", "h5"]), default="csv", show_default=True)
def export(file: str, output: str, style: str) -> None:
    """Write the tables of a trace or of a campaign, one file each, units and meanings beside them."""
    from twin.campaign import export as results
    from twin.campaign.rare.result import open_result
    from twin.errors import InputError, Problem
    from twin.frames import campaign_frames, trace_frames, write_frames
    from twin.trace import Trace

    target = Path(output)
    if os.path.lexists(target):
        raise InputError(Problem("is there already", output, remedy="name another"))
    is_campaign = results.is_campaign(file)
    if style == "h5":
        if is_campaign:
            results.write(target, results.read(file))
        else:
            Trace.open(file).save(target)
        say(f"wrote {target}")
        return
    frames = campaign_frames(open_result(file)) if is_campaign else trace_frames(Trace.open(file))
    files = write_frames(frames, target, "parquet" if style == "parquet" else "csv")
    say(f"wrote {len(files)} files in {target}: {', '.join(one.name for one in files)}")
