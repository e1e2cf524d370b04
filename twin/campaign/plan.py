"""What a campaign is: its identity, by which a later session knows it again, and how its replications are cut up."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.campaign.rare.columns import COLUMNS
from twin.campaign.rare.estimate import relative_width
from twin.campaign.stop import DIFFERENCE, Float, StopRule, is_enough, widths
from twin.errors import InputError, Problem
from twin.experiment import value_names
from twin.metrics.names import NAMES
from twin.scenario.merge import suggest
from twin.scenario.model import Scenario
from twin.scenario.study import Study
from twin.units import HOURS_PER_YEAR
from twin.version import VERSION

CHUNK_MAX = 200
HEADLINE = "lost_gpu_h_per_year"
REPLICATIONS_MAX = 10_000_000

_WORDS = {
    "digest": "the scenario or its data",
    "designs": "the designs",
    "seed": "the seed",
    "metrics": "the list of metrics",
    "twin_version": "the version of twin",
    "sweep": "the sweep",
    "canary": "the arithmetic of this machine",
    "format": "the format",
    "years_each": "the horizon",
    "rare": "the rare-event settings",
}


@dataclass(frozen=True)
class Plan:
    """A campaign to run: `study` holds its designs alone; replications `first` up to `end` (not included)."""

    study: Study[Scenario]
    first: int
    end: int
    rule: StopRule | None = None
    until_time_s: float | None = None
    sweep: dict[str, Any] | None = None
    scenarios: dict[str, str] = field(default_factory=dict)
    """The resolved designs as JSON text, without those of a sweep's points."""
    ranges: dict[str, list[float]] = field(default_factory=dict)
    """Bounds by key path, of the parameters of any design."""

    rare: dict[str, Any] | None = None
    """Of a rare-event campaign the target and by design what is biased (`Settings.as_data`)."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What a row of results holds."""
        return value_names(self.study) if self.rare is None else COLUMNS

    @property
    def designs(self) -> tuple[str, ...]:
        """Names of the designs, of a sweep those of its points."""
        return tuple(self.study.designs)

    def identity(self, canary: str) -> dict[str, Any]:
        """What must agree between two sessions of one campaign. Counts, stop rule and engine need not."""
        any_design = next(iter(self.study.designs.values()))
        return {
            "format": 1,
            "scenario": self.study.name,
            "digest": self.study.digest,
            "designs": list(self.designs),
            "seed": any_design.seed,
            "years_each": any_design.horizon.hours / HOURS_PER_YEAR,
            "metrics": list(self.columns),
            "twin_version": VERSION,
            "sweep": self.sweep,
            "canary": canary,
            "scenarios": self.scenarios,
            "ranges": self.ranges,
        } | ({} if self.rare is None else {"rare": self.rare})

    def is_enough(self, values: Float) -> bool:
        """Whether the rule lets these replications be the last."""
        if self.rule is None:
            return False
        if self.rare is None:
            return is_enough(values, self.columns, self.rule)
        return self.widest(values) <= self.rule.relative_width

    def widest(self, values: Float) -> float:
        """The widest relative half-width of the targets; inf while one says nothing."""
        if self.rare is not None:
            targets = self.rule.targets if self.rule else (self.rare["target"],)
            each = [relative_width(values[:, k], COLUMNS, t) for k in range(values.shape[1]) for t in targets]
            return max(each)
        targets = self.rule.targets if self.rule else (HEADLINE,)
        return max((one.relative for one in widths(values, self.columns, targets)), default=math.inf)


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any], file: str, remedy: str) -> None:
    """Refuse rows of another campaign.

    Raises:
        InputError: naming every field that differs.
    """
    problems = []
    for name, words in _WORDS.items():
        one, other = found.get(name), wanted.get(name)
        if one != other:
            text = f"{words} differ{'' if words.endswith(('s', 'data')) else 's'} ({name}: {_brief(one)} in the file"
            problems.append(Problem(f"{text}, {_brief(other)} now)", file, remedy=remedy))
    if problems:
        raise InputError(problems)


def _brief(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], str):
        value = ", ".join(value)
    text = str(value)
    return text if len(text) <= 40 else f"{text[:36]} ..."


def stop_rule(
    until_ci: float | None, metrics: Sequence[str] | None, known: Sequence[str] = NAMES, *, rare: bool = False
) -> StopRule | None:
    """The rule for a relative half-width; the headline metric if none is named.

    Args:
        until_ci: the width.
        metrics: targets; those of a rare-event campaign may be named without a width, the first is its target.
        known: names that may be named.
        rare: whether it is one.

    Raises:
        InputError: a width that is none, metrics without a width, or an unknown metric.
    """
    targets = tuple(dict.fromkeys(metrics or (known[0] if rare else HEADLINE,)))
    names = [(target, target if rare else target.removeprefix(DIFFERENCE)) for target in targets]
    problems = [Problem(f"no metric '{t}'", key="metric", remedy=suggest(n, known)) for t, n in names if n not in known]
    if problems:
        raise InputError(problems)
    if until_ci is None:
        if metrics and not rare:
            raise InputError(Problem("metrics are named, but no width to reach", key="metric", remedy="add --until-ci"))
        return None
    if not 0 < until_ci < 1:
        raise InputError(Problem(f"{until_ci:g} is not between 0 and 1", key="until_ci", remedy="write 5% or 0.05"))
    return StopRule(until_ci, targets)


def span_of(text: str) -> tuple[int, int]:
    """`A:B` as numbers; replications A up to B - 1."""
    match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text.strip())
    if match is None or int(match[1]) >= int(match[2]):
        raise InputError(Problem(f"'{text}' is no range", key="range", remedy="write A:B with A < B, such as 0:100"))
    return int(match[1]), int(match[2])


def chunk_size(replication_s: float | None, target_s: float, left: int, slots: int) -> int:
    """Replications of a task: about `target_s` of work, fewer near the end so that no worker waits for another."""
    if not replication_s:
        return 1
    size = min(max(round(target_s / replication_s), 1), CHUNK_MAX)
    return max(min(size, -(-left // (2 * max(slots, 1)))), 1)
