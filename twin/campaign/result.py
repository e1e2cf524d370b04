"""The results of a campaign as tables: estimates of every metric, and paired differences between designs."""

from __future__ import annotations

import json
import math
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twin.campaign import export
from twin.compare import Comparison, compare_designs
from twin.errors import InputError, Problem
from twin.estimate import Estimate
from twin.finance.appraisal import Money, money
from twin.finance.terms import put

if TYPE_CHECKING:
    import pandas

Float = NDArray[np.float64]

QUANTILES = (0.05, 0.5, 0.95)


class CampaignResult:
    """Replications of all designs of a campaign.

    Attributes:
        identity: what the campaign is: scenario, digest, designs, seed, metrics, version, sweep.
        values: (replications, designs, metrics).
        first: number of the first replication.
        stopped_by: "count", "interval" or "time"; after "time" a repetition may end elsewhere.
    """

    def __init__(self, content: export.Content) -> None:
        self.content = content
        self.identity, self.values = content.identity, content.values  # noqa: PD011 - a numpy array
        self.first, self.stopped_by = content.first, content.stopped_by

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> CampaignResult:
        """Read a results file; `InputError` for anything else."""
        return cls(export.read(path))

    @property
    def designs(self) -> tuple[str, ...]:
        """Names of the designs; of a sweep, design and number of the point."""
        return tuple(self.identity["designs"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics."""
        return tuple(self.identity["metrics"])

    @property
    def replications(self) -> int:
        """Replications of each design."""
        return len(self.values)

    def comparison(self, reference: str | None = None) -> Comparison:
        """Estimates, and differences to a design (the first if None)."""
        values = {name: self.values[:, place] for place, name in enumerate(self.designs)}
        if reference is not None:
            self._place(reference)
        return compare_designs(values, self.metrics, reference, float(self.identity["years_each"]))

    def money(self, point: int | None = None) -> Money:
        """The yearly accounts, and what designs are worth by them: `result.money().appraise(design, counterfactual)`.

        Args:
            point: of a sweep, the number of one of its points; designs then have their plain names.

        Raises:
            InputError: the scenario has no `finance:` block, or the campaign a sweep and no point is named.
        """
        sweep = self.identity.get("sweep")
        if (sweep is None) != (point is None):
            text = "no sweep in these results" if sweep is None else "a sweep has its money at each point"
            raise InputError(Problem(text, key="point", remedy="see result.identity['sweep']['points']"))
        mark = "" if point is None else f"#{point:04d}"
        own = {name.removesuffix(mark) if mark else name: name for name in self.designs if name.endswith(mark)}
        values = {plain: self.values[:, self._place(name)] for plain, name in own.items()}
        return money(values, self.metrics, {plain: self._scenario(name) for plain, name in own.items()})

    def _scenario(self, design: str) -> dict[str, Any]:
        """The resolved scenario of a design; of a sweep with the values of its point."""
        scenario: dict[str, Any] = json.loads(self.identity["scenarios"][design.rpartition("#")[0] or design])
        for path, value in self.point(design).items():
            put(scenario, path, value)
        return scenario

    @property
    def ranges(self) -> dict[str, tuple[float, float]]:
        """Bounds of the scenario's parameters that have some, by key path."""
        return {path: (low, high) for path, (low, high) in self.identity.get("ranges", {}).items()}

    def summary(self) -> pandas.DataFrame:
        """Every metric of every design.

        Returns:
            One row a design and metric: unit, mean, standard_error, low, high (95 %), quantiles q05, q50 and q95 of
            the replications, n, events (replications that differ from the most frequent value; of counts the events
            seen), one_sided (nothing was seen, only `high` is a statement) and method; of a sweep its parameters too.
            Where every replication had the same value there is no interval, but `differs_at_most`: the share of
            replications that may differ (95 %), 3 / n.
        """
        import pandas

        comparison = self.comparison()
        found = []
        for row in comparison.rows:
            for design, one in row.estimates.items():
                column = comparison.column(design, row.metric)
                found.append({
                    "design": design, "metric": row.metric, "unit": row.unit, "mean": one.mean,
                    "standard_error": one.standard_error, **ends(one), **quantiles(column), "n": one.n,
                    "events": one.events, "one_sided": one.one_sided, "method": one.method, **self.point(design),
                })  # fmt: skip
        frame = pandas.DataFrame(found)
        order = {name: place for place, name in enumerate(self.designs)}
        return frame.sort_values("design", key=lambda x: x.map(order), kind="stable").set_index(["design", "metric"])

    def compare(self, a: str, b: str) -> pandas.DataFrame:
        """Paired differences a - b on the same luck.

        Returns:
            One row a metric: unit, means of both, difference with standard_error, low, high (95 %), n, events
            (replications in which they differ; if none do, no interval but differs_at_most as in `summary`), better,
            worse, equal (of a against b), variance_ratio (what pairing bought: the variance of the difference of
            independent draws over its own) and is_resolved.
        """
        import pandas

        comparison = self.comparison(b)
        self._place(a)
        found = []
        for row in comparison.rows:
            paired = comparison.paired(a, b, row.metric)
            one = paired.estimate
            found.append({
                "metric": row.metric, "unit": row.unit,
                "mean_a": row.estimates[a].mean, "mean_b": row.estimates[b].mean, "difference": one.mean,
                "standard_error": one.standard_error, **ends(one), "n": one.n,
                "events": one.events, "better": paired.better, "worse": paired.worse, "equal": paired.equal,
                "variance_ratio": paired.variance_ratio, "is_resolved": paired.is_resolved,
            })  # fmt: skip
        return pandas.DataFrame(found).set_index("metric")

    def to_frame(self) -> pandas.DataFrame:
        """All values: one row a replication and design, one column a metric (of a sweep, a parameter too)."""
        import pandas

        shape = self.values.shape
        index = pandas.MultiIndex.from_product(
            [range(self.first, self.first + shape[0]), self.designs], names=["replication", "design"]
        )
        frame = pandas.DataFrame(self.values.reshape(-1, shape[2]), index, list(self.metrics))
        points = [self.point(design) for design in self.designs]
        for key in reversed(list(points[0])):
            frame.insert(0, key, [point[key] for point in points] * shape[0])
        return frame

    def point(self, design: str) -> dict[str, float]:
        """The swept parameters of a design by key path; empty where nothing was swept."""
        sweep: dict[str, Any] | None = self.identity.get("sweep")
        if sweep is None:
            return {}
        return dict(zip(sweep["parameters"], sweep["points"][int(design.rpartition("#")[2])], strict=True))

    def _place(self, design: str) -> int:
        if design not in self.designs:
            known = ", ".join(self.designs[:20])
            raise InputError(Problem(f"no design '{design}' in these results", remedy=f"known here: {known}"))
        return self.designs.index(design)


def ends(estimate: Estimate) -> dict[str, float]:
    """The interval; where all replications were the same what can be said instead, never an interval of no width."""
    low, high, share = estimate.low, estimate.high, math.nan
    if estimate.n and not estimate.events:
        share = 1 - 0.05 ** (1 / estimate.n)
        if not estimate.one_sided:
            low = high = math.nan
    return {"low": low, "high": high, "differs_at_most": share}


def quantiles(x: Float) -> dict[str, float]:
    """Quantiles of the replications of a metric, by name; nan where it never has a value."""
    seen = x[np.isfinite(x)]
    values = np.quantile(seen, QUANTILES) if len(seen) else np.full(len(QUANTILES), np.nan)
    return {f"q{round(100 * q):02d}": float(value) for q, value in zip(QUANTILES, values, strict=True)}
