"""The pilot of a rare-event campaign: which draws lead to the target, and how hard to push them.

1. *Natural* runs count what an excursion draws: hazard used by each group of clocks, on-demand draws, durations.
2. *Balanced* runs give every group the same expected number of failures an excursion, whatever its natural rate, so
   that no mode goes unseen, half of them few and half of them many (Shahabuddin, "Importance sampling for the
   simulation of highly reliable Markovian systems", Management Science 40, 1994).
   First they only explore: what they alone show, such as the starts of gensets that nature seldom asks, is balanced
   in turn, so that the excursions asked for their hits push all that may lead there.
3. *Tuned* runs take each group's parameter by cross-entropy from the weighted hits (Rubinstein and Kroese, "The
   Cross-Entropy Method", 2004): for clocks failures over hazard used, for demands failures over draws, for durations
   the mean hazard, over how many are over (those under way at the hit have only been outlived so far). Twice, since the
   first hits are few; each time all hits so far are asked, and the multiple of least variance is taken. The last runs
   choose the factors of the controls (`twin.campaign.rare.columns`).

The campaign then mixes all these, and a *gentle* one that runs the tuned clocks less fast. A share of natural
excursions bounds every weight; a share of balanced ones keeps alive what the pilot did not see; gentle ones cover what
happens late: a clock run s times as fast weighs exp((s - 1) H) after hazard H, of unbounded variance where spans may
be long, and a slower clock in the mixture takes that tail away. Pilot replications are numbered far beyond those of
any campaign, so that what they found does not bias what is estimated; and they are counted, never timed, so that a
repetition finds the same.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from twin.campaign.rare.columns import controls
from twin.campaign.rare.settings import Settings
from twin.campaign.rare.tuning import balance, best_push, completed, cross_entropy, onsets_most, slowed
from twin.chance.proposal import Proposal, Tally, log_weight
from twin.errors import InputError, Problem
from twin.metrics import spans
from twin.plant import fields as f
from twin.simulator import Simulator

FIRST = 1 << 40
"""Number of the first pilot replication."""
NATURAL_SHARE, BALANCED_SHARE, GENTLE_SHARE = 0.05, 0.1, 0.4
GENTLE = 0.3
"""Of the tuned push, how much a gentle proposal gives to clocks."""
FAILURES = (1.0, 4.0)
"""Failures that a balanced excursion adds, all groups together: shallow, and deep for ways that need several."""
EXPLAINED_LEAST = 0.1
"""Of an amount's variance: controls that explain less are left out."""
HITS_WANTED, EXCURSIONS_WANTED = 200, 100
REPLICATIONS = 400
"""Of each step at most."""
EXPLORED = 10
"""Replications of each of the steps that only look for what balanced excursions ask."""


@dataclass(frozen=True)
class Seen:
    """Excursions of one step, as known when they met the target, else at their end.

    Attributes:
        settings: by which they were drawn.
        tallies, weights: of each.
        amounts: of the target.
        worths: by metric and excursion, weighted amounts at its end.
        controls: the first two of each, as in `twin.campaign.rare.columns`.
        replications: how many there were.
        cpu_s: CPU time of one.
    """

    settings: Settings
    tallies: list[Tally]
    weights: np.ndarray
    amounts: np.ndarray
    worths: np.ndarray
    controls: np.ndarray
    replications: int
    cpu_s: float

    @property
    def hits(self) -> int:
        """Excursions that met the target."""
        return int(np.count_nonzero(self.amounts))

    @cached_property
    def factors(self) -> dict[str, tuple[float, float, float]]:
        """By metric those of the controls: hits in expectation (1, 0), hours so (0, 1), or neither, whichever is best.

        No fit between them: what it would leave of final weights, a few per cent, has their long tail, which some
        hundred excursions of a pilot do not show.
        """
        choices = np.vstack([np.zeros(2), np.eye(2)])
        left = np.array([((self.worths - one @ self.controls) ** 2).sum(axis=1) for one in choices])
        left[0] *= 1.0 - EXPLAINED_LEAST
        chosen = choices[np.argmin(left, axis=0)]
        average = (self.worths - chosen @ self.controls).mean(axis=1)
        each = zip(spans.NAMES, *chosen.T.tolist(), average.tolist(), strict=True)
        return {name: (one, two, three) for name, one, two, three in each if one or two or three}

    @cached_property
    def expected(self) -> np.ndarray:
        """Amounts of the target, so far as the controls know them in expectation when it is met."""
        target = self.settings.target
        known = np.array(self.factors.get(target, (0.0, 0.0, 0.0))[:2]) @ self.controls
        worths = self.worths[spans.NAMES.index(target)] - known
        told = (self.amounts > 0.0) & (self.weights > 0.0)  # a weight too small for a number says nothing
        found = np.zeros(len(worths))
        found[told] = np.maximum(worths[told], 0.0) / self.weights[told]
        return found


@dataclass(frozen=True)
class Pilot:
    """What the pilot of a design found: its settings, and CPU time of a natural and of a tuned replication [s]."""

    settings: Settings
    hits: int
    natural_s: float
    tuned_s: float


def tune(simulator: Simulator, target: str, replications: int = REPLICATIONS) -> Pilot:
    """Choose the proposals of a design.

    Args:
        simulator: of the design.
        target: the metric whose events shall be frequent.
        replications: of each step at most.

    Raises:
        InputError: nothing ever failed, or the target was never met.
    """
    rest_h = rest_of(simulator)
    natural = _watch(simulator, Settings(target, (Proposal(),), rest_h), 0, replications, EXCURSIONS_WANTED)
    if not natural.tallies:
        text = f"design {simulator.design}: nothing fails in {replications} replications of the horizon"
        raise InputError(Problem(text, key="rare", remedy="lengthen horizon.hours"))
    balanced, most = [balance(natural.tallies, n) for n in FAILURES], onsets_most(natural.tallies)
    for step in (1, 2):
        deeper = _watch(simulator, _mixed(target, rest_h, balanced), step, EXPLORED, EXCURSIONS_WANTED)
        balanced = [completed(own, balance(deeper.tallies, n)) for own, n in zip(balanced, FAILURES, strict=True)]
    seen = _watch(simulator, _mixed(target, rest_h, balanced), 3, replications, HITS_WANTED // 2)
    if not seen.hits:
        text = f"design {simulator.design}: {target} stayed zero, however hard the pilot pushed all that it can push"
        raise InputError(Problem(text, key="rare", remedy="name another metric, or a longer horizon"))
    steps = [seen]
    for step in (4, 5):
        settings = _mixed(target, rest_h, balanced, _better(steps, balanced, most))
        steps.append(_watch(simulator, settings, step, replications, HITS_WANTED))
    tuned = steps[-1]
    found = replace(_mixed(target, rest_h, balanced, _better(steps, balanced, most)), factors=tuned.factors)
    return Pilot(found, tuned.hits, natural.cpu_s, tuned.cpu_s)


def _better(steps: Sequence[Seen], balanced: Sequence[Proposal], most: Mapping[str, float]) -> Proposal:
    """The proposal that all hits so far ask for, each weighed by the mixture of all that they were drawn by."""
    count = sum(len(seen.tallies) for seen in steps)
    mixture = [
        replace(one, share=one.share * len(seen.tallies) / count) for seen in steps for one in seen.settings.proposals
    ]
    amounts = np.concatenate([seen.expected for seen in steps])
    hits = np.flatnonzero(amounts).tolist()
    all_tallies = [tally for seen in steps for tally in seen.tallies]
    tallies, amounts = [all_tallies[k] for k in hits], amounts[hits]
    weights = np.exp([log_weight(tally, mixture) for tally in tallies])
    tuned = cross_entropy(tallies, weights * amounts)
    return best_push(tallies, weights, amounts, tuned, most, lambda one: _mixed("", 0.0, balanced, one).proposals)


def rest_of(simulator: Simulator) -> float:
    """How long a site may need to be as good as new after its last fault [h]: until all storage is full again."""
    longest = 0.0
    for plan in simulator.blueprint.sites:
        quantity = plan.quantity
        units = slice(0, len(plan.unit_items))
        room = quantity[f.U_MAX_KWH, units] - quantity[f.U_MIN_KWH, units]
        charge = np.maximum(quantity[f.U_RECHARGE_KW, units], 1e-9) * quantity[f.U_EFFICIENCY, units]
        alone = float((room / charge).max()) if room.size else 0.0
        limit = float(plan.site[f.RECHARGE_LIMIT_KW])
        longest = max(longest, alone, float(room.sum()) / limit if limit > 0.0 else 0.0)
    return longest


def _mixed(target: str, rest_h: float, balanced: Sequence[Proposal], tuned: Proposal | None = None) -> Settings:
    share = BALANCED_SHARE if tuned else 1.0 - NATURAL_SHARE
    shares = [(NATURAL_SHARE, Proposal()), *((share / len(balanced), one) for one in balanced)]
    if tuned:
        rest = 1.0 - NATURAL_SHARE - BALANCED_SHARE - GENTLE_SHARE
        shares += [(GENTLE_SHARE, slowed(tuned, GENTLE)), (rest, tuned)]
    parts = (Proposal(own, one.speed, one.probability, one.stretch) for own, one in shares)
    return Settings(target, tuple(parts), rest_h)


def _watch(simulator: Simulator, settings: Settings, step: int, replications: int, wanted: int) -> Seen:
    """Replications until enough excursions (natural) or hits are seen."""
    place = spans.NAMES.index(settings.target)
    only_natural = len(settings.proposals) == 1
    tallies: list[Tally] = []
    weights: list[float] = []
    amounts: list[np.ndarray] = []
    known: list[np.ndarray] = []
    began_s, found, k = time.thread_time(), 0, 0
    while k < replications and found < wanted:
        luck = settings.weights(tally_all=True)
        amount = spans.amounts(simulator.run(FIRST + step * REPLICATIONS + k, "ledger", luck))
        k += 1
        biased = [at for at, tally in enumerate(luck.tallies) if tally is not None]
        weights += [luck.spans[at][2] for at in biased]
        amounts.append(amount[:, biased])
        known.append(luck.at_hits()[:, biased])
        for at in biased:
            tally, hit = luck.tallies[at], luck.hits[at]
            assert tally is not None, "chosen above"
            tallies.append(tally if hit is None else hit.tally)
        found += len(biased) if only_natural else int(np.count_nonzero(amount[place, biased]))
    cpu_s = (time.thread_time() - began_s) / k
    final, amount, at_hits = np.exp(weights), np.concatenate(amounts, axis=1), np.concatenate(known, axis=1)
    by_then = np.where(np.isnan(at_hits[0]), final, np.exp(at_hits[0]))
    return Seen(settings, tallies, by_then, amount[place], amount * final, controls(final, at_hits)[:2], k, cpu_s)
