"""How a command ends: 0 done, 2 wrong input, 1 a bug of ours or no room on the disk, 130 interrupted, 141 unread."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from twin.cli.show import complain
from twin.errors import HaltedError, InputError, shortened
from twin.version import VERSION

_PROBLEMS_SHOWN, _TOLD_MAX, _WORDS_MAX = 50, 12_000, 2000
"""Problems that are told, unless so many characters are told before; characters of what click says."""
DONE, BUG, HALTED, WRONG_INPUT, INTERRUPTED = 0, 1, 1, 2, 130


class StoppedError(Exception):
    """The user pressed Ctrl-C; the message says how to go on."""


class GuardedGroup(click.Group):
    """A group whose every failure is one clear message on stderr and an exit code; commands keep their given order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order a new user meets them."""
        return list(self.commands)

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run and exit; see the module's first line for the codes."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        sys.exit(self._code(args, prog_name, **extra))

    def _code(self, args: Sequence[str] | None, prog_name: str | None, **extra: Any) -> int:
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except InputError as error:
            _tell(error)
            return WRONG_INPUT
        except click.ClickException as error:
            told = io.StringIO()
            error.show(told)
            complain(shortened(told.getvalue().rstrip(), _WORDS_MAX))  # it quotes what was typed
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            complain("stopped: nothing was written; run the same command again to start over")
            return INTERRUPTED
        except StoppedError as stop:
            complain(f"stopped: {stop}")
            return INTERRUPTED
        except HaltedError as error:
            complain(f"error: {error}")
            return HALTED
        except Exception as error:  # noqa: BLE001 - whatever else reaches the user is a bug, and is said to be one
            _confess(error)
            return BUG
        return code if isinstance(code, int) else DONE


def _tell(error: InputError) -> None:
    shown = told = 0
    while shown < min(len(error.problems), _PROBLEMS_SHOWN) and told < _TOLD_MAX:
        text = str(error.problems[shown])
        complain(f"error: {text}")
        shown, told = shown + 1, told + len(text)
    if shown < len(error.problems):
        complain(f"error: and {len(error.problems) - shown} more")


def _confess(error: Exception) -> None:
    if os.environ.get("TWIN_DEBUG") == "1":
        complain("".join(traceback.format_exception(error)).rstrip())
    name = type(error).__name__
    complain(f"internal error: {name}: {error}")
    complain(
        f"This is a bug in twin {VERSION}, not in your input. Please report it; TWIN_DEBUG=1 shows where it happened."
    )
