"""How hard to push: proposals from the tallies of pilot runs. Pure functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from twin.chance.proposal import Proposal, Tally, log_weight
from twin.world.weights import ONSET

STRETCH = 3.0
"""Of durations in a balanced proposal."""
STRETCH_MOST = 20.0
PROBABILITY_MOST = 0.5
"""A first demand that works and a second that fails is a way too: were the first all but sure to fail, it would weigh
1 / (1 - q') more. At a half no outcome of a demand weighs more than twice."""
SPEED_MOST = 1e7
"""A group that needs more to fail in an excursion is left to nature."""
ONSETS_MOST = 0.5
"""Failures that a pushed clock brings in a natural wait for a first fault, at most. Were it the only push, and the wait
exponential, the second moment of a hit were p**2 / (x (1 - x)) with x of them: least at a half, unbounded from 1 on,
which hits that all came early do not show."""
NOTABLE = 1.1
"""What is less than so many times nature is left to it."""
SHARE_LEAST = 0.02
"""Of the hits: what fails in fewer, by weight, is left to nature and to the balanced proposal."""
PUSHES, STRETCHES = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4), (0.5, 1.0, 2.0)
"""Multiples of a cross-entropy proposal that are tried: of speeds and probabilities, and of stretches."""


def balance(tallies: Sequence[Tally], failures: float) -> Proposal:
    """The same expected number of failures an excursion for every group, `failures` together; never below nature's."""
    count = len(tallies)
    used = {group: sum(one.used.get(group, 0.0) for one in tallies) / count for group in _groups(tallies, "used")}
    natural = {group: q for one in tallies for group, q in one.natural.items()}
    draws = {
        group: [n for one in tallies if (n := one.failed.get(group, 0) + one.worked.get(group, 0))] for group in natural
    }
    each = failures / max(len(used) + len(draws), 1)
    speed = {group: each / hazard for group, hazard in used.items() if each > hazard > each / SPEED_MOST}
    probability = {group: min(each * len(n) / sum(n), 0.5) for group, n in draws.items()}
    stretch = dict.fromkeys(_groups(tallies, "lengths"), STRETCH)
    return Proposal(1.0, speed, {group: q for group, q in probability.items() if q > natural[group]}, stretch)


def completed(balanced: Proposal, deeper: Proposal) -> Proposal:
    """A balanced proposal, with the groups that it lacks as excursions that went deeper balance them."""
    return Proposal(
        balanced.share,
        {**deeper.speed, **balanced.speed},
        {**deeper.probability, **balanced.probability},
        {**deeper.stretch, **balanced.stretch},
    )


def onsets_most(natural: Sequence[Tally]) -> dict[str, float]:
    """The most speed of each clock while a site is whole, by the hazard that natural excursions used before they began.

    What counts is the mean over first faults, not over waits: in its season a clock uses more hazard a wait, and has
    more first faults by as much. Of exponential waits that is E[H**2] / (2 E[H]).
    """
    most = {}
    for group in _groups(natural, "used"):
        if group.startswith(ONSET):
            used = [one.used.get(group, 0.0) for one in natural]
            if total := math.fsum(used):
                most[group] = max(ONSETS_MOST * 2.0 * total / math.fsum(own * own for own in used), 1.0)
    return most


def slowed(proposal: Proposal, push: float) -> Proposal:
    """The same with only so much of the push of its clocks."""
    speed = {group: 1.0 + push * (one - 1.0) for group, one in proposal.speed.items()}
    return Proposal(proposal.share, speed, proposal.probability, proposal.stretch)


def cross_entropy(tallies: Sequence[Tally], worth: np.ndarray) -> Proposal:
    """Each group's parameter from hits of weight `worth`; never below nature's.

    Args:
        tallies: of excursions.
        worth: of each, weight times amount of the target; zero where it was not met.
    """
    hits = [(one, float(w)) for one, w in zip(tallies, worth, strict=True) if w > 0.0]
    own = [one for one, _ in hits]

    def total(field: str, group: str) -> float:
        return math.fsum(w * getattr(one, field).get(group, 0) for one, w in hits)

    least = SHARE_LEAST * math.fsum(w for _, w in hits)

    def matters(field: str, group: str) -> bool:
        return math.fsum(w for one, w in hits if getattr(one, field).get(group, 0)) > least

    speed = {}
    for group in _groups(own, "used"):
        used, fired = total("used", group), total("fired", group)
        if fired > NOTABLE * used > 0.0 and matters("fired", group):
            speed[group] = fired / used
    natural = {group: q for one in own for group, q in one.natural.items()}
    probability = {}
    for group, q in natural.items():
        failed = total("failed", group)
        share = min(failed / (failed + total("worked", group)), PROBABILITY_MOST)
        if share > NOTABLE * q and matters("failed", group):
            probability[group] = share
    stretch = {}
    for group in sorted({*_groups(own, "lengths"), *_groups(own, "outlived")}):
        over = math.fsum(w * len(one.lengths.get(group, ())) for one, w in hits)
        hazard = math.fsum(
            w * math.fsum((*one.lengths.get(group, ()), *one.outlived.get(group, ()))) for one, w in hits
        )
        if hazard > NOTABLE * over:
            stretch[group] = min(hazard / over, STRETCH_MOST) if over else STRETCH_MOST
    return Proposal(1.0, speed, probability, stretch)


def _groups(tallies: Sequence[Tally], field: str) -> list[str]:
    return sorted({group for one in tallies for group in getattr(one, field)})


def best_push(
    tallies: Sequence[Tally],
    weights: np.ndarray,
    amounts: np.ndarray,
    tuned: Proposal,
    most: Mapping[str, float],
    mixed: Callable[[Proposal], Sequence[Proposal]],
) -> Proposal:
    """The multiple of a proposal whose mixture would have the least variance, by the excursions at hand.

    The second moment under another mixture with weight L' is the mean of L L' amount**2 over what was drawn with weight
    L: no new run is needed. Cross-entropy alone pushes clocks harder than variance likes.

    Args:
        tallies, weights, amounts: of excursions, by which mixture soever they were drawn.
        tuned: by cross-entropy.
        most: by group of clocks, its speed at most; inf where it is not named.
        mixed: the mixture that holds a proposal.
    """
    hits = np.flatnonzero(amounts).tolist()
    natural = {group: q for one in tallies for group, q in one.natural.items()}

    def second_moment(candidate: Proposal) -> float:
        mixture = mixed(candidate)
        each = (weights[k] * amounts[k] ** 2 * math.exp(log_weight(tallies[k], mixture)) for k in hits)
        return math.fsum(each)

    candidates = (_pushed(tuned, natural, most, *by) for by in product(PUSHES, STRETCHES))
    return min(candidates, key=second_moment)


def _pushed(
    tuned: Proposal, natural: Mapping[str, float], most: Mapping[str, float], push: float, stretch: float
) -> Proposal:
    speed = {
        group: min(max(1.0 + push * (one - 1.0), 1.0), most.get(group, math.inf)) for group, one in tuned.speed.items()
    }
    probability = {
        group: min(natural[group] + push * (one - natural[group]), PROBABILITY_MOST)
        for group, one in tuned.probability.items()
    }
    return Proposal(1.0, speed, probability, {g: 1.0 + stretch * (one - 1.0) for g, one in tuned.stretch.items()})
