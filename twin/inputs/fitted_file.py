"""Catalogues that a fit makes: their YAML text, and the command that writes them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from twin.errors import InputError
from twin.files import write_whole


def yaml_text(head: str, found: dict[str, Any]) -> str:
    """A catalogue's file: a comment of one line, then its YAML."""
    yaml, stream = YAML(), io.StringIO()
    yaml.width, yaml.default_flow_style = 110, None
    yaml.dump(found, stream)
    return f"# {head}\n{stream.getvalue()}"


def command(module: str, catalogue: Path, make: Callable[[Path], str], arguments: Sequence[str]) -> int:
    """Write the file named, or the package's own, from the records below `${TWIN_DATA}`; returns the exit code."""
    if len(arguments) > 1 or any(one.startswith("-") for one in arguments):
        print(f"usage: python -m {module} [FILE]", file=sys.stderr)
        return 2
    target = Path(arguments[0]) if arguments else catalogue
    try:
        write_whole(target, make(Path(os.environ.get("TWIN_DATA") or "../shared/data")).encode())
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"wrote {target}")
    return 0
