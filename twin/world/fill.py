"""What feeds and load points declare, written into the plant's blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twin.chance import quantiles
from twin.chance.law import CompiledLaw
from twin.errors import InternalError
from twin.plant import fields as f

if TYPE_CHECKING:
    from twin.world.declared import Feed, Load


def fill_feeds(feeds: list[Feed], fact: NDArray[np.int64], quantity: NDArray[np.float64]) -> None:
    """The rows of feeds, and to which feed each unit belongs."""
    first = 0
    for j, feed in enumerate(feeds):
        fact[f.F_SECTIONS, j], fact[f.F_KIND, j] = feed.sections, feed.kind
        fact[f.F_UP, j], fact[f.F_SWITCH, j], fact[f.F_STATE, j] = 1, 1, f.ON_SECTION
        fact[f.F_GENSET, j] = feed.genset
        end = first + len(feed.units)
        fact[f.F_FIRST, j], fact[f.F_COUNT, j] = first, len(feed.units)
        fact[f.U_FEED, first:end] = j
        first = end
        law = feed.transfer or CompiledLaw(quantiles.FIXED, 0.0, 0.0, np.zeros(0), 0.0)
        if law.table.size:
            raise InternalError(f"{feed.name}: a transfer time is a law of two parameters, not a record")
        quantity[f.F_SHARED_KW, j] = quantity[f.F_AUXILIARY_VERSION, j] = -1.0
        quantity[f.F_LOSS_FRACTION : f.F_FAIL_PROBABILITY + 1, j] = (
            feed.loss_fraction, feed.limit_kw, law.code, law.a, law.b,
            (1.0 - feed.fail_common_fraction) * feed.fail_probability,
        )  # fmt: skip
        quantity[f.F_FAIL_COMMON, j] = feed.fail_common_fraction * feed.fail_probability


def fill_loads(loads: list[Load], fact: NDArray[np.int64], quantity: NDArray[np.float64]) -> None:
    """The rows of load points."""
    for i, load in enumerate(loads):
        fact[f.L_KIND, i], fact[f.L_LIT, i], fact[f.L_RUNNING, i] = load.kind, 1, 1
        quantity[f.L_HOLD_UP_US, i] = load.hold_up_ms * 1e3
        quantity[f.L_PER_GPU_SWING_KW, i] = load.per_gpu_swing_kw
        quantity[f.L_FIXED_KW : f.L_MAX_HOLD_UP_US + 1, i] = (
            load.fixed_kw, load.per_gpu_kw, load.per_gpu_capped_kw, load.per_boot_kw, load.full_gpus,
            load.hold_up_ms * 1e3, load.max_hold_up_ms * 1e3,
        )  # fmt: skip


def fill_cords(
    loads: list[Load], feeds_of: list[list[int]], fact: NDArray[np.int64], quantity: NDArray[np.float64]
) -> None:
    """How many live feeds each load needs, and what its switch does; loads take their feeds in turn."""
    for i, load in enumerate(loads):
        count, needed = load.supplies
        fact[f.L_NEEDED, i] = max(1, math.ceil(needed * len(feeds_of[i]) / count - 1e-9))
        quantity[f.L_FED_SHARE, i] = 1.0
        if load.switch is not None:
            law = load.switch.transfer
            fact[f.L_SOURCE, i] = feeds_of[i][i % len(feeds_of[i])] + 1
            quantity[f.L_SWITCH_LAW : f.L_SWITCH_FAIL + 1, i] = law.code, law.a, law.b, load.switch.fail_probability
