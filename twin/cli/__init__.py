"""The command line, `twin`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; always ends with `SystemExit`."""
    try:
        from twin.cli.app import twin
    except KeyboardInterrupt:
        sys.exit(130)
    twin()
