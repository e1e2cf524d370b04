"""The target of a rare-event campaign as a site shows it: once it is hit, nothing more need be biased."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from twin.plant import fields as f

if TYPE_CHECKING:
    from twin.world.site import Site


def _dark(site: Site, kind: int) -> np.ndarray:
    """For each load point of a kind whether it is dark."""
    loads = len(site.plan.load_items)
    dark: np.ndarray = site.fact[f.L_LIT, :loads][site.fact[f.L_KIND, :loads] == kind] == 0
    return dark


def all_rows(site: Site) -> bool:
    """No row is lit."""
    dark = _dark(site, f.ROW)
    return dark.size > 0 and bool(dark.all())


def any_core(site: Site) -> bool:
    """The core is dark."""
    return bool(_dark(site, f.CORE).any())


def any_row(site: Site) -> bool:
    """A row is dark."""
    return bool(_dark(site, f.ROW).any())


def any_load(site: Site) -> bool:
    """A row or the core is dark: what interrupts jobs."""
    return any_row(site) or any_core(site)


HITS: dict[str, Callable[[Site], bool]] = {
    "all_rows_dark_per_year": all_rows,
    "core_dark_h_per_year": any_core,
    "row_dark_h_per_year": any_row,
    "interruptions_per_row_year": any_row,
    "job_interruptions_power_per_year": any_load,
    "lost_gpu_h_power_per_year": any_load,
}
"""By metric; none where several rows must fail. It stops the bias, no more: an estimate is unbiased without it."""
