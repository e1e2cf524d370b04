"""The answer in sentences: who loses fewer GPU-hours and by how much, the drawback, and power beside hardware.

The sentences keep four promises: never "no difference" (these years do not resolve one), always the worst resolved
drawback, zero events as an upper bound, and no statement beyond a single simulated year.
"""

from __future__ import annotations

import math

import numpy as np

from twin.compare import DRAWBACKS, HARDWARE, HEADLINE, POWER, YEARS_MAX, Comparison
from twin.estimate import Estimate, PairedDifference, count_interval, number, round_to_error, years_to_resolve
from twin.metrics.names import METRICS
from twin.words import ENGLISH, Language
from twin.words.language import plain

_THOUSANDS_FROM = 1000


def answer(comparison: Comparison, metric: str = HEADLINE, language: Language = ENGLISH) -> str:
    """The sentences as one plain text.

    Compared are the best other design and the reference. The interval is that of this one pair: with many designs the
    best of them looks a little better than it is.
    """
    return plain(language.join(sentences(comparison, metric, language)))


def sentences(comparison: Comparison, metric: str = HEADLINE, language: Language = ENGLISH) -> list[str]:
    """The sentences of `answer` one by one, their figures between `twin.words.BOLD` marks."""
    teller = _Teller(comparison, metric, language)
    if len(comparison.designs) == 1:
        found = [teller.alone()]
    else:
        best, other = contenders(comparison, metric)
        found = [teller.headline(best, other), teller.runner_up(best, other), teller.drawback(best, other)]
    found.append(teller.power_beside_hardware())
    if comparison.n == 1:
        found.append(teller.one_span())
    return [sentence for sentence in found if sentence]


def contenders(comparison: Comparison, metric: str = HEADLINE) -> tuple[str, str]:
    """The design with the lower mean first: the reference and the best of the others."""
    means = {design: float(np.mean(comparison.column(design, metric))) for design in comparison.designs}
    reference = comparison.reference
    other = min((design for design in comparison.designs if design != reference), key=lambda design: means[design])
    return (other, reference) if means[other] < means[reference] else (reference, other)


def span(comparison: Comparison, language: Language = ENGLISH, n: float | None = None) -> str:
    """How much was simulated of each design: "400 years"."""
    count = number(comparison.n if n is None else n, 0)
    if comparison.years_each == 1.0:
        return language.say("year" if count == "1" else "years", count=count)
    return language.say("replications", count=count, years_each=f"{comparison.years_each:.3g}")


def worst_drawback(comparison: Comparison, best: str, other: str) -> tuple[str, Estimate] | None:
    """The metric with the largest worsening of `best` against `other`, by its yardstick; resolved where n > 1."""
    worst, worst_share = "", 0.0
    for name in (name for name in DRAWBACKS if name in comparison.names):
        paired = comparison.paired(best, other, name)
        mean = paired.estimate.mean
        if not mean > 0 or (comparison.n > 1 and not paired.is_resolved):
            continue
        share = mean / _yardstick(comparison, best, other, name)
        if share > worst_share:
            worst, worst_share = name, share
    return (worst, comparison.paired(best, other, worst).estimate) if worst else None


class _Teller:
    """One comparison, told in one language."""

    def __init__(self, comparison: Comparison, metric: str, language: Language) -> None:
        self.comparison, self.metric, self.language = comparison, metric, language
        self.say = language.say

    def span(self, n: float | None = None) -> str:
        return span(self.comparison, self.language, n)

    def one_span(self) -> str:
        if self.comparison.years_each == 1.0:
            return self.say("one_year")
        return self.say("one_replication", years_each=f"{self.comparison.years_each:.3g}")

    def amount(self, estimate: Estimate, sign: float = 1.0) -> tuple[str, str, str]:
        """Value, ends and unit of a number of GPU-hours, in thousands where large; `sign` -1 turns it round."""
        largest = max(abs(x) for x in (estimate.mean, estimate.low, estimate.high) if math.isfinite(x))
        scale, unit = (1e-3, "thousand_gpu_h") if largest >= _THOUSANDS_FROM else (1.0, "gpu_h")
        if sign < 0:
            estimate = Estimate(
                -estimate.mean, estimate.standard_error, -estimate.high, -estimate.low, estimate.n, estimate.events
            )
        rounded = round_to_error(estimate, scale)
        return rounded.value, self.language.ends(rounded), self.say(unit)

    def interval(self, interval: str) -> str:
        return self.say("interval", interval=interval) if interval else ""

    def alone(self) -> str:
        estimate = self.comparison.row(self.metric).estimates[self.comparison.reference]
        if estimate.mean == 0:
            return self.nothing_lost()
        value, interval, unit = self.amount(estimate)
        ends = self.interval(interval)
        return self.say("alone", design=self.comparison.reference, value=value, unit=unit, interval=ends)

    def nothing_lost(self) -> str:
        comparison = self.comparison
        if comparison.n == 1:
            return self.say("nothing_lost_once")
        bound = round_to_error(count_interval(0, comparison.n * comparison.years_each)).high
        return self.say("nothing_lost", span=self.span(), bound=bound)

    def headline(self, best: str, other: str) -> str:
        comparison = self.comparison
        paired = comparison.paired(best, other, self.metric)
        estimate, mean = paired.estimate, float(np.mean(comparison.column(other, self.metric)))
        if mean == 0:
            return self.nothing_lost()
        value, interval, unit = self.amount(estimate, -1.0)
        share = _percent(-100 * estimate.mean / mean)
        pair = {"best": best, "other": other}
        if comparison.n == 1:
            if estimate.mean == 0:
                return self.say("lost_same_once", **pair)
            return self.say("less_once", **pair, share=share, value=value, unit=unit)
        if paired.is_resolved:
            return self.say(
                "less_years" if comparison.years_each == 1.0 else "less_replications",
                **pair, share=share, value=value, unit=unit, interval=interval, better=paired.better, n=estimate.n,
            )  # fmt: skip
        return self.unresolved(best, other, paired) + self.needed(estimate)

    def unresolved(self, best: str, other: str, paired: PairedDifference) -> str:
        text = self.say("unresolved", span=self.span(), best=best, other=other)
        if paired.equal == paired.estimate.n:
            return text + self.say("unresolved_same")
        _, interval, unit = self.amount(paired.estimate, -1.0)
        known = {"interval": interval, "unit": unit, "best": best}
        if not paired.equal:
            return text + self.say("unresolved_interval", **known)
        return text + self.say("unresolved_differ", **known, differ=paired.better + paired.worse, n=paired.estimate.n)

    def needed(self, estimate: Estimate) -> str:
        needed = years_to_resolve(estimate)
        if needed * self.comparison.years_each > YEARS_MAX:
            return self.say("not_by_simulation")
        magnitude = 10 ** max(math.floor(math.log10(needed)) - 1, 0)
        return self.say("years_would", span=self.span(math.ceil(needed / magnitude) * magnitude))

    def runner_up(self, best: str, other: str) -> str:
        """A sentence where third designs are not resolved from the best: the best is then one of several."""
        comparison, metric = self.comparison, self.metric
        rest = [design for design in comparison.designs if design not in (best, other)]
        close = [
            design
            for design in sorted(rest, key=lambda design: float(np.mean(comparison.column(design, metric))))
            if comparison.n > 1 and not comparison.paired(best, design, metric).is_resolved
        ]
        if not close:
            return ""
        return self.say("runner_up", span=self.span(), best=best, others=self.say("between_names").join(close))

    def drawback(self, best: str, other: str) -> str:
        found = worst_drawback(self.comparison, best, other)
        if found is None:
            return self.say("nothing_worse_once" if self.comparison.n == 1 else "nothing_worse")
        name, estimate = found
        rounded = round_to_error(estimate)
        worse = self.language.drawbacks.get(name, DRAWBACKS[name])
        ends = self.interval(self.language.ends(rounded))
        return self.say("drawback", best=best, worse=worse, value=rounded.value, unit=self.unit(name), interval=ends)

    def unit(self, name: str) -> str:
        unit = METRICS[name].unit if name in METRICS else ""
        if unit in {"1", ""}:
            return ""
        if unit == "1/year":
            return " " + self.say("a_year")
        yearly = unit.removesuffix("/year")
        return " " + (unit if yearly == unit else self.say("per_year_of", unit=yearly))

    def power_beside_hardware(self) -> str:
        if not {POWER, HARDWARE} <= set(self.comparison.names):
            return ""
        parts = []
        for design in self.comparison.designs:
            both = [self.gpu_h(self.comparison.row(name).estimates[design]) for name in (POWER, HARDWARE)]
            parts.append(self.say("amounts", design=design, power=both[0], hardware=both[1]))
        return self.say("power_and_hardware", amounts=self.say("between_designs").join(parts))

    def gpu_h(self, estimate: Estimate) -> str:
        """GPU-hours for a sentence, rounded by their standard error: "6.6 thousand", "430", "none seen"."""
        if estimate.mean == 0:
            return self.say("none_seen")
        if estimate.mean < _THOUSANDS_FROM:
            return round_to_error(estimate).value
        return self.say("thousand", value=round_to_error(estimate, 1e-3).value)


def _percent(value: float) -> str:
    """Whole percent; below one its first digit, so that a resolved difference never reads 0 %."""
    below_one = 0 < abs(value) < 0.95
    return f"{number(value, -math.floor(math.log10(abs(value))) if below_one else 0)} %"


def _yardstick(comparison: Comparison, best: str, other: str, name: str) -> float:
    """What a worsening is large against: GPU-hours against all lost ones, energy against the bill's, else itself."""
    whole = {"gpu_h": "lost_gpu_h_per_year", "kwh": "import_kwh_per_year"}
    for unit, total in whole.items():
        if f"_{unit}_" in name and total in comparison.names:
            name = total
            break
    one, two = comparison.column(best, name), comparison.column(other, name)
    both = np.isfinite(one) & np.isfinite(two)
    return max(abs(float(one[both].mean())), abs(float(two[both].mean())), 1e-300)
