"""The command line, `twin`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; always ends with `SystemExit`."""
    from twin.cli.app import twin

    twin()
