"""The command `twin` and its subcommands; everything heavy is imported inside them."""

from __future__ import annotations

import click

from twin.cli import comparing, scenarios, traces
from twin.cli.guard import GuardedGroup
from twin.version import VERSION

_EPILOG = "First steps: twin demo, then twin init 01_flagship and twin check 01_flagship.yaml."


@click.group(cls=GuardedGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="twin", message="%(prog)s %(version)s")
def twin() -> None:
    """A digital twin for the power supply of large GPU training clusters.

    SCENARIO is a YAML file, or the name of a shipped scenario (twin init lists them).
    """


for command in (
    comparing.demo,
    scenarios.init,
    scenarios.check,
    traces.run,
    traces.metrics,
    comparing.compare,
    scenarios.schema,
):
    twin.add_command(command)
