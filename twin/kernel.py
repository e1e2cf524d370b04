"""`@kernel`: compile with numba and keep the machine code on disk.

numba's own disk cache looks at one file's date, so it would serve stale code when a kernel's *callee* in another file
changes. Here the cache folder is named after a digest of every file that holds kernels: changed sources, fresh folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config

_PLANT = ("chance", "plant", "kernel.py", "units.py")
_WINGS = {"powerflow": ("powerflow", "kernel.py", "units.py"), "ems": ("ems", "kernel.py", "units.py")}
"""Files that a wing's kernels depend on; a wing with an entry of its own is not compiled anew with the plant."""


def _wing(module: str) -> tuple[str, ...]:
    return _WINGS.get(module.removeprefix("twin.").partition(".")[0], _PLANT)


def _sources(holders: tuple[str, ...]) -> list[Path]:
    root = Path(__file__).parent
    files: list[Path] = []
    for name in holders:
        place = root / name
        files += sorted(place.rglob("*.py")) if place.is_dir() else [place]
    return files


@lru_cache
def _cache_folder(holders: tuple[str, ...]) -> str:
    """A folder that can be written: NUMBA_CACHE_DIR if set, else the user's cache, else the temporary folder."""
    digest = hashlib.sha256()
    for file in _sources(holders):
        digest.update(file.name.encode() + file.read_bytes())
    name = f"twin-kernels-{digest.hexdigest()[:16]}"
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    for base in (os.environ.get("NUMBA_CACHE_DIR"), home):
        if base:
            folder = Path(base) / name
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError:
                continue
            if os.access(folder, os.W_OK):
                return str(folder)
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def is_cold() -> bool:
    """Whether no kernel of the plant has been compiled on this machine yet."""
    return next(Path(_cache_folder(_PLANT)).rglob("*.nbi"), None) is None


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on its first call, in nopython mode, cached on disk between processes."""
    return _compiled(function, no_cfunc_wrapper=True)


def inner(function: Callable[..., Any]) -> Any:
    """A kernel that only compiled kernels call: no wrapper for Python is compiled, so Python must not call it.

    numba compiles it once more for every literal that it is called with (`note(out, count, i, 5)`), and for the 0 that
    a counter begins with. Pass constants, and begin counters, as numpy integers (`np.int64(0)`): these are no literals.

    To step through such code in Python, switch compilation off altogether (NUMBA_DISABLE_JIT=1).
    """
    return _compiled(function, no_cfunc_wrapper=True, no_cpython_wrapper=True)


def borrowing(function: Callable[..., Any]) -> Any:
    """A kernel that neither makes nor returns an array: it works on Python's, and counts no references to them.

    Counting costs an allocation for each array of a call, and an atomic operation for each array that is passed on
    inside. What it calls is compiled alike; a callee that needs scratch arrays of its own says so (`scratch`).
    """
    return _compiled(function, no_cfunc_wrapper=True, _nrt=False)


def scratch(function: Callable[..., Any]) -> Any:
    """An `inner` kernel that makes arrays for its own use."""
    return _compiled(function, no_cfunc_wrapper=True, no_cpython_wrapper=True, _nrt=True)


def threaded(function: Callable[..., Any]) -> Any:
    """A kernel whose `prange` loops are shared out over numba's threads."""
    return _compiled(function, no_cfunc_wrapper=True, parallel=True)


def _compiled(function: Callable[..., Any], **options: bool) -> Any:
    before = config.CACHE_DIR
    config.CACHE_DIR = _cache_folder(_wing(function.__module__))
    try:
        return numba.njit(cache=True, error_model="numpy", **options)(function)
    finally:
        config.CACHE_DIR = before
