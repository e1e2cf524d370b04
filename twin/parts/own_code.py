"""What is told when a Python file that the scenario names fails: its own line, and no traceback of ours."""

from __future__ import annotations

import traceback

from twin.errors import InputError, Problem


def own_error(error: Exception, file: str) -> InputError:
    """The error as one about the user's file: the last line of it that was running."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return InputError(Problem(f"{type(error).__name__}: {text}", file=file, line=line, remedy="mend the policy"))
