"""What a rare-event campaign found, in the terminal: figures with their effective samples, refusals with reasons."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from twin.cli.show import new_table, say, say_table, say_wrapped

if TYPE_CHECKING:
    from twin.campaign.rare.result import RareResult


def print_rare(result: RareResult) -> None:
    """A table for each design, the target first, and what weights and pilot say of it."""
    for design in result.designs:
        _print_design(result, design)
    say_wrapped(
        "note   Effective: hits of equal weight that say as much. Gain: crude replications that say as much as one of "
        "these. A figure is refused where one hit carries 5 % of the weight of all, or 5 % of them are effective.",
        "       ",
    )


def _print_design(result: RareResult, design: str) -> None:
    from twin.metrics import spans

    table, refusals = new_table(design, "per year", "95 % interval", "hits", "effective", "gain"), []
    for metric in sorted(spans.NAMES, key=lambda name: name != result.target):
        one = result.estimate(design, metric)
        cells = [metric.removesuffix("_per_year"), "refused", "", f"{one.hits}", f"{one.effective_hits:.0f}", ""]
        if one.refused:
            refusals.append((metric, one.refused))
        else:
            cells[1:3] = f"{one.estimate.mean:.4g}", f"{one.estimate.low:.3g} to {one.estimate.high:.3g}"
            cells[5] = f"{one.gain:.3g}"
        table.add_row(*cells)
    say_table(table)
    for metric, why in refusals:
        say_wrapped(f"refused {metric}: {why}", "        ")
    mean, error = result.mean_weight(design)
    say_wrapped(f"mean weight of an excursion {mean:.4f} +- {error:.4f}, 1 but for luck")
    gain = result.work_gain(design)
    if math.isfinite(gain):
        say_wrapped(f"for the same work crude Monte Carlo would need {gain:.3g} times as long")
    say()
