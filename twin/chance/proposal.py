"""Importance sampling on keyed draws: what is drawn otherwise than nature draws it, and what that must weigh.

Three kinds of draws are biased, each by group, the same for all items of a group:

- a **clock** runs `speed` times as fast: with hazard H used up at natural speed and N failures meanwhile, the
  likelihood ratio is speed**-N exp((speed - 1) H);
- an **on-demand failure** has `probability` q' instead of q: q / q' where it fails, (1 - q) / (1 - q') where not;
- a **duration** is a mixture: with probability `NOMINAL_SHARE` its own law, else the law whose unit-exponential hazard
  is `stretch` times as long. With E the hazard of the value drawn and s the stretch the ratio is
  1 / (a + (1 - a) exp((1 - 1/s) E) / s), at most 1/a; while it is still under way, with hazard E outlived, the ratio
  of the survival probabilities stands instead, 1 / (a + (1 - a) exp((1 - 1/s) E)).

Proposals themselves are mixed: each excursion draws one of them by its share, and weighs by the whole mixture (the
balance heuristic of Veach and Guibas, SIGGRAPH 1995, for one draw). With the natural one among them a weight never
exceeds 1 / its share (Owen and Zhou, "Safe and effective importance sampling", JASA 95, 2000).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

NOMINAL_SHARE = 0.2
"""Of the durations under a stretched proposal: drawn by their own law. For 1oo2 the second moment of a hit is about
ln(1 / (1 - a)) / a, 1.39 at a = 1/2 and 1.12 here; a weight is bounded by 1/a for each such duration."""


@dataclass(frozen=True)
class Proposal:
    """One way to draw while a site is degraded; a group that is not named is drawn as nature does.

    Attributes:
        share: of the excursions that use it; the shares of all proposals add up to 1.
        speed: by group of clocks, above 0; 1 is natural.
        probability: by group of on-demand failures, strictly between 0 and 1.
        stretch: by group of durations, 1 or more.
    """

    share: float = 1.0
    speed: Mapping[str, float] = field(default_factory=dict)
    probability: Mapping[str, float] = field(default_factory=dict)
    stretch: Mapping[str, float] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """For JSON; `Proposal(**data)` reads it back."""
        return asdict(self)


@dataclass
class Tally:
    """What one excursion drew, by group: enough to weigh it under any proposal.

    Attributes:
        used: hazard used up by clocks while they may be biased, at natural speed.
        fired: clocks that ran out meanwhile.
        failed, worked: on-demand draws by outcome; `natural` their probability.
        lengths: unit-exponential hazards of the durations drawn.
        outlived: hazards that durations still under way have outlived; those are not among `lengths`.
    """

    used: dict[str, float] = field(default_factory=dict)
    fired: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    worked: dict[str, int] = field(default_factory=dict)
    natural: dict[str, float] = field(default_factory=dict)
    lengths: dict[str, list[float]] = field(default_factory=dict)
    outlived: dict[str, list[float]] = field(default_factory=dict)

    def demand(self, group: str, natural: float, failed: bool) -> None:
        """Take note of an on-demand draw."""
        self.natural[group] = natural
        count = self.failed if failed else self.worked
        count[group] = count.get(group, 0) + 1

    def log_ratio(self, proposal: Proposal) -> float:
        """Logarithm of the density of nature over that of the proposal, at what was drawn."""
        total = 0.0
        for group, speed in proposal.speed.items():
            if speed != 1.0:
                total += (speed - 1.0) * self.used.get(group, 0.0) - self.fired.get(group, 0) * math.log(speed)
        for group, probability in proposal.probability.items():
            natural = self.natural.get(group)
            if natural is not None and probability != natural:
                total += self.failed.get(group, 0) * math.log(natural / probability)
                total += self.worked.get(group, 0) * math.log((1.0 - natural) / (1.0 - probability))
        for group, stretch in proposal.stretch.items():
            total += math.fsum(log_mixture(hazard, stretch) for hazard in self.lengths.get(group, ()))
            total += math.fsum(log_survival(hazard, stretch) for hazard in self.outlived.get(group, ()))
        return total


def log_mixture(hazard: float, stretch: float) -> float:
    """Logarithm of the ratio of a duration's own density to that of its mixture, at its unit-exponential hazard."""
    long = math.exp(min((1.0 - 1.0 / stretch) * hazard, 700.0)) / stretch
    return -math.log(NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * long)


def log_survival(hazard: float, stretch: float) -> float:
    """The same of the probabilities to outlive a hazard."""
    long = math.exp(min((1.0 - 1.0 / stretch) * hazard, 700.0))
    return -math.log(NOMINAL_SHARE + (1.0 - NOMINAL_SHARE) * long)


def log_weight(tally: Tally, proposals: Sequence[Proposal]) -> float:
    """Logarithm of the density of nature over that of the mixture of all proposals, at what was drawn."""
    parts = [math.log(one.share) - tally.log_ratio(one) for one in proposals]
    largest = max(parts)
    return -largest - math.log(math.fsum(math.exp(part - largest) for part in parts))
