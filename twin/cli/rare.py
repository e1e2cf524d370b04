"""What a rare-event campaign found, in the terminal: figures with their effective samples, refusals with reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twin.cli.show import new_table, say, say_table, say_wrapped

if TYPE_CHECKING:
    from twin.campaign.rare.result import RareResult


def print_rare(result: RareResult) -> None:
    """A table for each design, the target first, what is refused and why, and what weights and pilot say."""
    for design in result.designs:
        _print_design(result, design)
    say_wrapped(
        "note   Effective: hits of equal weight that say as much. Gain: crude replications that say as much as one of "
        "these. A figure is refused where one hit carries 5 % of the weight of all, or 5 % of them are effective.",
        "       ",
    )


def _print_design(result: RareResult, design: str) -> None:
    from twin.metrics import spans

    table = new_table(design, "per year", "95 % interval", "hits", "effective", "gain")
    refusals: dict[str, list[str]] = {}
    for metric in sorted(spans.NAMES, key=lambda name: name != result.target):
        one = result.estimate(design, metric)
        found, hits = one.estimate, (f"{one.hits}", f"{one.effective_hits:.0f}")
        name = metric.removesuffix("_per_year")
        if not one.refused:
            interval = f"{found.low:.3g} to {found.high:.3g}"
            table.add_row(name, f"{found.mean:.4g}", interval, *hits, f"{one.gain:.3g}")
            continue
        refusals.setdefault(one.refused, []).append(metric)
        if metric == result.target:
            table.add_row(name, "refused", "", *hits, "")
    say_table(table)
    for why, metrics in refusals.items():
        say_wrapped(f"refused {', '.join(metrics)}: {why}", "        ")
    mean, error = result.mean_weight(design)
    say_wrapped(f"mean weight of an excursion {mean:.4f} +- {error:.4f}, 1 but for luck")
    work_gain = result.work_gain(design)
    if math.isfinite(work_gain):
        say_wrapped(f"for the same work crude Monte Carlo would need {work_gain:.3g} times as long")
    say()
