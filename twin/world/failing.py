"""How like items fail and are restored, compiled: what a part hands to `Family`, whatever the part is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from twin.chance.law import CompiledLaw
from twin.plant.clocks import MANAGED
from twin.world.repairs import Care

NOT_DRAWN = (MANAGED, 0.0, 0.0, np.zeros(0))


@dataclass(frozen=True)
class Dormancy:
    """Failures that nobody sees when they happen.

    Args:
        fraction: share of failures that stay hidden, drawn for each failure.
        test_every_h: a periodic test finds what is hidden; None: no test.
        staggered: each item's tests have a phase of their own, by its name; else all are tested together.
        by_need: a hidden failure is found when the item is needed.
    """

    fraction: float
    test_every_h: float | None = None
    staggered: bool = False
    by_need: bool = True


@dataclass(frozen=True)
class Failing:
    """The failure model of like items.

    Args:
        life: time to failure, all causes together, consumed as unit-exponential hazard.
        repair: down time, or with `care` or `dormancy` the active repair alone.
        common_fraction: beta, the share of the hazard that strikes a whole group at once; the rest is each item's own.
        age_kept_fraction: of the age at failure, after a repair: 0 as new, 1 as old (Kijima's second model).
        care: crew, travel and spare part that a repair needs; None: nobody is waited for.
        dormancy: hidden failures; None: all are seen at once.
    """

    life: CompiledLaw
    repair: CompiledLaw
    common_fraction: float = 0.0
    age_kept_fraction: float = 0.0
    care: Care | None = None
    dormancy: Dormancy | None = None

    @property
    def managed(self) -> bool:
        """Whether a restoration is more than one draw."""
        return self.care is not None or self.dormancy is not None

    @property
    def restoration(self) -> tuple[int, float, float, np.ndarray]:
        """The restoration as kernels take it."""
        return NOT_DRAWN if self.managed else self.repair.columns


@dataclass(frozen=True)
class Group:
    """Items that a common cause strikes together.

    Args:
        item: id of the group's own item, in whose name it strikes; its draws are keyed by `name`.
        name: full name of that item.
        members: indices in the family.
    """

    item: int
    name: str
    members: list[int] = field(default_factory=list)


def instantaneous(model: Failing, at: CompiledLaw) -> Failing:
    """The model of a group's common cause: the same law of time, over as soon as it has struck."""
    return replace(model, repair=at, common_fraction=0.0, age_kept_fraction=0.0, care=None, dormancy=None)
