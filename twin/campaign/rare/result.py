"""The results of a rare-event campaign as tables."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twin.campaign import export
from twin.campaign.rare.columns import SCHEMA
from twin.campaign.rare.estimate import RareEstimate, mean_weight, rate, residuals
from twin.campaign.result import CampaignResult
from twin.errors import InputError, Problem
from twin.estimate import mean_interval
from twin.metrics import spans
from twin.metrics.names import METRICS

if TYPE_CHECKING:
    import pandas

    from twin.compare import Comparison


def open_result(path: str | os.PathLike[str]) -> CampaignResult:
    """Read a results file, of whichever kind of campaign; `InputError` for anything else."""
    return result_of(export.read(path))


def result_of(content: export.Content) -> CampaignResult:
    """The tables of a campaign's replications.

    Raises:
        InputError: weighted rows of another schema.
    """
    rare = content.identity.get("rare")
    if not rare:
        return CampaignResult(content)
    if rare.get("schema", 1) != SCHEMA:
        text = f"weighted rows of schema {rare.get('schema', 1)}, where this version of twin reads {SCHEMA}"
        own = content.identity.get("twin_version")
        raise InputError(Problem(text, key="rare", remedy=f"read it with twin {own}, or run the campaign again"))
    return RareResult(content)


class RareResult(CampaignResult):
    """Weighted replications of all designs; `values` holds the columns of `twin.campaign.rare.columns`."""

    cpu_s: Mapping[str, tuple[float, float]] = {}
    """By design what a natural and a tuned replication cost in the pilot [s]; empty where read from a file."""

    @property
    def target(self) -> str:
        """The metric that the pilot made frequent; others are by-products, and refused more often."""
        return str(self.identity["rare"]["target"])

    def estimate(self, design: str, metric: str | None = None) -> RareEstimate:
        """One figure; of the target if no metric is named."""
        return rate(self.values[:, self._place(design)], self.metrics, metric or self.target)

    def work_gain(self, design: str) -> float:
        """Work-normalised gain over crude Monte Carlo: p (1 - p) t_crude / (variance t); nan where t is not known."""
        natural_s, tuned_s = self.cpu_s.get(design, (math.nan, math.nan))
        return self.estimate(design).gain * natural_s / tuned_s

    def mean_weight(self, design: str) -> tuple[float, float]:
        """Mean weight of an excursion, which is 1 but for luck, and its standard error."""
        return mean_weight(self.values[:, self._place(design)], self.metrics)

    def summary(self) -> pandas.DataFrame:
        """Every metric of every design.

        Returns:
            One row a design and metric: unit, mean, standard_error, low, high (95 %), hits, effective_hits,
            weight_share_max, gain (crude replications that say as much as one of these), n, and refused: why there is
            no figure, or "".
        """
        import pandas

        found = []
        for design in self.designs:
            for metric in spans.NAMES:
                one = self.estimate(design, metric)
                found.append({
                    "design": design, "metric": metric, "unit": METRICS[metric].unit, "mean": one.estimate.mean,
                    "standard_error": one.estimate.standard_error, "low": one.estimate.low, "high": one.estimate.high,
                    "hits": one.hits, "effective_hits": one.effective_hits, "weight_share_max": one.weight_share_max,
                    "gain": one.gain, "n": one.estimate.n, "refused": one.refused,
                })  # fmt: skip
        return pandas.DataFrame(found).set_index(["design", "metric"])

    def compare(self, a: str, b: str) -> pandas.DataFrame:
        """Paired differences a - b on the same luck; nan where either figure is refused.

        Returns:
            One row a metric: unit, mean_a, mean_b, difference, standard_error, low, high (95 %), n.
        """
        import pandas

        found = []
        for metric in spans.NAMES:
            ones = [self.estimate(name, metric) for name in (a, b)]
            (one, mean_a), (two, mean_b) = (
                residuals(self.values[:, self._place(name)], self.metrics, metric) for name in (a, b)
            )
            paired = mean_interval(mean_a - mean_b + one - two)
            spoilt = math.nan if any(each.refused for each in ones) else 0.0
            found.append({
                "metric": metric, "unit": METRICS[metric].unit, "mean_a": mean_a + spoilt, "mean_b": mean_b + spoilt,
                "difference": mean_a - mean_b + spoilt, "standard_error": paired.standard_error + spoilt,
                "low": paired.low + spoilt, "high": paired.high + spoilt, "n": paired.n,
            })  # fmt: skip
        return pandas.DataFrame(found).set_index("metric")

    def comparison(self, reference: str | None = None) -> Comparison:  # noqa: ARG002 - as in a plain campaign
        """Not of weighted rows."""
        raise InputError("weighted replications have no plain comparison; use summary() and compare()")

    def as_data(self) -> dict[str, Any]:
        """All estimates for JSON."""
        rows = self.summary().reset_index().to_dict("records")
        return {
            "target": self.target,
            "estimates": rows,
            "mean_weight": {name: self.mean_weight(name) for name in self.designs},
        }
