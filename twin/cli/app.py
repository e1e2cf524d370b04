"""The command `twin` and its subcommands; everything heavy is imported inside them."""

from __future__ import annotations

import click

from twin.cli.bill import bill
from twin.cli.campaigning import campaign, merge
from twin.cli.claims import claims
from twin.cli.comparing import compare, demo
from twin.cli.exporting import export
from twin.cli.fitting import fit
from twin.cli.guard import GuardedGroup
from twin.cli.jobs import jobs
from twin.cli.reporting import report
from twin.cli.scenarios import check, init, schema
from twin.cli.traces import metrics, run
from twin.cli.validating import validate
from twin.version import VERSION

_EPILOG = "First steps: twin demo, then twin init 01_flagship and twin check 01_flagship.yaml."


@click.group(cls=GuardedGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="twin", message="%(prog)s %(version)s")
def twin() -> None:
    """A digital twin for the power supply of large GPU training clusters.

    SCENARIO is a YAML file, or the name of a shipped scenario (twin init lists them).
    """


_COMMANDS = (
    demo, init, check, run, metrics, bill, compare, campaign, merge, report, export, claims, jobs, fit, validate,
    schema,
)  # fmt: skip
for command in _COMMANDS:
    twin.add_command(command)
